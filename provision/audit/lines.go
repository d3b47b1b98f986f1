package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// listed is a thing as the trunk's list shows it; value is a step's.
type listed struct{ id, value string }

// lineKind is how one kind of thing is looked at.
type lineKind struct {
	step    provision.StepKind
	doubled Kind
	mend    string
	list    func(ctx context.Context, account *provision.Account, trunkSID string) iter.Seq2[listed, error]
}

var lineKinds = []lineKind{
	{provision.KindPhoneNumber, KindDoubledNumber, "", func(ctx context.Context, account *provision.Account, sid string) iter.Seq2[listed, error] {
		return each(account.PhoneNumbers.All(ctx, sid), func(n exotel.PhoneNumber) listed {
			return listed{n.ID, "+" + strings.TrimPrefix(n.PhoneNumber, "+")}
		})
	}},
	{provision.KindWhitelistedIP, KindDoubledAddress, "", func(ctx context.Context, account *provision.Account, sid string) iter.Seq2[listed, error] {
		return each(account.WhitelistedIPs.All(ctx, sid), func(ip exotel.WhitelistedIP) listed {
			prefix, _ := ip.Prefix()
			return listed{ip.ID, strings.TrimSuffix(prefix.String(), "/32")}
		})
	}},
	{provision.KindDestinationURI, KindDoubledDestination, mendRemove, destinations},
}

func destinations(ctx context.Context, account *provision.Account, sid string) iter.Seq2[listed, error] {
	return each(account.DestinationURIs.All(ctx, sid), func(d exotel.DestinationURI) listed {
		return listed{d.ID, exotel.NormalDestination(d.Destination)}
	})
}

func each[T any](list iter.Seq2[T, error], of func(T) listed) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		for element, err := range list {
			if !yield(of(element), err) {
				return
			}
		}
	}
}

// lines looks into the trunks of these signups.
func (a *Audit) lines(ctx context.Context, account *provision.Account, records []provision.Record) (findings []Finding, err error) {
	trunksOf := map[string][]string{} // phone number -> trunk_sids
	for i, record := range records {
		for _, kind := range lineKinds {
			things, err := patiently(ctx, func() ([]listed, error) { return collect(kind.list(ctx, account, record.TrunkSID)) })
			if errors.Is(err, exotel.ErrNotFound) || errors.Is(err, exotel.ErrForbidden) {
				break // it was deleted meanwhile
			}
			if err != nil {
				return nil, err
			}
			findings = append(findings, ofLine(record, kind, things)...)
			if kind.step == provision.KindPhoneNumber {
				for _, value := range values(things) {
					trunksOf[value] = append(trunksOf[value], record.TrunkSID)
				}
			}
		}
		a.tell(PhaseLines, i+1, len(records))
	}
	for _, number := range slices.Sorted(maps.Keys(trunksOf)) {
		if sids := slices.Compact(slices.Sorted(slices.Values(trunksOf[number]))); len(sids) > 1 {
			findings = append(findings, Finding{Kind: KindNumberInTwo, Detail: number + " is in " + strings.Join(sids, ", ")})
		}
	}
	return findings, nil
}

func collect(list iter.Seq2[listed, error]) (things []listed, err error) {
	for thing, err := range list {
		if err != nil {
			return nil, err
		}
		things = append(things, thing)
	}
	return things, nil
}

func values(things []listed) []string {
	var found []string
	for _, thing := range things {
		found = append(found, thing.value)
	}
	return slices.Compact(slices.Sorted(slices.Values(found)))
}

// ofLine is what is wrong with one kind of thing of a trunk.
func ofLine(record provision.Record, kind lineKind, things []listed) (findings []Finding) {
	base := Finding{SignupID: record.SignupID, TrunkName: record.TrunkName, TrunkSID: record.TrunkSID}
	recorded := map[string]string{} // value -> id
	for _, step := range record.LineSteps() {
		if step.Kind != kind.step || step.Status != provision.StepDone {
			continue
		}
		recorded[step.Value] = step.ID
		if !slices.ContainsFunc(things, func(t listed) bool { return t.value == step.Value }) {
			f := base
			f.Kind, f.Detail = KindLacking, step.Key()+" is done, says the record"
			findings = append(findings, f)
		}
	}
	for _, value := range values(things) {
		for _, later := range laterOf(things, value, recorded[value]) {
			f := base
			f.Kind, f.Mend, f.entry = kind.doubled, kind.mend, doubledOfLine{later, value}
			f.Detail = fmt.Sprintf("%s is there once more, as %s", value, later)
			findings = append(findings, f)
		}
	}
	return findings
}

// laterOf are the ids of what is there twice, without the one that stays: the recorded
// one, or the first that was made. Exotel numbers them.
func laterOf(things []listed, value, recorded string) []string {
	var ids []string
	for _, thing := range things {
		if thing.value == value {
			ids = append(ids, thing.id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == recorded:
			return -1
		case b == recorded:
			return 1
		}
		m, _ := strconv.Atoi(a)
		n, _ := strconv.Atoi(b)
		return m - n
	})
	return ids[1:]
}
