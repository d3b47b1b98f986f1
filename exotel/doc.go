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
// # What does an error tell me?
//
// Every method returns a value or an error, never both and never neither. An
// error that came from a call is an *[Error]; its kind is found with errors.Is:
//
//	switch {
//	case errors.Is(err, exotel.ErrDuplicate):      // there is a trunk of that name
//	case errors.Is(err, exotel.ErrOutcomeUnknown): // it may have been made, or not
//	case errors.Is(err, exotel.ErrNotSent):        // nothing was sent
//	}
//
// [ErrOutcomeUnknown] is the one to think about. A time-out, a reset, a 5xx, a
// page that is not the vendor's envelope, a body cut short, or a 200 without a
// trunk_sid says neither yes nor no: the trunk may exist. Make trunks under a
// name that you can compute again; the next Create under it then either makes
// the trunk or fails with [ErrDuplicate], and a walk over [TrunksService.All]
// finds it.
//
// Exotel says "duplicate" in two ways: HTTP 409, and HTTP 200 with
// response.code 409 inside. Both are [ErrDuplicate] here.
//
// # What is retried?
//
// A GET is tried up to three times, with jittered pauses, as long as the
// context's deadline leaves room. A POST or DELETE is tried again only where it
// was surely not sent (no connection was made). A 429 is never retried: the
// limit is the whole account's, so whoever shares it must decide;
// [Error.RetryAfter] says when.
//
// No Idempotency-Key header is ever sent. Exotel ignores it, and Go's transport
// would take it as leave to replay a POST whose answer was lost.
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
// # How do I test against it?
//
// Package exoteltest is a stateful fake of the API with faults to switch on.
//
// What is known of the API's behaviour, with dates and sources, stands in
// docs/exotel.md of this repository.
package exotel
