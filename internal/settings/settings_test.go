package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/internal/settings"
)

func env(pairs ...string) func(string) string {
	values := map[string]string{"SIGNUPS_TABLE": "signups", "EXOTEL_SECRET_ID": "exotel", "SOURCES_SECRET_ID": "sources"}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, err := settings.Webhook(env())
	want := settings.Settings{SignupsTable: "signups", ExotelSecretID: "exotel", SourcesSecretID: "sources", TrunkPrefix: "th", ReplyWithin: 4 * time.Second, CallsPerMinute: 180, PasswordsPath: "/trunkhook"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDeletionIsAllowedByTheWordAlone(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"": false, "false": false, "true": true} {
		if got, err := settings.Webhook(env("ALLOW_DELETE=" + value)); err != nil || got.AllowDelete != want {
			t.Errorf("%q: %v, %v", value, got.AllowDelete, err)
		}
	}
}

func TestReconcilerNeedsNoSources(t *testing.T) {
	t.Parallel()
	if _, err := settings.Reconciler(env("SOURCES_SECRET_ID=")); err != nil {
		t.Error(err)
	}
}

// What the webhook alone uses is held to be a mistake in the reconciler, too.
func TestReconcilerRefusesWhatTheWebhookWould(t *testing.T) {
	t.Parallel()
	for _, pair := range []string{"REPLY_WITHIN=nonsense", "PUBLIC_URL=hooks", "TRUNK_PREFIX=Toolong", "SIGNUPS_TABLE=a b"} {
		name, _, _ := strings.Cut(pair, "=")
		if _, err := settings.Reconciler(env(pair)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", pair, err)
		}
	}
}

func TestEveryFaultIsNamedInOneLine(t *testing.T) {
	t.Parallel()
	_, err := settings.Webhook(func(name string) string {
		return map[string]string{"EXOTEL_BASE_URL": "http://exotel.example", "PUBLIC_URL": "hooks", "TRUNK_PREFIX": "Toolong", "REPLY_WITHIN": "4", "EXOTEL_CALLS_PER_MINUTE": "many"}[name]
	})
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v", err)
	}
	for _, name := range []string{"SIGNUPS_TABLE", "EXOTEL_SECRET_ID", "SOURCES_SECRET_ID", "EXOTEL_BASE_URL", "PUBLIC_URL", "TRUNK_PREFIX", "REPLY_WITHIN", "EXOTEL_CALLS_PER_MINUTE"} {
		if strings.Count(err.Error(), name+" ") != 1 {
			t.Errorf("%s is not named once: %v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for pair, fault := range map[string]string{
		"ALLOW_DELETE=true":                                "",
		"ALLOW_DELETE=false":                               "",
		"ALLOW_DELETE=yes":                                 "ALLOW_DELETE",
		"TRUNK_PREFIX=a":                                   "",
		"TRUNK_PREFIX=st1":                                 "",
		"TRUNK_PREFIX=four":                                "TRUNK_PREFIX",
		"TRUNK_PREFIX=t_":                                  "TRUNK_PREFIX",
		"EXOTEL_CALLS_PER_MINUTE=0":                        "",
		"EXOTEL_CALLS_PER_MINUTE=1":                        "",
		"EXOTEL_CALLS_PER_MINUTE=100000":                   "",
		"EXOTEL_CALLS_PER_MINUTE=100001":                   "EXOTEL_CALLS_PER_MINUTE",
		"EXOTEL_CALLS_PER_MINUTE=-1":                       "EXOTEL_CALLS_PER_MINUTE",
		"EXOTEL_CALLS_PER_MINUTE=1.5":                      "EXOTEL_CALLS_PER_MINUTE",
		"REPLY_WITHIN=100ms":                               "",
		"REPLY_WITHIN=99ms":                                "REPLY_WITHIN",
		"REPLY_WITHIN=1m30s":                               "",
		"REPLY_WITHIN=15m":                                 "",
		"REPLY_WITHIN=15m1s":                               "REPLY_WITHIN",
		"REPLY_WITHIN=0":                                   "REPLY_WITHIN",
		"REPLY_WITHIN=-4s":                                 "REPLY_WITHIN",
		"PUBLIC_URL=https://hooks.example.com/v1/":         "",
		"PUBLIC_URL=https://user:pw@hooks.example.com":     "PUBLIC_URL",
		"PUBLIC_URL=https://hooks.example.com?a=b":         "PUBLIC_URL",
		"PUBLIC_URL=ftp://hooks.example.com":               "PUBLIC_URL",
		"EXOTEL_BASE_URL=https://proxy.example/exotel":     "",
		"EXOTEL_BASE_URL=http://127.0.0.1:4010":            "",
		"EXOTEL_BASE_URL=http://localhost:4010":            "",
		"EXOTEL_BASE_URL=http://[::1]:4010":                "",
		"EXOTEL_BASE_URL=http://10.88.0.1:4010":            "EXOTEL_BASE_URL",
		"EXOTEL_BASE_URL=http://api.exotel.com":            "EXOTEL_BASE_URL",
		"EXOTEL_BASE_URL=http://127.0.0.1.example":         "EXOTEL_BASE_URL",
		"EXOTEL_BASE_URL=https://key:token@api.exotel.com": "EXOTEL_BASE_URL",
		"EXOTEL_BASE_URL=api.exotel.com":                   "EXOTEL_BASE_URL",
		"EXOTEL_BASE_URL=https://api.exotel.com?":          "EXOTEL_BASE_URL",
		"EXOTEL_BASE_URL=https://:443":                     "EXOTEL_BASE_URL",
		"PUBLIC_URL=https://:443":                          "PUBLIC_URL",
		"PUBLIC_URL=///":                                   "PUBLIC_URL",
		"SIGNUPS_TABLE=trunkhook-prod.Signups_1":           "",
		"SIGNUPS_TABLE=arn:aws:dynamodb:ap-south-1:123456789012:table/signups":           "",
		"SIGNUPS_TABLE=arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/signups": "",
		"SIGNUPS_TABLE=arn:aws:dynamodb:ap-south-1:123456789012:table/signups/index/due": "SIGNUPS_TABLE",
		"SIGNUPS_TABLE=arn:aws:secretsmanager:ap-south-1:123456789012:secret:signups":    "SIGNUPS_TABLE",
		"SIGNUPS_TABLE=ab":         "SIGNUPS_TABLE",
		"SIGNUPS_TABLE=sign/ups":   "SIGNUPS_TABLE",
		"SIGNUPS_TABLE=${Signups}": "SIGNUPS_TABLE",
		"SIGNUPS_TABLE= ":          "SIGNUPS_TABLE",
	} {
		_, err := settings.Webhook(env(pair))
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", pair, err)
		}
		if err != nil && strings.Contains(err.Error(), ":pw@") || err != nil && strings.Contains(err.Error(), "token") {
			t.Errorf("%s: the error repeats the value: %v", pair, err)
		}
	}
}

func TestPlainHTTPToAPrivateAddressUnderSAMLocalOnly(t *testing.T) {
	t.Parallel()
	for host, allowed := range map[string]bool{"10.88.0.1": true, "192.168.1.2": true, "host.docker.internal": true, "8.8.8.8": false, "exotel.example": false, "10.88.0.1.example": false} {
		got, err := settings.Webhook(env("AWS_SAM_LOCAL=true", "EXOTEL_BASE_URL=http://"+host+":1"))
		if (err == nil) != allowed || allowed && !got.AllowPlainHTTP {
			t.Errorf("%s: %+v, %v", host, got, err)
		}
	}
}
