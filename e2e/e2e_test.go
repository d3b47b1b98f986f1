//go:build e2e

package e2e

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// TestStack is one story, told in the order of its parts: each stands on those
// before it.
func TestStack(t *testing.T) {
	e := startEmulator(t)
	built := build(t, e)
	s := deploy(t, e, built, "trunkhook-e2e", "e2e")
	began := time.Now() // the schedule's first tick comes a minute after the deploy

	for _, part := range []struct {
		name string
		do   func(t *testing.T, s *stack)
	}{
		{"a new signup becomes a trunk, and a replay changes nothing", newAndReplay},
		{"fifty duplicates at once make one trunk", duplicates},
		{"a lost answer is adopted on redelivery", lostAnswer},
		{"what is wrong is refused", refusals},
		{"every source's sample becomes a trunk", everySource},
		{"events without HTTP become trunks", everyEvent},
		{"a signup has all that it can ask for, and then more", whole},
		{"a table that is lost comes back", drill},
		{"a smoke test passes, and makes nothing", smoke},
		{"a signup is left pending", leave},
		{"what the emulator forgets stands in the template", processedTemplate},
		{"bad parameters are refused before anything is deployed", badParameters},
		{"the functions are linked with nothing", func(t *testing.T, s *stack) { static(t, built) }},
	} {
		t.Run(part.name, func(t *testing.T) { part.do(t, s) })
	}
	two := deploy(t, e, built, "trunkhook-e2e-two", "two")
	t.Run("a second stack stands beside the first", func(t *testing.T) { second(t, s, two) })
	t.Run("each role may do what it has to, and no more", func(t *testing.T) { roles(t, two, s) })
	t.Run("what was left pending is finished by the schedule", func(t *testing.T) { schedule(t, s, began) })
	t.Run("a running stack is updated", func(t *testing.T) { update(t, s) })
	t.Run("what the stream holds is told to the bus", func(t *testing.T) { eventsOut(t, s) })
}

// active reads the item, as anybody with the table could, and holds it against
// what Exotel has.
func active(t *testing.T, s *stack, id string) {
	t.Helper()
	record, err := s.ledger.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var sids []string
	for _, trunk := range s.fake.Trunks() {
		if trunk.Name == provision.TrunkName(s.prefix, id) {
			sids = append(sids, trunk.SID)
		}
	}
	if record.Status != provision.StatusActive || len(sids) != 1 || record.TrunkSID != sids[0] {
		t.Errorf("%s: trunks at Exotel %v, item %+v", id, sids, record)
	}
}

func newAndReplay(t *testing.T, s *stack) {
	first := s.signUp(t, "acme-42")
	if first.status != http.StatusCreated || first.Status != "active" || first.SID == "" {
		t.Fatalf("new: %d %s", first.status, first.body)
	}
	again := s.signUp(t, "acme-42")
	if again.status != http.StatusOK || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("replay: %d %s", again.status, again.body)
	}
	shown := s.send(t, http.MethodGet, "/signups/acme-42", "Bearer "+s.bearer, "")
	if shown.status != http.StatusOK || shown.body != first.body {
		t.Errorf("status: %d %s", shown.status, shown.body)
	}
	active(t, s, "acme-42")
}

func duplicates(t *testing.T, s *stack) {
	s.fake.SetLatency(200 * time.Millisecond)
	defer s.fake.SetLatency(0)
	before := s.fake.Count(exoteltest.Create)
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			a := s.signUp(t, "duplicated")
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	all.Wait()
	// Where fifty cold starts take the machine for longer than a sender waits, all are told 202.
	if created := statuses[http.StatusCreated]; created > 1 || statuses[http.StatusOK]+statuses[http.StatusAccepted]+created != 50 {
		t.Errorf("statuses %v", statuses)
	}
	s.untilActive(t, "duplicated", func() { s.signUp(t, "duplicated") })
	if n := s.fake.Count(exoteltest.Create) - before; n != 1 {
		t.Errorf("%d creates", n)
	}
	active(t, s, "duplicated")
}

