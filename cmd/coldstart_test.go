package cmd_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

func anyCall(*http.Request, []byte) string { return "" }

// What a handshake costs is paid during initialisation, where a function has a whole
// core; and nothing is sent ahead that somebody counts. On a machine that is too busy to
// open them in half a second they are opened later, hence several tries.
func TestTheFirstInvocationOpensNoConnection(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var saw string
	for i := range 10 {
		table, vendor := lambdatest.StartProxy(t, c.engine.Endpoint, lambdatest.Operation), lambdatest.StartProxy(t, c.fake.URL, anyCall)
		p := c.start("webhook", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL, "EXOTEL_BASE_URL="+vendor.URL)
		initialised(t, p)
		ahead := [...]int{table.Connections(), vendor.Connections()}
		if n := len(table.Calls()) + len(vendor.Calls()); n != 0 {
			t.Fatalf("initialisation sent %d calls", n)
		}
		if status, _ := invoke(t, p, post(fmt.Sprint("acme-", i))); status != http.StatusCreated {
			t.Fatalf("HTTP %d", status)
		}
		after := [...]int{table.Connections(), vendor.Connections()}
		if ahead == [...]int{1, 1} && after == ahead {
			return
		}
		saw = fmt.Sprintf("initialisation opened %v connections to the table and to Exotel, after the first invocation there were %v", ahead, after)
	}
	t.Error(saw)
}

// A table and an Exotel that take no connection keep a function from nothing but the
// signup that needs them.
func TestInitialisationDoesNotDependOnWhatItConnectsTo(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", "EXOTEL_BASE_URL=http://127.0.0.1:1")
	initialised(t, p)
	if status, _ := invoke(t, p, post("acme-42")); status != http.StatusServiceUnavailable {
		t.Errorf("HTTP %d", status)
	}
	c.secrets.SetDown(true)
	p = c.start("webhook")
	initialised(t, p)
	c.secrets.SetDown(false)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if status, _ := invoke(t, p, post("acme-43")); status == http.StatusCreated {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("HTTP %d", status)
		}
	}
}

func initialised(t *testing.T, p *lambdatest.Process) {
	t.Helper()
	if _, err := p.Initialised(time.Minute); err != nil {
		t.Fatalf("%v\n%s", err, p.Output())
	}
}
