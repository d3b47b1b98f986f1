package provision

import (
	"encoding/json"
	"time"
)

// Status is where a signup stands.
type Status string

// The states. A signup leaves StatusPending when all that it asks for has ended, and
// comes back to it only where a delivery adds to it.
const (
	StatusPending    Status = "pending"    // on disk; somebody will finish it
	StatusActive     Status = "active"     // its trunk is known, and every step of its line is done
	StatusIncomplete Status = "incomplete" // its trunk is known, and Exotel refused a step of its line for good
	StatusRejected   Status = "rejected"   // an operator said no
	StatusDeleting   Status = "deleting"   // its trunk is being deleted, and watched for
	StatusDeleted    Status = "deleted"    // a tombstone
	StatusDry        Status = "dry"        // a dry signup came through: it has no trunk, and gets none
)

// complete: the trunk is there, and there is nothing left to do.
func (s Status) complete() bool { return s == StatusActive || s == StatusIncomplete }

// Record is all that is kept of a signup. Times are UTC with milliseconds.
type Record struct {
	SignupID    string `json:"signup_id"`
	Company     string `json:"company"`
	Source      string `json:"source"`
	Fingerprint string `json:"fingerprint"`
	Generation  int    `json:"generation,omitempty"` // from 2 on; zero for the first
	Status      Status `json:"status"`

	// TrunkName and AccountSID are decided by the first claim (AccountSID by
	// the first try that has credentials) and never again, whatever the
	// settings say later: a create under another name, or in another account,
	// would make a second trunk.
	TrunkName  string `json:"trunk_name"`
	AccountSID string `json:"account_sid,omitempty"`

	// TrunkSID, DomainName and Trunk (what Exotel answered) are there once active,
	// while the steps of a line are still to be done, and of an import from the first
	// claim on. Where they are there, nobody creates for the signup.
	TrunkSID   string          `json:"trunk_sid,omitempty"`
	DomainName string          `json:"domain_name,omitempty"`
	Trunk      json.RawMessage `json:"trunk,omitempty"`

	// Steps are what the signup's line needs beside the trunk, by their keys; nil
	// for a bare trunk. Revision counts what deliveries added to them since the
	// first claim, so that a try that ends knows whether it has seen all.
	Steps    map[string]LineStep `json:"steps,omitempty"`
	Revision int                 `json:"revision,omitempty"`

	// Owner is the token of the last try while the signup is pending. It holds
	// the lease until LeaseUntil, which is empty between tries.
	Owner      string    `json:"owner,omitempty"`
	LeaseUntil time.Time `json:"lease_until,omitzero"`

	// DueAt is when somebody should come back to a pending signup. One that is
	// Searching waits for the search to find its trunk instead, since DueAt.
	DueAt     time.Time `json:"due_at,omitzero"`
	Searching bool      `json:"searching,omitempty"`

	Attempts  int       `json:"attempts"`             // tries so far: the last one's number
	LastError string    `json:"last_error,omitempty"` // why the last one did not finish
	CreatedAt time.Time `json:"created_at"`

	// Reason is why the signup was deleted, for people. QuietAt is until when a create
	// of before may still be under way, while it is being deleted.
	Reason  string    `json:"reason,omitempty"`
	QuietAt time.Time `json:"quiet_at,omitzero"`

	// ReopenedAt is when a delivery last added to a signup that was complete, or when
	// it was deleted; zero where neither was.
	ReopenedAt time.Time `json:"reopened_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// PendingSince is when the signup became pending, for the last time.
func (r Record) PendingSince() time.Time {
	if r.ReopenedAt.IsZero() {
		return r.CreatedAt
	}
	return r.ReopenedAt
}
