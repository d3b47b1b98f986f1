package verify

func staticHeader(o Options) scheme {
	sign := func(secret string, r *Request) { r.Header.Set(o.Header, secret) }
	return scheme{verify: o.verifyHeader, sign: signer(checkToken, sign), check: checkToken}
}

// verifyHeader takes a fixed value of a header that the source's file names.
func (o Options) verifyHeader(r Request) bool { return holds(r.Secrets, r.header(o.Header)) }
