package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWaitedIsTheUnionOfTheCalls(t *testing.T) {
	t.Parallel()
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for name, test := range map[string]struct {
		calls [][2]int
		want  int
	}{
		"none":                {nil, 0},
		"one":                 {[][2]int{{10, 15}}, 5},
		"one after the other": {[][2]int{{10, 15}, {20, 25}}, 10},
		"at once":             {[][2]int{{10, 20}, {12, 15}, {15, 30}}, 20},
		"in any order":        {[][2]int{{40, 50}, {10, 20}}, 20},
		"over the edges":      {[][2]int{{-10, 5}, {90, 120}}, 15},
		"outside":             {[][2]int{{-10, -5}, {110, 120}}, 0},
	} {
		var r record
		for _, c := range test.calls {
			r.calls = append(r.calls, call{received: at(c[0]), answered: at(c[1])})
		}
		if got := r.waited(at(0), at(100)); got != time.Duration(test.want)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", name, got, test.want)
		}
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	values := []int{5, 1, 4, 2, 3}
	for q, want := range map[float64]int{0: 1, 0.2: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
	}
	if !slices.Equal(values, []int{5, 1, 4, 2, 3}) {
		t.Error("the list was sorted in place")
	}
}

func TestUnitsAreRead(t *testing.T) {
	t.Parallel()
	units := readUnits([]byte(strings.Join([]string{
		"goos: linux",
		"pkg: github.com/trunkhook/trunkhook/handler",
		"BenchmarkHandle/bearer-2         	   73254	     16200 ns/op	    6418 B/op	      51 allocs/op",
		"BenchmarkHandle/bearer-2         	   73254	     17200 ns/op	    6418 B/op	      51 allocs/op",
		"pkg: github.com/trunkhook/trunkhook/handler/sources",
		"BenchmarkRead/contact_with_history-2 	    5040	    173000 ns/op	 118.10 MB/s	  184013 B/op	    1489 allocs/op",
		"PASS",
	}, "\n")))
	if len(units) != 2 || units[0].name != "handler Handle/bearer" || median(units[0].nanoseconds) != 16200 || units[0].allocations != "51" ||
		units[1].name != "handler/sources Read/contact with history" || units[1].bytes != "184013" {
		t.Errorf("%+v", units)
	}
}

func TestGeneratedPartIsReplacedAndNothingElse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "document.md")
	for content, want := range map[string]string{
		"a\n" + beginMark + "\nold\n" + endMark + "\nb\n": "a\n" + beginMark + "\nnew\n" + endMark + "\nb\n",
		"a\n":               "",
		endMark + beginMark: "",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := replaceGenerated(file, []byte("new"))
		got, _ := os.ReadFile(file)
		if want == "" && (err == nil || string(got) != content) || want != "" && (err != nil || string(got) != want) {
			t.Errorf("%q became %q, %v", content, got, err)
		}
	}
}

// A front must not make a call shorter than it says, and must note all of it.
func TestFrontKeepsAnAnswerForItsLatency(t *testing.T) {
	t.Parallel()
	seen := &recorder{}
	url, shut, err := front{
		service: exotelAPI, latency: 50 * time.Millisecond, operation: method, recorder: seen,
		backend: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	}.serve(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer shut()
	client := &http.Client{Transport: &http.Transport{}}
	began := time.Now()
	for range 2 {
		answer, err := client.Post(url, "text/plain", strings.NewReader("x"))
		if err != nil || answer.StatusCode != http.StatusTeapot {
			t.Fatal(answer, err)
		}
		answer.Body.Close()
	}
	saw := seen.take()
	if took := saw.waited(began, time.Now()); took < 100*time.Millisecond || len(saw.calls) != 2 || saw.connections[exotelAPI] != 1 || saw.calls[0].operation != "POST" {
		t.Errorf("%v, %+v", took, saw)
	}
}

func TestCostRoundsUpToMilliseconds(t *testing.T) {
	t.Parallel()
	// 1 ms of 1 GB and a request, a million times: 0.0133334 + 0.2 USD.
	if got := cost(1024, []time.Duration{time.Microsecond}); got != "0.21" {
		t.Error(got)
	}
}
