package provision_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// passwords keeps passwords as Parameter Store does.
type passwords struct {
	mu   sync.Mutex
	kept map[string]string
	down error
}

func (p *passwords) Keep(_ context.Context, trunkName, userName, password string) (kept, at string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down != nil {
		return "", "", p.down
	}
	at = "/test/" + trunkName + "/" + userName
	if _, there := p.kept[at]; !there {
		p.kept[at] = password
	}
	return p.kept[at], at, nil
}

// wholeLine asks for everything.
var wholeLine = provision.Signup{ID: "acme-42", Company: "Acme Telecom", Source: "api", Line: provision.Line{
	PhoneNumbers:    []provision.PhoneNumber{{PhoneNumber: "+912247788868"}, {PhoneNumber: "+912247788869", Mode: exotel.ModeFlow}},
	WhitelistedIPs:  []string{"8.8.8.0/24", "9.9.9.9"},
	DestinationURIs: []string{"sip.acme.com:5061;transport=tls", "sip2.acme.com:5060"},
	Credentials:     []provision.Credential{{UserName: "acme"}},
	CallerID:        "+912247788868",
}}

// onlyDestinations asks for what doubles when it is sent twice.
var onlyDestinations = provision.Signup{ID: "acme-42", Company: "Acme Telecom", Source: "api", Line: provision.Line{
	DestinationURIs: []string{"sip.acme.com:5061;transport=tls", "sip2.acme.com:5060"},
}}

func inLineBubble(t *testing.T, test func(t *testing.T, w *world, kept *passwords)) {
	t.Helper()
	inBubble(t, func(t *testing.T, w *world) {
		kept := &passwords{kept: map[string]string{}}
		w.engine.Passwords = kept
		test(t, w, kept)
	})
}

