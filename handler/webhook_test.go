package handler_test

import (
	"encoding/json"
	"testing"
)

// LeadSquared can't be told by the status that nothing is on disk, and may not
// send again: then a person has to hear of it.
func TestSignupThatItsSenderThinksTakenRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]struct{ outcome, alarm string }{
		"webhook-leadsquared": {"unavailable", "not_taken"},
		"webhook-pipedrive":   {"unavailable", ""}, // is answered 503
	} {
		w := newWorld(t)
		request := readEvent(t, "../events/"+event+".json")
		asKnownToSenders(t, w, &request)
		w.handler.Provisioner = &down{}
		w.send(t, request)
		var line struct{ Level, Outcome, Alarm, Error string }
		if err := json.Unmarshal(w.log.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Level != "ERROR" || line.Outcome != want.outcome || line.Alarm != want.alarm || line.Error == "" {
			t.Errorf("%s: logged %s", event, w.log)
		}
	}
}
