package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/gateway"
)

func TestEventKeepsWhatWasSigned(t *testing.T) {
	t.Parallel()
	request := func(body string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8080/signups/a%7Cb?x=%20y", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Webhook-Signature"] = []string{"v1,abc= v1,def="}
		r.Header["X-Twice"] = []string{"a", "b"}
		return r
	}
	e, err := gateway.Event(request("\xff\x00"))
	if err != nil || e.RawPath != "/signups/a%7Cb" || e.RawQueryString != "x=%20y" || e.Headers["webhook-signature"] != "v1,abc= v1,def=" || e.Headers["x-twice"] != "a,b" {
		t.Errorf("got %+v, %v", e, err)
	}
	if !e.IsBase64Encoded || e.Body != "/wA=" || e.RequestContext.HTTP.Method != http.MethodPost {
		t.Errorf("got %+v", e)
	}
	if e, err := gateway.Event(request(`{"a":"ü"}`)); err != nil || e.IsBase64Encoded || e.Body != `{"a":"ü"}` {
		t.Errorf("got %+v, %v", e, err)
	}
}
