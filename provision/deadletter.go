package provision

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// DeadLetter is what an authenticated sender sent and no signup could be made
// of. It is kept for an operator, who mends the mapping and has it sent again.
type DeadLetter struct {
	Source     string
	Faults     []Fault
	Payload    string // without secrets; at most maxPayload bytes of it are kept
	ReceivedAt time.Time
}

// DeadLetterDays is how long one is kept.
const DeadLetterDays = 30

// maxPayload is in bytes: an item of DynamoDB holds 400 kB, and a person reads it.
const maxPayload = 64 << 10

const deadLetterPrefix = "#reject#"

// Key names it by its content, so that what a sender repeats is kept once. No
// signup id begins with #.
func (d DeadLetter) Key() string {
	sum := sha256.Sum256([]byte(d.Payload))
	return deadLetterPrefix + d.Source + "#" + hex.EncodeToString(sum[:12])
}

// Kept is the payload as it is kept.
func (d DeadLetter) Kept() string {
	payload := strings.ToValidUTF8(d.Payload, "\uFFFD")
	return truncate(payload, maxPayload)
}

// ExpiresAt is when it may be forgotten.
func (d DeadLetter) ExpiresAt() time.Time { return d.ReceivedAt.AddDate(0, 0, DeadLetterDays) }

// KeptDeadLetter is a dead letter as it is kept. Its payload may be cut off.
type KeptDeadLetter struct {
	DeadLetter
	ID         string // the source and a hash, what Key has behind #reject#
	Deliveries int    // how often it came
}

// DeadLetterID is the ID of what is kept under a key.
func DeadLetterID(key string) string { return strings.TrimPrefix(key, deadLetterPrefix) }

// DeadLetterKey is the key of an ID.
func DeadLetterKey(id string) string { return deadLetterPrefix + id }
