package audit_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
	"github.com/trunkhook/trunkhook/provision/audit"
)

func full(id, number string) provision.Signup {
	s := named(id)
	s.Line = provision.Line{
		PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: number}}, WhitelistedIPs: []string{"9.9.9.9", "9.9.8.0/24"},
		DestinationURIs: []string{"sip.acme.com:5061;transport=tls", "sip.acme.com:5060"},
	}
	return s
}

// mess makes one of everything that can be wrong, and some that isn't. It returns what
// an audit must find: kind and signup, or trunk_sid.
func mess(t *testing.T, w *world) (want []string, foreign []string) {
	t.Helper()
	w.deliver(t, named("good"))
	one, two := w.deliver(t, full("line-1", "+912247788868")), w.deliver(t, full("line-2", "+912247788869"))
	w.fake.AddLine(one.TrunkSID, exoteltest.Line{
		PhoneNumbers:    []exotel.PhoneNumber{{PhoneNumber: "+912247788868", Mode: exotel.ModePSTN}},
		WhitelistedIPs:  []exotel.WhitelistedIP{{IP: "9.9.9.9", Mask: 32}},
		DestinationURIs: []exotel.DestinationURI{{Destination: "sip:SIP.acme.com:5061;transport=tls"}},
	})
	w.fake.AddLine(two.TrunkSID, exoteltest.Line{PhoneNumbers: []exotel.PhoneNumber{{PhoneNumber: "+912247788868"}}})
	ips := w.fake.Line(two.TrunkSID).WhitelistedIPs
	if err := w.client.WhitelistedIPs.Remove(t.Context(), two.TrunkSID, ips[0].ID); err != nil {
		t.Fatal(err)
	}
	want = append(want, "doubled_number line-1", "doubled_address line-1", "doubled_destination line-1", "number_in_two ", "lacking line-2")

	w.made(w.claimed(t, named("unrecorded")).TrunkName)
	w.claimed(t, named("pending"))
	w.claimed(t, named("smoke:pending"))
	if dry, err := w.engine.Provision(t.Context(), named("smoke:dry"), time.Minute); err != nil || dry.Outcome != provision.OutcomeDry {
		t.Fatal(dry.Outcome, err)
	}
	strange := w.claimed(t, named("strange"))
	w.fake.Add(exotel.Trunk{Name: strange.TrunkName, DomainName: "other.pstn.exotel.com"})
	want = append(want, "unrecorded unrecorded", "unrecorded strange")

	w.deleted(t, w.deliver(t, named("missing")).TrunkSID)
	w.deleted(t, w.deliver(t, full("missing-line", "+912247788870")).TrunkSID)
	heir := w.deliver(t, named("heir"))
	w.deleted(t, heir.TrunkSID)
	w.made(heir.TrunkName)
	want = append(want, "missing missing", "missing missing-line", "missing heir")

	differing := w.deliver(t, named("differing"))
	if _, err := w.client.Trunks.Update(t.Context(), differing.TrunkSID, exotel.UpdateTrunkRequest{TrunkName: "renamed"}); err != nil {
		t.Fatal(err)
	}
	want = append(want, "differing differing")

	unfinished := w.claimed(t, full("unfinished", "+912247788871"))
	w.activated(t, unfinished, w.made(unfinished.TrunkName))
	want = append(want, "unfinished unfinished")

	second := w.claimed(t, named("second"))
	if _, err := w.engine.Adopt(t.Context(), second.SignupID, w.made("by_hand")); err != nil {
		t.Fatal(err)
	}
	w.made(second.TrunkName)
	left := w.claimed(t, named("rejected"))
	if _, err := w.engine.Reject(t.Context(), left.SignupID, "a test"); err != nil {
		t.Fatal(err)
	}
	w.made(left.TrunkName)
	shared := w.made("shared")
	w.activated(t, w.claimed(t, named("shared-1")), shared)
	w.activated(t, w.claimed(t, named("shared-2")), shared)
	orphan := w.made("th_abcdefghijklm")
	want = append(want, "second second", "leftover rejected", "shared "+shared, "differing shared-1", "differing shared-2", "orphan "+orphan)
	foreign = []string{w.made("th_office"), w.made("Head_Office"), w.made("dev_abcdefghijkl"), w.made("th_ABCDEFGHIJKLM")}
	return want, foreign
}

