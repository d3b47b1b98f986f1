package exotel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

const (
	number   = "+912247788868"
	fqdn     = "sip.acme.com:5061;transport=tls"
	address  = "8.8.8.8:5060"
	password = "s3cret_Password_24_chars"
)

var (
	mapping    = exotel.MapPhoneNumberRequest{PhoneNumber: number, Mode: exotel.ModePSTN}
	network    = exotel.WhitelistPrefix(netip.MustParsePrefix("8.8.8.0/24"))
	credential = exotel.CreateCredentialRequest{UserName: "acme", Password: password, FriendlyName: "pbx"}
	callerID   = []exotel.Setting{{Name: exotel.CallerIDAlias, Value: number}}
)

// withTrunk is a client, and the sid of a trunk that has nothing yet.
func withTrunk(t *testing.T, fake *exoteltest.Server) (*exotel.Client, string) {
	t.Helper()
	return newClient(t, fake), fake.Add(exotel.Trunk{Name: "acme", DomainName: "exoteltest.pstn.exotel.com", NSOCode: exotel.AnyNSO})
}

// must is a value whose error ends the test.
func must[T any](t *testing.T) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestWholeLineIsMadeChangedAndTakenDown(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client, sid := withTrunk(t, fake)
	ctx := t.Context()
	phone := must[*exotel.PhoneNumber](t)(client.PhoneNumbers.Map(ctx, sid, mapping))
	ip := must[*exotel.WhitelistedIP](t)(client.WhitelistedIPs.Add(ctx, sid, network))
	results := must[[]exotel.DestinationResult](t)(client.DestinationURIs.Add(ctx, sid, []string{fqdn, address}))
	user := must[*exotel.Credential](t)(client.Credentials.Create(ctx, sid, credential))
	set := must[[]exotel.SettingResult](t)(client.Settings.Set(ctx, sid, callerID))
	if results[0].Err != nil || results[1].Err != nil || set[0].Err != nil {
		t.Fatalf("%+v, %+v", results, set)
	}
	line := fake.Line(sid)
	if len(line.PhoneNumbers) != 1 || line.PhoneNumbers[0].PhoneNumber != number || line.PhoneNumbers[0].ID != phone.ID || line.PhoneNumbers[0].Mode != exotel.ModePSTN {
		t.Errorf("numbers %+v", line.PhoneNumbers)
	}
	if len(line.WhitelistedIPs) != 1 || line.WhitelistedIPs[0].IP != "8.8.8.0" || line.WhitelistedIPs[0].Mask != 24 || line.WhitelistedIPs[0].ID != ip.ID {
		t.Errorf("addresses %+v", line.WhitelistedIPs)
	}
	if len(line.DestinationURIs) != 2 || line.DestinationURIs[0].Destination != "sip:"+fqdn || line.DestinationURIs[1].ID != results[1].URI.ID {
		t.Errorf("destinations %+v", line.DestinationURIs)
	}
	if len(line.Credentials) != 1 || line.Credentials[0].Password != password || line.Credentials[0].UserName != "acme" || line.Credentials[0].ID != user.ID {
		t.Errorf("credentials %d", len(line.Credentials))
	}
	if !slices.Equal(line.Settings, callerID) {
		t.Errorf("settings %+v", line.Settings)
	}

	five := 5
	must[*exotel.PhoneNumber](t)(client.PhoneNumbers.UpdateMode(ctx, sid, phone.ID, exotel.MapPhoneNumberRequest{PhoneNumber: number, Mode: exotel.ModeFlow}))
	must[*exotel.WhitelistedIP](t)(client.WhitelistedIPs.Update(ctx, sid, ip.ID, exotel.WhitelistIPRequest{IP: "9.9.9.9", Mask: 32}))
	must[*exotel.DestinationURI](t)(client.DestinationURIs.Update(ctx, sid, results[0].URI.ID, exotel.UpdateDestinationRequest{Weight: &five}))
	must[*exotel.Credential](t)(client.Credentials.Update(ctx, sid, user.ID, exotel.UpdateCredentialRequest{Password: "an0ther_Password"}))
	must[*exotel.Trunk](t)(client.Trunks.Update(ctx, sid, exotel.UpdateTrunkRequest{TrunkName: "acme_2"}))
	maps := must[*exotel.TrunkMapPage](t)(client.TrunkMaps.List(ctx, exotel.TrunkMapOptions{Exophone: number}))
	line = fake.Line(sid)
	if line.PhoneNumbers[0].Mode != exotel.ModeFlow || line.WhitelistedIPs[0].IP != "9.9.9.9" || line.DestinationURIs[0].Weight != 5 ||
		line.Credentials[0].Password != "an0ther_Password" || line.Credentials[0].FriendlyName != "pbx" || fake.Trunks()[0].Name != "acme_2" {
		t.Errorf("after the changes: %+v", line)
	}
	if len(maps.TrunkMaps) != 1 || maps.TrunkMaps[0].TrunkSID != sid {
		t.Errorf("maps %+v", maps)
	}

	for _, err := range []error{
		client.PhoneNumbers.Unmap(ctx, sid, phone.ID), client.WhitelistedIPs.Remove(ctx, sid, ip.ID),
		client.DestinationURIs.Remove(ctx, sid, results[0].URI.ID), client.Credentials.Delete(ctx, sid, user.ID),
		client.Settings.Remove(ctx, sid, exotel.CallerIDAlias),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	line = fake.Line(sid)
	if len(line.PhoneNumbers)+len(line.WhitelistedIPs)+len(line.Credentials)+len(line.Settings) != 0 || len(line.DestinationURIs) != 1 {
		t.Errorf("left: %+v", line)
	}
	if err := client.Credentials.Delete(ctx, sid, user.ID); !errors.Is(err, exotel.ErrNotFound) {
		t.Errorf("deleting again: %v", err)
	}
}

// step is one call that makes something, and how often that is there.
type step struct {
	op   exoteltest.Op
	call func(ctx context.Context, c *exotel.Client, sid string) error
	made func(exoteltest.Line) int
}

var steps = []step{
	{exoteltest.MapPhoneNumber, func(ctx context.Context, c *exotel.Client, sid string) error {
		_, err := c.PhoneNumbers.Map(ctx, sid, mapping)
		return err
	}, func(l exoteltest.Line) int { return len(l.PhoneNumbers) }},
	{exoteltest.WhitelistIP, func(ctx context.Context, c *exotel.Client, sid string) error {
		_, err := c.WhitelistedIPs.Add(ctx, sid, network)
		return err
	}, func(l exoteltest.Line) int { return len(l.WhitelistedIPs) }},
	{exoteltest.AddDestinationURIs, func(ctx context.Context, c *exotel.Client, sid string) error {
		results, err := c.DestinationURIs.Add(ctx, sid, []string{fqdn})
		if err == nil {
			err = results[0].Err
		}
		return err
	}, func(l exoteltest.Line) int { return len(l.DestinationURIs) }},
	{exoteltest.CreateCredential, func(ctx context.Context, c *exotel.Client, sid string) error {
		_, err := c.Credentials.Create(ctx, sid, credential)
		return err
	}, func(l exoteltest.Line) int { return len(l.Credentials) }},
	{exoteltest.SetSettings, func(ctx context.Context, c *exotel.Client, sid string) error {
		results, err := c.Settings.Set(ctx, sid, callerID)
		if err == nil {
			err = results[0].Err
		}
		return err
	}, func(l exoteltest.Line) int { return len(l.Settings) }},
}

// Every fault of the fake, at every step: what it is called, and whether the
// thing is there afterwards, are the same as with a trunk.
func TestStepsUnderFaults(t *testing.T) {
	t.Parallel()
	for _, step := range steps {
		for name, test := range createFaults {
			t.Run(string(step.op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					fake := exoteltest.Offline(exoteltest.Options{})
					defer fake.Close()
					config := fake.Config()
					config.Timeout, config.HTTPClient = hasty, &http.Client{Transport: fake.Transport()}
					client := must[*exotel.Client](t)(exotel.New(config))
					sid := fake.Add(exotel.Trunk{Name: "acme"})
					fake.Inject(step.op, test.fault)
					err := step.call(t.Context(), client, sid)
					if (test.kind == "") != (err == nil) || err != nil && !errors.Is(err, test.kind) {
						t.Errorf("got %v, want %q", err, test.kind)
					}
					time.Sleep(2 * hasty) // the API works on
					if made := step.made(fake.Line(sid)) == 1; made != test.made {
						t.Errorf("made %v, want %v", made, test.made)
					}
					if n := fake.Count(step.op); n > 1 {
						t.Errorf("%d calls were sent", n)
					}
				})
			})
		}
	}
}

