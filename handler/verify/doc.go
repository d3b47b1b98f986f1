// Package verify tells whether a webhook was made by somebody who has a secret.
//
// Each kind of authentication is a [Kind]: a pure function over the bytes as
// they were sent, in a file of its own. [New] picks one by the options in a
// source's file; [Sign] does what that kind's sender does.
//
// # Which secrets does a kind take?
//
// Any number, so that one can be rotated in; none is closed. A secret that
// starts with whsec_, whpk_ or whsk_ signs, and is never taken as a token or a
// password; Standard Webhooks takes no other. What else signs (Stripe, HubSpot
// ...) takes the signing secret as its sender shows it. Mind Stripe's: it starts
// with whsec_ too, and is the key as it stands, not base64 of it.
//
// # What if a header came twice?
//
// Then API Gateway has joined the values with commas, and net/http has kept them
// apart. Neither is taken apart or picked from here: it is then no timestamp, no
// token and no signature. Only Stripe's signature is itself a list with commas;
// there a second timestamp refuses the request.
//
// # What may a stranger make us do?
//
// Read headers of 4 KiB, hash the body once for each secret (twice for HubSpot,
// whose URL may have been signed in two forms, and for Standard Webhooks, whose
// headers have two names), look at 16 signatures, and at 4 of the costly ones.
package verify
