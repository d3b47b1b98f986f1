package handler_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/provision"
)

// with changes a copy of an event.
func with(event events.APIGatewayV2HTTPRequest, change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	change(&event)
	return event
}

// A signature that was good is good again within its time, and tells its sender
// nothing but how the signup stands: it makes nothing.
func TestReplayedSignatureMakesNothingNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	event := sign(t, signing, "msg_1", now.Add(-300*time.Second), acme)
	first, again := w.send(t, event), w.send(t, event)
	if first.StatusCode != 201 || again.StatusCode != 200 || again.Headers["Idempotent-Replayed"] != "true" || first.Body != again.Body {
		t.Errorf("%d %s, then %d %s", first.StatusCode, first.Body, again.StatusCode, again.Body)
	}
	if n := len(w.fake.Trunks()); n != 1 {
		t.Errorf("%d trunks", n)
	}
	w.handler.Now = func() time.Time { return now.Add(time.Second) } // 301 s old by now
	if late := w.send(t, event); late.StatusCode != 401 {
		t.Errorf("late: %d", late.StatusCode)
	}
}

// The id and the time are joined by dots, so that some other id, time and body
// have the same signature. No such body is an object.
func TestDotsThatMoveInWhatIsSigned(t *testing.T) {
	t.Parallel()
	stamp := strconv.FormatInt(now.Unix(), 10)
	dotted := sign(t, signing, "msg."+stamp, now, acme).Headers["webhook-signature"]
	plain := sign(t, signing, "msg", now, stamp+"."+acme).Headers["webhook-signature"]
	for name, event := range map[string]events.APIGatewayV2HTTPRequest{
		"the id's end as the time":       signed("msg", stamp, dotted, stamp+"."+acme),
		"the time's end in the body":     signed("msg", stamp[:9], sign(t, signing, "msg", now, acme).Headers["webhook-signature"], stamp[9:]+"."+acme),
		"the id in the time":             signed("", "msg."+stamp, dotted, acme),
		"a comma where headers are cut":  signed("msg,msg", stamp, plain, acme),
		"signatures joined by a comma":   signed("msg", stamp, plain+","+dotted, acme),
		"signature in another's version": signed("msg", stamp, strings.Replace(plain, "v1", "v1a", 1), acme),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if answer := w.send(t, event); answer.StatusCode < 400 || w.items(t) != 0 {
				t.Errorf("got %d %s", answer.StatusCode, answer.Body)
			}
		})
	}
}

// lines decodes a log, each of whose lines must be one JSON object.
func lines(t *testing.T, log string) (all []map[string]any) {
	t.Helper()
	scanner := bufio.NewScanner(strings.NewReader(log))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("not a line of JSON: %q", scanner.Text())
		}
		all = append(all, line)
	}
	return all
}

const forged = "\r\n{\"level\":\"ERROR\",\"msg\":\"forged\"}\u2028\x00\x1b[2J"

// What a stranger writes gets into no header, and into no line but its own.
func TestLineBreaksForgeNothing(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]events.APIGatewayV2HTTPRequest{
		"path":         get("/signups"+forged, "Bearer local"),
		"escaped path": get("/signups/a%0d%0aX-Evil:%201", "Bearer local"),
		"method":       with(signUp(acme), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "GET" + forged }),
		"token":        post("/signups", "application/json", "Bearer local"+forged, acme),
		"content type": post("/signups", "text/plain"+forged, "Bearer local", acme),
		"webhook-id":   signed("msg"+forged, "1", "v1,x", acme),
		"header":       with(signUp(acme), func(e *events.APIGatewayV2HTTPRequest) { e.Headers["x"+forged] = forged }),
		"id":           signUp(`{"signup_id":` + strconv.Quote("a"+forged) + `,"company":"A"}`),
		"company":      signUp(`{"signup_id":"a","company":"A\r\n` + `\u2028forged"}`),
		"stage":        with(signUp(acme), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = "prod" + forged }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			answer := w.send(t, event)
			for header, value := range answer.Headers {
				if strings.ContainsAny(header+value, "\r\n\x00") || strings.Contains(header+value, "forged") || strings.Contains(header, "Evil") {
					t.Errorf("%s: %q", header, value)
				}
			}
			if all := lines(t, w.log.String()); len(all) != 1 || all[0]["msg"] != "request" {
				t.Errorf("logged %s", w.log)
			}
		})
	}
}

func TestLogLineIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("é\"\x01", 100_000)
	w.send(t, with(get("/"+long, "Bearer "+long), func(e *events.APIGatewayV2HTTPRequest) {
		e.RequestContext.HTTP.Method, e.Headers[long], e.RawQueryString = long, long, long
	}))
	if all := lines(t, w.log.String()); len(all) != 1 || w.log.Len() > 4000 {
		t.Errorf("logged %d bytes: %.500s", w.log.Len(), w.log)
	}
}

