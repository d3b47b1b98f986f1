package provision

import (
	"encoding/json"
	"time"
)

// Result is what became of a delivery or of a reconciler's try.
type Result struct {
	Record     Record
	Outcome    Outcome
	RetryAfter time.Duration // with OutcomePending and OutcomeInProgress: when to ask again
	Problem    *Problem      // with OutcomePending, and where the record is incomplete: why; may be nil
	Faults     []Fault       // with OutcomeConflict: what of the line contradicts the first delivery; may be nil
	Steps      []Step        // what was done, in order
}

// Outcome names how it ended.
type Outcome string

// The outcomes.
const (
	OutcomeCreated    Outcome = "created"     // the trunk was made now
	OutcomeAdopted    Outcome = "adopted"     // the trunk had been made before, and was found now
	OutcomeCompleted  Outcome = "completed"   // the trunk was recorded before, its line was completed now
	OutcomeReplayed   Outcome = "replayed"    // finished before; nothing was done
	OutcomePending    Outcome = "pending"     // on disk, not finished
	OutcomeInProgress Outcome = "in_progress" // another try holds it
	OutcomeConflict   Outcome = "conflict"    // the same id with other content; the first stands
	OutcomeRejected   Outcome = "rejected"    // by an operator, now
	OutcomeDeleting   Outcome = "deleting"    // its trunk is deleted as far as it is known, and watched for
	OutcomeDeleted    Outcome = "deleted"     // for good, now
	OutcomeDry        Outcome = "dry"         // all but the create was done, now
)

// Step is one thing that a try did: a write to the ledger, or a call to Exotel
// (then Name is the call's Op).
type Step struct {
	Name       string
	Start      time.Time
	Duration   time.Duration
	Err        error
	Vendor     bool
	Changes    bool   // of a vendor call: it may have changed the account
	Method     string // of a vendor call
	Path       string // of a vendor call; below the account's, without the query
	HTTPStatus int    // of a vendor call; zero where no answer came
	RequestID  string // of a vendor call; Exotel's
}

// MarshalJSON is the step in a log line: durations in milliseconds, the error as
// text.
func (s Step) MarshalJSON() ([]byte, error) {
	line := struct {
		Name       string  `json:"name"`
		At         string  `json:"at"`
		DurationMS float64 `json:"duration_ms"`
		Method     string  `json:"method,omitempty"`
		Path       string  `json:"path,omitempty"`
		HTTPStatus int     `json:"http_status,omitempty"`
		RequestID  string  `json:"request_id,omitempty"`
		Error      string  `json:"error,omitempty"`
	}{
		Name: s.Name, At: s.Start.UTC().Format("2006-01-02T15:04:05.000000Z"), DurationMS: float64(s.Duration.Microseconds()) / 1000,
		Method: s.Method, Path: s.Path, HTTPStatus: s.HTTPStatus, RequestID: s.RequestID,
	}
	if s.Err != nil {
		line.Error = s.Err.Error()
	}
	return json.Marshal(line)
}

// The steps beside the calls to Exotel.
const (
	StepClaim    = "claim"
	StepExtend   = "extend"
	StepPin      = "pin account"
	StepBudget   = "take budget"
	StepAttach   = "record trunk"
	StepMark     = "mark as sent"
	StepPassword = "keep password"
	StepRecord   = "record"
	StepRelease  = "give back"
	StepReject   = "reject"
	StepProve    = "record as dry"
	StepDelete   = "delete"
	StepBury     = "bury"
	StepRestart  = "restart"
)
