package outage_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/cmd/local/outage"
	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/ledger/remote"
	"github.com/trunkhook/trunkhook/provision"
)

func newTable(t *testing.T) *outage.Table {
	t.Helper()
	file, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return outage.NewTable(file)
}

// Every method of a store is asked by reflection, so that none is forgotten.
func TestTableThatIsDownAnswersNothing(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	table.SetDown(true)
	store := reflect.TypeFor[remote.Store]()
	for i := range store.NumMethod() {
		name := store.Method(i).Name
		method := reflect.ValueOf(table).MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for n := 1; n < method.Type().NumIn(); n++ {
			args = append(args, reflect.Zero(method.Type().In(n)))
		}
		if err := failureOf(method.Call(args)); !errors.Is(err, outage.ErrDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	table.SetDown(false)
	if _, err := table.Get(t.Context(), "acme-42"); !errors.Is(err, provision.ErrNotFound) {
		t.Errorf("up again: %v", err)
	}
}

// failureOf is the error that a method returned last, or that its walk yields.
func failureOf(results []reflect.Value) error {
	last := results[len(results)-1]
	if last.Kind() == reflect.Func {
		var failed error
		for _, second := range last.Seq2() {
			failed, _ = second.Interface().(error)
		}
		return failed
	}
	err, _ := last.Interface().(error)
	return err
}

func TestWorkerDiesBeforeTheTrunkIsWrittenDown(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	signup := provision.Signup{ID: "acme-42", Company: "Acme", Source: "api"}
	claim := provision.Claim{Signup: signup, TrunkName: "dev_a", Owner: "one", Now: now, LeaseUntil: now.Add(time.Minute)}
	activate := provision.Activate{SignupID: "acme-42", Owner: "one", Attempt: 1, Trunk: exotel.Trunk{SID: "trmum1a"}, Now: now}

	table.KillNext(true)
	ctx, worker := outage.WithWorker(t.Context())
	if _, holds, err := table.Claim(ctx, claim); err != nil || !holds || !table.KillsNext() {
		t.Fatal(holds, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _, _ = table.Activate(ctx, activate)
	}()
	select {
	case <-worker.Died():
	case <-time.After(time.Minute):
		t.Fatal("it lives on")
	}
	if got, want := worker.Death(), (outage.Death{SignupID: "acme-42", Attempt: 1, TrunkSID: "trmum1a"}); got != want || table.KillsNext() {
		t.Errorf("%+v", got)
	}
	record, err := table.Get(t.Context(), "acme-42")
	if err != nil || record.Status != provision.StatusPending || record.TrunkSID != "" {
		t.Errorf("%+v, %v", record, err)
	}
	select {
	case <-ended:
		t.Error("a dead worker goes on")
	case <-time.After(50 * time.Millisecond):
	}
	// Who isn't a worker of the kind, such as the reconciler, is left alone, and so is the next one.
	table.KillNext(true)
	if record, holds, err := table.Activate(t.Context(), activate); err != nil || !holds || record.Status != provision.StatusActive {
		t.Errorf("%+v, %v, %v", record, holds, err)
	}
}