func found(report audit.Report) (all []string) {
	for _, f := range report.Findings {
		switch {
		case f.SignupID != "":
			all = append(all, fmt.Sprint(f.Kind, " ", f.SignupID))
		default:
			all = append(all, fmt.Sprint(f.Kind, " ", f.TrunkSID))
		}
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func sids(trunks []exotel.Trunk) map[string]string {
	all := map[string]string{}
	for _, trunk := range trunks {
		all[trunk.SID] = trunk.Name
	}
	return all
}

func TestMessIsFoundAndExactlyOursIsMended(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		want, foreign := mess(t, w)
		before := sids(w.fake.Trunks())
		a := &audit.Audit{}
		report := w.audit(t, a)
		equal(t, "found", found(report), want)
		if report.Foreign != len(foreign) || report.Trunks != len(before) {
			t.Errorf("%d foreign, %d trunks; want %d, %d", report.Foreign, report.Trunks, len(foreign), len(before))
		}
		if after := sids(w.fake.Trunks()); !maps.Equal(before, after) {
			t.Errorf("the audit changed %v to %v", before, after)
		}
		var mended []string
		for _, f := range report.Findings {
			if f.Mend == "" {
				if err := a.Mend(t.Context(), f); err == nil {
					t.Errorf("%+v was mended", f)
				}
				continue
			}
			mended = append(mended, fmt.Sprint(f.Kind, " ", f.SignupID))
			if err := a.Mend(t.Context(), f); err != nil {
				t.Errorf("%+v: %v", f, err)
			}
		}
		equal(t, "mended", mended, []string{
			"doubled_destination line-1", "missing heir", "missing missing", "missing missing-line", "unfinished unfinished", "unrecorded unrecorded",
		})
		want = slices.DeleteFunc(want, func(one string) bool { return slices.Contains(mended, one) })
		equal(t, "left", found(w.audit(t, a)), want)
		after := sids(w.fake.Trunks())
		for sid, name := range before {
			if after[sid] != name {
				t.Errorf("the trunk %s, %s, is gone", sid, name)
			}
		}
		if n := len(after) - len(before); n != 2 { // those that were missing
			t.Errorf("%d new trunks", n)
		}
		record, err := w.table.Get(t.Context(), "line-1")
		if err != nil {
			t.Fatal(err)
		}
		line := w.fake.Line(record.TrunkSID)
		if step := record.Steps["destination_uri sip.acme.com:5061;transport=tls"]; len(line.DestinationURIs) != 2 || step.ID != line.DestinationURIs[0].ID && step.ID != line.DestinationURIs[1].ID {
			t.Errorf("destinations %+v, recorded %+v", line.DestinationURIs, step)
		}
	})
}

// What was found is looked at again before it is mended.
func TestFindingThatIsMendedAlreadyIsLeftAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		mess(t, w)
		a := &audit.Audit{}
		report := w.audit(t, a)
		for range 2 {
			for _, f := range report.Findings {
				if f.Mend != "" {
					_ = a.Mend(t.Context(), f) // the second time most are refused
				}
			}
		}
		trunks := map[string]int{}
		for _, trunk := range w.fake.Trunks() {
			trunks[trunk.Name]++
		}
		for _, id := range []string{"missing", "missing-line", "heir", "unrecorded", "unfinished", "line-1"} {
			if n := trunks[provision.TrunkName("th", id)]; n != 1 {
				t.Errorf("%s has %d trunks", id, n)
			}
		}
		record, _ := w.table.Get(t.Context(), "line-1")
		if n := len(w.fake.Line(record.TrunkSID).DestinationURIs); n != 2 {
			t.Errorf("%d destinations", n)
		}
	})
}

func TestEmptyTableMakesOrphansOfAllThatIsOurs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		for i := range 120 {
			w.made(provision.TrunkName("th", fmt.Sprint("acme-", i)))
		}
		w.made("Head_Office")
		report := w.audit(t, &audit.Audit{})
		if len(report.Findings) != 120 || report.Findings[0].Kind != audit.KindOrphan || report.Findings[0].Mend != "" || report.Foreign != 1 {
			t.Errorf("%d findings, %d foreign", len(report.Findings), report.Foreign)
		}
	})
}

// A signup of another account says nothing about this one's trunks.
func TestOtherAccountsSignupsAreNotLookedAt(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		past := time.Now().Add(-time.Hour)
		claim := provision.Claim{Signup: named("acme"), TrunkName: provision.TrunkName("th", "acme"), AccountSID: "other", Owner: "one", Now: past, LeaseUntil: past}
		if _, _, err := w.table.Claim(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		if report := w.audit(t, &audit.Audit{}); report.Elsewhere != 1 || report.Signups != 1 || len(report.Findings) != 0 {
			t.Errorf("got %+v", report)
		}
	})
}

// A trunk that is deleted during the walk hides the one that moves up into the page
// before: it is no missing one.
func TestTrunkThatAShiftOfThePagesHidesIsNotMissing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var newest string
		for i := range 60 {
			newest = w.deliver(t, named(fmt.Sprint("acme-", i))).TrunkSID
		}
		first := true
		report := w.audit(t, &audit.Audit{Progress: func(p audit.Progress) {
			if p.Phase == audit.PhaseTrunks && first {
				first = false
				w.deleted(t, newest)
			}
		}})
		// The one that was deleted was listed, and is found by the next audit.
		if len(report.Findings) != 0 || report.Trunks != 59 {
			t.Errorf("%d trunks, found %q", report.Trunks, found(report))
		}
	})
}

// records is a table in memory: ten thousand synced writes would be all that this
// test waits for.
type records []provision.Record

func (r records) All(context.Context) iter.Seq2[provision.Record, error] {
	return func(yield func(provision.Record, error) bool) {
		for _, record := range r {
			if !yield(record, nil) {
				return
			}
		}
	}
}

