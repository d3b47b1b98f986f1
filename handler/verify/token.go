package verify

func token(Options) scheme {
	return scheme{verify: verifyToken, sign: signer(checkToken, signBearer), check: checkToken}
}

// verifyToken takes a fixed token, for senders that can do no more: as a bearer
// or, where they can't set Authorization, in X-Webhook-Token.
func verifyToken(r Request) bool { return holds(r.Secrets, r.tokens()...) }

func (r Request) tokens() []string {
	return []string{r.credentials("Bearer"), r.header("X-Webhook-Token")}
}
