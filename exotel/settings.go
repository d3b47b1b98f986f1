package exotel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
)

// CallerIDAlias is the setting whose value called people see as the caller: a
// phone number of the account, E.164. It is the only setting that Exotel documents.
const CallerIDAlias = "trunk_external_alias"

// SettingsService keeps the settings of trunks. Take it from a Client.
type SettingsService struct{ client *Client }

// Setting is a name and a value.
type Setting struct {
	Name  string `json:"name"`  // such as CallerIDAlias
	Value string `json:"value"` // not empty
}

// Validate checks the name, and the value where its form is known.
func (s Setting) Validate() error {
	switch {
	case !isWord(s.Name, 1, 64, ""):
		return errors.New("a setting's name must be 1 to 64 letters, digits or _")
	case s.Name == CallerIDAlias && !isE164(s.Value):
		return errors.New("the value of " + CallerIDAlias + " must be a phone number, E.164")
	case s.Value == "" || len(s.Value) > 256 || clean(s.Value) != s.Value:
		return errors.New("a setting's value must be 1 to 256 bytes on one line")
	}
	return nil
}

// StoredSetting is a setting that a trunk has.
type StoredSetting struct {
	Setting
	TrunkSID    string
	DateCreated string // RFC 3339
	DateUpdated string // RFC 3339

	// Raw is the setting as Exotel sent it, with what this struct doesn't know.
	Raw json.RawMessage
}

func (s StoredSetting) key() string { return s.Name }

// UnmarshalJSON is as lenient as a Trunk's.
func (s *StoredSetting) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*s = StoredSetting{
		Setting:     Setting{Name: o.text("name"), Value: o.scalar("value")},
		TrunkSID:    o.text("trunk_sid"),
		DateCreated: o.text("date_created"),
		DateUpdated: o.text("date_updated"),
		Raw:         slices.Clone(data),
	}
	return nil
}

// SettingResult is what became of one setting.
type SettingResult struct {
	Name  string
	Value string // as Exotel sent it; as it was asked for where there is an error
	Err   error  // an *Error; nil where it is set
}

// Set sets several settings in one call and returns a result for each, in the
// order asked. What it sets it replaces, as far as a third party's notes (2025)
// let one tell. After ErrOutcomeUnknown, call Set again with the same.
func (s *SettingsService) Set(ctx context.Context, trunkSID string, settings []Setting) ([]SettingResult, error) {
	req := ofTrunk("set settings", http.MethodPost, trunkSID, "settings")
	req.body, req.fault = map[string][]Setting{"settings": settings}, cmp.Or(req.fault, validateSettings(settings))
	outcomes, err := each(ctx, s.client, req, len(settings), func(i int, stored StoredSetting) bool {
		return stored.Name == settings[i].Name
	})
	if err != nil {
		return nil, err
	}
	results := make([]SettingResult, len(settings))
	for i, o := range outcomes {
		results[i] = SettingResult{settings[i].Name, settings[i].Value, o.err}
		if o.entry != nil {
			results[i].Value = cmp.Or(o.entry.Value, results[i].Value)
		}
	}
	return results, nil
}

// validateSettings refuses a name that comes twice: which value would win is
// documented nowhere.
func validateSettings(settings []Setting) error {
	if len(settings) == 0 {
		return errors.New("there are no settings")
	}
	for i, setting := range settings {
		if err := setting.Validate(); err != nil {
			return err
		}
		if slices.ContainsFunc(settings[:i], func(other Setting) bool { return other.Name == setting.Name }) {
			return errors.New("a setting is there twice")
		}
	}
	return nil
}

// SettingPage is a page of settings.
type SettingPage struct {
	Settings   []StoredSetting
	Unreadable int          // how many more there are that can't be read
	Next       *PageOptions // the page after this one; nil where this is the last
}

// List returns a trunk's settings. Unverified: only the vendor's Postman file has
// it (121659e, 2026), and no answer of it is known.
func (s *SettingsService) List(ctx context.Context, trunkSID string, o PageOptions) (*SettingPage, error) {
	page, err := list[StoredSetting](ctx, s.client, listSettings(trunkSID), o)
	if err != nil {
		return nil, err
	}
	return &SettingPage{page.entries, page.unreadable, page.next}, nil
}

// All walks over all of a trunk's settings, as TrunksService.All does over
// trunks. It is as unverified as List.
func (s *SettingsService) All(ctx context.Context, trunkSID string) iter.Seq2[StoredSetting, error] {
	return all[StoredSetting](ctx, s.client, listSettings(trunkSID), PageOptions{})
}

func listSettings(trunkSID string) request {
	return ofTrunk("list settings", http.MethodGet, trunkSID, "settings")
}

// Remove takes a setting away, by its name. Unverified: only the vendor's
// Postman file has it (121659e, 2026).
func (s *SettingsService) Remove(ctx context.Context, trunkSID, name string) error {
	req := ofTrunk("remove setting", http.MethodDelete, trunkSID, "settings")
	return remove(ctx, s.client, req, "name", name)
}