// What one request may cost, however it is made: a tenth of the function's time
// and of its memory.
func TestHostileRequestsCostLittle(t *testing.T) { //nolint:paralleltest // it measures memory
	repeat := func(pattern string) string { return strings.Repeat(pattern, 262_144/len(pattern)) }
	deep := strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60)
	many := func(count int, name func(int) (string, string)) events.APIGatewayV2HTTPRequest {
		return with(signUp(acme), func(e *events.APIGatewayV2HTTPRequest) {
			for i := range count {
				key, value := name(i)
				e.Headers[key] = value
			}
		})
	}
	for name, event := range map[string]events.APIGatewayV2HTTPRequest{
		"1 MB of brackets":           signUp(strings.Repeat("[", 1<<20)),
		"1 MB of nested JSON":        signUp(strings.Repeat(`{"a":[`, 1<<20/6)),
		"brackets at the cap":        signUp(repeat("[")),
		"objects at the cap":         signUp(repeat(`{"a":`)),
		"a list of objects":          signUp("[" + repeat(`{},`) + "{}]"),
		"a list of fields":           signUp("[" + repeat(`{"":0},`) + "{}]"),
		"a list of nested objects":   signUp(`{"signup_id":"acme-42","company":"A","x":[` + strings.Repeat(deep+",", 600) + deep + `]}`),
		"many keys":                  signUp(`{"signup_id":"acme-42","company":"A"` + manyKeys(20_000) + `}`),
		"a long key, twice":          signUp(`{"` + strings.Repeat("k", 100_000) + `":1,"` + strings.Repeat("k", 100_000) + `":2}`),
		"a huge number":              signUp(`{"signup_id":"acme-42","company":"A","n":` + strings.Repeat("9", 200_000) + `}`),
		"a huge exponent":            signUp(`{"signup_id":"acme-42","company":"A","n":1e` + strings.Repeat("9", 200_000) + `}`),
		"escapes":                    signUp(`{"signup_id":"acme-42","company":"` + strings.Repeat(`\u00e9`, 40_000) + `"}`),
		"white space":                signUp(repeat(" ") + acme),
		"6 MB in base64":             with(signUp(strings.Repeat("QUFB", 1_500_000)), func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded = true }),
		"10,000 headers":             many(10_000, func(i int) (string, string) { return fmt.Sprintf("x-%d", i), "y" }),
		"a header of 1 MB":           many(1, func(int) (string, string) { return "x", strings.Repeat("y", 1<<20) }),
		"a token of 1 MB":            post("/signups", "application/json", "Bearer "+strings.Repeat("x", 1<<20), acme),
		"a content type of 1 MB":     post("/signups", "application/json"+strings.Repeat("; a=b", 1<<18), "Bearer local", acme),
		"1 MB of signatures":         signed("msg_1", strconv.FormatInt(now.Unix(), 10), strings.Repeat("v1,x ", 1<<18), acme),
		"one signature of 1 MB":      signed("msg_1", strconv.FormatInt(now.Unix(), 10), "v1,"+strings.Repeat("A", 1<<20), acme),
		"a timestamp of 1 MB":        signed("msg_1", strings.Repeat("1", 1<<20), "v1,x", acme),
		"a path of 1 MB":             get("/signups/"+strings.Repeat("%41", 1<<18), "Bearer local"),
		"a body of 6 MB, no token":   post("/signups", "application/json", "", strings.Repeat("x", 6<<20)),
		"200 kB of brackets, signed": sign(t, signing, "msg_1", now, strings.Repeat("[", 200_000)),
	} {
		w := newWorld(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		answer := w.send(t, event)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if answer.StatusCode >= 500 || took > 10*time.Second || after.TotalAlloc-before.TotalAlloc > 32<<20 {
			t.Errorf("%s: HTTP %d after %v and %d MB", name, answer.StatusCode, took, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
		if w.log.Len() > 2000 {
			t.Errorf("%s: logged %d bytes", name, w.log.Len())
		}
	}
}

func manyKeys(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	return b.String()
}

// quoting stands for a bug that panics with what it worked on.
type quoting struct {
	provision.Engine
	cause any
}

func (q *quoting) Provision(context.Context, provision.Signup, time.Duration) (provision.Result, error) {
	panic(q.cause)
}

func TestPanicRepeatsNoHeader(t *testing.T) {
	t.Parallel()
	event := sign(t, signing, "msg_1", now, acme)
	event.Headers["authorization"] = "Bearer " + bearer + "-is-the-token"
	event.Headers["x-webhook-token"] = "token-of-a-crm"
	signature := event.Headers["webhook-signature"]
	for name, cause := range map[string]any{
		"text":  "bad header " + event.Headers["authorization"] + " or token-of-a-crm or " + signature[3:],
		"error": fmt.Errorf("can't read %q: %w", event.Headers["authorization"], errors.New(signature)),
		"event": event,
		"map":   event.Headers,
		"lines": "one\r\ntwo" + forged,
		"nested": &struct {
			Event *events.APIGatewayV2HTTPRequest
		}{&event},
	} {
		w := newWorld(t)
		w.handler.Provisioner = &quoting{cause: cause}
		answer := w.send(t, event)
		all := lines(t, w.log.String())
		if got := refused(t, answer); got.Status != 500 || got.Detail != "" || len(all) != 2 || all[0]["msg"] != "panic" || all[0]["stack"] == "" {
			t.Errorf("%s: %+v, log %.300s", name, got, w.log)
		}
		for _, secret := range []string{"is-the-token", "token-of-a-crm", signature[3:]} {
			if strings.Contains(w.log.String()+answer.Body, secret) {
				t.Errorf("%s: %s is logged: %.300s", name, secret, w.log)
			}
		}
	}
}
