package remote

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// Client is a store that another process has.
type Client struct {
	url, token string
	http       *http.Client
}

var _ Store = (*Client)(nil)

// New returns the store behind a Handler at that URL. It makes no call.
func New(url, token string) *Client {
	return &Client{strings.TrimRight(url, "/"), token, &http.Client{}}
}

// post sends a question; the caller reads the answers.
func (c *Client) post(ctx context.Context, op string, question any) (io.ReadCloser, error) {
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(question); err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/"+op, &body)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return nil, fmt.Errorf("remote: HTTP %d: %s", resp.StatusCode, strings.TrimSpace(string(text)))
	}
	return resp.Body, nil
}

func (c *Client) ask(ctx context.Context, op string, question any) (answer, error) {
	body, err := c.post(ctx, op, question)
	if err != nil {
		return answer{}, err
	}
	defer body.Close()
	var a answer
	if err := gob.NewDecoder(body).Decode(&a); err != nil {
		return answer{}, fmt.Errorf("remote: the answer can't be read: %w", err)
	}
	return a, a.err()
}

func (a answer) err() error {
	switch {
	case a.NotFound:
		return provision.ErrNotFound
	case a.Err != "":
		return errors.New(a.Err)
	}
	return nil
}

func (c *Client) write(ctx context.Context, op string, w any) (provision.Record, bool, error) {
	a, err := c.ask(ctx, op, w)
	return a.Record, a.Holds, err
}

// Claim implements provision.Ledger.
func (c *Client) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return c.write(ctx, "claim", w)
}

// TakeOver implements provision.Ledger.
func (c *Client) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return c.write(ctx, "take-over", w)
}

// Pin implements provision.Ledger.
func (c *Client) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return c.write(ctx, "pin", w)
}

// Extend implements provision.Ledger.
func (c *Client) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	return c.write(ctx, "extend", w)
}

// Attach implements provision.Ledger.
func (c *Client) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	return c.write(ctx, "attach", w)
}

// Mark implements provision.Ledger.
func (c *Client) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	return c.write(ctx, "mark", w)
}

// Activate implements provision.Ledger.
func (c *Client) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return c.write(ctx, "activate", w)
}

// Release implements provision.Ledger.
func (c *Client) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	return c.write(ctx, "release", w)
}

// Reject implements provision.Ledger.
func (c *Client) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	return c.write(ctx, "reject", w)
}

// Prove implements provision.Ledger.
func (c *Client) Prove(ctx context.Context, w provision.Prove) (provision.Record, bool, error) {
	return c.write(ctx, "prove", w)
}

// Delete implements provision.Ledger.
func (c *Client) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	return c.write(ctx, "delete", w)
}

// Bury implements provision.Ledger.
func (c *Client) Bury(ctx context.Context, w provision.Bury) (provision.Record, bool, error) {
	return c.write(ctx, "bury", w)
}

// Restart implements provision.Ledger.
func (c *Client) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	return c.write(ctx, "restart", w)
}

// Get implements provision.Ledger.
func (c *Client) Get(ctx context.Context, signupID string) (provision.Record, error) {
	a, err := c.ask(ctx, "get", idQuery{signupID})
	return a.Record, err
}

// Due implements provision.Ledger.
func (c *Client) Due(ctx context.Context, until time.Time, limit int) ([]string, error) {
	a, err := c.ask(ctx, "due", dueQuery{until, limit})
	return a.IDs, err
}

// Searching implements provision.Ledger.
func (c *Client) Searching(ctx context.Context, limit int) ([]provision.Wanted, error) {
	a, err := c.ask(ctx, "searching", limitQuery{limit})
	return a.Wanted, err
}

// Backlog implements provision.Ledger.
func (c *Client) Backlog(ctx context.Context, stuckBefore time.Time) (provision.Backlog, error) {
	a, err := c.ask(ctx, "backlog", backlogQuery{stuckBefore})
	return a.Backlog, err
}

// Progress implements provision.Ledger.
func (c *Client) Progress(ctx context.Context) (provision.Progress, error) {
	a, err := c.ask(ctx, "progress", nothing{})
	return a.Progress, err
}

// KeepProgress implements provision.Ledger.
func (c *Client) KeepProgress(ctx context.Context, p provision.Progress) error {
	_, err := c.ask(ctx, "keep-progress", p)
	return err
}

// Spend implements provision.Meter.
func (c *Client) Spend(ctx context.Context, w provision.Spend) (time.Time, bool, error) {
	a, err := c.ask(ctx, "spend", w)
	return a.At, a.Holds, err
}

// Shut implements provision.Meter.
func (c *Client) Shut(ctx context.Context, w provision.Shut) (time.Time, error) {
	a, err := c.ask(ctx, "shut", w)
	return a.At, err
}

// KeepDeadLetter keeps what could not be used, and counts how often it came.
func (c *Client) KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error {
	_, err := c.ask(ctx, "keep-dead-letter", d)
	return err
}

// DropDeadLetter forgets one, or says ErrNotFound.
func (c *Client) DropDeadLetter(ctx context.Context, id string) error {
	_, err := c.ask(ctx, "drop-dead-letter", idQuery{id})
	return err
}

// All walks over all signups. It ends at the first error; a walk that breaks off is one.
func (c *Client) All(ctx context.Context) iter.Seq2[provision.Record, error] {
	return over(ctx, c, "all", func(a answer) provision.Record { return a.Record })
}

// DeadLetters walks over what could not be used, as All does.
func (c *Client) DeadLetters(ctx context.Context) iter.Seq2[provision.KeptDeadLetter, error] {
	return over(ctx, c, "dead-letters", func(a answer) provision.KeptDeadLetter { return a.Letter })
}

func over[T any](ctx context.Context, c *Client, op string, of func(answer) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		body, err := c.post(ctx, op, nothing{})
		if err != nil {
			yield(none, err)
			return
		}
		defer body.Close()
		for answers := gob.NewDecoder(body); ; {
			var a answer // each is new: gob leaves alone what is zero
			if err := answers.Decode(&a); err != nil {
				yield(none, fmt.Errorf("remote: the walk broke off: %w", err))
				return
			}
			if err := a.err(); err != nil {
				yield(none, err)
				return
			}
			if a.End || !yield(of(a), nil) {
				return
			}
		}
	}
}