func TestTenThousandTrunksAreAuditedWithinTheBudget(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var table records
		for i := range 10_000 {
			id := fmt.Sprintf("acme-%05d", i)
			record := provision.Record{
				SignupID: id, Status: provision.StatusActive, TrunkName: provision.TrunkName("th", id), AccountSID: exoteltest.DefaultAccountSID,
				DomainName: exotel.DomainName(exoteltest.DefaultAccountSID),
			}
			record.TrunkSID = w.made(record.TrunkName)
			if i%1000 != 7 { // ten are orphans
				table = append(table, record)
			}
		}
		w.fake.SetLatency(200 * time.Millisecond)
		start, lines, last := time.Now(), 0, audit.Progress{}
		report := w.audit(t, &audit.Audit{Table: table, Progress: func(p audit.Progress) { lines++; last = p }})
		took, calls := time.Since(start), len(w.fake.Calls())
		t.Logf("10,000 trunks in %v by %d calls", took.Round(time.Second), calls)
		if len(report.Findings) != 10 || report.Trunks != 10_000 || calls != 200 || took > 90*time.Second {
			t.Errorf("%d findings, %d trunks, %d calls, %v", len(report.Findings), report.Trunks, calls, took)
		}
		if lines < 200 || last.Done != 9990 {
			t.Errorf("%d times progress, last %+v", lines, last)
		}
	})
}

// Somebody has removed the other one meanwhile: the last is left.
func TestLastDestinationIsNotRemoved(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		record := w.deliver(t, full("line-1", "+912247788868"))
		recorded := record.Steps["destination_uri sip.acme.com:5060"].ID
		w.fake.AddLine(record.TrunkSID, exoteltest.Line{DestinationURIs: []exotel.DestinationURI{{Destination: "sip:sip.acme.com:5060"}}})
		a := &audit.Audit{}
		report := w.audit(t, a)
		equal(t, "found", found(report), []string{"doubled_destination line-1"})
		if err := w.client.DestinationURIs.Remove(t.Context(), record.TrunkSID, recorded); err != nil {
			t.Fatal(err)
		}
		if err := a.Mend(t.Context(), report.Findings[0]); err == nil || len(w.fake.Line(record.TrunkSID).DestinationURIs) != 2 {
			t.Errorf("%v; left %+v", err, w.fake.Line(record.TrunkSID).DestinationURIs)
		}
	})
}

// Somebody else spends the account's calls: the audit waits as long as Exotel says, and
// so does everybody.
func TestAuditWaitsWhereExotelSaysSo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		for i := range 60 {
			w.deliver(t, named(fmt.Sprint("acme-", i)))
		}
		w.fake.Inject(exoteltest.List, exoteltest.Fault{}, exoteltest.RateLimit("30"), exoteltest.RateLimit("30"))
		start := time.Now()
		if report := w.audit(t, &audit.Audit{}); len(report.Findings) != 0 || report.Trunks != 60 {
			t.Errorf("%d trunks, found %q", report.Trunks, found(report))
		}
		if took := time.Since(start); took < time.Minute || took > 70*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// An account that refuses is an error, and no account without trunks.
func TestAccountThatRefusesIsAnError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		inBubble(t, func(t *testing.T, w *world) {
			w.deliver(t, named("good"))
			w.fake.Inject(exoteltest.List, exoteltest.Fail(status))
			a := audit.Audit{Engine: w.engine, Table: w.table}
			if report, err := a.Run(t.Context()); err == nil {
				t.Errorf("HTTP %d: %+v", status, report)
			}
		})
	}
}

// Of a destination that is there twice the recorded one stays, although it is the later.
func TestRecordedDestinationStays(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		record := w.deliver(t, full("line-1", "+912247788868"))
		w.fake.AddLine(record.TrunkSID, exoteltest.Line{DestinationURIs: []exotel.DestinationURI{{ID: "1", Destination: "sip:sip.acme.com:5060"}}})
		a := &audit.Audit{}
		for _, f := range w.audit(t, a).Findings {
			if err := a.Mend(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		left := w.fake.Line(record.TrunkSID).DestinationURIs
		if len(left) != 2 || slices.ContainsFunc(left, func(d exotel.DestinationURI) bool { return d.ID == "1" }) {
			t.Errorf("left %+v", left)
		}
	})
}

// A try that is at it will record its trunk by itself.
func TestSignupThatIsHeldIsLeftToWhoHoldsIt(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		now := time.Now()
		claim := provision.Claim{
			Signup: named("acme"), TrunkName: provision.TrunkName("th", "acme"), AccountSID: exoteltest.DefaultAccountSID,
			Owner: "one", Now: now, LeaseUntil: now.Add(10 * time.Minute),
		}
		if _, _, err := w.table.Claim(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		w.made(claim.TrunkName)
		equal(t, "found", found(w.audit(t, &audit.Audit{})), nil)
		time.Sleep(10 * time.Minute)
		equal(t, "found", found(w.audit(t, &audit.Audit{})), []string{"unrecorded acme"})
	})
}
