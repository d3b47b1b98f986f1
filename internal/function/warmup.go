package function

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Load is something that a function has ready before its first event.
type Load struct {
	Name     string // in the log
	Required bool   // without it there is no function
	Do       func(ctx context.Context) error
}

// warmUpTime bounds what start-up waits for, which is what a sender waits for too.
// Secrets Manager answers within a fifth of it.
const warmUpTime = 500 * time.Millisecond

// ExotelConnection is for a function that will call Exotel soon.
func (p Parts) ExotelConnection() Load { return Load{Name: "exotel_connection", Do: p.account.Connect} }

// WarmUp opens the account and the connection to the table, and does what else is
// given, all at once, so that the first request needn't: a function has a whole core
// during initialisation, and a part of one later. It waits for them for half a second. What
// fails is logged, and that request tries again; what takes longer is given up, but
// for the fetch of a secret, which that request joins. How long each took is one line. The
// error is that of a Load that is required.
func (p Parts) WarmUp(loads ...Load) error {
	return warmUp(p.Log, p.began, append(loads,
		Load{Name: "exotel_secret", Do: p.openAccount},
		Load{Name: "dynamodb_connection", Do: p.clients.ConnectDynamoDB},
	))
}

func warmUp(log *slog.Logger, began time.Time, loads []Load) error {
	ctx, cancel := context.WithTimeout(context.Background(), warmUpTime)
	defer cancel()
	start, took, failed := time.Now(), make([]slog.Attr, len(loads)), make([]error, len(loads))
	var all sync.WaitGroup
	for i, load := range loads {
		all.Go(func() {
			err := load.Do(ctx)
			if load.Required {
				failed[i] = err
			} else if err != nil {
				log.WarnContext(ctx, "not ready at start-up", "part", load.Name, "error", err)
			}
			took[i] = milliseconds(load.Name, start)
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	log.LogAttrs(ctx, slog.LevelInfo, "started", slog.Attr{Key: "init_ms", Value: slog.GroupValue(append(took, milliseconds("total", began))...)})
	return nil
}

func milliseconds(name string, since time.Time) slog.Attr {
	return slog.Float64(name, float64(time.Since(since).Microseconds())/1000)
}

func (p Parts) openAccount(ctx context.Context) error {
	_, err := p.account.Open(ctx)
	return err
}