func lostAnswer(t *testing.T, s *stack) {
	s.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	if first := s.signUp(t, "lost"); first.status != http.StatusAccepted || first.Status != "pending" || first.header.Get("Location") != publicURL+"/signups/lost" {
		t.Errorf("first: %d %v %s", first.status, first.header, first.body)
	}
	if again := s.signUp(t, "lost"); again.status != http.StatusCreated {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	active(t, s, "lost")
}

func refusals(t *testing.T, s *stack) {
	good := "Bearer " + s.bearer
	calls := len(s.fake.Calls())
	for name, test := range map[string]struct {
		method, path, authorization, body string
		status                            int
		says                              string
	}{
		"bad token":      {http.MethodPost, "/signups", "Bearer no", `{"signup_id":"bad","company":"A"}`, 401, "Unauthorized"},
		"no token":       {http.MethodPost, "/signups", "", `{"signup_id":"bad","company":"A"}`, 401, "Unauthorized"},
		"broken JSON":    {http.MethodPost, "/signups", good, `{"signup_id":`, 400, "broken"},
		"bad fields":     {http.MethodPost, "/signups", good, `{"signup_id":"a b"}`, 422, `"field":"company"`},
		"other content":  {http.MethodPost, "/signups", good, `{"signup_id":"acme-42","company":"Other"}`, 422, "other content"},
		"wrong method":   {http.MethodDelete, "/signups", good, ``, 405, "Not Allowed"},
		"wrong method 2": {http.MethodPut, "/signups/acme-42", good, ``, 405, "Not Allowed"},
		"unknown signup": {http.MethodGet, "/signups/nobody", good, ``, 404, "Not Found"},
		"unknown source": {http.MethodPost, "/webhooks/nobody", good, `{}`, 404, "Not Found"},
		"no signature":   {http.MethodPost, "/webhooks/hubspot", good, `{}`, 401, "Unauthorized"},
	} {
		a := s.send(t, test.method, test.path, test.authorization, test.body)
		if a.status != test.status || !strings.Contains(a.body, test.says) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n := len(s.fake.Calls()) - calls; n != 0 {
		t.Errorf("%d calls to Exotel", n)
	}
	if _, err := s.ledger.Get(t.Context(), "bad"); err == nil {
		t.Error("a refused signup left an item")
	}
}

// leave leaves a signup whose trunk was made and whose answer was lost.
func leave(t *testing.T, s *stack) {
	s.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	if a := s.signUp(t, "left"); a.status != http.StatusAccepted {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

// schedule waits for the emulator's EventBridge Scheduler, which fires a minute
// after the deploy and every minute from then on.
func schedule(t *testing.T, s *stack, began time.Time) {
	waitFor(t, 5*time.Minute, func() bool {
		record, err := s.ledger.Get(t.Context(), "left")
		return err == nil && record.Status == provision.StatusActive
	})
	t.Logf("%5.1f s  since the deploy: the schedule finished it", time.Since(began).Seconds())
	active(t, s, "left")
}

// edit writes the built template with one text in place of another, and returns where.
func edit(t *testing.T, built, text, other string) string {
	t.Helper()
	content, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), text) {
		t.Fatalf("%s has no %s", built, text)
	}
	edited := filepath.Join(filepath.Dir(built), "edited.yaml")
	if err := os.WriteFile(edited, []byte(strings.ReplaceAll(string(content), text, other)), 0o600); err != nil {
		t.Fatal(err)
	}
	return edited
}

// update changes a parameter of the running stack, and nothing else. The emulator
// sees the parameters' defaults alone where it makes versions, so that has to change, too.
func update(t *testing.T, s *stack) {
	before, outputs := s.resources(t), s.outputs
	s.built = edit(t, s.built, "Default: 4s", "Default: 3s")
	s.sam(t, "--no-execute-changeset", "ReplyWithin=3s")
	changes := s.changes(t)
	t.Logf("the change set: %s", strings.Join(slices.Sorted(maps.Keys(changes)), ", "))
	for _, needed := range []string{"Modify WebhookFunction", "Add WebhookFunctionVersion"} {
		if !changes[needed] {
			t.Errorf("%q is not in the change set", needed)
		}
	}
	for change := range changes {
		if !allowedInUpdate[change] {
			t.Errorf("%q is in the change set", change)
		}
	}

	s.update(t, "ReplyWithin=3s")
	same(t, "the outputs", s.outputs, outputs)
	after := s.resources(t)
	for logical, physical := range before {
		if after[logical] != physical && !strings.Contains(logical, "FunctionVersion") {
			t.Errorf("%s was %s, is %q", logical, physical, after[logical])
		}
	}
	if live := s.python(t, "live"); !strings.Contains(live, `"REPLY_WITHIN": "3s"`) {
		t.Errorf("what is live goes on with %s", live)
	}
	if a := s.signUp(t, "acme-42"); a.status != http.StatusOK {
		t.Errorf("what was there: %d %s", a.status, a.body)
	}
	if a := s.signUp(t, "after-the-update"); a.status != http.StatusCreated {
		t.Errorf("what is new: %d %s", a.status, a.body)
	}
	active(t, s, "after-the-update")
}

// allowedInUpdate is what an update of a setting of the webhook's may change. The old version is
// removed from the stack, and kept in Lambda. (The emulator lists the role of CodeDeploy, which
// isn't there, since it names the function, and leaves the alias out.)
var allowedInUpdate = map[string]bool{
	"Modify WebhookFunction": true, "Add WebhookFunctionVersion": true, "Remove WebhookFunctionVersion": true,
	"Modify WebhookFunctionAliaslive": true, "Modify RolloutRole": true,
}

func second(t *testing.T, first, two *stack) {
	for name, value := range first.outputs {
		if two.outputs[name] == value && name != "ExotelCallsPerMinute" {
			t.Errorf("both stacks have %s %s", name, value)
		}
	}
	if a := two.signUp(t, "acme-42"); a.status != http.StatusCreated {
		t.Errorf("the second: %d %s", a.status, a.body)
	}
	active(t, two, "acme-42")
	active(t, first, "acme-42")
	if a := two.send(t, http.MethodGet, "/signups/acme-42", "Bearer "+first.bearer, ""); a.status != http.StatusUnauthorized {
		t.Errorf("the first one's token opens the second: %d", a.status)
	}
}

func badParameters(t *testing.T, s *stack) {
	defer lap(t, "bad parameters")()
	for override, says := range map[string]string{
		"TrunkPrefix=Long!":                   "TrunkPrefix",
		"AlarmEmail=nobody":                   "AlarmEmail",
		"ReplyWithin=soon":                    "ReplyWithin",
		"ReplyWithin=30s":                     "ReplyWithin",
		"ExotelCallsPerMinute=-1":             "ExotelCallsPerMinute",
		"PublicUrl=hooks.example.com":         "PublicUrl",
		"ExotelBaseUrl=http://exotel.example": "ExotelBaseUrl",
		"Architecture=mips":                   "Architecture",
		"LogRetentionDays=8":                  "LogRetentionDays",
		"PendingAlarmSeconds=1":               "PendingAlarmSeconds",
		"Rollout=Canary":                      "Rollout",
		"ThrottlingRate=0":                    "ThrottlingRate",
		"KmsKeyArn=alias/ours":                "KmsKeyArn",
		"DomainName=https://hooks.example":    "DomainName",
	} {
		t.Run(override, func(t *testing.T) {
			t.Parallel()
			out, err := s.emulator.try(t, variable(t, "E2E_SAM"), "deploy", "--template-file", s.built, "--stack-name", "trunkhook-e2e-bad",
				"--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", override)
			if err == nil || !strings.Contains(out, says) {
				t.Errorf("%v\n%s", err, tail(out, 5))
			}
		})
	}
}
