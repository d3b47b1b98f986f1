package embedded

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"github.com/trunkhook/trunkhook/provision"
)

// deadLetter is one as it is kept.
type deadLetter struct {
	provision.DeadLetter
	Deliveries int
}

// KeepDeadLetter keeps what could not be used, and counts how often it came.
func (l *Ledger) KeepDeadLetter(_ context.Context, d provision.DeadLetter) error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		bucket, key := tx.Bucket(rejects), []byte(d.Key())
		var kept deadLetter
		if text := bucket.Get(key); text != nil {
			if err := json.Unmarshal(text, &kept); err != nil {
				return err
			}
		}
		kept.DeadLetter, kept.Deliveries = d, kept.Deliveries+1
		kept.Payload = d.Kept()
		text, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		return bucket.Put(key, text)
	})
}
