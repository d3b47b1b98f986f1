package sources_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/sources"
)

// What is kept reads as it did when it came, whatever its form was and wherever in its
// body it stood; and once it is mended, as if it had come so.
func TestWhatIsKeptIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ source, contentType, body, bad, good, id string }{
		{"generic", "application/json", `{"type":"signup.created","data":{"signup_id":"acme-42","company":""}}`, `"company":""`, `"company":"Acme"`, "generic:acme-42"},
		{"zoho", "application/x-www-form-urlencoded", "signup_id=572&account=&token=SECRET", `"account":""`, `"account":"Acme"`, "zoho:572"},
		{"salesforce-outbound", "text/xml", outbound(notification("0015g00000XyZ12AAF", "")), `"Name":""`, `"Name":"Acme"`, ""},
	} {
		s := source(t, test.source)
		events, err := s.Read(test.contentType, []byte(test.body))
		if err != nil || len(events) != 1 || events[0].Fault == nil || !strings.Contains(string(events[0].Raw), test.bad) {
			t.Errorf("%s: %+v, %v", test.source, events, err)
			continue
		}
		again, err := s.ReadKept(events[0].Raw)
		if err != nil || len(again) != 1 || again[0].Fault == nil || again[0].Fault.Error() != events[0].Fault.Error() {
			t.Errorf("%s: %+v, %v", test.source, again, err)
		}
		mended := strings.ReplaceAll(string(events[0].Raw), test.bad, test.good)
		again, err = s.ReadKept([]byte("[" + mended + "," + mended + "]"))
		if err != nil || len(again) != 2 || again[1].Fault != nil || again[1].Signup.Company != "Acme" || test.id != "" && again[1].Signup.ID != test.id {
			t.Errorf("%s, mended: %+v, %v", test.source, again, err)
		}
		var refused sources.BodyError
		if _, err := s.ReadKept(events[0].Raw[:10]); !errors.As(err, &refused) {
			t.Errorf("%s, cut off: %v", test.source, err)
		}
		if again, err := s.ReadKept([]byte(`{"unreadable_bytes":12,"sha256":"00"}`)); err != nil || len(again) != 1 || again[0].Fault == nil {
			t.Errorf("%s, unreadable: %+v, %v", test.source, again, err)
		}
	}
}
