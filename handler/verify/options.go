package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Options say how a source's requests are authenticated. Fields that a kind
// doesn't have must be left out.
type Options struct {
	Kind            string `json:"kind"`
	Header          string `json:"header,omitempty"`           // hmac: where the signature is; header: where the token is
	Prefix          string `json:"prefix,omitempty"`           // hmac: in front of the signature, such as "sha256="
	Encoding        string `json:"encoding,omitempty"`         // hmac: of the signature: "hex" (lower case) or "base64"
	TimestampHeader string `json:"timestamp_header,omitempty"` // hmac: where the signed timestamp is, in seconds
	Field           string `json:"field,omitempty"`            // form: where the token is
}

// ParseOptions reads options from JSON, strictly.
func ParseOptions(text []byte) (Options, error) {
	var o Options
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return Options{}, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return o, nil
}

// scheme is a kind with all that belongs to it.
type scheme struct {
	verify Kind
	// sign puts into a request what its sender would.
	sign func(secret string, r *Request) error
	// check refuses a secret that can never match.
	check func(secret string) error
}

type kind struct {
	needs, takes []string // options
	open         func(Options) scheme
}

var kinds = map[string]kind{
	"standard-webhooks": {open: standardWebhooks},
	"stripe":            {open: stripe},
	"hubspot-v1":        {open: hubSpotV1},
	"hubspot-v2":        {open: hubSpotV2},
	"hubspot-v3":        {open: hubSpotV3},
	"shopify":           {open: shopify},
	"close":             {open: closeCRM},
	"github":            {open: gitHub},
	"hmac":              {needs: []string{"header", "encoding"}, takes: []string{"prefix", "timestamp_header"}, open: genericHMAC},
	"basic":             {open: basic},
	"bearer":            {open: bearer},
	"token":             {open: token},
	"header":            {needs: []string{"header"}, open: staticHeader},
	"form":              {needs: []string{"field"}, open: form},
}

// New returns the kind that the options describe. The error names the option that
// is wrong, superfluous or missing.
func New(o Options) (Kind, error) {
	s, err := o.scheme()
	return s.verify, err
}

// CheckSecret refuses a secret that can never match a request of this kind. The
// error holds nothing of the secret.
func (o Options) CheckSecret(secret string) error {
	s, err := o.scheme()
	if err != nil {
		return err
	}
	return s.check(secret)
}

func (o Options) scheme() (scheme, error) {
	k, ok := kinds[o.Kind]
	if !ok {
		return scheme{}, fmt.Errorf("kind: %q is none of %s", o.Kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	for _, option := range o.list() {
		needed := slices.Contains(k.needs, option.name)
		switch {
		case option.value == "" && needed:
			return scheme{}, fmt.Errorf("%s: kind %s needs it", option.name, o.Kind)
		case option.value == "":
		case !needed && !slices.Contains(k.takes, option.name):
			return scheme{}, fmt.Errorf("%s: kind %s has no such option", option.name, o.Kind)
		default:
			if err := option.check(option.value); err != nil {
				return scheme{}, fmt.Errorf("%s: %w", option.name, err)
			}
		}
	}
	if o.Header != "" && strings.EqualFold(o.Header, o.TimestampHeader) {
		return scheme{}, errors.New("timestamp_header: it is the signature's header")
	}
	return k.open(o), nil
}

type option struct {
	name, value string
	check       func(string) error
}

func (o Options) list() []option {
	return []option{
		{"header", o.Header, checkHeaderName},
		{"prefix", o.Prefix, checkText},
		{"encoding", o.Encoding, checkEncoding},
		{"timestamp_header", o.TimestampHeader, checkHeaderName},
		{"field", o.Field, checkText},
	}
}

func checkHeaderName(name string) error {
	for _, c := range name {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return errors.New("a header's name is letters, digits, - and _")
		}
	}
	return nil
}

func checkText(text string) error {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return errors.New("it is not printable ASCII")
		}
	}
	return nil
}

func checkEncoding(encoding string) error {
	if encoding != "hex" && encoding != "base64" {
		return errors.New(`it is "hex" or "base64"`)
	}
	return nil
}
