package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/trunkhook/trunkhook/handler/line"
	"github.com/trunkhook/trunkhook/handler/strictjson"
)

// file is what stands in a source's file. The names are the file's own;
// schema.json says the same for editors, and doc.go for people.
type file struct {
	Schema         string            `json:"$schema"`
	About          string            `json:"about"`
	Event          map[string]string `json:"event"`
	Auth           json.RawMessage   `json:"auth"`
	Content        string            `json:"content"`
	Reply          Reply             `json:"reply"`
	Namespace      string            `json:"namespace"`
	MaxEvents      int               `json:"max_events"`
	CustomerTyped  []string          `json:"customer_typed"`
	IDForm         string            `json:"id_form"`
	Each           string            `json:"each"`
	Match          string            `json:"match"`
	Cancelled      string            `json:"cancelled"`
	ID             string            `json:"id"`
	Company        string            `json:"company"`
	PhoneNumbers   string            `json:"phone_numbers"`
	WhitelistedIPs string            `json:"whitelisted_ips"`
	Destinations   string            `json:"destination_uris"`
	Credentials    string            `json:"credentials"`
	CallerID       string            `json:"caller_id"`
}

// The fields that hold expressions, in the order in which they are evaluated.
// These, and no others, can be overridden.
const (
	fieldEach      = "each"
	fieldCancelled = "cancelled"
	fieldMatch     = "match"
	fieldID        = "id"
	fieldCompany   = "company"
)

var expressionFields = append([]string{fieldEach, fieldCancelled, fieldMatch, fieldID, fieldCompany}, line.Fields...)

// expression is where a field's text is; nil for a field that holds none.
func (f *file) expression(field string) *string {
	switch field {
	case fieldEach:
		return &f.Each
	case fieldCancelled:
		return &f.Cancelled
	case fieldMatch:
		return &f.Match
	case fieldID:
		return &f.ID
	case fieldCompany:
		return &f.Company
	case line.PhoneNumbers:
		return &f.PhoneNumbers
	case line.WhitelistedIPs:
		return &f.WhitelistedIPs
	case line.DestinationURIs:
		return &f.Destinations
	case line.Credentials:
		return &f.Credentials
	case line.CallerID:
		return &f.CallerID
	}
	return nil
}

// parseFile reads a file strictly: no key twice, and none that isn't known.
func parseFile(content []byte) (file, error) {
	var f file
	if _, err := strictjson.Parse(content); err != nil {
		return f, err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return f, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return f, nil
}
