package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/canary"
)

// plain is as keys are, awkward has what encoders have to escape.
const (
	plain   = "Vw3kZ81tQbYx0LmNcR7u"
	awkward = `p9Q"/<&é%+ \Xk2vT5wB8sJ`
)

func TestEveryFormIsFound(t *testing.T) {
	t.Parallel()
	w := canary.For(map[string]string{"plain": plain, "awkward": awkward})
	for _, secret := range []string{plain, awkward} {
		quoted, err := json.Marshal(map[string]string{"a": secret})
		if err != nil {
			t.Fatal(err)
		}
		inside, err := json.Marshal(string(quoted))
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("user", secret)
		for form, text := range map[string]string{
			"as it is":        "before " + secret + " after",
			"cut off":         "before " + secret[:12],
			"JSON":            string(quoted),
			"JSON in JSON":    string(inside),
			"base64":          base64.StdEncoding.EncodeToString([]byte(secret)),
			"base64 for URLs": base64.URLEncoding.EncodeToString([]byte(secret)),
			"base64 of more":  base64.StdEncoding.EncodeToString([]byte("ab" + secret + "cd")),
			"base64 in PHP's": strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte("?????"+secret)), "/", `\/`),
			"Basic":           r.Header.Get("Authorization"),
			"hexadecimal":     hex.EncodeToString([]byte(secret)),
			"HEXADECIMAL":     fmt.Sprintf("%X", secret),
			"query":           url.QueryEscape(secret),
			"path":            "/a/" + url.PathEscape(secret) + "/b",
			"HTML":            html.EscapeString(secret),
			"quoted by Go":    fmt.Sprintf("%q", secret),
		} {
			if len(w.In(text)) == 0 {
				t.Errorf("%s is not found: %s", form, text)
			}
		}
	}
}

func TestNothingIsFoundInOtherTexts(t *testing.T) {
	t.Parallel()
	w := canary.For(map[string]string{"plain": plain, "awkward": awkward})
	for _, text := range []string{"", "short", `{"signup_id":"acme-42","company":"Acme \u00e9 Telecom"}`, plain[:9], base64.StdEncoding.EncodeToString([]byte(plain[:6])), strings.Repeat("x", 100_000)} {
		if found := w.In(text); len(found) != 0 {
			t.Errorf("%v in %.50s", found, text)
		}
	}
}