// Over a network a lost answer is the same, for every kind of call.
func TestLostAnswersOfEveryKind(t *testing.T) {
	t.Parallel()
	for _, step := range steps {
		fake := exoteltest.Start(t)
		client, sid := withTrunk(t, fake)
		fake.Inject(step.op, exoteltest.LoseAnswer)
		if err := step.call(t.Context(), client, sid); !errors.Is(err, exotel.ErrOutcomeUnknown) || step.made(fake.Line(sid)) != 1 {
			t.Errorf("%s: %v, made %d", step.op, err, step.made(fake.Line(sid)))
		}
	}
}

// What a repeated call does: the number and the address tell that they are there,
// the setting is set again, and destinations and credentials are there twice.
func TestWhatARepeatedCallDoes(t *testing.T) {
	t.Parallel()
	want := map[exoteltest.Op]struct {
		kind exotel.Kind
		made int
	}{
		exoteltest.MapPhoneNumber:     {exotel.ErrDuplicate, 1},
		exoteltest.WhitelistIP:        {exotel.ErrDuplicate, 1},
		exoteltest.AddDestinationURIs: {"", 2},
		exoteltest.CreateCredential:   {"", 2},
		exoteltest.SetSettings:        {"", 1},
	}
	for _, status := range []int{http.StatusOK, http.StatusConflict} {
		for _, step := range steps {
			fake := exoteltest.Start(t)
			fake.SetDuplicateStatus(status)
			client, sid := withTrunk(t, fake)
			if err := step.call(t.Context(), client, sid); err != nil {
				t.Fatal(err)
			}
			err := step.call(t.Context(), client, sid)
			want := want[step.op]
			if (want.kind == "") != (err == nil) || err != nil && !errors.Is(err, want.kind) || step.made(fake.Line(sid)) != want.made {
				t.Errorf("%s again: %v, made %d", step.op, err, step.made(fake.Line(sid)))
			}
		}
	}
}

