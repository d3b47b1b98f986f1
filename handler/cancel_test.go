package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

const (
	signedUp  = `{"type":"signup.created","data":{"signup_id":"acme-42","company":"Acme Telecom"}}`
	cancelled = `{"type":"signup.cancelled","data":{"signup_id":"acme-42"}}`
)

// generic sends a body to the generic source, and returns the status of the answer
// and that of the signup in it.
func (w *world) generic(t *testing.T, body string) (int, string) {
	t.Helper()
	answer := w.send(t, delivery(t, w, "generic", "application/json", body))
	var told struct{ Status string }
	if err := json.Unmarshal([]byte(answer.Body), &told); err != nil {
		t.Fatalf("%d %s", answer.StatusCode, answer.Body)
	}
	return answer.StatusCode, told.Status
}

func TestCancellationDeletesTheSignup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.AllowDelete = true
	w.generic(t, signedUp)
	for range 2 {
		if code, status := w.generic(t, cancelled); code != 202 || status != "deleting" {
			t.Errorf("%d %s", code, status)
		}
	}
	if code, status := w.generic(t, signedUp); code != 202 || status != "deleting" {
		t.Errorf("late: %d %s", code, status)
	}
	if trunks := w.fake.Trunks(); len(trunks) != 0 {
		t.Errorf("%+v", trunks)
	}
}

func TestCancellationIsIgnored(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given func(t *testing.T, w *world)
		log   string
	}{
		"where it is not allowed": {func(t *testing.T, w *world) { w.generic(t, signedUp) }, "ALLOW_DELETE is not true"},
		"of nothing known":        {func(_ *testing.T, w *world) { w.handler.AllowDelete = true }, `"outcome":"ignored"`},
		"of a generation before": {func(t *testing.T, w *world) {
			w.handler.AllowDelete = true
			_, err := w.handler.Provisioner.Provision(t.Context(), provision.Signup{ID: "generic:acme-42", Company: "Acme", Generation: 2}, time.Second)
			if err != nil {
				t.Fatal(err)
			}
		}, `"outcome":"ignored"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.given(t, w)
			before := len(w.fake.Trunks())
			if code, status := w.generic(t, cancelled); code != 200 || status != "ignored" {
				t.Errorf("%d %s", code, status)
			}
			if len(w.fake.Trunks()) != before || !strings.Contains(w.log.String(), test.log) || !strings.Contains(w.log.String(), "generic:acme-42") {
				t.Errorf("%d trunks, logged %s", len(w.fake.Trunks()), w.log)
			}
		})
	}
}

// undeletable is an engine whose table fails when something is to be deleted.
type undeletable struct{ instant }

func (*undeletable) Delete(context.Context, string, int, string, time.Duration) (provision.Result, error) {
	return provision.Result{}, errors.Join(provision.ErrUnavailable, errors.New("throttled"))
}

func TestCancellationThatIsNotOnDiskIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.AllowDelete, w.handler.Provisioner = true, &undeletable{}
	if answer := w.send(t, delivery(t, w, "generic", "application/json", cancelled)); answer.StatusCode != 503 {
		t.Errorf("%d %s", answer.StatusCode, answer.Body)
	}
}
