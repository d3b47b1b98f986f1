package timeline_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/trunkhook/trunkhook/internal/timeline"
)

// lost is a delivery whose answer from Exotel was lost, and found are the reconciler's
// lines of the same signup, as make run writes them.
const (
	lost  = `{"time":"2026-11-25T22:00:01.100Z","level":"WARN","msg":"request","method":"POST","path":"/signups","status":202,"duration_ms":100,"source":"api","signup_id":"acme-42","outcome":"pending","attempt":1,"error":"exotel: create trunk: outcome unknown","steps":[{"name":"claim","at":"2026-11-25T22:00:01.000000Z","duration_ms":2},{"name":"create trunk","at":"2026-11-25T22:00:01.010000Z","duration_ms":50,"method":"POST","path":"/trunks","error":"exotel: create trunk: outcome unknown"},{"name":"give back","at":"2026-11-25T22:00:01.090000Z","duration_ms":3}]}`
	again = `{"time":"2026-11-25T22:00:01.060Z","level":"INFO","msg":"request","method":"POST","path":"/signups","status":202,"duration_ms":20,"source":"api","signup_id":"acme-42","outcome":"in_progress","attempt":1,"steps":[{"name":"claim","at":"2026-11-25T22:00:01.041000Z","duration_ms":2}]}`
	found = `{"time":"2026-11-25T22:00:03.030Z","level":"INFO","msg":"reconciled","signup_id":"acme-42","outcome":"adopted","trunk_sid":"trmum1a","attempt":2,"source":"api","steps":[{"name":"create trunk","at":"2026-11-25T22:00:03.000000Z","duration_ms":5,"method":"POST","path":"/trunks","http_status":200,"request_id":"r1","error":"exotel: create trunk: duplicate: HTTP 200, code 1008 (request r1)"},{"name":"list trunks","at":"2026-11-25T22:00:03.010000Z","duration_ms":5,"method":"GET","path":"/trunks","http_status":200,"request_id":"r2"}]}`
	other = `{"time":"2026-11-25T22:00:03.030Z","msg":"reconciled","signup_id":"acme-43","outcome":"created","attempt":1}`
	pass  = `{"time":"2026-11-25T22:00:03.040Z","level":"INFO","msg":"pass","finished":1}`
	shown = `{"time":"2026-11-25T22:00:09Z","msg":"request","method":"GET","signup_id":"acme-42","outcome":"shown","status":200}`
)

func told(t *testing.T, lines ...string) timeline.Story {
	t.Helper()
	entries, err := timeline.Read(strings.NewReader(strings.Join(lines, "\n")), "acme-42")
	if err != nil {
		t.Fatal(err)
	}
	return timeline.Tell("acme-42", entries)
}

func TestWhatWasAtOnceStandsSideBySide(t *testing.T) {
	t.Parallel()
	story := told(t, again, lost, other, pass, shown, found) // as they ended, not as they began
	if len(story.Spells) != 2 || len(story.Spells[0].Lanes) != 2 || len(story.Spells[1].Lanes) != 1 {
		t.Fatalf("%+v", story)
	}
	first, second := story.Spells[0], story.Spells[1]
	if first.Lanes[0].Outcome != "pending" || first.Lanes[1].Outcome != "in_progress" || first.Length() != 100*time.Millisecond {
		t.Errorf("%+v", first)
	}
	if second.After != 1900*time.Millisecond || second.Lanes[0].Kind != timeline.Reconciler || second.Lanes[0].Attempt != 2 || len(second.Lanes[0].Lost) != 0 {
		t.Errorf("%+v", second)
	}
	create := first.Lanes[0].Steps[1]
	if !create.IsCall() || create.Request() != "POST …/trunks" || create.Duration != 50*time.Millisecond || first.Place(create.At, 1000) != 100 {
		t.Errorf("%+v at %d", create, first.Place(create.At, 1000))
	}
	if steps := second.Lanes[0].Steps; !steps[0].Refused() || steps[1].Refused() || create.Refused() || steps[0].OwnRequestID() != "" || steps[1].OwnRequestID() != "r2" {
		t.Errorf("%+v", steps)
	}
}

// A process that is killed writes nothing: what shows is that the tries' count has a gap.
func TestTryWithoutALineIsNoticed(t *testing.T) {
	t.Parallel()
	story := told(t, found)
	if lost := story.Spells[0].Lanes[0].Lost; len(lost) != 1 || lost[0] != 1 {
		t.Errorf("lost are %v", lost)
	}
	killed := `{"time":"2026-11-25T22:00:01.500Z","msg":"killed","signup_id":"acme-42","attempt":1,"outcome":"killed"}`
	if lost := told(t, killed, found).Spells[1].Lanes[0].Lost; len(lost) != 0 {
		t.Errorf("somebody said so, and lost are %v", lost)
	}
	// One that was told to leave it alone says the count of who holds it.
	if lost := told(t, again, found).Spells[1].Lanes[0].Lost; len(lost) != 1 {
		t.Errorf("lost are %v", lost)
	}
	if lost := told(t, strings.ReplaceAll(found, `"attempt":2`, `"attempt":2000000000`)).Spells[0].Lanes[0].Lost; len(lost) > 20 {
		t.Errorf("%d are lost", len(lost))
	}
}

func quoted(line string) string { return fmt.Sprintf("%q", line) }

