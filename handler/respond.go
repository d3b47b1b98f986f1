package handler

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/handler/line"
	"github.com/trunkhook/trunkhook/handler/strictjson"
	"github.com/trunkhook/trunkhook/provision"
)

// body is a signup as the API shows it.
type body struct {
	SignupID   string    `json:"signup_id"`
	Status     string    `json:"status"`
	TrunkSID   string    `json:"trunk_sid,omitempty"`
	TrunkName  string    `json:"trunk_name"`
	DomainName string    `json:"domain_name,omitempty"`
	Company    string    `json:"company"`
	Generation int       `json:"generation,omitempty"` // from 2 on
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	Steps      []step    `json:"steps,omitempty"`
}

// step is what a signup asked for beside its trunk, and where that stands.
type step struct {
	Step         provision.StepKind   `json:"step"`
	Value        string               `json:"value"`
	Mode         string               `json:"mode,omitempty"`          // of a phone number
	FriendlyName string               `json:"friendly_name,omitempty"` // of a credential
	Status       provision.StepStatus `json:"status"`
	Reason       string               `json:"reason,omitempty"`      // why Exotel refused it
	PasswordAt   string               `json:"password_at,omitempty"` // where a credential's password is kept
}

func success(status int, record provision.Record) response {
	return jsonResponse(status, "application/json", bodyOf(record))
}

func bodyOf(record provision.Record) body {
	var steps []step
	for _, s := range record.LineSteps() {
		shown := step{Step: s.Kind, Value: s.Value, Status: s.Status, Reason: s.Reason, PasswordAt: s.PasswordAt}
		switch s.Kind {
		case provision.KindPhoneNumber:
			shown.Mode = s.Option
		case provision.KindCredential:
			shown.FriendlyName = s.Option
		case provision.KindWhitelistedIP, provision.KindDestinationURI, provision.KindCallerID:
		}
		steps = append(steps, shown)
	}
	return body{
		SignupID: record.SignupID, Status: string(record.Status), TrunkSID: record.TrunkSID, TrunkName: record.TrunkName,
		DomainName: record.DomainName, Company: record.Company, Generation: record.Generation, CreatedAt: record.CreatedAt, UpdatedAt: record.UpdatedAt,
		Steps: steps,
	}
}

func jsonResponse(status int, contentType string, value any) response {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings, numbers and times can always be written
	}
	return response{StatusCode: status, Body: string(content), Headers: headers(contentType)}
}

func headers(contentType string) map[string]string {
	return map[string]string{"Content-Type": contentType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
}

// with adds a header.
func with(answer response, name, value string) response {
	answer.Headers[name] = value
	return answer
}

// respond is the API profile's answer to what a signup came to.
func (h *Handler) respond(r *request, result provision.Result) response {
	switch result.Outcome {
	case provision.OutcomeCreated, provision.OutcomeAdopted:
		return success(http.StatusCreated, result.Record)
	case provision.OutcomeCompleted, provision.OutcomeDeleted, provision.OutcomeDry:
		return success(http.StatusOK, result.Record)
	case provision.OutcomeReplayed:
		return with(success(http.StatusOK, result.Record), "Idempotent-Replayed", "true")
	case provision.OutcomeConflict:
		return conflict(result.Faults).response()
	case provision.OutcomePending, provision.OutcomeInProgress, provision.OutcomeRejected, provision.OutcomeDeleting:
	}
	answer := with(success(http.StatusAccepted, result.Record), "Location", h.where(r, result.Record.SignupID))
	return with(answer, "Retry-After", seconds(result.RetryAfter))
}

// conflict: the signup that is there stands.
func conflict(faults []provision.Fault) problem {
	detail := "This signup_id was used before with other content. The first one stands."
	switch {
	case len(faults) == 0:
		faults = []provision.Fault{{Field: "signup_id", Detail: "was used before with other content"}}
	case faults[0].Field == fieldGeneration:
		detail = "This generation of the signup can't begin yet."
	}
	return problem{Status: http.StatusUnprocessableEntity, Detail: detail, Errors: faults}
}

// where is the address at which a sender can ask how its signup stands.
func (h *Handler) where(r *request, id string) string {
	base := r.stage
	if h.PublicURL != "" {
		base = h.PublicURL
	}
	if r.location != "" {
		return base + r.location
	}
	return base + "/signups/" + url.PathEscape(id)
}

// seconds is the form of Retry-After: whole, rounded up, never zero.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(max(1, (d+time.Second-1)/time.Second)), 10)
}

// fields are those of the API profile. Other names are the sender's, and aren't
// repeated.
var fields = append([]string{"signup_id", "company", fieldGeneration, "type", "data"}, line.Fields...)

// refuse answers what can't be taken: broken JSON, bad fields, or no table.
func (r *request) refuse(err error) response {
	r.entry.err = err
	var unreadable strictjson.Error
	var invalid *provision.InvalidError
	switch {
	case errors.As(err, &unreadable):
		refusal := problem{Status: http.StatusBadRequest, Detail: unreadable.Detail}
		if slices.Contains(fields, unreadable.Twice) {
			refusal.Errors = []provision.Fault{{Field: unreadable.Twice, Detail: "stands twice"}}
		}
		return refusal.response()
	case errors.As(err, &invalid):
		return problem{Status: http.StatusUnprocessableEntity, Detail: "The signup can't be used.", Errors: invalid.Faults}.response()
	}
	return unavailable().response()
}
