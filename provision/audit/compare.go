package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// comparison is what both sides say.
type comparison struct {
	prefix     string
	account    string
	bySID      map[string]exotel.Trunk
	byName     map[string][]exotel.Trunk
	unreadable int
	records    []provision.Record
	elsewhere  int
	foreign    int
}

// addTrunk passes over one that a shift of the pages shows again.
func (c *comparison) addTrunk(trunk exotel.Trunk) {
	if _, known := c.bySID[trunk.SID]; known {
		return
	}
	c.bySID[trunk.SID] = trunk
	c.byName[trunk.Name] = append(c.byName[trunk.Name], trunk)
}

// hash is what stands behind the prefix and the underscore in names of ours.
var hash = regexp.MustCompile(`^[a-z2-7]+$`)

// isOurName tells whether a trunk's name is one that provision.TrunkName gives with
// our prefix. What people call "th_office" is theirs.
func (c *comparison) isOurName(name string) bool {
	rest, ok := strings.CutPrefix(name, c.prefix+"_")
	return ok && len(name) == exotel.MaxTrunkName && hash.MatchString(rest)
}

// compare finds what is wrong, in the order of the signups, and the orphans after it.
func (c *comparison) compare() []Finding {
	slices.SortFunc(c.records, func(a, b provision.Record) int { return strings.Compare(a.SignupID, b.SignupID) })
	var findings []Finding
	known, holders := map[string]bool{}, map[string][]string{}
	for _, record := range c.records {
		findings = append(findings, c.ofSignup(record)...)
		for _, trunk := range c.byName[record.TrunkName] {
			known[trunk.SID] = true
		}
		if record.TrunkSID != "" {
			known[record.TrunkSID] = true
			holders[record.TrunkSID] = append(holders[record.TrunkSID], record.SignupID)
		}
	}
	for _, sid := range slices.Sorted(maps.Keys(holders)) {
		if ids := holders[sid]; len(ids) > 1 {
			findings = append(findings, Finding{Kind: KindShared, TrunkSID: sid, TrunkName: c.bySID[sid].Name, Detail: "several signups have it: " + strings.Join(ids, ", ")})
		}
	}
	return append(findings, c.unknown(known)...)
}

// unknown are the orphans; the rest of the trunks that no signup has is counted.
func (c *comparison) unknown(known map[string]bool) (orphans []Finding) {
	for _, sid := range slices.Sorted(maps.Keys(c.bySID)) {
		switch trunk := c.bySID[sid]; {
		case known[sid]:
		case c.isOurName(trunk.Name):
			orphans = append(orphans, Finding{Kind: KindOrphan, TrunkName: trunk.Name, TrunkSID: sid, Detail: "no signup has it; its signup sent once more adopts it"})
		default:
			c.foreign++
		}
	}
	return orphans
}

// ofSignup is what is wrong with one signup.
func (c *comparison) ofSignup(record provision.Record) (findings []Finding) {
	base := Finding{SignupID: record.SignupID, TrunkName: record.TrunkName, TrunkSID: record.TrunkSID}
	found := func(kind Kind, sid, mend, format string, a ...any) {
		f := base
		f.Kind, f.TrunkSID, f.Mend, f.Detail = kind, sid, mend, fmt.Sprintf(format, a...)
		findings = append(findings, f)
	}
	trunk, there := c.bySID[record.TrunkSID]
	wanted := record.Status == provision.StatusPending || record.Status == provision.StatusActive || record.Status == provision.StatusIncomplete
	switch {
	case record.TrunkSID == "" || !wanted: // there is nothing that should be there
	case !there:
		findings = append(findings, c.missing(base, record))
	default:
		if detail := c.differs(record, trunk); detail != "" {
			found(KindDiffering, record.TrunkSID, "", "%s", detail)
		}
	}
	for _, other := range c.byName[record.TrunkName] {
		switch {
		case other.SID == record.TrunkSID && wanted, !there && record.TrunkSID != "" && wanted: // the missing one's finding has it
		case record.TrunkSID != "" && wanted:
			found(KindSecond, other.SID, "", "the signup has %s", record.TrunkSID)
		case record.Status == provision.StatusDeleting: // its watch deletes it
		case record.Status == provision.StatusDeleted && c.isOurDomain(other):
			found(KindLeftover, other.SID, mendDelete, "the signup is deleted")
		case record.Status != provision.StatusPending:
			found(KindLeftover, other.SID, "", "the signup is %s", record.Status)
		case record.LeaseUntil.After(time.Now()): // a try is at it
		case c.isOurDomain(other):
			found(KindUnrecorded, other.SID, mendAdopt, "the signup is pending, and its trunk is there")
		default:
			found(KindUnrecorded, other.SID, "", "the signup is pending; a trunk of its name is there, with the domain %s", other.DomainName)
		}
	}
	if n := openSteps(record); n > 0 && (record.Status == provision.StatusActive || record.Status == provision.StatusIncomplete) && there {
		found(KindUnfinished, record.TrunkSID, mendFinish, "the signup is %s, and has %d open steps", record.Status, n)
	}
	return findings
}

// missing is a trunk that is gone. One of the signup's own name is its heir.
func (c *comparison) missing(f Finding, record provision.Record) Finding {
	f.Kind, f.Mend, f.Detail = KindMissing, mendReplace, "the account doesn't have it"
	switch heirs := c.byName[record.TrunkName]; {
	case len(heirs) == 1 && c.isOurDomain(heirs[0]):
		f.Mend, f.adopt, f.Detail = mendAdopt, heirs[0].SID, "the account doesn't have it, but "+heirs[0].SID+" of the signup's name"
	case len(heirs) > 0:
		f.Mend, f.Detail = "", "the account doesn't have it, but others of the signup's name"
	}
	return f
}

func (c *comparison) isOurDomain(trunk exotel.Trunk) bool {
	return trunk.DomainName == "" || strings.EqualFold(trunk.DomainName, exotel.DomainName(c.account))
}

// differs tells in what a trunk isn't what was recorded of it. One that was adopted by
// hand has a name of its own.
func (c *comparison) differs(record provision.Record, trunk exotel.Trunk) string {
	name := record.TrunkName
	var recorded struct {
		Name string `json:"trunk_name"`
	}
	if json.Unmarshal(record.Trunk, &recorded) == nil && recorded.Name != "" {
		name = recorded.Name
	}
	var differences []string
	if trunk.Name != name {
		differences = append(differences, fmt.Sprintf("its name is %s, recorded is %s", trunk.Name, name))
	}
	if trunk.DomainName != "" && !strings.EqualFold(trunk.DomainName, record.DomainName) {
		differences = append(differences, fmt.Sprintf("its domain is %s, recorded is %s", trunk.DomainName, record.DomainName))
	}
	return strings.Join(differences, "; ")
}

func openSteps(record provision.Record) (n int) {
	for _, step := range record.Steps {
		if step.Status == provision.StepPending {
			n++
		}
	}
	return n
}

// withLines are the signups whose trunks are there, and ask for more than a trunk.
func (c *comparison) withLines() (records []provision.Record) {
	for _, record := range c.records {
		if _, there := c.bySID[record.TrunkSID]; there && len(record.Steps) > 0 {
			records = append(records, record)
		}
	}
	return records
}