// order is one delivery that is answered within four seconds.
func (w *world) order(t *testing.T, s provision.Signup) provision.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	result, err := w.engine.Provision(ctx, s, 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// has checks that the one trunk has just what the signup asked for, each once, and
// that the record says so.
func (w *world) has(t *testing.T, s provision.Signup) {
	t.Helper()
	w.oneTrunk(t)
	w.hasLine(t, w.stored(t), s)
}

// hasLine is has for one of several signups.
func (w *world) hasLine(t *testing.T, record provision.Record, s provision.Signup) {
	t.Helper()
	for _, step := range record.LineSteps() {
		if step.Status != provision.StepDone || !step.SentAt.IsZero() {
			t.Errorf("step %+v", step)
		}
	}
	line := w.fake.Line(record.TrunkSID)
	var numbers, addresses, destinations, users []string
	for _, n := range line.PhoneNumbers {
		numbers = append(numbers, n.PhoneNumber+" "+string(n.Mode.OrDefault()))
	}
	for _, a := range line.WhitelistedIPs {
		prefix, _ := a.Prefix()
		addresses = append(addresses, strings.TrimSuffix(prefix.String(), "/32"))
	}
	for _, d := range line.DestinationURIs {
		destinations = append(destinations, exotel.NormalDestination(d.Destination))
	}
	for _, u := range line.Credentials {
		users = append(users, u.UserName)
	}
	var wantNumbers, wantUsers []string
	for _, n := range s.Line.PhoneNumbers {
		wantNumbers = append(wantNumbers, n.PhoneNumber+" "+string(n.Mode.OrDefault()))
	}
	for _, c := range s.Line.Credentials {
		wantUsers = append(wantUsers, c.UserName)
	}
	sameSet(t, "numbers", numbers, wantNumbers)
	sameSet(t, "addresses", addresses, s.Line.WhitelistedIPs)
	sameSet(t, "destinations", destinations, s.Line.DestinationURIs)
	sameSet(t, "users", users, wantUsers)
	if s.Line.CallerID != "" && !slices.Equal(line.Settings, []exotel.Setting{{Name: exotel.CallerIDAlias, Value: s.Line.CallerID}}) {
		t.Errorf("settings %+v", line.Settings)
	}
}

func sameSet(t *testing.T, what string, got, want []string) {
	t.Helper()
	if got, want := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestNewLineIsCompletedInOrder(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, kept *passwords) {
		result := w.order(t, wholeLine)
		want := "claim, create trunk, record trunk, map phone number, map phone number, whitelist ip, whitelist ip, " +
			"mark as sent, add destination uris, keep password, mark as sent, create credential, set settings, record"
		if result.Outcome != provision.OutcomeCreated || steps(result) != want {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		w.has(t, wholeLine)
		user := w.fake.Line(result.Record.TrunkSID).Credentials[0]
		step := result.Record.Steps["credential acme"]
		if len(user.Password) < 20 || kept.kept[step.PasswordAt] != user.Password || step.PasswordAt != "/test/"+result.Record.TrunkName+"/acme" {
			t.Errorf("step %+v", step)
		}
		if again := w.order(t, wholeLine); again.Outcome != provision.OutcomeReplayed || steps(again) != "claim" {
			t.Errorf("again: %s by %s", again.Outcome, steps(again))
		}
	})
}

// Whatever is lost on the way, the next tries find what is there, and do the rest.
func TestLineSurvivesALostAnswerToEachCall(t *testing.T) {
	t.Parallel()
	for _, op := range []exoteltest.Op{
		exoteltest.Create, exoteltest.MapPhoneNumber, exoteltest.WhitelistIP, exoteltest.AddDestinationURIs, exoteltest.CreateCredential, exoteltest.SetSettings,
	} {
		for name, fault := range map[string]exoteltest.Fault{
			"processed": exoteltest.LoseAnswer, "not processed": exoteltest.LoseRequest, "502 after": exoteltest.HTMLAfter,
			"503 before": exoteltest.Fail(http.StatusServiceUnavailable), "429": exoteltest.RateLimit("1"), "late": exoteltest.ProcessLate(time.Minute),
		} {
			t.Run(string(op)+" "+name, func(t *testing.T) {
				t.Parallel()
				inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
					w.fake.Inject(op, fault)
					first := w.order(t, wholeLine)
					if first.Outcome != provision.OutcomePending || !w.stored(t).LeaseUntil.IsZero() {
						t.Fatalf("%s by %s", first.Outcome, steps(first))
					}
					w.order(t, wholeLine) // at once
					for range 5 {
						time.Sleep(time.Minute)
						w.passOfAMinute(t)
					}
					w.has(t, wholeLine)
				})
			})
		}
	}
}

func TestWhatDoublesIsNotSentAgainWhileItMayBeUnderWay(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.ProcessLate(2*time.Minute))
		first := w.order(t, onlyDestinations)
		if first.Outcome != provision.OutcomePending || first.RetryAfter != 2*time.Second {
			t.Fatalf("%s, ask again in %v", first.Outcome, first.RetryAfter)
		}
		again := w.order(t, onlyDestinations)
		if again.Outcome != provision.OutcomePending || again.RetryAfter < 2*time.Minute || steps(again) != "claim, list destination uris, give back" {
			t.Errorf("%s by %s", again.Outcome, steps(again))
		}
		time.Sleep(119 * time.Second) // it was processed meanwhile
		if third := w.order(t, onlyDestinations); third.Outcome != provision.OutcomeCompleted || steps(third) != "claim, list destination uris, record" {
			t.Errorf("%s by %s", third.Outcome, steps(third))
		}
		w.has(t, onlyDestinations)
	})
}

func TestWhatWasLostIsSentAgainAfterThreeMinutes(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.LoseRequest)
		w.order(t, onlyDestinations)
		time.Sleep(3 * time.Minute)
		if result := w.order(t, onlyDestinations); result.Outcome != provision.OutcomeCompleted || steps(result) != "claim, list destination uris, mark as sent, add destination uris, record" {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		w.has(t, onlyDestinations)
	})
}

