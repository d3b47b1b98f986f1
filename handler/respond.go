package handler

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

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
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

func success(status int, record provision.Record) response {
	return jsonResponse(status, "application/json", body{
		SignupID: record.SignupID, Status: string(record.Status), TrunkSID: record.TrunkSID, TrunkName: record.TrunkName,
		DomainName: record.DomainName, Company: record.Company, CreatedAt: record.CreatedAt, UpdatedAt: record.UpdatedAt,
	})
}

func jsonResponse(status int, contentType string, value any) response {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings, numbers and times can always be written
	}
	return response{
		StatusCode: status, Body: string(content),
		Headers: map[string]string{"Content-Type": contentType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
	}
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
	case provision.OutcomeReplayed:
		return with(success(http.StatusOK, result.Record), "Idempotent-Replayed", "true")
	case provision.OutcomeConflict:
		return problem{
			Status: http.StatusUnprocessableEntity,
			Detail: "This signup_id was used before with other content. The first one stands.",
			Errors: []provision.Fault{{Field: "signup_id", Detail: "was used before with other content"}},
		}.response()
	case provision.OutcomePending, provision.OutcomeInProgress, provision.OutcomeRejected:
	}
	answer := with(success(http.StatusAccepted, result.Record), "Location", h.location(r, result.Record.SignupID))
	return with(answer, "Retry-After", seconds(result.RetryAfter))
}

func (h *Handler) location(r *request, id string) string {
	base := r.stage
	if h.PublicURL != "" {
		base = h.PublicURL
	}
	return base + "/signups/" + url.PathEscape(id)
}

// seconds is the form of Retry-After: whole, rounded up, never zero.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(max(1, (d+time.Second-1)/time.Second)), 10)
}

// refuse answers what can't be taken: broken JSON, bad fields, or no table.
func (r *request) refuse(err error) response {
	r.entry.err = err
	var unreadable bodyError
	var invalid *provision.InvalidError
	switch {
	case errors.As(err, &unreadable):
		refusal := problem{Status: http.StatusBadRequest, Detail: unreadable.detail}
		if unreadable.field != "" {
			refusal.Errors = []provision.Fault{{Field: unreadable.field, Detail: "stands twice"}}
		}
		return refusal.response()
	case errors.As(err, &invalid):
		return problem{Status: http.StatusUnprocessableEntity, Detail: "The signup can't be used.", Errors: invalid.Faults}.response()
	}
	return unavailable().response()
}
