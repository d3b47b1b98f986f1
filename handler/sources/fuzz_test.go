package sources_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// FuzzRead: whatever an authenticated sender sends to whichever source, each of
// its events is a signup that the engine takes, or ignored, or has its fault and
// is kept; or the body as a whole is refused.
func FuzzRead(f *testing.F) {
	all := load(f).All()
	index := make(map[string]uint8)
	for i, s := range all {
		index[s.Name] = uint8(i)
	}
	for _, s := range samples(f) {
		f.Add(index[s.source.Name], s.contentType, s.body)
	}
	f.Fuzz(func(t *testing.T, which uint8, contentType string, body []byte) {
		s := all[int(which)%len(all)]
		events, err := s.Read(contentType, body)
		var refused sources.BodyError
		if err != nil && (events != nil || !errors.Is(err, sources.ErrContentType) && !errors.As(err, &refused)) {
			t.Fatalf("%d events, %v", len(events), err)
		}
		signups := 0
		for _, e := range events {
			if e.Fault == nil {
				signups++
			}
		}
		if signups > 100 {
			t.Fatalf("%d signups", signups)
		}
		for _, e := range events {
			checkEvent(t, s, e)
		}
	})
}

func checkEvent(t *testing.T, s *sources.Source, e sources.Event) {
	t.Helper()
	var invalid *provision.InvalidError
	good := e.Fault == nil && !e.Ignored && !e.Cancelled
	switch {
	case e.Signup.Source != s.Name:
		t.Fatalf("source %q", e.Signup.Source)
	case good && (e.Signup.Validate() != nil || !strings.HasPrefix(e.Signup.ID, s.Namespace+":") || !reflect.DeepEqual(e.Signup, e.Signup.Normalised())):
		t.Fatalf("%+v: %v", e.Signup, e.Signup.Validate())
	case e.Cancelled && e.Fault == nil && (!provision.ValidSignupID(e.Signup.ID) || !strings.HasPrefix(e.Signup.ID, s.Namespace+":") || e.Signup.Company != ""):
		t.Fatalf("cancelled, but %+v", e.Signup)
	case e.Ignored && (e.Fault != nil || e.Signup.ID != ""):
		t.Fatalf("ignored, but %+v, %v", e.Signup, e.Fault)
	case e.Fault != nil && (!errors.As(e.Fault, &invalid) || len(invalid.Faults) == 0 || !json.Valid(e.Raw)):
		t.Fatalf("%v, kept as %s", e.Fault, e.Raw)
	}
	for _, value := range e.Values() {
		if value.Field == "" || value.Expression == "" {
			t.Fatalf("%+v", value)
		}
	}
}
