package provision_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// lineOps are the calls that a line makes.
var lineOps = []exoteltest.Op{
	exoteltest.Create, exoteltest.List,
	exoteltest.MapPhoneNumber, exoteltest.ListPhoneNumbers, exoteltest.UpdatePhoneNumber,
	exoteltest.WhitelistIP, exoteltest.ListWhitelistedIPs,
	exoteltest.AddDestinationURIs, exoteltest.ListDestinationURIs,
	exoteltest.CreateCredential, exoteltest.ListCredentials, exoteltest.UpdateCredential,
	exoteltest.SetSettings,
}

// anyFault draws one of all kinds. What would be a refusal isn't among them: it
// would be final, rightly.
func anyFault(dice *rand.Rand) exoteltest.Fault {
	kinds := []exoteltest.Fault{
		exoteltest.LoseAnswer, exoteltest.LoseRequest, exoteltest.Hang, exoteltest.HangAfter, exoteltest.HTML, exoteltest.HTMLAfter,
		exoteltest.CutOff, exoteltest.EmptySID, exoteltest.Huge, exoteltest.Slow, exoteltest.RateLimit("2"),
		exoteltest.Fail(http.StatusServiceUnavailable), exoteltest.FailAfter(http.StatusServiceUnavailable),
		exoteltest.Fail(http.StatusInternalServerError), exoteltest.FailAfter(http.StatusGatewayTimeout), exoteltest.Fail(http.StatusUnauthorized),
		exoteltest.Delay(time.Duration(dice.Int64N(int64(12 * time.Second)))), processedLate(dice),
	}
	return kinds[dice.IntN(len(kinds))]
}

// processedLate is within two and a half minutes, which is less than the settling time.
func processedLate(dice *rand.Rand) exoteltest.Fault {
	return exoteltest.ProcessLate(time.Duration(dice.Int64N(int64(150 * time.Second))))
}

// plague queues faults for so many calls of each kind: one call in eight has one, and
// in half of the calls that double when they are sent twice, the worst for those.
func (w *world) plague(dice *rand.Rand, calls int) map[exoteltest.Op][]bool {
	faulty := map[exoteltest.Op][]bool{}
	for _, op := range lineOps {
		doubles := op == exoteltest.AddDestinationURIs || op == exoteltest.CreateCredential
		for range calls {
			var fault exoteltest.Fault
			switch {
			case doubles && dice.IntN(2) == 0:
				fault = processedLate(dice)
			case dice.IntN(8) == 0:
				fault = anyFault(dice)
			}
			w.fake.Inject(op, fault)
			faulty[op] = append(faulty[op], fault != exoteltest.Fault{})
		}
	}
	return faulty
}

// met is how many of the faults were met by a call.
func met(faulty map[exoteltest.Op][]bool, calls []exoteltest.Call) (n int) {
	seen := map[exoteltest.Op]int{}
	for _, call := range calls {
		if i := seen[call.Op]; i < len(faulty[call.Op]) && faulty[call.Op][i] {
			n++
		}
		seen[call.Op]++
	}
	return n
}

// lineSignup asks for all options.
func lineSignup(i int) provision.Signup {
	number := func(n int) string { return fmt.Sprintf("+9122%08d", 2*i+n) }
	return provision.Signup{ID: burstID(i), Company: "A", Source: "api", Line: provision.Line{
		PhoneNumbers:    []provision.PhoneNumber{{PhoneNumber: number(0)}, {PhoneNumber: number(1), Mode: exotel.ModeFlow}},
		WhitelistedIPs:  []string{"8.8.8.0/24", "9.9.9.9"},
		DestinationURIs: []string{fmt.Sprintf("sip%d.acme.example:5061;transport=tls", i), "8.8.8.8:5060"},
		Credentials:     []provision.Credential{{UserName: "acme"}},
		CallerID:        number(0),
	}}
}

// firstDelivery of every third signup lacks what a later one adds.
func firstDelivery(i int) provision.Signup {
	s := lineSignup(i)
	if i%3 == 0 {
		s.Line.PhoneNumbers, s.Line.DestinationURIs, s.Line.Credentials = s.Line.PhoneNumbers[:1], s.Line.DestinationURIs[:1], nil
	}
	return s
}

// 200 signups with all options come three times each within ten minutes, calls go
// wrong in any way that the fake has, and every list lags: all become active, each
// thing is there once, and with the passwords that are kept.
func TestBurstOfLinesAgainstFaultsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const signups, deliveries = 200, 3
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, kept *passwords) {
				dice := rand.New(rand.NewPCG(seed, 0))
				w.fake.SetLimits(exoteltest.VendorLimits)
				w.fake.SetLatency(100 * time.Millisecond)
				w.ledger.latency = 8 * time.Millisecond
				for _, op := range lineOps {
					w.fake.SetLag(op, 2*time.Second)
				}
				faulty := w.plague(dice, 2000)
				processes := w.processes(6, 180)
				for _, p := range processes {
					p.engine.Passwords = kept
				}
				start := time.Now()
				var all sync.WaitGroup
				for i := range signups * deliveries {
					s := firstDelivery(i % signups)
					at := time.Duration(dice.Int64N(int64(time.Minute)))
					if i >= signups {
						s, at = lineSignup(i%signups), time.Minute+time.Duration(dice.Int64N(int64(9*time.Minute)))
					}
					process := processes[1+dice.IntN(len(processes)-1)]
					all.Go(func() {
						time.Sleep(at)
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
						defer cancel()
						if _, err := process.engine.Provision(ctx, s, 4*time.Second); err != nil {
							t.Error(err)
						}
					})
				}
				all.Go(func() { time.Sleep(20 * time.Second); processes[0].everyMinute(t, 10) })
				all.Go(func() { time.Sleep(50 * time.Second); processes[1].everyMinute(t, 10) }) // two passes may overlap
				all.Wait()
				processes[0].everyMinute(t, 24*60)
				took := time.Since(start)
				time.Sleep(3 * time.Minute) // whatever is still late comes now

				calls := w.fake.Calls()
				t.Logf("| %d | %d | %d | %d, %d | %d | %v |", seed, signups, signups*deliveries, len(calls), met(faulty, calls), len(w.fake.Trunks()), took.Round(time.Second))
				w.everyOneHasItsTrunk(t, signups)
				for i := range signups {
					record := w.record(t, burstID(i))
					w.hasLine(t, record, lineSignup(i))
					for _, user := range w.fake.Line(record.TrunkSID).Credentials {
						if user.Password == "" || user.Password != kept.kept[record.Steps["credential acme"].PasswordAt] {
							t.Errorf("%s: the password isn't the one that is kept", record.SignupID)
						}
					}
				}
				if met(faulty, calls) < 100 {
					t.Errorf("only %d faults were met", met(faulty, calls))
				}
			})
		})
	}
}