func TestSecondUserOfANameIsRefusedWhereTheFakeIsToldTo(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.SetUniqueUserNames(true)
	client, sid := withTrunk(t, fake)
	must[*exotel.Credential](t)(client.Credentials.Create(t.Context(), sid, credential))
	if _, err := client.Credentials.Create(t.Context(), sid, credential); !errors.Is(err, exotel.ErrDuplicate) || len(fake.Line(sid).Credentials) != 1 {
		t.Errorf("%v, %d credentials", err, len(fake.Line(sid).Credentials))
	}
}

func TestNumberOfAnotherTrunkIsADuplicate(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client, sid := withTrunk(t, fake)
	other := fake.Add(exotel.Trunk{Name: "other"})
	must[*exotel.PhoneNumber](t)(client.PhoneNumbers.Map(t.Context(), other, mapping))
	_, err := client.PhoneNumbers.Map(t.Context(), sid, mapping)
	if !errors.Is(err, exotel.ErrDuplicate) || len(fake.Line(sid).PhoneNumbers) != 0 {
		t.Fatalf("%v, %+v", err, fake.Line(sid))
	}
	// Nothing in the refusal says where it is; trunk-maps may.
	page := must[*exotel.TrunkMapPage](t)(client.TrunkMaps.List(t.Context(), exotel.TrunkMapOptions{Exophone: number}))
	if len(page.TrunkMaps) != 1 || page.TrunkMaps[0].TrunkSID != other {
		t.Errorf("mapped to %+v", page)
	}
	// The trunk takes the mapping with it.
	must[*exotel.Trunk](t)(client.Trunks.Delete(t.Context(), other))
	must[*exotel.PhoneNumber](t)(client.PhoneNumbers.Map(t.Context(), sid, mapping))
}

func TestUnknownTrunkInBothForms(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]exotel.Kind{0: exotel.ErrNotFound, 404: exotel.ErrNotFound, 403: exotel.ErrForbidden} {
		fake := exoteltest.Start(t)
		if status != 0 {
			fake.SetUnknownTrunkStatus(status)
		}
		for _, step := range steps {
			if err := step.call(t.Context(), newClient(t, fake), "trmum1unknown"); !errors.Is(err, kind) {
				t.Errorf("%s with %d: %v", step.op, status, err)
			}
		}
	}
}

func TestDestinationsAreJudgedOneByOne(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client, sid := withTrunk(t, fake)
	wanted := []string{address, fqdn, "gone.invalid:5060", "9.9.9.9:5060"}
	must[*exotel.WhitelistedIP](t)(client.WhitelistedIPs.Add(t.Context(), sid, network))
	results := must[[]exotel.DestinationResult](t)(client.DestinationURIs.Add(t.Context(), sid, wanted))
	for i, text := range []string{"", "", "not a valid Ip or Fqdn", "not whitelisted"} {
		var failed *exotel.Error
		r := results[i]
		if r.Destination != wanted[i] || (r.Err == nil) != (text == "") || (r.URI == nil) == (r.Err == nil) {
			t.Errorf("%d: %+v", i, r)
		}
		if text != "" && (!errors.As(r.Err, &failed) || failed.Kind != exotel.ErrInvalid || failed.Code != 1002 || failed.HTTPStatus != http.StatusMultiStatus) {
			t.Errorf("%d: %v, want %q", i, r.Err, text)
		}
	}
	if calls := fake.Calls(); calls[len(calls)-1].Status != http.StatusMultiStatus || calls[len(calls)-1].TrunkSID != sid {
		t.Errorf("the last call: %+v", calls[len(calls)-1])
	}
}

