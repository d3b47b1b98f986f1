package sender

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// A source that somebody adds, of whatever kind, is signed with no line of Go.
func TestEveryKindHasAnExampleSecret(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		options := verify.Options{Kind: kind}
		switch kind {
		case "hmac":
			options.Header, options.Encoding = "X-Signature", "hex"
		case "header":
			options.Header = "X-Secret"
		case "form":
			options.Field = "secret"
		}
		if err := options.CheckSecret(exampleOf("billing", kind)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// kinds are those that a source's file can name.
func kinds(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../handler/sources/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Auth struct {
				Properties struct{ Kind struct{ Enum []string } }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	if len(schema.Defs.Auth.Properties.Kind.Enum) == 0 {
		t.Fatal("the schema names no kinds")
	}
	return schema.Defs.Auth.Properties.Kind.Enum
}
