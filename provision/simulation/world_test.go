package simulation_test

import (
	"slices"
	"sync"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// world is everything in one schedule: the table, the vendor, the secret, the
// processes, and what has been promised to whom.
type world struct {
	plan
	seed      uint64
	weakening weakening
	began     time.Time
	tracing   bool
	script    []scripted
	actors    sync.WaitGroup

	mu         sync.Mutex
	trace      trace
	stats      *stats
	violations []violation
	calm       bool      // the faults have ended
	lastEffect time.Time // of the requests that nobody waits for any more
	items
	accounts  map[string]*account // by their sids
	secret    secret
	passwords map[string]string // by where they are kept
	prefix    string
	places    []*process // nil where none runs
	started   int        // processes ever
	made      int        // trunks ever
	acted     int        // actors ever
	tables    int        // that were wiped
	inFlight  map[string]int
	testimony testimony
}

// The accounts at the vendor's. The secret names the first, to begin with.
const (
	firstAccount  = "acme1"
	secondAccount = "acme2"
)

func newWorld(seed uint64, weak weakening, s *stats) *world {
	w := &world{
		plan: drawPlan(throwFor(seed, "plan")), seed: seed, weakening: weak, began: time.Now(), stats: s,
		items:    items{records: map[string]provision.Record{}},
		accounts: map[string]*account{firstAccount: {sid: firstAccount}, secondAccount: {sid: secondAccount}},
		secret:   secret{accountSID: firstAccount, keys: map[string]int{}}, passwords: map[string]string{},
		prefix: "th", inFlight: map[string]int{}, testimony: newTestimony(),
	}
	w.places = make([]*process, len(w.skews))
	w.trace = trace{start: w.began, owners: map[string]string{}}
	for range w.othersTrunks {
		w.addOthers(w.accounts[firstAccount])
		w.addOthers(w.accounts[secondAccount])
	}
	if w.foreign {
		w.addHolder(w.accounts[firstAccount])
	}
	return w
}

// calling notes that somebody asks the vendor for a trunk of that name. The
// function that it returns ends it.
func (w *world) calling(name string) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name != "" && w.inFlight[name] > 0 {
		w.stats.together++
	}
	w.inFlight[name]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.inFlight[name]--
	}
}

// addOthers adds a trunk that isn't ours.
func (w *world) addOthers(a *account) { w.add(a, "others") }

// addHolder adds one that has a number.
func (w *world) addHolder(a *account) {
	w.addOthers(a)
	number := thing{id: "others", value: foreignNumber, option: string(exotel.ModePSTN)}
	a.trunks[len(a.trunks)-1].things[provision.KindPhoneNumber] = []thing{number}
}

// giveBack takes it from others again.
func (w *world) giveBack(a *account) {
	for i := range a.trunks {
		t := &a.trunks[i]
		t.things[provision.KindPhoneNumber] = slices.DeleteFunc(t.things[provision.KindPhoneNumber], func(x thing) bool {
			return x.id == "others" && w.testimony.named[t.SID] == ""
		})
	}
}

// removeOthers removes one again, unless an operator has named it.
func (w *world) removeOthers(a *account, d *dice) {
	a.trunks = slices.DeleteFunc(a.trunks, func(t trunk) bool {
		return t.Name == "others" && w.testimony.named[t.SID] == "" && d.chance(0.2)
	})
}

// wipe empties the table, and with it ends all promises.
func (w *world) wipe() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = items{records: map[string]provision.Record{}}
	w.tables++
	w.testimony.wiped(time.Now())
}
