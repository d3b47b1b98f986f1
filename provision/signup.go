package provision

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Signup is what somebody signed up for, as it arrived.
type Signup struct {
	// ID identifies the signup for ever: 1 to 128 of [A-Za-z0-9._:@|-].
	ID string
	// Company is for people: 1 to 256 characters. It is no part of the trunk's name.
	Company string
	// Source is the name of the way in (see ValidSource), or empty. It is no part of the
	// content.
	Source string
	// Generation tells a customer who signs up again, after the signup was deleted,
	// from a late redelivery: 2 for the second time, and so on. Zero and 1 are the first.
	Generation int
	// Line is what else it asks for. Deliveries add to it.
	Line Line
}

// Normalised returns the signup in the form that is stored and compared.
func (s Signup) Normalised() Signup {
	s.Company = strings.TrimSpace(s.Company)
	s.Line = s.Line.normalised()
	if s.Generation == 1 {
		s.Generation = 0
	}
	return s
}

// maxSignupID is in bytes.
const maxSignupID = 128

// ValidSignupID tells whether a signup may have that id.
func ValidSignupID(id string) bool {
	return id != "" && len(id) <= maxSignupID && !strings.ContainsFunc(id, notInID)
}

func notInID(char rune) bool {
	switch {
	case char >= 'a' && char <= 'z', char >= 'A' && char <= 'Z', char >= '0' && char <= '9':
		return false
	}
	return !strings.ContainsRune("._:@|-", char)
}

// maxSource is in bytes.
const maxSource = 32

// ValidSource tells whether a way in may be called that: 1 to 32 of [a-z0-9-], the first
// no hyphen. Events and metrics have the name as it is.
func ValidSource(name string) bool {
	return name != "" && len(name) <= maxSource && name[0] != '-' && !strings.ContainsFunc(name, notInSource)
}

func notInSource(char rune) bool {
	return char != '-' && (char < 'a' || char > 'z') && (char < '0' || char > '9')
}

// MaxGeneration is beyond what any customer comes to.
const MaxGeneration = 10_000

// maxCompany is in characters.
const maxCompany = 256

// Validate returns an *InvalidError that names every field at fault, or nil.
func (s Signup) Validate() error {
	var invalid InvalidError
	if !ValidSignupID(s.ID) {
		invalid.Add("signup_id", "must be 1 to 128 letters, digits or any of . _ : @ | -")
	}
	company := strings.TrimSpace(s.Company)
	switch {
	case company == "":
		invalid.Add("company", "must not be empty")
	case !utf8.ValidString(company):
		invalid.Add("company", "must be valid UTF-8")
	case utf8.RuneCountInString(company) > maxCompany:
		invalid.Add("company", "must be at most 256 characters")
	case strings.ContainsFunc(company, unicode.IsControl):
		invalid.Add("company", "must not hold control characters")
	}
	if s.Source != "" && !ValidSource(s.Source) {
		invalid.Add("source", "must be 1 to 32 of a-z, 0-9 and -")
	}
	if s.Generation < 0 || s.Generation > MaxGeneration {
		invalid.Add("generation", "must be a whole number from 1 to 10000")
	}
	s.Line.validate(&invalid)
	if Dry(s.ID) {
		s.Line.refuseDry(&invalid)
	}
	return invalid.OrNil()
}

// Fingerprint tells signups of the same id apart by their content: the
// normalised fields, not the bytes in which they came, nor the way in. The line is
// no part of it: a later delivery may add to it, and what it contradicts is told by
// the step.
func (s Signup) Fingerprint() string {
	s = s.Normalised()
	content, err := json.Marshal(struct {
		Company string `json:"company"`
	}{s.Company})
	if err != nil {
		panic(err) // strings can always be written
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// Fault is what is wrong with one field.
type Fault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// InvalidError says which fields of a signup can't be used, and why. It repeats
// no value.
type InvalidError struct{ Faults []Fault }

// Add notes a fault.
func (e *InvalidError) Add(field, detail string) {
	e.Faults = append(e.Faults, Fault{field, detail})
}

// OrNil is the error, or nil where there is no fault.
func (e *InvalidError) OrNil() error {
	if len(e.Faults) == 0 {
		return nil
	}
	return e
}

// Error lists the faults in one line.
func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		texts[i] = fault.Field + " " + fault.Detail
	}
	return "invalid signup: " + strings.Join(texts, "; ")
}
