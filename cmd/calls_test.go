package cmd_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// counter is a proxy in front of DynamoDB that counts calls by their name.
type counter struct {
	URL string

	mu    sync.Mutex
	calls map[string]int
}

func startCounter(t *testing.T, target string) *counter {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{calls: map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(parsed) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		c.mu.Lock()
		c.calls[name]++
		c.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// take returns the calls since the last time.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = map[string]int{}
	return calls
}

// The figures of docs/benchmarks.md: what each kind of request costs in calls.
func TestCallsPerRequest(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	table := startCounter(t, c.engine.Endpoint)
	p := c.start("webhook", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL)
	invoke(t, p, post("warm-up"))
	table.take()
	for _, test := range []struct {
		name   string
		do     func() (int, shown)
		status int
		table  map[string]int
		exotel int
		secret int
	}{
		{"new", func() (int, shown) { return invoke(t, p, post("acme-42")) }, 201, map[string]int{"UpdateItem": 3}, 1, 0},
		{"replay", func() (int, shown) { return invoke(t, p, post("acme-42")) }, 200, map[string]int{"UpdateItem": 1}, 0, 0},
		{"status", func() (int, shown) { return invoke(t, p, get("acme-42")) }, 200, map[string]int{"GetItem": 1}, 0, 0},
	} {
		calls, fetches := len(c.fake.Calls()), c.secrets.Fetches()
		status, _ := test.do()
		got, exotel, secret := table.take(), len(c.fake.Calls())-calls, c.secrets.Fetches()-fetches
		t.Logf("%-6s HTTP %d, DynamoDB %v, Exotel %d, Secrets Manager %d", test.name, status, got, exotel, secret)
		if status != test.status || !maps.Equal(got, test.table) || exotel != test.exotel || secret != test.secret {
			t.Errorf("%s: want HTTP %d, DynamoDB %v, Exotel %d, Secrets Manager %d", test.name, test.status, test.table, test.exotel, test.secret)
		}
	}
}
