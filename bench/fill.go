package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// model is the signup that rows are copied from; its id is as long as theirs.
const model = "row-model-0"

func rowID(n int) string { return fmt.Sprintf("row-%07d", n) }

// filler puts rows into a table of the engine, 25 in a call.
type filler struct {
	endpoint, table string
	client          *http.Client
	model           []byte // the item
	rows            int
}

func newFiller(ctx context.Context, engine dynamotest.Engine, table string, l *ledger.Ledger) (*filler, error) {
	if err := finish(ctx, l, model); err != nil {
		return nil, err
	}
	f := &filler{endpoint: engine.Endpoint, table: table, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	answer, err := f.call(ctx, "GetItem", fmt.Appendf(nil, `{"TableName":%q,"Key":{"signup_id":{"S":%q}}}`, table, model))
	if err != nil {
		return nil, err
	}
	var got struct{ Item json.RawMessage }
	if err := json.Unmarshal(answer, &got); err != nil {
		return nil, err
	}
	f.model = got.Item
	return f, nil
}

// finish claims a signup and records its trunk.
func finish(ctx context.Context, l provision.Ledger, id string) error {
	_, claimed, err := l.Claim(ctx, claimOf(id))
	if err := expect(claimed, err); err != nil {
		return err
	}
	_, recorded, err := l.Activate(ctx, activateOf(id))
	return expect(recorded, err)
}

// call is unsigned: the engine takes any signature.
func (f *filler) call(ctx context.Context, operation string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=bench/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return nil, errors.Join(err, fmt.Errorf("%s: %d %s", operation, answer.StatusCode, text.Bytes()))
	}
	return text.Bytes(), err
}

const batch = 25

// fill adds rows until there are so many.
func (f *filler) fill(ctx context.Context, rows int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for ; f.rows < rows; f.rows += min(batch, rows-f.rows) {
		first, last := f.rows, min(f.rows+batch, rows)
		group.Go(func() error { return f.write(ctx, first, last) })
	}
	return group.Wait()
}

func (f *filler) write(ctx context.Context, first, last int) error {
	body := fmt.Appendf(nil, `{"RequestItems":{%q:[`, f.table)
	for n := first; n < last; n++ {
		if n > first {
			body = append(body, ',')
		}
		body = append(body, `{"PutRequest":{"Item":`...)
		body = append(body, bytes.ReplaceAll(f.model, []byte(model), []byte(rowID(n)))...)
		body = append(body, `}}`...)
	}
	answer, err := f.call(ctx, "BatchWriteItem", append(body, `]}}`...))
	if err == nil && bytes.Contains(answer, []byte(`"PutRequest"`)) {
		return errors.New("BatchWriteItem: not all was written")
	}
	return err
}

// fillEmbedded makes the file have so many rows, in the layout of ledger/embedded.
func fillEmbedded(path string, rows int) error {
	text, err := modelRecord(path)
	if err != nil {
		return err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return err
	}
	const each = 50_000 // rows in a transaction
	for first := 0; first < rows && err == nil; first += each {
		err = db.Update(func(tx *bbolt.Tx) error {
			bucket := tx.Bucket([]byte("signups"))
			bucket.FillPercent = 0.9 // in order
			for n := first; n < min(first+each, rows); n++ {
				if err := bucket.Put([]byte(rowID(n)), bytes.ReplaceAll(text, []byte(model), []byte(rowID(n)))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return errors.Join(err, db.Sync(), db.Close())
}

// modelRecord is the record of the model as the table keeps it; it is made where it
// isn't there.
func modelRecord(path string) ([]byte, error) {
	l, err := embedded.Open(path)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if _, err = l.Get(ctx, model); errors.Is(err, provision.ErrNotFound) {
		err = finish(ctx, l, model)
	}
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	var text []byte
	err = db.View(func(tx *bbolt.Tx) error {
		text = bytes.Clone(tx.Bucket([]byte("signups")).Get([]byte(model)))
		return nil
	})
	return text, errors.Join(err, db.Close())
}
