package simulation_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// resource is a process's client for one kind of what trunks have.
type resource struct {
	*trunks
	kind provision.StepKind
}

// The clients, each what provision has an interface of that name for.
type (
	phoneNumbers    struct{ *resource }
	whitelistedIPs  struct{ *resource }
	destinationURIs struct{ *resource }
	credentials     struct{ *resource }
	settings        struct{ *resource }
)

// complete gives the account its clients for the line.
func (t *trunks) complete(account *provision.Account) {
	account.PhoneNumbers = phoneNumbers{&resource{t, provision.KindPhoneNumber}}
	account.WhitelistedIPs = whitelistedIPs{&resource{t, provision.KindWhitelistedIP}}
	account.DestinationURIs = destinationURIs{&resource{t, provision.KindDestinationURI}}
	account.Credentials = credentials{&resource{t, provision.KindCredential}}
	account.Settings = settings{&resource{t, provision.KindCallerID}}
}

// add asks for things in one request. What becomes of each is in their order.
func (r *resource) add(ctx context.Context, op, trunkSID string, things ...thing) ([]made, error) {
	values := make([]string, len(things))
	for i, x := range things {
		values[i] = x.value
	}
	e := exchange{op: op, method: http.MethodPost, id: trunkSID + " " + strings.Join(values, " "), trunkSID: trunkSID, faults: createFaults, late: maxLate}
	if doubles(r.kind) && !r.process.world.weakening.lateForAll {
		e.late = maxLateDoubling
	}
	world := r.process.world
	e.work = func(by *actor) reply { return world.addThings(by, r, trunkSID, things, -1, nil) }
	if len(things) > 1 {
		e.part = func(by *actor, d *dice, failed *exotel.Error) reply {
			return world.addThings(by, r, trunkSID, things, d.below(len(things)), failed)
		}
	}
	e.refused = func(failed *exotel.Error) {
		for _, x := range things {
			world.noteRefusal(trunkSID, r.kind, x.value, failed)
		}
	}
	answer, err := r.do(ctx, e)
	return answer.made, err
}

// one is add for one.
func (r *resource) one(ctx context.Context, op, trunkSID string, x thing) (thing, error) {
	answer, err := r.add(ctx, op, trunkSID, x)
	if err != nil {
		return thing{}, err
	}
	return answer[0].thing, nil
}

// change sends all that there is of a thing.
func (r *resource) change(ctx context.Context, op, trunkSID string, x thing) error {
	world := r.process.world
	_, err := r.do(ctx, exchange{
		op: op, method: http.MethodPut, id: trunkSID + " " + x.value, trunkSID: trunkSID, faults: changeFaults, late: maxLate,
		work:    func(by *actor) reply { return world.changeThing(by, r, trunkSID, x) },
		refused: func(failed *exotel.Error) { world.noteRefusal(trunkSID, r.kind, x.value, failed) },
	})
	return err
}

// all walks over the pages as exotel's does.
func (r *resource) all(ctx context.Context, op, trunkSID string) iter.Seq2[thing, error] {
	return func(yield func(thing, error) bool) {
		seen, unreadable := make(map[string]bool), 0
		for offset, more := 0, true; more; {
			answer, err := r.do(ctx, exchange{op: op, method: http.MethodGet, id: trunkSID, faults: listFaults, work: func(*actor) reply {
				return r.process.world.listThings(r, trunkSID, offset)
			}})
			if err != nil {
				yield(thing{}, err)
				return
			}
			for _, m := range answer.made {
				if !seen[m.thing.id] && !yield(m.thing, nil) {
					return
				}
				seen[m.thing.id] = true
			}
			unreadable += answer.unreadable
			offset, more = answer.next, answer.more
		}
		if unreadable > 0 {
			yield(thing{}, &exotel.Error{Op: op, Kind: exotel.ErrOutcomeUnknown, Message: fmt.Sprint(unreadable, " in the list can't be read")})
		}
	}
}

// as is a list as the engine gets it.
func as[T any](list iter.Seq2[thing, error], convert func(thing) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for x, err := range list {
			if !yield(convert(x), err) {
				return
			}
		}
	}
}

