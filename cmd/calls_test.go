package cmd_test

import (
	"maps"
	"testing"

	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// The figures of docs/benchmarks.md: what each kind of request costs in calls.
func TestCallsPerRequest(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	table := lambdatest.StartProxy(t, c.engine.Endpoint, lambdatest.Operation)
	p := c.start("webhook", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL)
	invoke(t, p, post("warm-up"))
	table.Take()
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
		got, exotel, secret := table.Take(), len(c.fake.Calls())-calls, c.secrets.Fetches()-fetches
		t.Logf("%-6s HTTP %d, DynamoDB %v, Exotel %d, Secrets Manager %d", test.name, status, got, exotel, secret)
		if status != test.status || !maps.Equal(got, test.table) || exotel != test.exotel || secret != test.secret {
			t.Errorf("%s: want HTTP %d, DynamoDB %v, Exotel %d, Secrets Manager %d", test.name, test.status, test.table, test.exotel, test.secret)
		}
	}
}
