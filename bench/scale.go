package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// samplesAtScale is how often each operation is measured at each size.
const samplesAtScale = 200

// scale measures what a signup costs us beside many others: in the table, in the
// embedded one, and among the account's trunks.
func (b *bench) scale(ctx context.Context, out io.Writer) error {
	for _, measure := range []func(context.Context, io.Writer) error{b.scaleTable, b.scaleEmbedded, b.scaleTrunks} {
		if err := measure(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// store is a table that is being measured.
type store interface {
	provision.Ledger
	provision.Meter
}

// operations are what a signup, its replay, and a pass with nothing to do ask of the
// table.
var operations = []struct {
	name string
	do   func(ctx context.Context, l store, id string) error
}{
	{"claim", func(ctx context.Context, l store, id string) error {
		_, ours, err := l.Claim(ctx, claimOf(id))
		return expect(ours, err)
	}},
	{"budget", func(ctx context.Context, l store, _ string) error {
		_, holds, err := l.Spend(ctx, provision.Spend{Now: time.Now().UTC(), Each: time.Microsecond, Ahead: time.Second})
		return expect(holds, err)
	}},
	{"record", func(ctx context.Context, l store, id string) error {
		_, holds, err := l.Activate(ctx, activateOf(id))
		return expect(holds, err)
	}},
	{"replay", func(ctx context.Context, l store, id string) error {
		_, ours, err := l.Claim(ctx, claimOf(id))
		return expect(!ours, err)
	}},
	{"empty pass", func(ctx context.Context, l store, _ string) error {
		pass, err := (&provision.Engine{Ledger: l}).Reconcile(ctx)
		if err == nil {
			_, err = l.Backlog(ctx, time.Now())
		}
		return expect(len(pass.Results) == 0, err)
	}},
}

func expect(holds bool, err error) error {
	if err == nil && !holds {
		return errors.New("a write did not do what it should")
	}
	return err
}

func claimOf(id string) provision.Claim {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return provision.Claim{
		Signup: provision.Signup{ID: id, Company: "Acme Telecom"}, TrunkName: provision.TrunkName("th", id), AccountSID: "exoteltest",
		Owner: "bench", Now: now, LeaseUntil: now.Add(12 * time.Second),
	}
}

// made is what Exotel answers to a create, as the fake says it.
const made = `{"trunk_name":"th_2p25m3xfxxipq","date_created":"2026-01-23T09:24:59Z","date_updated":"2026-01-23T09:24:59Z","trunk_sid":"trmum1f708622631150902801a1n","status":"active","domain_name":"exoteltest.pstn.exotel.com","auth_type":"IP-WHITELIST","registration_enabled":"disabled","edge_preference":"auto","nso_code":"ANY-ANY","secure_trunking":"disabled"}`

func activateOf(id string) provision.Activate {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return provision.Activate{SignupID: id, Owner: "bench", AccountSID: "exoteltest", Now: now, Trunk: exotel.Trunk{SID: "trmum1f708622631150902801a1n", Raw: []byte(made)}}
}

// timed is one operation at one size.
type timed struct {
	total, own time.Duration // medians
	calls      int
}

// measureStore runs all operations on fresh signups. Seen is what calls were made; nil
// where there are none.
func measureStore(ctx context.Context, l store, prefix string, seen *recorder) ([]timed, error) {
	results := make([]timed, len(operations))
	totals, owns := make([][]time.Duration, len(operations)), make([][]time.Duration, len(operations))
	for i := range samplesAtScale {
		id := fmt.Sprintf("%s-%d", prefix, i)
		for n, operation := range operations {
			seen.take()
			began := time.Now()
			if err := operation.do(ctx, l, id); err != nil {
				return nil, fmt.Errorf("%s: %w", operation.name, err)
			}
			ended := time.Now()
			saw := seen.take()
			totals[n] = append(totals[n], ended.Sub(began))
			owns[n] = append(owns[n], ended.Sub(began)-saw.waited(began, ended))
			results[n].calls = len(saw.calls)
		}
	}
	for n := range results {
		results[n].total, results[n].own = median(totals[n]), median(owns[n])
	}
	return results, nil
}

// scaleTable is on the DynamoDB engine.
func (b *bench) scaleTable(ctx context.Context, out io.Writer) error {
	d, err := b.runner.cloud.openFast()
	if err != nil {
		return err
	}
	defer d.close()
	name, err := b.runner.cloud.table(ctx, "")
	if err != nil {
		return err
	}
	l := ledger.New(b.runner.cloud.engine.Client(func(o *dynamodb.Options) { o.BaseEndpoint = &d.dynamoDB }), name)
	filler, err := newFiller(ctx, b.runner.cloud.engine, name, l)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n### Rows in the table\n\nMedians of %d, on the DynamoDB engine of the tests: our own time in µs (without the engine's) and calls.\n\n", samplesAtScale)
	writeOperations(out, "rows")
	for _, rows := range b.rows {
		fmt.Fprintf(b.progress, "scale: %d rows in the table\n", rows)
		if err := filler.fill(ctx, rows); err != nil {
			return err
		}
		results, err := measureStore(ctx, l, fmt.Sprintf("at-%d", rows), d.recorder)
		if err != nil {
			return err
		}
		var cells []string
		for _, r := range results {
			cells = append(cells, fmt.Sprintf("%d, %d", r.own.Microseconds(), r.calls))
		}
		row(out, thousands(rows), cells)
	}
	return nil
}

func writeOperations(out io.Writer, first string) {
	var titles []string
	for _, operation := range operations {
		titles = append(titles, operation.name)
	}
	row(out, first, titles)
	row(out, "---", slices.Repeat([]string{"---"}, len(titles)))
}

// scaleEmbedded is on the file of cmd/local.
func (b *bench) scaleEmbedded(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\nThe embedded table (`cmd/local`): the whole time in µs, with each write's sync to the disk, and how long opening the file takes, which reads all of it.\n\n")
	writeOperations(out, "rows | open, ms")
	path := filepath.Join(b.temporary, "signups.db")
	defer func() { _ = os.Remove(path) }()
	for _, rows := range b.rows {
		fmt.Fprintf(b.progress, "scale: %d rows in the embedded table\n", rows)
		if err := fillEmbedded(path, rows); err != nil {
			return err
		}
		began := time.Now()
		l, err := embedded.Open(path)
		if err != nil {
			return err
		}
		opened := time.Since(began)
		results, err := measureStore(ctx, l, fmt.Sprintf("at-%d", rows), &recorder{})
		l.Close()
		if err != nil {
			return err
		}
		var cells []string
		for _, r := range results {
			cells = append(cells, strconv.FormatInt(r.total.Microseconds(), 10))
		}
		row(out, thousands(rows)+" | "+milliseconds(opened), cells)
	}
	return nil
}

// thousands writes a count as people do.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
