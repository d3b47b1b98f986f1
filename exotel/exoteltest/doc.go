// Package exoteltest is a stateful fake of Exotel's SIP-trunk API: it keeps the
// trunks that it is asked to make and all that they get (numbers, addresses,
// destinations, users, settings), refuses what Exotel refuses, lists newest
// first, and answers in Exotel's envelope and words (docs/exotel.md says which of
// them were recorded from the vendor).
//
// In a test it is one line:
//
//	fake := exoteltest.Start(t)
//	client, err := exotel.New(fake.Config())
//
// # How do I make something go wrong?
//
// Queue a fault for the next call of a kind. Each is used once:
//
//	fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)          // made, answer lost
//	fake.Inject(exoteltest.Create, exoteltest.Fail(503))           // not made
//	fake.Inject(exoteltest.List, exoteltest.HTML, exoteltest.Hang) // the next two lists
//	fake.Inject(exoteltest.AddDestinationURIs, exoteltest.ProcessLate(time.Minute))
//
// A [Fault] says apart what the API does and what the caller gets to see, so
// any combination can be written out.
//
// Other settings last until they are changed: [Server.SetCredentials],
// [Server.SetListLag] and [Server.SetLag], [Server.SetDuplicateStatus],
// [Server.SetUnknownTrunkStatus], [Server.SetUniqueUserNames],
// [Server.SetLatency], and [Server.SetLimits], which answers 429 to what is over
// the vendor's limits.
//
// # How do I see what happened?
//
// [Server.Trunks] is what exists, [Server.Line] what one of them has, and
// [Server.Calls] what was asked.
package exoteltest
