package exotel

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	destA = "a.example.com:5060"
	destB = "b.example.com:5061;transport=tls"
)

func added(id, destination string) string {
	return `{"code":200,"status":"success","data":{"id":"` + id + `","destination":"sip:` + destination + `"}}`
}

const (
	notTaken  = `{"code":400,"status":"failure","error_data":{"code":1002,"message":"Invalid parameter","description":"Destination not whitelisted"},"data":null}`
	brokeDown = `{"code":500,"status":"failure","data":null}`
)

// adding is what the client makes of an answer about destinations A and B.
func adding(t testing.TB, status int, response string) ([]DestinationResult, error) {
	t.Helper()
	client, err := New(Config{
		APIKey: leakKey, APIToken: leakToken, AccountSID: "exoteltest", Subdomain: Mumbai,
		HTTPClient: clientOf(answering{status, nil, `{"request_id":"r1","http_code":` + "207" + `,"metadata":{"total":2},"response":` + response + `}`}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client.DestinationURIs.Add(t.Context(), aTrunk, []string{destA, destB})
}

func TestEachDestinationHasAResult(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		response string
		a, b     Kind // empty: taken
	}{
		"both taken":               {"[" + added("1", destA) + "," + added("2", destB) + "]", "", ""},
		"second refused":           {"[" + added("1", destA) + "," + notTaken + "]", "", ErrInvalid},
		"first refused":            {"[" + notTaken + "," + added("2", destB) + "]", ErrInvalid, ""},
		"both refused":             {"[" + notTaken + "," + notTaken + "]", ErrInvalid, ErrInvalid},
		"second broke down":        {"[" + added("1", destA) + "," + brokeDown + "]", "", ErrOutcomeUnknown},
		"second is unreadable":     {"[" + added("1", destA) + `,{"code":200,"status":"success","data":null}]`, "", ErrOutcomeUnknown},
		"second has no id":         {"[" + added("1", destA) + "," + added("", destB) + "]", "", ErrOutcomeUnknown},
		"second is no object":      {"[" + added("1", destA) + ",7]", "", ErrOutcomeUnknown},
		"second is there already":  {"[" + added("1", destA) + `,{"code":409,"status":"failure","error_data":{"code":1008}}]`, "", ErrDuplicate},
		"second says so, with 200": {"[" + added("1", destA) + `,{"code":200,"status":"failure","error_data":{"code":1008}}]`, "", ErrDuplicate},
	} {
		results, err := adding(t, 207, test.response)
		if err != nil || len(results) != 2 || results[0].Destination != destA || results[1].Destination != destB {
			t.Errorf("%s: %+v, %v", name, results, err)
			continue
		}
		for i, kind := range []Kind{test.a, test.b} {
			var failed *Error
			switch r := results[i]; {
			case (r.URI == nil) == (r.Err == nil):
				t.Errorf("%s: %+v", name, r)
			case kind == "" && r.Err != nil:
				t.Errorf("%s: %v", name, r.Err)
			case kind != "" && (!errors.As(r.Err, &failed) || failed.Kind != kind || failed.Op != "add destination uris" || failed.RequestID != "r1" || failed.HTTPStatus != 207):
				t.Errorf("%s: %v, want %q", name, r.Err, kind)
			}
		}
	}
}

func TestResultsThatCannotBeToldApartAreUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status   int
		response string
	}{
		"one for two":           {207, "[" + added("1", destA) + "]"},
		"three for two":         {207, "[" + added("1", destA) + "," + added("2", destB) + "," + added("3", destB) + "]"},
		"none for two":          {207, "[]"},
		"not a list":            {207, added("1", destA)},
		"in another order":      {200, "[" + added("1", destB) + "," + added("2", destA) + "]"},
		"second where first is": {207, "[" + added("2", destB) + "," + notTaken + "]"},
		"the same twice":        {200, "[" + added("1", destA) + "," + added("2", destA) + "]"},
		"a success in a 400":    {400, "[" + added("1", destA) + "," + notTaken + "]"},
		"a breakdown in a 400":  {400, "[" + brokeDown + "," + notTaken + "]"},
		"a success in a 500":    {500, "[" + added("1", destA) + "," + added("2", destB) + "]"},
		"a refusal in a 500":    {500, "[" + notTaken + "," + notTaken + "]"},
		"a 409 about both":      {409, "[" + notTaken + "," + added("2", destB) + "]"},
		"null":                  {200, "null"},
	} {
		if results, err := adding(t, test.status, test.response); !errors.Is(err, ErrOutcomeUnknown) || results != nil {
			t.Errorf("%s: %+v, %v", name, results, err)
		}
	}
	if _, err := adding(t, 400, "["+notTaken+","+notTaken+"]"); !errors.Is(err, ErrInvalid) {
		t.Errorf("all refused, with 400: %v", err)
	}
}

// Whatever the answer, nothing is said to be refused that was taken, and nothing
// to be there under a name that it doesn't have.
func TestResultsAreNeverMixedUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.SampledFrom([]string{added("1", destA), added("2", destB), added("3", "c.example.com:1"), notTaken, brokeDown, "7", "null", "{}"}), 0, 3).Draw(t, "items")
		status := rapid.SampledFrom([]int{200, 207, 201, 400, 404, 409, 429, 500, 503}).Draw(t, "status")
		client, err := New(Config{
			APIKey: leakKey, APIToken: leakToken, AccountSID: "exoteltest", Subdomain: Mumbai,
			HTTPClient: clientOf(answering{status, nil, `{"response":[` + strings.Join(items, ",") + `]}`}),
		})
		if err != nil {
			t.Fatal(err)
		}
		results, err := client.DestinationURIs.Add(t.Context(), aTrunk, []string{destA, destB})
		for i, r := range results {
			if r.URI != nil && !SameDestination(r.URI.Destination, r.Destination) {
				t.Fatalf("%d: %+v", i, r)
			}
			if r.URI == nil && errors.Is(r.Err, ErrInvalid) && items[i] != notTaken {
				t.Fatalf("%s was taken for a refusal", items[i])
			}
		}
		var failed *Error
		taken := strings.Contains(strings.Join(items, ""), "success")
		if errors.As(err, &failed) && failed.Kind != ErrOutcomeUnknown && taken {
			t.Fatalf("%v, although something was taken: %d %v", err, status, items)
		}
	})
}