func TestExportsOfCloudWatchAreRead(t *testing.T) {
	t.Parallel()
	lambda := strings.NewReplacer(`"time"`, `"timestamp"`, `"msg"`, `"message"`).Replace(lost)
	for name, log := range map[string]string{
		"make run's":              lost + "\n" + found,
		"Lambda's":                lambda + "\n" + found,
		"sam logs":                "2026/11/25/[$LATEST]3f 2026-11-25T22:00:01.100000 " + lambda + "\n2026/11/25/[$LATEST]3f 2026-11-25T22:00:03 " + found,
		"filter-log-events, text": "EVENTS\t38\t1790000000000\t" + lambda + "\t1790000000001\tstream\nEVENTS\t39\t1790000000000\t" + found + "\t1790000000001\tstream",
		"filter-log-events, json": "{\n  \"events\": [\n    {\"timestamp\": 1790000000000, \"message\": " + quoted(lambda+"\n") + "},\n    {\"message\": " + quoted(found) + "}\n  ],\n \"searchedLogStreams\": []\n}",
		"a list of events":        `[{"message":` + quoted(lambda) + `},{"message":` + quoted(found) + `}]`,
		"an event a line":         `{"timestamp":1790000000000,"message":` + quoted(lambda) + "}\n" + `{"message":` + quoted(found) + `}`,
		"Logs Insights":           `{"results":[[{"field":"@ptr","value":"x"},{"field":"@message","value":` + quoted(lambda) + `}],[{"field":"@message","value":` + quoted(found) + `}]],"status":"Complete"}`,
	} {
		entries, err := timeline.Read(strings.NewReader(log), "acme-42")
		if err != nil || len(entries) != 2 || entries[0].Outcome != "pending" || entries[0].At.IsZero() || len(entries[0].Steps) != 3 || entries[1].Outcome != "adopted" {
			t.Errorf("%s: %+v, %v", name, entries, err)
		}
	}
}

func TestLogThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	for name, log := range map[string]io.Reader{
		"half a document":  strings.NewReader(`{"events":[{"message":"`),
		"another list":     strings.NewReader(`[1, 2]`),
		"another document": strings.NewReader(`{"events":7}`),
		"a broken file":    io.MultiReader(strings.NewReader(lost+"\n"), iotest.ErrReader(errors.New("the disk"))),
		"an endless line":  strings.NewReader(strings.Repeat("x", 5<<20)),
	} {
		if _, err := timeline.Read(log, "acme-42"); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestStoryOnATerminal(t *testing.T) {
	t.Parallel()
	hostile := strings.ReplaceAll(strings.ReplaceAll(found, "duplicate: HTTP 200", `duplicate: \u001b[2J HTTP 200`), `"attempt":2`, `"attempt":3`)
	var out strings.Builder
	if err := told(t, lost, again, hostile).WriteText(&out); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "story.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || out.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s(%v)", out.String(), want, err)
	}
}

func TestStepWhoseTimeIsNotKnownStandsAtTheBeginning(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := told(t, strings.ReplaceAll(lost, `"at":`, `"was":`)).WriteText(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, " +0.0 ms  [=") != 3 {
		t.Errorf("the story is\n%s", text)
	}
}

func TestStoreForgetsTheOldest(t *testing.T) {
	t.Parallel()
	noticed := 0
	store := timeline.NewStore(len(lost)+len(found)+2, func() { noticed++ })
	for _, line := range []string{lost, pass, found} {
		fmt.Fprintln(store, line)
	}
	if got := store.Entries("acme-42"); len(got) != 2 || noticed != 2 {
		t.Fatalf("%d entries, noticed %d times", len(got), noticed)
	}
	fmt.Fprintln(store, other)
	if got := store.Entries("acme-42"); len(got) != 1 || got[0].Outcome != "adopted" {
		t.Errorf("%+v", got)
	}
	for range 3 {
		fmt.Fprintln(store, strings.ReplaceAll(found, "acme-42", "acme-44"))
	}
	if left := len(store.Entries("acme-42")) + len(store.Entries("acme-43")); left != 0 || len(store.Entries("acme-44")) == 0 {
		t.Errorf("%d are left", left)
	}
}

// FuzzRead: a log is a stranger's text. Whatever it is, what is told of it is in order
// and within its axis.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{lost, found, "EVENTS\t1\t" + lost, `{"events":[{"message":` + quoted(found) + `}]}`, `{"message":"{\"message\":\"{}\"}"}`, `[{}]`, `{"time":"0001-01-01T00:00:00Z","msg":"killed","signup_id":"a","duration_ms":1e300}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, log string) {
		entries, _ := timeline.Read(strings.NewReader(log), "")
		for _, e := range entries {
			story := timeline.Tell(e.SignupID, entries)
			last := time.Time{}
			for _, spell := range story.Spells {
				if spell.Length() <= 0 || spell.After < 0 || spell.Start.Before(last) {
					t.Fatalf("%+v", spell)
				}
				last = spell.Start
				for _, lane := range spell.Lanes {
					for _, step := range lane.Steps {
						if at := spell.Place(step.At, 1000); at < 0 || at > 1000 {
							t.Fatalf("%+v is at %d", step, at)
						}
					}
				}
			}
			if err := story.WriteText(io.Discard); err != nil {
				t.Fatal(err)
			}
		}
	})
}
