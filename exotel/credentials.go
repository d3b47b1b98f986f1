package exotel

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// CredentialsService keeps the SIP digest credentials of trunks: with them a
// customer's system may call from any address. Take it from a Client.
type CredentialsService struct{ client *Client }

// CreateCredentialRequest is a user and its password. It prints and logs without
// the password.
type CreateCredentialRequest struct {
	// UserName: 1 to 64 of [A-Za-z0-9_.-]. Its alphabet is documented nowhere;
	// samples have letters, digits and _.
	UserName string `json:"user_name"`
	// Password: 8 to 128 of [A-Za-z0-9_]. Exotel takes no other characters (1002;
	// third-party notes on a live account, 2025).
	Password string `json:"password"`
	// FriendlyName: none, or up to 32 of [A-Za-z0-9_].
	FriendlyName string `json:"friendly_name,omitempty"`
}

// UpdateCredentialRequest is what is to change of a credential; what is empty
// stays. It prints and logs without the password.
type UpdateCredentialRequest struct {
	UserName     string `json:"user_name,omitempty"`     // as in CreateCredentialRequest
	Password     string `json:"password,omitempty"`      // the same
	FriendlyName string `json:"friendly_name,omitempty"` // the same
}

// Validate checks the request. No error repeats the password.
func (r CreateCredentialRequest) Validate() error {
	switch {
	case r.UserName == "":
		return errors.New("user_name is empty")
	case r.Password == "":
		return errors.New("password is empty")
	}
	return UpdateCredentialRequest(r).Validate()
}

// Validate checks what there is. No error repeats the password. A password
// shorter than 8 characters is guessed within hours, and would be taken out of
// every word that it is part of.
func (r UpdateCredentialRequest) Validate() error {
	switch {
	case r == UpdateCredentialRequest{}:
		return errors.New("nothing is to change")
	case r.UserName != "" && !isWord(r.UserName, 1, 64, ".-"):
		return errors.New("user_name must be 1 to 64 letters, digits, _, . or -")
	case r.Password != "" && !isWord(r.Password, 8, 128, ""):
		return errors.New("password must be 8 to 128 letters, digits or _")
	case r.Password != "" && strings.Contains(r.UserName+" "+r.FriendlyName, r.Password):
		return errors.New("the password stands in a name, and names are shown")
	case r.FriendlyName != "" && !isWord(r.FriendlyName, 1, 32, ""):
		return errors.New("friendly_name must be up to 32 letters, digits or _")
	}
	return nil
}

// secrets are what must not come back.
func (r UpdateCredentialRequest) secrets() []string {
	if r.Password == "" {
		return nil
	}
	return []string{r.Password}
}

// String leaves the password out, as do GoString and LogValue.
func (r CreateCredentialRequest) String() string { return UpdateCredentialRequest(r).String() }

// GoString is for %#v.
func (r CreateCredentialRequest) GoString() string { return r.String() }

// LogValue is for log/slog.
func (r CreateCredentialRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// String leaves the password out, as do GoString and LogValue.
func (r UpdateCredentialRequest) String() string {
	return fmt.Sprintf("user_name %q, friendly_name %q", r.UserName, r.FriendlyName)
}

// GoString is for %#v.
func (r UpdateCredentialRequest) GoString() string { return r.String() }

// LogValue is for log/slog.
func (r UpdateCredentialRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Credential is a user of a trunk. Exotel never sends its password. Only ID is
// certain to be there.
type Credential struct {
	ID           string // digits
	UserName     string
	FriendlyName string
	TrunkSID     string
	DateCreated  string // RFC 3339
	DateUpdated  string // RFC 3339

	// Raw is the credential as Exotel sent it, with what this struct doesn't
	// know, but without any password.
	Raw json.RawMessage
}

func (c Credential) key() string { return c.ID }

// UnmarshalJSON is as lenient as a Trunk's.
func (c *Credential) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*c = Credential{
		ID:           o.scalar("id"),
		UserName:     o.text("user_name"),
		FriendlyName: o.text("friendly_name"),
		TrunkSID:     o.text("trunk_sid"),
		DateCreated:  o.text("date_created"),
		DateUpdated:  o.text("date_updated"),
		Raw:          withoutPasswords(data),
	}
	return nil
}

// withoutPasswords takes out every field whose name says that it is one. Pages
// of January 2026, withdrawn since, show a password in a list (README at 84b2dcc).
func withoutPasswords(data []byte) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil // it was read as JSON before
	}
	dropPasswords(value)
	raw, err := json.Marshal(value)
	if err != nil {
		return nil // it came out of JSON
	}
	return raw
}

