package handler

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trunkhook/trunkhook/provision"
)

// deletesAtOnce is how many signups a delivery deletes at once.
const deletesAtOnce = 16

// cancel deletes the signups of the events at these places. The event is ignored where
// deletions aren't allowed, where the signup isn't known, and where a later generation
// has begun, which no source asks for: then the deletion was done long ago.
func (h *Handler) cancel(ctx context.Context, r *request, t *taken, places []int) {
	var group errgroup.Group
	group.SetLimit(deletesAtOnce)
	for _, i := range places {
		event, delivered := &t.events[i], &t.delivered[i]
		if !h.AllowDelete {
			event.Ignored, delivered.Result.Record.SignupID = true, event.Signup.ID
			h.Log.WarnContext(ctx, "a cancellation was ignored: ALLOW_DELETE is not true", "source", event.Signup.Source, "signup_id", event.Signup.ID)
			continue
		}
		group.Go(func() error {
			result, err := h.Provisioner.Delete(ctx, event.Signup.ID, 1, "cancelled at "+event.Signup.Source, time.Until(r.replyBy))
			if errors.Is(err, provision.ErrNotFound) || errors.Is(err, provision.ErrGeneration) {
				event.Ignored = true
				return nil
			}
			delivered.Result, delivered.Err = result, err
			return err
		})
	}
	r.entry.err = cmp.Or(r.entry.err, group.Wait())
}
