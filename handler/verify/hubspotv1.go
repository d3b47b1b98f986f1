package verify

func hubSpotV1(Options) scheme {
	sign := func(secret string, r *Request) { setHubSpotHash(r, "v1", hubSpotHash(secret, "", r.Body)) }
	return scheme{verify: verifyHubSpotV1, sign: signer(checkKey, sign), check: checkKey}
}

// verifyHubSpotV1 takes X-HubSpot-Signature of version v1: the SHA-256 in hex of
// secret and body (developers.hubspot.com/docs/faq/v1-request-validation, read
// 2026-11). Neither time nor URL is signed, so such a request can be replayed, at
// any other receiver with the same secret too.
func verifyHubSpotV1(r Request) bool { return hubSpotHashed(r, "v1", "") }
