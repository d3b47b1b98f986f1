package audit

// Kind is what is wrong.
type Kind string

// The kinds. Those that are mended say how; the others are for a person to decide.
const (
	KindOrphan     Kind = "orphan"     // a trunk of a name as ours, which no signup has
	KindUnrecorded Kind = "unrecorded" // a pending signup's trunk, which its record doesn't know: adopted
	KindLeftover   Kind = "leftover"   // a trunk under the name of a signup that ended without it: that of a deleted one is deleted
	KindSecond     Kind = "second"     // a trunk under the name of a signup that has another one
	KindMissing    Kind = "missing"    // a recorded trunk that the account doesn't have: made anew, or that of its name adopted
	KindDiffering  Kind = "differing"  // a recorded trunk that has another name or domain than recorded
	KindUnfinished Kind = "unfinished" // a complete signup with open steps: they are done
	KindShared     Kind = "shared"     // a trunk that several signups have

	KindDoubledNumber      Kind = "doubled_number"      // a phone number that a trunk has twice
	KindDoubledAddress     Kind = "doubled_address"     // a whitelisted address that a trunk has twice
	KindDoubledDestination Kind = "doubled_destination" // a destination that a trunk has twice: the later one is removed
	KindNumberInTwo        Kind = "number_in_two"       // a phone number that several of our trunks have
	KindLacking            Kind = "lacking"             // what is done, says the record, and the trunk doesn't have
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind      Kind   `json:"kind"`
	SignupID  string `json:"signup_id,omitempty"`
	TrunkName string `json:"trunk_name,omitempty"`
	TrunkSID  string `json:"trunk_sid,omitempty"`
	Detail    string `json:"detail"`
	Mend      string `json:"mend,omitempty"` // what Mend does; empty where a person has to decide

	adopt string        // the trunk_sid of the trunk that takes the missing one's place
	entry doubledOfLine // what is there twice
}

// doubledOfLine is the entry that goes, and what both are.
type doubledOfLine struct{ id, value string }

// How findings are mended.
const (
	mendAdopt   = "adopt"
	mendReplace = "replace"
	mendFinish  = "finish"
	mendRemove  = "remove the later one"
	mendDelete  = "delete"
)
