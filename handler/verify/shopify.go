package verify

// shopify takes X-Shopify-Hmac-SHA256; the key is the app's client secret
// (shopify.dev/docs/apps/build/webhooks/verify-deliveries, read 2026-11).
func shopify(Options) scheme {
	return genericHMAC(Options{Header: "X-Shopify-Hmac-Sha256", Encoding: "base64"})
}