func (c phoneNumbers) Map(ctx context.Context, trunkSID string, r exotel.MapPhoneNumberRequest) (*exotel.PhoneNumber, error) {
	mapped, err := c.one(ctx, "map phone number", trunkSID, thing{value: r.PhoneNumber, option: string(r.Mode)})
	number := asNumber(mapped)
	return &number, err
}

func (c phoneNumbers) All(ctx context.Context, trunkSID string) iter.Seq2[exotel.PhoneNumber, error] {
	return as(c.all(ctx, "list phone numbers", trunkSID), asNumber)
}

func (c phoneNumbers) UpdateMode(ctx context.Context, trunkSID, id string, r exotel.MapPhoneNumberRequest) (*exotel.PhoneNumber, error) {
	return &exotel.PhoneNumber{ID: id}, c.change(ctx, "update phone number", trunkSID, thing{id: id, value: r.PhoneNumber, option: string(r.Mode)})
}

func asNumber(x thing) exotel.PhoneNumber {
	return exotel.PhoneNumber{ID: x.id, PhoneNumber: x.value, Mode: exotel.Mode(x.option)}
}

func (c whitelistedIPs) Add(ctx context.Context, trunkSID string, r exotel.WhitelistIPRequest) (*exotel.WhitelistedIP, error) {
	added, err := c.one(ctx, "whitelist ip", trunkSID, thing{value: strings.TrimSuffix(fmt.Sprintf("%s/%d", r.IP, r.Mask), "/32")})
	return &exotel.WhitelistedIP{ID: added.id}, err
}

func (c whitelistedIPs) All(ctx context.Context, trunkSID string) iter.Seq2[exotel.WhitelistedIP, error] {
	return as(c.all(ctx, "list whitelisted ips", trunkSID), func(x thing) exotel.WhitelistedIP {
		return exotel.WhitelistedIP{ID: x.id, IP: x.value} // as some pages show it, the mask behind the address
	})
}

func (c destinationURIs) Add(ctx context.Context, trunkSID string, destinations []string) ([]exotel.DestinationResult, error) {
	things := make([]thing, len(destinations))
	for i, destination := range destinations {
		things[i].value = destination
	}
	answer, err := c.add(ctx, "add destination uris", trunkSID, things...)
	if err != nil {
		return nil, err
	}
	results := make([]exotel.DestinationResult, len(answer))
	for i, m := range answer {
		results[i].Destination = destinations[i]
		if m.failed != nil {
			results[i].Err = m.failed
			continue
		}
		destination := asDestination(m.thing)
		results[i].URI = &destination
	}
	return results, nil
}

func (c destinationURIs) All(ctx context.Context, trunkSID string) iter.Seq2[exotel.DestinationURI, error] {
	return as(c.all(ctx, "list destination uris", trunkSID), asDestination)
}

func asDestination(x thing) exotel.DestinationURI {
	return exotel.DestinationURI{ID: x.id, Destination: "sip:" + x.value}
}

func (c credentials) Create(ctx context.Context, trunkSID string, r exotel.CreateCredentialRequest) (*exotel.Credential, error) {
	created, err := c.one(ctx, "create credential", trunkSID, thing{value: r.UserName, option: r.FriendlyName, password: r.Password})
	credential := asCredential(created)
	return &credential, err
}

func (c credentials) All(ctx context.Context, trunkSID string) iter.Seq2[exotel.Credential, error] {
	return as(c.all(ctx, "list credentials", trunkSID), asCredential)
}

func (c credentials) Update(ctx context.Context, trunkSID, id string, r exotel.UpdateCredentialRequest) (*exotel.Credential, error) {
	return &exotel.Credential{ID: id}, c.change(ctx, "update credential", trunkSID, thing{id: id, value: r.UserName, option: r.FriendlyName, password: r.Password})
}

func asCredential(x thing) exotel.Credential {
	return exotel.Credential{ID: x.id, UserName: x.value, FriendlyName: x.option}
}

func (c settings) Set(ctx context.Context, trunkSID string, wanted []exotel.Setting) ([]exotel.SettingResult, error) {
	set, err := c.one(ctx, "set settings", trunkSID, thing{value: wanted[0].Value})
	if err != nil {
		return nil, err
	}
	return []exotel.SettingResult{{Name: wanted[0].Name, Value: set.value}}, nil
}
