package verify

// gitHub takes X-Hub-Signature-256 (github/docs, content/webhooks, read 2026-11).
// The older X-Hub-Signature, which is SHA-1, is not looked at.
func gitHub(Options) scheme {
	return genericHMAC(Options{Header: "X-Hub-Signature-256", Prefix: "sha256=", Encoding: "hex"})
}
