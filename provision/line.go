package provision

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Line is what a signup asks for beside its trunk, without which it makes no
// call. All of it is optional; the zero Line asks for the bare trunk.
type Line struct {
	PhoneNumbers    []PhoneNumber
	WhitelistedIPs  []string // IPv4, an address or a prefix of 16 to 32 bits
	DestinationURIs []string // host:port, or host:port;transport=tcp
	Credentials     []Credential
	CallerID        string // E.164
}

// PhoneNumber is a number that Exotel has given the account, to be mapped to the trunk.
type PhoneNumber struct {
	PhoneNumber string      // E.164, such as +912247788868
	Mode        exotel.Mode // exotel.ModePSTN where empty
}

// Credential is what a SIP client registers with. Its password is made when it is
// needed, and kept by Passwords.
type Credential struct {
	UserName     string // 1 to 64 of [A-Za-z0-9_.-]
	FriendlyName string // 1 to 32 of [A-Za-z0-9_]; made of UserName where empty
}

// StepKind is what a step of a line adds to the trunk.
type StepKind string

// The kinds, in the order in which they are done: an address that is a
// destination must have been whitelisted before (Exotel's API reference, 2026-01).
const (
	KindPhoneNumber    StepKind = "phone_number"
	KindWhitelistedIP  StepKind = "whitelisted_ip"
	KindDestinationURI StepKind = "destination_uri"
	KindCredential     StepKind = "credential"
	KindCallerID       StepKind = "caller_id"
)

var stepKinds = []StepKind{KindPhoneNumber, KindWhitelistedIP, KindDestinationURI, KindCredential, KindCallerID}

// StepStatus is where a step stands.
type StepStatus string

// The states of a step.
const (
	StepPending StepStatus = "pending"
	StepDone    StepStatus = "done"
	StepRefused StepStatus = "refused" // by Exotel, for good; Reason says why
)

// LineStep is one thing that a line needs beside its trunk, and where it stands.
type LineStep struct {
	Kind   StepKind   `json:"step"`
	Value  string     `json:"value"`            // the number, prefix, destination, user name
	Option string     `json:"option,omitempty"` // of a number its mode, of a credential its friendly name
	Status StepStatus `json:"status"`
	ID     string     `json:"id,omitempty"`     // Exotel's, where it gave one
	Reason string     `json:"reason,omitempty"` // why it is refused

	// PasswordAt is where the password of a credential is kept (Passwords).
	PasswordAt string `json:"password_at,omitempty"`

	// SentAt is when it was sent, while it isn't known what came of that. LookedAt is
	// when the trunk was without it, since when nobody has sent it. HiddenSince is since
	// when it is there, as Exotel says, without being in the trunk's list.
	SentAt      time.Time `json:"sent_at,omitzero"`
	LookedAt    time.Time `json:"looked_at,omitzero"`
	HiddenSince time.Time `json:"hidden_since,omitzero"`
}

// Key identifies the step within its signup: what would be the same thing at
// Exotel has the same key.
func (s LineStep) Key() string {
	if s.Kind == KindCallerID { // a trunk has one
		return string(s.Kind)
	}
	return string(s.Kind) + " " + s.Value
}

// field is the field of a signup that asks for the step.
func (s LineStep) field() string {
	if s.Kind == KindCallerID {
		return "caller_id"
	}
	return string(s.Kind) + "s"
}

// sameWish tells whether two steps of one key ask for the same.
func (s LineStep) sameWish(other LineStep) bool {
	return s.Value == other.Value && s.Option == other.Option
}

// ended is the step without what only an open one has.
func (s LineStep) ended() LineStep {
	s.SentAt, s.LookedAt, s.HiddenSince = time.Time{}, time.Time{}, time.Time{}
	return s
}

// reopened is a refused step that may be tried again.
func (s LineStep) reopened() LineStep {
	s.Status, s.Reason = StepPending, ""
	return s
}

// open tells whether there is still something to do.
func (s LineStep) open() bool { return s.Status == StepPending }

// Steps are what a line needs, each once, all still to be done; nil for the zero
// Line. The line must be valid and normalised.
func (l Line) Steps() map[string]LineStep {
	var steps map[string]LineStep
	add := func(kind StepKind, value, option string) {
		if steps == nil {
			steps = make(map[string]LineStep)
		}
		step := LineStep{Kind: kind, Value: value, Option: option, Status: StepPending}
		steps[step.Key()] = step
	}
	for _, number := range l.PhoneNumbers {
		add(KindPhoneNumber, number.PhoneNumber, string(number.Mode))
	}
	for _, prefix := range l.WhitelistedIPs {
		add(KindWhitelistedIP, prefix, "")
	}
	for _, destination := range l.DestinationURIs {
		add(KindDestinationURI, destination, "")
	}
	for _, credential := range l.Credentials {
		add(KindCredential, credential.UserName, credential.FriendlyName)
	}
	if l.CallerID != "" {
		add(KindCallerID, l.CallerID, "")
	}
	return steps
}

// LineSteps are the record's in the order in which they are done.
func (r Record) LineSteps() []LineStep {
	steps := make([]LineStep, 0, len(r.Steps))
	for _, step := range r.Steps {
		steps = append(steps, step)
	}
	slices.SortFunc(steps, func(a, b LineStep) int {
		return cmp.Or(slices.Index(stepKinds, a.Kind)-slices.Index(stepKinds, b.Kind), strings.Compare(a.Value, b.Value))
	})
	return steps
}