func dropPasswords(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			if lower := strings.ToLower(name); strings.Contains(lower, "password") || strings.Contains(lower, "secret") {
				delete(value, name)
				continue
			}
			dropPasswords(field)
		}
	case []any:
		for _, element := range value {
			dropPasswords(element)
		}
	}
}

// Create adds a credential to a trunk. Whether Exotel refuses a second one of the
// same user name is documented nowhere, so that ErrDuplicate may come or not:
// after ErrOutcomeUnknown, look through All for the user name before creating it
// again. One that is there has the password of whichever call made it; where that
// isn't known for certain, Update it.
func (s *CredentialsService) Create(ctx context.Context, trunkSID string, r CreateCredentialRequest) (*Credential, error) {
	req := ofTrunk("create credential", http.MethodPost, trunkSID, "credentials")
	req.body, req.secrets, req.fault = r, UpdateCredentialRequest(r).secrets(), cmp.Or(req.fault, r.Validate())
	return one(ctx, s.client, req, func(c Credential) bool { return c.UserName == "" || c.UserName == r.UserName })
}

// CredentialListOptions chooses a page of a list.
type CredentialListOptions struct {
	PageSize int    // as in PageOptions
	Offset   int    // the same
	ID       string // only this credential
}

func (o CredentialListOptions) request(trunkSID string) request {
	req := ofTrunk("list credentials", http.MethodGet, trunkSID, "credentials")
	if o.ID != "" {
		req.query = url.Values{"id": {o.ID}}
	}
	return req
}

func (o CredentialListOptions) page() PageOptions {
	return PageOptions{PageSize: o.PageSize, Offset: o.Offset}
}

// at are the same options for another page.
func (o CredentialListOptions) at(page *PageOptions) *CredentialListOptions {
	if page == nil {
		return nil
	}
	o.PageSize, o.Offset = page.PageSize, page.Offset
	return &o
}

// CredentialPage is a page of credentials, newest first.
type CredentialPage struct {
	Credentials []Credential
	Unreadable  int                    // how many more there are that can't be read
	Total       int                    // on all pages; zero where Exotel doesn't say
	Next        *CredentialListOptions // the page after this one; nil where this is the last
}

// List returns one page of a trunk's credentials.
func (s *CredentialsService) List(ctx context.Context, trunkSID string, o CredentialListOptions) (*CredentialPage, error) {
	page, err := list[Credential](ctx, s.client, o.request(trunkSID), o.page())
	if err != nil {
		return nil, err
	}
	return &CredentialPage{page.entries, page.unreadable, page.total, o.at(page.next)}, nil
}

// All walks over all of a trunk's credentials, as TrunksService.All does over trunks.
func (s *CredentialsService) All(ctx context.Context, trunkSID string) iter.Seq2[Credential, error] {
	return all[Credential](ctx, s.client, CredentialListOptions{}.request(trunkSID), PageOptions{})
}

// Update changes a credential, such as its password.
func (s *CredentialsService) Update(ctx context.Context, trunkSID, id string, r UpdateCredentialRequest) (*Credential, error) {
	req := ofTrunk("update credential", http.MethodPut, trunkSID, "credentials", id)
	req.body, req.secrets, req.fault = r, r.secrets(), cmp.Or(req.fault, r.Validate())
	return one(ctx, s.client, req, func(c Credential) bool { return c.ID == id })
}

// Delete takes a credential away. ErrNotFound says that it is gone already.
func (s *CredentialsService) Delete(ctx context.Context, trunkSID, id string) error {
	req := ofTrunk("delete credential", http.MethodDelete, trunkSID, "credentials")
	return remove(ctx, s.client, req, "id", id)
}
