package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// Archive is a store that an operator can read as a whole.
type Archive interface {
	Store
	KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error
	All(ctx context.Context) iter.Seq2[provision.Record, error]
	DeadLetters(ctx context.Context) iter.Seq2[provision.KeptDeadLetter, error]
	DropDeadLetter(ctx context.Context, id string) error
}

// RunArchive runs the part of the suite that is about reading the whole. The function
// opens an empty store.
func RunArchive(t *testing.T, open func(t *testing.T) Archive) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, a Archive){
		"all signups are walked over, and nothing else": all,
		"a walk ends where its reader stops":            allStopped,
		"a walk ends with its context":                  allCancelled,
		"dead letters are listed, and dropped":          deadLetters,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func all(t *testing.T, a Archive) {
	const count = 1203
	want := make(map[string]provision.Record, count)
	for i := range count {
		w := claim("one", 0)
		w.Signup.ID = fmt.Sprintf("acme-%04d", i)
		w.Signup.Company = strings.Repeat("ü", 256)
		w.Owner = strings.Repeat("one", 100) // beyond the 1 MB of one page of DynamoDB's
		want[w.Signup.ID] = do(t, a.Claim, w, true)
	}
	want["acme-0001"] = do(t, a.Activate, provision.Activate{SignupID: "acme-0001", Owner: strings.Repeat("one", 100), AccountSID: "acme1", Now: at(1), Trunk: trunk("trmum1a")}, true)
	if err := a.KeepProgress(t.Context(), provision.Progress{AccountSID: "acme1", BeganAt: start, Offset: 50}); err != nil {
		t.Fatal(err)
	}
	if err := a.KeepDeadLetter(t.Context(), deadLetter("stripe", "{}", time.Hour)); err != nil {
		t.Fatal(err)
	}
	for record, err := range a.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		same(t, record, want[record.SignupID])
		delete(want, record.SignupID)
	}
	if len(want) != 0 {
		t.Errorf("%d signups were left out", len(want))
	}
}

func allStopped(t *testing.T, a Archive) {
	for _, id := range []string{"acme-1", "acme-2"} {
		w := claim("one", 0)
		w.Signup.ID = id
		do(t, a.Claim, w, true)
	}
	seen := 0
	for _, err := range a.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("%d signups", seen)
	}
}

func allCancelled(t *testing.T, a Archive) {
	do(t, a.Claim, claim("one", 0), true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, err := range a.All(ctx) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
}

// deadLetter is one that came so long ago.
func deadLetter(source, payload string, ago time.Duration) provision.DeadLetter {
	return provision.DeadLetter{
		Source: source, Payload: payload, ReceivedAt: time.Now().UTC().Truncate(time.Millisecond).Add(-ago),
		Faults: []provision.Fault{{Field: "company", Detail: "is missing"}, {Field: "id", Detail: "must not be empty"}},
	}
}

func deadLetters(t *testing.T, a Archive) {
	first, second := deadLetter("stripe", `{"a":1}`, 2*time.Hour), deadLetter("zoho", strings.Repeat("é", 40_000), time.Hour)
	expired := deadLetter("auth0", `{"b":2}`, (provision.DeadLetterDays+1)*24*time.Hour)
	for _, d := range []provision.DeadLetter{second, expired, first, first} {
		if err := a.KeepDeadLetter(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(d provision.DeadLetter, deliveries int) provision.KeptDeadLetter {
		id := provision.DeadLetterID(d.Key())
		d.Payload = d.Kept()
		return provision.KeptDeadLetter{DeadLetter: d, ID: id, Deliveries: deliveries}
	}
	is := func(want ...provision.KeptDeadLetter) {
		t.Helper()
		var got []provision.KeptDeadLetter
		for letter, err := range a.DeadLetters(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			letter.ReceivedAt = letter.ReceivedAt.UTC()
			got = append(got, letter)
		}
		if !slices.EqualFunc(got, want, func(a, b provision.KeptDeadLetter) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("got %.300v\nwant %.300v", fmt.Sprint(got), fmt.Sprint(want))
		}
	}
	is(kept(first, 2), kept(second, 1))
	id := provision.DeadLetterID(first.Key())
	if err := a.DropDeadLetter(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	is(kept(second, 1))
	if err := a.DropDeadLetter(t.Context(), id); !errors.Is(err, provision.ErrNotFound) {
		t.Errorf("dropping it again: %v", err)
	}
	for _, err := range a.DeadLetters(t.Context()) { // one that stops at once
		if err != nil {
			t.Error(err)
		}
		break
	}
}