// walked collects keys, and fails on an error.
func walked[T any](t *testing.T, entries iter.Seq2[T, error], key func(T) string) (keys []string) {
	t.Helper()
	for e, err := range entries {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key(e))
	}
	return keys
}

func TestAllListsWalkEveryPageNewestFirst(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client, sid := withTrunk(t, fake)
	ctx := t.Context()
	var numbers, ips, destinations, users []string
	for i := range 101 {
		numbers = append(numbers, must[*exotel.PhoneNumber](t)(client.PhoneNumbers.Map(ctx, sid, exotel.MapPhoneNumberRequest{PhoneNumber: fmt.Sprintf("+9122%08d", i)})).ID)
		ips = append(ips, must[*exotel.WhitelistedIP](t)(client.WhitelistedIPs.Add(ctx, sid, exotel.WhitelistIPRequest{IP: fmt.Sprintf("8.8.4.%d", i), Mask: 32})).ID)
		destinations = append(destinations, must[[]exotel.DestinationResult](t)(client.DestinationURIs.Add(ctx, sid, []string{fmt.Sprintf("s%d.acme.com:5060", i)}))[0].URI.ID)
		users = append(users, must[*exotel.Credential](t)(client.Credentials.Create(ctx, sid, exotel.CreateCredentialRequest{UserName: fmt.Sprintf("u%d", i), Password: password})).ID)
	}
	for op, got := range map[exoteltest.Op][2][]string{
		exoteltest.ListPhoneNumbers:    {numbers, walked(t, client.PhoneNumbers.All(ctx, sid), func(p exotel.PhoneNumber) string { return p.ID })},
		exoteltest.ListWhitelistedIPs:  {ips, walked(t, client.WhitelistedIPs.All(ctx, sid), func(w exotel.WhitelistedIP) string { return w.ID })},
		exoteltest.ListDestinationURIs: {destinations, walked(t, client.DestinationURIs.All(ctx, sid), func(d exotel.DestinationURI) string { return d.ID })},
		exoteltest.ListCredentials:     {users, walked(t, client.Credentials.All(ctx, sid), func(c exotel.Credential) string { return c.ID })},
	} {
		slices.Reverse(got[0])
		if !slices.Equal(got[0], got[1]) || fake.Count(op) != 3 {
			t.Errorf("%s: %d of %d in order, on %d pages", op, len(got[1]), len(got[0]), fake.Count(op))
		}
	}
	page := must[*exotel.CredentialPage](t)(client.Credentials.List(ctx, sid, exotel.CredentialListOptions{PageSize: 10, Offset: 20}))
	if len(page.Credentials) != 10 || page.Total != 101 || page.Next == nil || page.Next.Offset != 30 || page.Credentials[0].ID != users[20] {
		t.Errorf("a page: %d, %d in all, next %+v", len(page.Credentials), page.Total, page.Next)
	}
	one := must[*exotel.CredentialPage](t)(client.Credentials.List(ctx, sid, exotel.CredentialListOptions{ID: users[7]}))
	if len(one.Credentials) != 1 || one.Credentials[0].ID != users[7] {
		t.Errorf("one by its id: %+v", one)
	}
}

func TestLagOfOneList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := exoteltest.Offline(exoteltest.Options{})
		defer fake.Close()
		config := fake.Config()
		config.HTTPClient = &http.Client{Transport: fake.Transport()}
		client := must[*exotel.Client](t)(exotel.New(config))
		sid := fake.Add(exotel.Trunk{Name: "acme"})
		fake.SetLag(exoteltest.ListDestinationURIs, time.Minute)
		for _, step := range steps {
			if err := step.call(t.Context(), client, sid); err != nil {
				t.Fatal(err)
			}
		}
		listed := func() (destinations, numbers int) {
			d := must[*exotel.DestinationURIPage](t)(client.DestinationURIs.List(t.Context(), sid, exotel.PageOptions{}))
			n := must[*exotel.PhoneNumberPage](t)(client.PhoneNumbers.List(t.Context(), sid, exotel.PageOptions{}))
			return len(d.DestinationURIs), len(n.PhoneNumbers)
		}
		if d, n := listed(); d != 0 || n != 1 {
			t.Errorf("at once: %d destinations, %d numbers", d, n)
		}
		time.Sleep(time.Minute)
		if d, n := listed(); d != 1 || n != 1 {
			t.Errorf("a minute later: %d destinations, %d numbers", d, n)
		}
	})
}
