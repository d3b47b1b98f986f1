package settings_test

import (
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/settings"
)

// Credentials cross a network in plain text under sam local alone, and there to a
// private address alone.
func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	const loopback, samOnly, never = "loopback", "under sam local", "never"
	for host, when := range map[string]string{
		"127.0.0.1": loopback, "127.200.3.4": loopback, "localhost": loopback, "[::1]": loopback, "[::ffff:127.0.0.1]": loopback,
		"10.0.0.1": samOnly, "172.16.0.1": samOnly, "172.31.255.255": samOnly, "192.168.0.1": samOnly, "[fd00::1]": samOnly, "[::ffff:10.0.0.1]": samOnly,
		"host.docker.internal": samOnly, "host.containers.internal": samOnly,
		"8.8.8.8": never, "172.32.0.1": never, "172.15.255.255": never, "192.169.0.1": never, "11.0.0.1": never, "169.254.169.254": never, "100.64.0.1": never, "0.0.0.0": never,
		"[::]": never, "[fe80::1]": never, "[2001:db8::1]": never, "[::ffff:8.8.8.8]": never, "api.exotel.com": never, "10.0.0.1.example": never, "localhost.example": never,
		"evil.host.docker.internal": never, "host.docker.internal.example": never, "10.1": never, "0x0a000001": never, "167772161": never, "012.0.0.1": never,
	} {
		for sam, under := range map[string]bool{"": false, "true": true, "false": false, "TRUE": false, "1": false} {
			want := when == loopback || when == samOnly && under
			got, err := settings.Webhook(env("AWS_SAM_LOCAL="+sam, "EXOTEL_BASE_URL=http://"+host+":8080/x"))
			if (err == nil) != want || got.AllowPlainHTTP && !under {
				t.Errorf("http://%s with AWS_SAM_LOCAL=%q: %v, %+v", host, sam, err, got)
			}
			if _, err := settings.Webhook(env("AWS_SAM_LOCAL="+sam, "EXOTEL_BASE_URL=https://"+host+":8080/x")); err != nil {
				t.Errorf("https://%s: %v", host, err)
			}
		}
	}
}

func TestNoErrorRepeatsASetting(t *testing.T) {
	t.Parallel()
	const secret = "Kq7Xw9Zt3Lm5"
	for _, pair := range []string{
		"EXOTEL_BASE_URL=https://" + secret + ":" + secret + "@api.exotel.com", "EXOTEL_BASE_URL=http://" + secret + ".example", "EXOTEL_BASE_URL=https://x/%zz" + secret, "EXOTEL_BASE_URL=https://x/\r\n" + secret,
		"PUBLIC_URL=https://" + secret + "@x", "PUBLIC_URL=" + secret, "PUBLIC_URL=https://x/\n" + secret, "TRUNK_PREFIX=" + secret, "REPLY_WITHIN=" + secret, "EXOTEL_CALLS_PER_MINUTE=" + secret,
		"SIGNUPS_TABLE=" + secret + "\n", "EXOTEL_SECRET_ID=" + secret + " x", "SOURCES_SECRET_ID=" + secret + "\t",
	} {
		_, err := settings.Webhook(env(pair))
		name, _, _ := strings.Cut(pair, "=")
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), secret) || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q: %v", pair, err)
		}
	}
}