// A process that is killed in the middle of a send has written down that it sends.
func TestKilledInTheMiddleOfASend(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.ProcessLate(90*time.Second))
		w.ledger.fail("release", failBefore) // nothing after the send gets through
		w.order(t, onlyDestinations)
		if step := w.stored(t).Steps["destination_uri sip2.acme.com:5060"]; step.SentAt.IsZero() {
			t.Fatalf("not marked: %+v", step)
		}
		time.Sleep(time.Minute)
		if result := w.order(t, onlyDestinations); result.Outcome != provision.OutcomePending {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		time.Sleep(time.Minute)
		w.order(t, onlyDestinations)
		w.has(t, onlyDestinations)
	})
}

// What Exotel refuses of some is final for those, and for nothing else.
func TestRefusedStepsLeaveTheSignupIncomplete(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		s := wholeLine
		s.Line.DestinationURIs = []string{"sip.acme.com:5061;transport=tls", "1.1.1.1:5060"} // not whitelisted
		result := w.order(t, s)
		record := w.stored(t)
		refused := record.Steps["destination_uri 1.1.1.1:5060"]
		if record.Status != provision.StatusIncomplete || refused.Status != provision.StepRefused || refused.Reason == "" || record.TrunkSID == "" || !record.DueAt.IsZero() {
			t.Errorf("record %+v", record)
		}
		if result.Problem == nil || result.Problem.Alarm != provision.AlarmIncomplete || result.Outcome != provision.OutcomeCreated {
			t.Errorf("%s, problem %+v", result.Outcome, result.Problem)
		}
		line := w.fake.Line(record.TrunkSID)
		if len(line.DestinationURIs) != 1 || len(line.PhoneNumbers) != 2 || len(line.Credentials) != 1 || len(line.Settings) != 1 {
			t.Errorf("line %+v", line)
		}
		if again := w.order(t, s); again.Outcome != provision.OutcomeReplayed {
			t.Errorf("again: %s", again.Outcome)
		}
		// What was lacking comes with a later delivery.
		s.Line.WhitelistedIPs = append(s.Line.WhitelistedIPs, "1.1.1.1")
		if mended := w.order(t, s); mended.Outcome != provision.OutcomeCompleted {
			t.Errorf("mended: %s by %s, %+v", mended.Outcome, steps(mended), mended.Problem)
		}
		w.has(t, s)
	})
}

func TestOperatorsRetryTriesRefusedStepsAgain(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.Fail(http.StatusBadRequest))
		if result := w.order(t, wholeLine); result.Record.Status != provision.StatusIncomplete {
			t.Fatalf("%+v", result.Record)
		}
		result, err := w.engine.Retry(t.Context(), "acme-42")
		if err != nil || result.Outcome != provision.OutcomeCompleted {
			t.Errorf("%+v, %v", result, err)
		}
		w.has(t, wholeLine)
	})
}

func TestNumberOfAnotherTrunkIsRefusedInTheEnd(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		other := wholeLine
		other.ID = "other-1"
		w.order(t, other)
		s := provision.Signup{ID: "acme-42", Company: "Acme", Line: provision.Line{PhoneNumbers: wholeLine.Line.PhoneNumbers[:1]}}
		if result := w.order(t, s); result.Outcome != provision.OutcomePending {
			t.Fatalf("%s", result.Outcome)
		}
		for range 11 {
			time.Sleep(time.Minute)
			w.order(t, s)
		}
		if record := w.stored(t); record.Status != provision.StatusIncomplete || !strings.Contains(record.Steps["phone_number +912247788868"].Reason, "another trunk") {
			t.Errorf("record %+v", record)
		}
	})
}

