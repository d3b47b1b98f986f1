// Package exotel is a client of Exotel's SIP-trunk API (v2). It depends on
// nothing but the standard library and can be used by any Go program.
//
// # How do I make a trunk?
//
//	client, err := exotel.New(exotel.Config{
//		APIKey: key, APIToken: token,
//		AccountSID: "acme1", Subdomain: exotel.Mumbai,
//	})
//	...
//	trunk, err := client.Trunks.Create(ctx, exotel.CreateTrunkRequest{
//		TrunkName:  "acme_42",
//		NSOCode:    exotel.AnyNSO,
//		DomainName: exotel.DomainName("acme1"),
//	})
//
// # How do I make it a line that calls go through?
//
// A trunk alone carries no call. In the order that Exotel documents, each under
// the trunk's SID:
//
//	client.PhoneNumbers.Map(...)     // the number; ModeFlow for Voice AI
//	client.WhitelistedIPs.Add(...)   // from where the customer calls; or
//	client.Credentials.Create(...)   // with which user and password
//	client.DestinationURIs.Add(...)  // to where incoming calls go
//	client.Settings.Set(...)         // the number that called people see
//
// A destination that is an address must be whitelisted before. Inbound calls
// also need a flow that leads to sip:<trunk_sid>; that is made in Exotel's
// console only.
//
// # How do I know what is there?
//
// Each service has List, for one page, and All, which walks over all of them,
// newest first. An entry that can't be read is counted, and All then ends with
// an error: only a walk without an error says that something is not there.
//
// # What does an error tell me?
//
// Every method returns a value or an error, never both and never neither; those
// that take something away, only an error. An error that came from a call is an
// *[Error]; its kind is found with errors.Is:
//
//	switch {
//	case errors.Is(err, exotel.ErrDuplicate):      // there is one already
//	case errors.Is(err, exotel.ErrOutcomeUnknown): // it may have been made, or not
//	case errors.Is(err, exotel.ErrNotSent):        // nothing was sent
//	}
//
// Exotel says "duplicate" in two ways: HTTP 409, and HTTP 200 with
// response.code 409 inside. Both are [ErrDuplicate] here.
//
// [DestinationURIsService.Add] and [SettingsService.Set] ask for several things
// at once, of which Exotel may take some (HTTP 207). Their error is about the
// whole call; each result has an error of its own.
//
// # How do I go on after an unknown outcome?
//
// [ErrOutcomeUnknown] is the one to think about. A time-out, a reset, a 5xx, a
// page that is not the vendor's envelope, a body cut short, a 200 without what
// was made, or about something else, says neither yes nor no: it may be there,
// and a request that was given up on may be processed even later. What to do
// depends on what Exotel makes of the same call again:
//
//	Trunks.Create        again: made, or ErrDuplicate; then find it in All by its
//	                     name, which must be one that you can compute again
//	PhoneNumbers.Map     again: mapped, or ErrDuplicate; then All tells whether
//	                     to this trunk or to another
//	WhitelistedIPs.Add   again: added, or ErrDuplicate; then All tells with which
//	                     mask
//	Settings.Set         again: the same value once more
//	DestinationURIs.Add  look first, with All and SameDestination: the same call
//	                     again would add it a second time
//	Credentials.Create   look first, with All, for the user's name: whether a
//	                     second one is refused isn't documented
//	PUT                  again, if nobody else may have changed it since
//	DELETE               again: ErrNotFound says that it is gone, of an id that
//	                     was right
//
// Where looking first is the way, a call that is still under way can make what
// was not there a moment ago: wait longer than [Config.Timeout] before you look,
// and look for a second one later ([DestinationURIsService.Remove] and
// [CredentialsService.Delete] take it away).
//
// # What is retried?
//
// A GET is tried up to three times, with jittered pauses, as long as the
// context's deadline leaves room. A POST, PUT or DELETE is tried again only where
// it was surely not sent (no connection was made). A 429 is never retried: the
// limit is the whole account's, so whoever shares it must decide;
// [Error.RetryAfter] says when.
//
// No Idempotency-Key header is ever sent. Exotel ignores it, and Go's transport
// would take it as leave to replay a POST whose answer was lost.
//
// # What can I rely on?
//
// Some of the API is recorded from answers of its own, some is only described,
// and some stands in the vendor's Postman file alone: methods of the last kind
// say "unverified". docs/exotel.md of this repository lists all of it, with dates
// and sources, and what contradicts what.
//
// # What are the limits?
//
// Exotel documents 200 calls a minute for an account, 50 connections at once,
// and page sizes limited by the server (50 by default). This client reads at
// most 1 MiB of an answer and gives one call at most [Config.Timeout].
//
// # Where do my credentials go?
//
// Into the Authorization header of a request to the configured host, and
// nowhere else: not into URLs, errors or logs. Redirects are not followed.
// Plain http is refused except to a loopback host (see [Config.AllowPlainHTTP]).
//
// A SIP user's password goes into the body of the one request, and out of
// whatever its answer says. The requests that hold one print and log without it;
// no [Credential] has one.
//
// # How do I test against it?
//
// Package exoteltest is a stateful fake of the API with faults to switch on.
package exotel
