package remote

import (
	"context"
	"crypto/subtle"
	"encoding/gob"
	"errors"
	"iter"
	"net/http"
	"strings"

	"github.com/trunkhook/trunkhook/provision"
)

// Guard lets through who has the token, and no page of a browser.
func Guard(token string, h http.Handler) http.Handler {
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Origin") != "":
			http.Error(w, "this is for no page of a browser", http.StatusForbidden)
		case token == "" || subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1:
			http.Error(w, "the token is wrong", http.StatusUnauthorized)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// maxBody is in bytes. The largest write has what Exotel answered in it, 100 KiB, and
// the largest dead letter is what a sender may send, 256 KiB.
const maxBody = 4 << 20

// Handler serves a store. Put a Guard before it.
func Handler(store Store) http.Handler {
	ops := operations(store)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op, ok := ops[strings.TrimPrefix(r.URL.Path, "/")]
		switch {
		case !ok:
			http.NotFound(w, r)
		case r.Method != http.MethodPost:
			http.Error(w, "only POST", http.StatusMethodNotAllowed)
		case r.Header.Get("Content-Type") != mediaType:
			http.Error(w, "only "+mediaType, http.StatusUnsupportedMediaType)
		default:
			w.Header().Set("Content-Type", mediaType)
			op(r.Context(), gob.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)), gob.NewEncoder(w))
		}
	})
}

// operation answers one question. What can't be written any more nobody hears.
type operation func(ctx context.Context, in *gob.Decoder, out *gob.Encoder)

func operations(s Store) map[string]operation {
	return map[string]operation{
		"claim": write(s.Claim), "take-over": write(s.TakeOver), "pin": write(s.Pin), "extend": write(s.Extend), "attach": write(s.Attach),
		"mark": write(s.Mark), "activate": write(s.Activate), "release": write(s.Release), "reject": write(s.Reject), "prove": write(s.Prove),
		"delete": write(s.Delete), "bury": write(s.Bury), "restart": write(s.Restart),
		"get": ask(func(ctx context.Context, q idQuery) (a answer, err error) {
			a.Record, err = s.Get(ctx, q.ID)
			return a, err
		}),
		"due": ask(func(ctx context.Context, q dueQuery) (a answer, err error) {
			a.IDs, err = s.Due(ctx, q.Until, q.Limit)
			return a, err
		}),
		"searching": ask(func(ctx context.Context, q limitQuery) (a answer, err error) {
			a.Wanted, err = s.Searching(ctx, q.Limit)
			return a, err
		}),
		"backlog": ask(func(ctx context.Context, q backlogQuery) (a answer, err error) {
			a.Backlog, err = s.Backlog(ctx, q.StuckBefore)
			return a, err
		}),
		"progress": ask(func(ctx context.Context, _ nothing) (a answer, err error) {
			a.Progress, err = s.Progress(ctx)
			return a, err
		}),
		"keep-progress": ask(func(ctx context.Context, p provision.Progress) (answer, error) {
			return answer{}, s.KeepProgress(ctx, p)
		}),
		"spend": ask(func(ctx context.Context, w provision.Spend) (a answer, err error) {
			a.At, a.Holds, err = s.Spend(ctx, w)
			return a, err
		}),
		"shut": ask(func(ctx context.Context, w provision.Shut) (a answer, err error) {
			a.At, err = s.Shut(ctx, w)
			return a, err
		}),
		"keep-dead-letter": ask(func(ctx context.Context, d provision.DeadLetter) (answer, error) {
			return answer{}, s.KeepDeadLetter(ctx, d)
		}),
		"drop-dead-letter": ask(func(ctx context.Context, q idQuery) (answer, error) { return answer{}, s.DropDeadLetter(ctx, q.ID) }),
		"all":              walk(s.All, func(r provision.Record) answer { return answer{Record: r} }),
		"dead-letters":     walk(s.DeadLetters, func(d provision.KeptDeadLetter) answer { return answer{Letter: d} }),
	}
}

func write[W any](do func(context.Context, W) (provision.Record, bool, error)) operation {
	return ask(func(ctx context.Context, w W) (a answer, err error) {
		a.Record, a.Holds, err = do(ctx, w)
		return a, err
	})
}

func ask[Q any](do func(context.Context, Q) (answer, error)) operation {
	return func(ctx context.Context, in *gob.Decoder, out *gob.Encoder) {
		var question Q
		if err := in.Decode(&question); err != nil {
			_ = out.Encode(answer{Err: "the question can't be read"})
			return
		}
		a, err := do(ctx, question)
		_ = out.Encode(a.failed(err))
	}
}

func walk[T any](over func(context.Context) iter.Seq2[T, error], of func(T) answer) operation {
	return func(ctx context.Context, _ *gob.Decoder, out *gob.Encoder) {
		for element, err := range over(ctx) {
			if err != nil {
				_ = out.Encode(answer{}.failed(err))
				return
			}
			if out.Encode(of(element)) != nil {
				return
			}
		}
		_ = out.Encode(answer{End: true})
	}
}

func (a answer) failed(err error) answer {
	switch {
	case err == nil:
	case errors.Is(err, provision.ErrNotFound):
		a.NotFound = true
	default:
		a.Err = err.Error()
	}
	return a
}
