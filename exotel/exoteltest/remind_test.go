package exoteltest_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

func TestLineOfBeforeIsThereAgain(t *testing.T) {
	t.Parallel()
	line := exoteltest.Line{
		PhoneNumbers:   []exotel.PhoneNumber{{ID: "41600", PhoneNumber: "+912247788868", Mode: exotel.ModeFlow}},
		WhitelistedIPs: []exotel.WhitelistedIP{{ID: "1200", IP: "8.8.8.0", Mask: 24}},
		DestinationURIs: []exotel.DestinationURI{
			{ID: "2600", Destination: "sip:sip.acme.com:5061;transport=tls", Type: "public", Weight: 1},
		},
		Credentials: []exoteltest.Credential{{Credential: exotel.Credential{ID: "1300", UserName: "acme", FriendlyName: "Acme"}, Password: "ABC234"}},
		Settings:    []exotel.Setting{{Name: exotel.CallerIDAlias, Value: "+912247788868"}},
	}
	fake := exoteltest.Start(t)
	sid := fake.Add(exotel.Trunk{Name: "th_a", DomainName: exotel.DomainName(exoteltest.DefaultAccountSID), NSOCode: exotel.AnyNSO})
	fake.AddLine("trmum1nobody", line)
	fake.AddLine(sid, line)

	got := fake.Line(sid)
	line.PhoneNumbers[0].TrunkSID, line.WhitelistedIPs[0].TrunkSID, line.DestinationURIs[0].TrunkSID, line.Credentials[0].TrunkSID = sid, sid, sid, sid
	if !reflect.DeepEqual(got, line) {
		t.Errorf("got  %+v\nwant %+v", got, line)
	}

	// What is made now is told apart from what was there, which is taken for what it is.
	client, err := exotel.New(fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PhoneNumbers.Map(t.Context(), sid, exotel.MapPhoneNumberRequest{PhoneNumber: "+912247788868"}); !errors.Is(err, exotel.ErrDuplicate) {
		t.Errorf("the number once more: %v", err)
	}
	number, err := client.PhoneNumbers.Map(t.Context(), sid, exotel.MapPhoneNumberRequest{PhoneNumber: "+912247788869"})
	if err != nil || number.ID != "41601" {
		t.Errorf("another number: %+v, %v", number, err)
	}
	fake.AddLine(sid, exoteltest.Line{PhoneNumbers: []exotel.PhoneNumber{{PhoneNumber: "+912247788870"}}})
	if all := fake.Line(sid).PhoneNumbers; len(all) != 3 || all[2].ID != "41602" {
		t.Errorf("one without an id: %+v", all)
	}
}
