package handler

import (
	"errors"
	"net/http"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// A reply is the answer that a source wants to what became of its events.
type reply func(taken) response

// replies are those that a source's file can name.
var replies = map[sources.Reply]reply{
	sources.ReplyJSON:          replyJSON,
	sources.ReplyLeadSquared:   replyLeadSquared,
	sources.ReplySalesforceAck: replySalesforce,
}

// replyJSON: 200 where all is settled, 202 where something will be finished later.
func replyJSON(t taken) response {
	if t.unavailable {
		return unavailable().response()
	}
	if len(t.events) == 1 {
		return t.one()
	}
	return t.batch()
}

// notTaken is the answer to an event that no signup came of.
type notTaken struct {
	Status string            `json:"status"` // ignored, rejected
	Errors []provision.Fault `json:"errors,omitempty"`
}

func (t taken) one() response {
	event, result := t.events[0], t.delivered[0].Result
	switch {
	case event.Ignored:
		return jsonResponse(http.StatusOK, "application/json", notTaken{Status: "ignored"})
	case event.Fault != nil:
		return jsonResponse(http.StatusOK, "application/json", notTaken{Status: "rejected", Errors: faultsOf(event.Fault)})
	case unfinished(result.Outcome):
		return success(http.StatusAccepted, result.Record)
	}
	return success(http.StatusOK, result.Record)
}

// unfinished: it is on disk, and somebody will finish it.
func unfinished(outcome provision.Outcome) bool {
	return outcome == provision.OutcomePending || outcome == provision.OutcomeInProgress || outcome == provision.OutcomeDeleting
}

func (t taken) batch() response {
	answer := struct {
		Status   string     `json:"status"`
		Signups  []body     `json:"signups"`
		Ignored  int        `json:"ignored"`
		Rejected []notTaken `json:"rejected,omitempty"`
	}{Status: "accepted", Signups: []body{}}
	status := http.StatusOK
	for i, event := range t.events {
		result := t.delivered[i].Result
		switch {
		case event.Ignored:
			answer.Ignored++
		case event.Fault != nil:
			answer.Rejected = append(answer.Rejected, notTaken{Status: "rejected", Errors: faultsOf(event.Fault)})
		default:
			answer.Signups = append(answer.Signups, bodyOf(result.Record))
		}
		if unfinished(result.Outcome) {
			status = http.StatusAccepted
		}
	}
	switch {
	case len(answer.Signups) > 0:
	case len(answer.Rejected) > 0:
		answer.Status = "rejected"
	default:
		answer.Status = "ignored"
	}
	return jsonResponse(status, "application/json", answer)
}

// replyLeadSquared is always 200: anything else disables the webhook
// (apidocs.leadsquared.com, "Webhook best practices", read 2026-11).
func replyLeadSquared(t taken) response {
	answer := struct{ Status, StatusReason string }{Status: "Success"}
	switch {
	case t.unavailable:
		answer.Status, answer.StatusReason = "Error", "Nothing is promised. Please send it again."
	case len(t.events) == 1 && t.events[0].Fault != nil:
		fault := faultsOf(t.events[0].Fault)[0]
		answer.Status, answer.StatusReason = "Error", fault.Field+" "+fault.Detail
		if body := (sources.BodyError{}); errors.As(t.events[0].Fault, &body) {
			answer.StatusReason = body.Detail // a sentence already
		}
	}
	return jsonResponse(http.StatusOK, "application/json", answer)
}

// replySalesforce acknowledges an outbound message. Without the acknowledgement
// Salesforce sends again for 24 hours.
func replySalesforce(t taken) response {
	if t.unavailable {
		return unavailable().response()
	}
	return response{
		StatusCode: http.StatusOK, Headers: headers("text/xml; charset=utf-8"),
		Body: `<?xml version="1.0" encoding="UTF-8"?>` +
			`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>` +
			`<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>` +
			`</soapenv:Body></soapenv:Envelope>`,
	}
}
