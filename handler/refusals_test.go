package handler_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// items is how many signups the world's table holds, whatever became of them.
func (w *world) items(t testing.TB) int {
	t.Helper()
	table := w.handler.Provisioner.(*provision.Engine).Ledger.(*embedded.Ledger)
	count := 0
	if err := table.Each(func(provision.Record) error { count++; return nil }); err != nil {
		t.Fatal(err)
	}
	return count
}

// refusal is an answer that is no success.
type refusal struct {
	Title, Detail string
	Status        int
	Errors        []fault
}

// fields at fault, joined.
func (r refusal) fields() string {
	var names []string
	for _, f := range r.Errors {
		names = append(names, f.Field)
	}
	return strings.Join(names, " ")
}

// refused checks what all refusals have in common, and returns one.
func refused(t *testing.T, answer events.APIGatewayV2HTTPResponse) refusal {
	t.Helper()
	var r refusal
	if err := json.Unmarshal([]byte(answer.Body), &r); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	if r.Status != answer.StatusCode || r.Title != http.StatusText(answer.StatusCode) || r.Title == "" {
		t.Errorf("HTTP %d, but the body says %d, %q", answer.StatusCode, r.Status, r.Title)
	}
	for name, want := range map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := answer.Headers[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, f := range r.Errors {
		if f.Field == "" || f.Detail == "" {
			t.Errorf("field %q, detail %q", f.Field, f.Detail)
		}
	}
	return r
}

// sent stands in everything that is refused below: no answer may repeat it.
const sent = "Zq7Xw9"

func TestEveryRefusalSaysWhatAndLeavesNothing(t *testing.T) {
	t.Parallel()
	with := func(event events.APIGatewayV2HTTPRequest, change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
		change(&event)
		return event
	}
	usual := `{"signup_id":"acme-42","company":"` + sent + `"}`
	for name, test := range map[string]struct {
		event  events.APIGatewayV2HTTPRequest
		status int
		fields string
		detail string // part of it; empty where there must be none
		header string
	}{
		"no token":         {post("/signups", "application/json", "", usual), 401, "", "", "WWW-Authenticate: Bearer"},
		"wrong token":      {post("/signups", "application/json", "Bearer "+sent, usual), 401, "", "", "WWW-Authenticate: Bearer"},
		"Basic":            {post("/signups", "application/json", "Basic "+base64Of("api:"+bearer), usual), 401, "", "", "WWW-Authenticate: Bearer"},
		"stale signature":  {sign(t, signing, sent, now.Add(-301*time.Second), usual), 401, "", "", "WWW-Authenticate: Bearer"},
		"future signature": {sign(t, signing, sent, now.Add(301*time.Second), usual), 401, "", "", "WWW-Authenticate: Bearer"},
		"method":           {with(signUp(usual), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "PUT" }), 405, "", "", "Allow: POST"},
		"made-up method":   {with(signUp(usual), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = sent }), 405, "", "", "Allow: POST"},
		"unknown path":     {post("/"+sent, "application/json", "Bearer local", usual), 404, "", "", ""},
		"slash at the end": {post("/signups/", "application/json", "Bearer local", usual), 404, "", "", ""},
		"too big":          {signUp(`{"x":"` + strings.Repeat(sent, 50_000) + `"}`), 413, "", "262144 bytes", ""},
		"too big, base64":  {with(signUp(base64Of(strings.Repeat(sent, 50_000))), func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded = true }), 413, "", "262144 bytes", ""},
		"no base64":        {with(signUp(usual), func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded = true }), 400, "", "not base64", ""},
		"base64, cut off":  {with(signUp(base64Of(usual)[:21]), func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded = true }), 400, "", "not base64", ""},
		"form":             {post("/signups", "application/x-www-form-urlencoded", "Bearer local", "signup_id=acme-42&company="+sent), 415, "", "application/json", ""},
		"XML":              {post("/signups", "text/xml", "Bearer local", "<x>"+sent+"</x>"), 415, "", "application/json", ""},
		"bad content type": {post("/signups", "application/json; charset=\"", "Bearer local", usual), 415, "", "application/json", ""},

		"empty body":             {signUp(""), 400, "", "broken at byte 0", ""},
		"white space":            {signUp(" \r\n\t"), 400, "", "broken at byte", ""},
		"broken JSON":            {signUp(usual[:len(usual)-2]), 400, "", "broken at byte", ""},
		"two values":             {signUp(usual + usual), 400, "", "behind", ""},
		"byte order mark":        {signUp("\ufeff" + usual), 400, "", "broken at byte 0", ""},
		"UTF-16":                 {signUp("\xff\xfe{\x00}\x00"), 400, "", "UTF-8", ""},
		"invalid UTF-8":          {signUp(`{"signup_id":"acme-42","company":"` + sent + "\xc3\x28\"}"), 400, "", "UTF-8", ""},
		"overlong UTF-8":         {signUp(`{"signup_id":"acme-42","company":"` + sent + "\xc0\xaf\"}"), 400, "", "UTF-8", ""},
		"half a character":       {signUp(`{"signup_id":"acme-42","company":"` + sent + `\ud800"}`), 400, "", "half a character", ""},
		"NUL between":            {signUp("{\x00\"signup_id\":\"acme-42\",\"company\":\"" + sent + `"}`), 400, "", "broken at byte", ""},
		"comment":                {signUp(`/*` + sent + `*/` + usual), 400, "", "broken at byte", ""},
		"NaN":                    {signUp(`{"signup_id":"acme-42","company":"A","` + sent + `":NaN}`), 400, "", "broken at byte", ""},
		"nested arrays":          {signUp(`{"signup_id":"acme-42","company":"A","` + sent + `":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`), 400, "", "deeper than 64", ""},
		"signup_id twice":        {signUp(`{"signup_id":"acme-42","company":"A","signup_id":"` + sent + `"}`), 400, "signup_id", "twice", ""},
		"company twice, escaped": {signUp(`{"signup_id":"acme-42","company":"A","comp\u0061ny":"` + sent + `"}`), 400, "company", "twice", ""},
		"data twice":             {signUp(`{"type":"x","data":{"signup_id":"acme-42","company":"A"},"data":{}}`), 400, "data", "twice", ""},
		"twice in data":          {signUp(`{"type":"x","data":{"signup_id":"acme-42","company":"A","company":"` + sent + `"}}`), 400, "company", "twice", ""},
		"another key twice":      {signUp(`{"signup_id":"acme-42","company":"A","` + sent + `":1,"` + sent + `":2}`), 400, "", "twice", ""},
		"twice, deep inside":     {signUp(`{"signup_id":"acme-42","company":"A","x":[[{"y":{"` + sent + `":1,"` + sent + `":2}}]]}`), 400, "", "twice", ""},

		"a list":            {signUp(`["` + sent + `"]`), 422, "body", "can't be used", ""},
		"a number":          {signUp(`1e999999999`), 422, "body", "can't be used", ""},
		"null":              {signUp(`null`), 422, "body", "can't be used", ""},
		"nothing":           {signUp(`{}`), 422, "signup_id company", "can't be used", ""},
		"wrong types":       {signUp(`{"signup_id":{"` + sent + `":1},"company":[` + strings.Repeat("9", 1000) + `]}`), 422, "signup_id company", "can't be used", ""},
		"empty":             {signUp(`{"signup_id":"","company":""}`), 422, "signup_id company", "can't be used", ""},
		"long":              {signUp(`{"signup_id":"` + strings.Repeat(sent, 22) + `","company":"` + strings.Repeat(sent, 43) + `"}`), 422, "signup_id company", "can't be used", ""},
		"line break in id":  {signUp(`{"signup_id":"acme-42\r\nX-Evil: ` + sent + `","company":"A"}`), 422, "signup_id", "can't be used", ""},
		"counter's key":     {signUp(`{"signup_id":"#budget","company":"` + sent + `"}`), 422, "signup_id", "can't be used", ""},
		"path in id":        {signUp(`{"signup_id":"../` + sent + `","company":"A"}`), 422, "signup_id", "can't be used", ""},
		"look-alike in id":  {signUp(`{"signup_id":"\u0430cme-42","company":"` + sent + `"}`), 422, "signup_id", "can't be used", ""},
		"control character": {signUp(`{"signup_id":"acme-42","company":"` + sent + `\u0000\u001b[2J"}`), 422, "company", "can't be used", ""},
		"line break":        {signUp(`{"signup_id":"acme-42","company":"` + sent + `\r\nSet-Cookie: a=b"}`), 422, "company", "can't be used", ""},
		"wrapped in a list": {signUp(`{"type":"x","data":["` + sent + `"]}`), 422, "data", "can't be used", ""},

		"status without token":      {get("/signups/acme-42", ""), 401, "", "", "WWW-Authenticate: Bearer"},
		"status with a wrong token": {get("/signups/acme-42", "Bearer "+sent), 401, "", "", "WWW-Authenticate: Bearer"},
		"status, signed": {with(sign(t, signing, "msg_1", now, ""), func(e *events.APIGatewayV2HTTPRequest) {
			e.RawPath, e.RequestContext.HTTP.Method = "/signups/acme-42", "GET"
		}), 401, "", "", ""},
		"status of nobody":      {get("/signups/"+sent, "Bearer local"), 404, "", "", ""},
		"status of no id":       {get("/signups/%0d%0a"+sent, "Bearer local"), 404, "", "", ""},
		"status of the budget":  {get("/signups/%23budget", "Bearer local"), 404, "", "", ""},
		"status of a long id":   {get("/signups/"+strings.Repeat("a", 129), "Bearer local"), 404, "", "", ""},
		"status, broken escape": {get("/signups/%"+sent, "Bearer local"), 404, "", "", ""},
		"status, wrong method":  {post("/signups/acme-42", "application/json", "Bearer local", usual), 405, "", "", "Allow: GET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			answer := w.send(t, test.event)
			got := refused(t, answer)
			if got.Status != test.status || got.fields() != test.fields || !strings.Contains(got.Detail, test.detail) || (test.detail == "") != (got.Detail == "") {
				t.Errorf("got %d %s", answer.StatusCode, answer.Body)
			}
			if header, want, _ := strings.Cut(test.header, ": "); answer.Headers[header] != want {
				t.Errorf("headers %v", answer.Headers)
			}
			if strings.Contains(answer.Body, sent) {
				t.Errorf("the answer repeats what was sent: %s", answer.Body)
			}
			if items, calls := w.items(t), len(w.fake.Calls()); items != 0 || calls != 0 {
				t.Errorf("%d items, %d calls to Exotel", items, calls)
			}
			if log := w.log.String(); strings.Count(log, "\n") != 1 || len(log) > 1000 {
				t.Errorf("logged %d bytes: %.1000s", len(log), log)
			}
		})
	}
}

func TestConflictLeavesTheFirstOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(t, signUp(acme))
	got := refused(t, w.send(t, signUp(`{"signup_id":"acme-42","company":"`+sent+`"}`)))
	if got.Status != 422 || got.fields() != "signup_id" || got.Detail == "" || w.items(t) != 1 {
		t.Errorf("got %+v; %d items", got, w.items(t))
	}
	if shown := w.send(t, get("/signups/acme-42", "Bearer local")); !strings.Contains(shown.Body, `"company":"Acme Telecom"`) {
		t.Errorf("it became %s", shown.Body)
	}
}

func TestOutagesAreProblemsToo(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]events.APIGatewayV2HTTPRequest{"signup": signUp(acme), "status": get("/signups/acme-42", "Bearer local")} {
		noSecrets, noTable := newWorld(t), newWorld(t)
		noSecrets.secrets.down = errors.New("down: " + sent)
		table := noTable.handler.Provisioner.(*provision.Engine).Ledger.(*embedded.Ledger)
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
		for part, w := range map[string]*world{"secrets": noSecrets, "table": noTable} {
			answer := w.send(t, event)
			if got := refused(t, answer); got.Status != 503 || answer.Headers["Retry-After"] == "" || strings.Contains(answer.Body, sent) || len(w.fake.Calls()) != 0 {
				t.Errorf("%s without %s: %+v %v", name, part, got, answer.Headers)
			}
		}
	}
}
