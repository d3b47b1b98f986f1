package verify

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

func hubSpotV3(Options) scheme {
	return scheme{verify: verifyHubSpotV3, sign: signHubSpotV3, check: checkKey}
}

// verifyHubSpotV3 takes X-HubSpot-Signature-v3: the HMAC-SHA256 in base64 of
// method, URL, body and timestamp with nothing between them, the timestamp in
// milliseconds (developers.hubspot.com, request validation, read 2026-11).
//
// HubSpot's page wants some of the URL's escapes decoded, its own libraries decode
// none: both are tried.
func verifyHubSpotV3(r Request) bool {
	timestamp := r.header("X-Hubspot-Request-Timestamp")
	if !fresh(r.Now, timestamp, time.Millisecond) || !signableURL(r.URL) {
		return false
	}
	signatures := []string{r.header("X-Hubspot-Signature-V3")}
	signed := func(url string) bool {
		return signedBy(r.Secrets, signatures, func(secret string) string {
			return hubSpotV3Signature(secret, r.Method, url, r.Body, timestamp)
		})
	}
	decoded := hubSpotEscapes.Replace(r.URL)
	return signed(r.URL) || decoded != r.URL && signed(decoded)
}

func hubSpotV3Signature(secret, method, url string, body []byte, timestamp string) string {
	return base64.StdEncoding.EncodeToString(mac([]byte(secret), method+url, body, timestamp))
}

func signHubSpotV3(secret string, r *Request) error {
	if err := errors.Join(checkKey(secret), checkURL(r.URL)); err != nil {
		return err
	}
	timestamp := stamp(r.Now, time.Millisecond)
	r.Header.Set("X-Hubspot-Request-Timestamp", timestamp)
	r.Header.Set("X-Hubspot-Signature-V3", hubSpotV3Signature(secret, r.Method, hubSpotEscapes.Replace(r.URL), r.Body, timestamp))
	return nil
}

// hubSpotEscapes are those that HubSpot's page has decoded before signing; what
// else is escaped stays so (read 2026-11).
var hubSpotEscapes = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
)

// signableURL tells whether a URL is known, and is nothing but one. HubSpot signs
// it with the body right behind it, so a stranger who has seen a request could
// move the beginning of its body into the URL's query. Bodies are JSON: without a
// quotation mark nothing of interest can be moved.
func signableURL(url string) bool {
	for _, c := range []byte(url) {
		if c <= ' ' || c > '~' || c == '"' {
			return false
		}
	}
	return url != ""
}

func checkURL(url string) error {
	if !signableURL(url) {
		return errors.New("the URL is not known, or is none")
	}
	return nil
}