func TestTrunkThatIsGoneIsAnAlarmAndNoRefusal(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		result := w.order(t, onlyDestinations)
		account, _ := w.accounts.Open(t.Context())
		if _, err := account.Trunks.(*exotel.TrunksService).Delete(t.Context(), result.Record.TrunkSID); err != nil {
			t.Fatal(err)
		}
		result = w.order(t, wholeLine)
		if result.Outcome != provision.OutcomePending || result.Problem == nil || result.Problem.Alarm != provision.AlarmTrunkGone {
			t.Errorf("%s, %+v", result.Outcome, result.Problem)
		}
	})
}

func TestLaterDeliveryExtendsAndNeverTakesAway(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		bare := wholeLine
		bare.Line = provision.Line{}
		w.order(t, bare)
		result := w.order(t, wholeLine)
		if result.Outcome != provision.OutcomeCompleted || result.Record.Attempts != 2 {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		if !strings.HasPrefix(steps(result), "claim, extend, claim, map phone number, map phone number, whitelist ip, whitelist ip, list destination uris, mark as sent, add destination uris, list credentials,") {
			t.Errorf("by %s", steps(result))
		}
		w.has(t, wholeLine)
		for _, s := range []provision.Signup{bare, onlyDestinations} { // less is no removal, and nothing new
			if again := w.order(t, s); again.Outcome != provision.OutcomeReplayed || steps(again) != "claim" {
				t.Errorf("again: %s by %s", again.Outcome, steps(again))
			}
		}
		w.has(t, wholeLine)
	})
}

func TestContradictionIsToldAndTakesNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*provision.Line){
		"phone_numbers": func(l *provision.Line) {
			l.PhoneNumbers = []provision.PhoneNumber{{PhoneNumber: "+912247788868", Mode: exotel.ModeFlow}, {PhoneNumber: "+912247788870"}}
		},
		"caller_id": func(l *provision.Line) { l.CallerID = "+912247788869" },
		"credentials": func(l *provision.Line) {
			l.Credentials = []provision.Credential{{UserName: "acme", FriendlyName: "other"}}
		},
	} {
		for state, prepare := range map[string]func(*testing.T, *world){
			"active": func(t *testing.T, w *world) { w.order(t, wholeLine) },
			"pending": func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.Create, exoteltest.Fail(503))
				w.order(t, wholeLine)
			},
			"held": func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.Create, exoteltest.Fail(503))
				w.ledger.fail("release", failBefore)
				w.order(t, wholeLine)
			},
		} {
			t.Run(name+" "+state, func(t *testing.T) {
				t.Parallel()
				inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
					prepare(t, w)
					before := w.stored(t)
					s := wholeLine
					s.Line = provision.Line{}
					change(&s.Line)
					result := w.order(t, s)
					if result.Outcome != provision.OutcomeConflict || len(result.Faults) != 1 || result.Faults[0].Field != name {
						t.Errorf("%s, %+v", result.Outcome, result.Faults)
					}
					if after := w.stored(t); !maps.Equal(after.Steps, before.Steps) || after.Status != before.Status || state == "pending" && !after.LeaseUntil.IsZero() {
						t.Errorf("before %+v\nafter %+v", before, after)
					}
				})
			})
		}
	}
}

// Whoever is answered 2xx has what was asked for on disk, also where somebody else is
// at the signup, and that one does it or leaves it to be done.
func TestExtensionDuringATryIsNotLost(t *testing.T) {
	t.Parallel()
	for _, write := range []string{"activate", "attach", "mark"} {
		t.Run("before "+write, func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				s := onlyDestinations
				if write == "activate" {
					s.Line = provision.Line{}
				}
				w.ledger.before[write] = func(records map[string]provision.Record) {
					held := records["acme-42"]
					extended, holds := provision.Extend{SignupID: "acme-42", Steps: wholeLine.Normalised().Line.Steps(), Seen: held.Seen(), Now: time.Now()}.Apply(&held)
					if !holds {
						t.Errorf("not extended: %+v", held)
					}
					records["acme-42"] = extended
				}
				if result := w.order(t, s); result.Outcome != provision.OutcomeCreated {
					t.Errorf("%s by %s", result.Outcome, steps(result))
				}
				w.has(t, wholeLine)
			})
		})
	}
}

