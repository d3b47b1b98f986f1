package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// errPending: nothing is lost, and it did not come through in time.
var errPending = errors.New("it is pending still")

// pollEvery is how often a pending signup is looked at.
const pollEvery = 3 * time.Second

// test is one dry signup.
type test struct {
	client client
	id     string
	wait   time.Duration // for a pending one
	every  time.Duration
	out    io.Writer
}

// newID is one that was never sent before.
func newID(now time.Time) string {
	return provision.DryPrefix + now.UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:8])
}

func (t test) run(ctx context.Context) error {
	fmt.Fprintf(t.out, "%s to %s\n", t.id, t.client.base)
	first, err := t.client.signUp(ctx, t.id)
	if err := t.step("the signup, "+t.way(), first, err); err != nil {
		return err
	}
	if first.Status == provision.StatusPending {
		if first, err = t.await(ctx); err != nil {
			return err
		}
	}
	again, err := t.client.signUp(ctx, t.id)
	if err := t.step("the same once more", again, err); err != nil {
		return err
	}
	if !again.replayed || again.Status != provision.StatusDry || !again.UpdatedAt.Equal(first.UpdatedAt) {
		return errors.New("the same signup once more is not answered as a replay: is it recorded? Look at the table's alarms, and the log")
	}
	if t.client.keys.bearer == "" {
		fmt.Fprintln(t.out, "The status was not asked for, which takes a bearer token of source api: the file has a secret that signs alone. "+
			"Add the token to it (make secrets ARGS=\"-add api\" makes one). That the signup is in the table is shown by the replay.")
	} else if err := t.look(ctx, again); err != nil {
		return err
	}
	fmt.Fprintln(t.out, "Passed: secret, function, table, Exotel's credentials and its list. No trunk was made.")
	return nil
}

// look asks for the status once all is done.
func (t test) look(ctx context.Context, recorded answer) error {
	shown, err := t.client.status(ctx, t.id)
	if err := t.step("its status", shown, err); err != nil {
		return err
	}
	if shown.Status != provision.StatusDry || !shown.UpdatedAt.Equal(recorded.UpdatedAt) {
		return fmt.Errorf("the status is another than the signup was told: %q", shown.Status)
	}
	return nil
}

// way is how the sender proves itself.
func (t test) way() string {
	if t.client.keys.signing != "" {
		return "signed"
	}
	return "with the bearer token"
}

// await waits for the reconciler. It asks with the bearer token, or, where there is
// none, sends the signup again, as a sender would.
func (t test) await(ctx context.Context) (answer, error) {
	fmt.Fprintf(t.out, "It is on disk, and not done: Exotel refused, or did not answer in time, or the call budget has no room. "+
		"The log says which, in the line of this signup_id. The reconciler comes every minute; waiting for %s.\n", t.wait)
	what, ask := "its status", t.client.status
	if t.client.keys.bearer == "" {
		what, ask = "the same once more", t.client.signUp
	}
	for deadline := time.Now().Add(t.wait); ; {
		select {
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-time.After(t.every):
		}
		a, err := ask(ctx, t.id)
		if err == nil && a.Status == provision.StatusPending && time.Now().Before(deadline) {
			continue
		}
		if err := t.step(what, a, err); err != nil {
			return a, err
		}
		if a.Status == provision.StatusPending {
			return a, fmt.Errorf("%w after %s: Exotel's credentials are the usual reason. The last error: make trunkctl ENV=... ARGS=\"show %s\"; it is tried again until it is done, or rejected", errPending, t.wait, t.id)
		}
		return a, nil
	}
}

// step tells of one request, and what is wrong with its answer.
func (t test) step(what string, a answer, err error) error {
	if err != nil { // a broken header is repeated in it
		err = errors.New(t.client.keys.hide(err.Error()))
		fmt.Fprintf(t.out, "%s  %-26s %v\n", a.at.UTC().Format(timeFormat), what, err)
		return fmt.Errorf("%s: %w", what, err)
	}
	replayed := ""
	if a.replayed {
		replayed = ", replayed"
	}
	fmt.Fprintf(t.out, "%s  %-26s HTTP %d  %5d ms  request %s  %.20q%s\n", a.at.UTC().Format(timeFormat), what, a.http, a.took.Milliseconds(), cmp.Or(t.client.keys.hide(printable(a.requestID)), "-"), a.Status, replayed)
	return t.judge(a)
}

const timeFormat = "15:04:05.000Z"

// printable keeps what a header may hold from a terminal.
func printable(id string) string {
	if len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "?"
	}
	return id
}

// tolerance is how far off a signed timestamp may be.
const tolerance = 5 * time.Minute

// judge says what an answer means that is none of a dry signup.
func (t test) judge(a answer) error {
	switch {
	case a.http == http.StatusUnauthorized && t.client.keys.signing != "" && !a.date.IsZero() && a.at.Sub(a.date).Abs() > tolerance:
		return fmt.Errorf("HTTP 401: this machine's clock is %s off, and a signature may be 5 minutes old", a.at.Sub(a.date).Round(time.Second))
	case a.http == http.StatusUnauthorized:
		return errors.New("HTTP 401: the secret is none of source api's here. Is it this stack's? A new one is known within 10 s; one that was dropped is gone (make secrets)")
	case a.http == http.StatusNotFound:
		return errors.New("HTTP 404: there is no POST /signups here, or source api has no secret yet (make outputs shows the URL; make secrets; it is noticed within 5 minutes)")
	case a.http == http.StatusServiceUnavailable:
		return errors.New("HTTP 503: the table or the sources' secret can't be reached. The function's log says why")
	case a.http != http.StatusOK && a.http != http.StatusAccepted && a.http != http.StatusCreated:
		return fmt.Errorf("HTTP %d: the function's log says why, if it was reached", a.http)
	case a.SignupID != t.id:
		return errors.New("the answer is about another signup: is something else there?")
	case a.TrunkSID != "" || a.http == http.StatusCreated:
		return fmt.Errorf("a trunk was made, or is said to be: what is deployed is too old to know dry signups. Delete it: trunkctl delete %s", t.id)
	case a.Status != provision.StatusDry && a.Status != provision.StatusPending:
		return fmt.Errorf("the signup is %.20q, and should be dry", a.Status)
	}
	return nil
}