func TestDeliveryThatMeetsAnotherTryExtends(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.SetLatency(500 * time.Millisecond)
		var all sync.WaitGroup
		for _, s := range []provision.Signup{onlyDestinations, wholeLine, wholeLine} {
			all.Go(func() { w.order(t, s) })
			time.Sleep(100 * time.Millisecond)
		}
		all.Wait()
		if record := w.stored(t); len(record.Steps) != 8 {
			t.Errorf("steps %+v", record.Steps)
		}
		time.Sleep(time.Minute)
		w.passOfAMinute(t)
		w.has(t, wholeLine)
	})
}

func TestKeyThatIsRotatedInTheMiddleOfALine(t *testing.T) {
	t.Parallel()
	for _, op := range []exoteltest.Op{exoteltest.MapPhoneNumber, exoteltest.AddDestinationURIs, exoteltest.SetSettings} {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.order(t, provision.Signup{ID: "warm-up", Company: "Acme"})
				w.ledger.before["attach"] = func(map[string]provision.Record) {
					w.fake.SetCredentials("new-key", "new-token")
					w.accounts.mu.Lock()
					defer w.accounts.mu.Unlock()
					w.accounts.secret = w.fake.Config()
				}
				s := wholeLine
				s.ID = "acme-43"
				if result := w.order(t, s); result.Outcome != provision.OutcomeCreated {
					t.Errorf("%s by %s: %+v", result.Outcome, steps(result), result.Problem)
				}
			})
		})
	}
}

func TestPasswordThatCannotBeKeptIsNotSent(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, kept *passwords) {
		kept.down = errors.New("parameter store is down")
		result := w.order(t, wholeLine)
		if result.Outcome != provision.OutcomePending || len(w.fake.Line(result.Record.TrunkSID).Credentials) != 0 {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		kept.down = nil
		w.order(t, wholeLine)
		w.has(t, wholeLine)
	})
}

// A credential that somebody made by hand gets the password that is kept.
func TestCredentialThatIsThereGetsTheKeptPassword(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, kept *passwords) {
		bare := wholeLine
		bare.Line = provision.Line{}
		result := w.order(t, bare)
		account, _ := w.accounts.Open(t.Context())
		if _, err := account.Credentials.Create(t.Context(), result.Record.TrunkSID, exotel.CreateCredentialRequest{UserName: "acme", Password: "made_by_hand_1"}); err != nil {
			t.Fatal(err)
		}
		w.order(t, wholeLine)
		w.has(t, wholeLine)
		if user := w.fake.Line(result.Record.TrunkSID).Credentials[0]; user.Password != kept.kept["/test/"+result.Record.TrunkName+"/acme"] {
			t.Error("it has another password")
		}
	})
}

func TestLineThatTakesLongerThanTheAnswerIsFinishedByTheReconciler(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.SetLatency(900 * time.Millisecond)
		first := w.order(t, wholeLine)
		if first.Outcome != provision.OutcomePending || first.Record.TrunkSID == "" {
			t.Errorf("%s by %s", first.Outcome, steps(first))
		}
		for range 4 {
			time.Sleep(time.Minute)
			w.passOfAMinute(t)
		}
		w.has(t, wholeLine)
	})
}

// The table is empty, the trunks are there: the same signups find all of it again.
func TestLineOfALostTableIsFoundAgain(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, kept *passwords) {
		w.order(t, wholeLine)
		password := maps.Clone(kept.kept)
		w.ledger.records = map[string]provision.Record{}
		if result := w.order(t, wholeLine); result.Outcome != provision.OutcomeAdopted {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		w.has(t, wholeLine)
		if !maps.Equal(kept.kept, password) {
			t.Error("the password changed")
		}
	})
}
