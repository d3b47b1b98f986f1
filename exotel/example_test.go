package exotel_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// Make a trunk, and find out that it is there already.
func ExampleTrunksService_Create() {
	fake, err := exoteltest.New(exoteltest.Options{AccountSID: "acme1"})
	if err != nil {
		log.Fatal(err)
	}
	defer fake.Close()

	client, err := exotel.New(fake.Config()) // or Config{APIKey: ..., Subdomain: exotel.Mumbai}
	if err != nil {
		log.Fatal(err)
	}
	request := exotel.CreateTrunkRequest{
		TrunkName:  "acme_42",
		NSOCode:    exotel.AnyNSO,
		DomainName: exotel.DomainName("acme1"),
	}
	trunk, err := client.Trunks.Create(context.Background(), request)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(trunk.Name, trunk.DomainName)

	_, err = client.Trunks.Create(context.Background(), request)
	fmt.Println(errors.Is(err, exotel.ErrDuplicate))
	// Output:
	// acme_42 acme1.pstn.exotel.com
	// true
}

// After an answer was lost, find the trunk by the name that it was given.
func ExampleTrunksService_All() {
	fake, err := exoteltest.New(exoteltest.Options{AccountSID: "acme1"})
	if err != nil {
		log.Fatal(err)
	}
	defer fake.Close()
	fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)

	client, err := exotel.New(fake.Config())
	if err != nil {
		log.Fatal(err)
	}
	request := exotel.CreateTrunkRequest{TrunkName: "acme_42", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("acme1")}
	_, err = client.Trunks.Create(context.Background(), request)
	fmt.Println(errors.Is(err, exotel.ErrOutcomeUnknown))

	_, err = client.Trunks.Create(context.Background(), request)
	if errors.Is(err, exotel.ErrDuplicate) {
		for trunk, err := range client.Trunks.All(context.Background(), exotel.ListOptions{}) {
			if err != nil {
				log.Fatal(err)
			}
			if trunk.Name == request.TrunkName {
				fmt.Println("found", trunk.Name)
				break
			}
		}
	}
	// Output:
	// true
	// found acme_42
}

// Make a whole line: trunk, number, whitelist, destinations, user, caller id.
func Example() {
	fake, err := exoteltest.New(exoteltest.Options{AccountSID: "acme1"})
	if err != nil {
		log.Fatal(err)
	}
	defer fake.Close()
	client, err := exotel.New(fake.Config()) // or Config{APIKey: ..., Subdomain: exotel.Mumbai}
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	trunk, err := client.Trunks.Create(ctx, exotel.CreateTrunkRequest{
		TrunkName: "acme_42", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("acme1"),
	})
	if err != nil {
		log.Fatal(err)
	}
	number, err := client.PhoneNumbers.Map(ctx, trunk.SID, exotel.MapPhoneNumberRequest{PhoneNumber: "+912247788868", Mode: exotel.ModePSTN})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("number", number.PhoneNumber, number.Mode)

	ip, err := client.WhitelistedIPs.Add(ctx, trunk.SID, exotel.WhitelistPrefix(netip.MustParsePrefix("8.8.8.0/24")))
	if err != nil {
		log.Fatal(err)
	}
	prefix, _ := ip.Prefix()
	fmt.Println("calls from", prefix)

	results, err := client.DestinationURIs.Add(ctx, trunk.SID, []string{"sip.acme.com:5061;transport=tls", "9.9.9.9:5060"})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		var refused *exotel.Error
		if errors.As(r.Err, &refused) {
			fmt.Println("no calls to", r.Destination, "-", refused.Message)
			continue
		}
		fmt.Println("calls to", r.URI.Destination)
	}

	user, err := client.Credentials.Create(ctx, trunk.SID, exotel.CreateCredentialRequest{UserName: "acme", Password: "a_l0ng_and_secret_one"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("user", user.UserName)

	settings, err := client.Settings.Set(ctx, trunk.SID, []exotel.Setting{{Name: exotel.CallerIDAlias, Value: "+912247788868"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("caller id", settings[0].Value, settings[0].Err)
	// Output:
	// number +912247788868 pstn
	// calls from 8.8.8.0/24
	// calls to sip:sip.acme.com:5061;transport=tls
	// no calls to 9.9.9.9:5060 - Invalid parameter: Destination not whitelisted
	// user acme
	// caller id +912247788868 <nil>
}

// A number whose answer was lost: the same call again tells that it is mapped,
// and the list tells to which trunk.
func ExamplePhoneNumbersService_Map() {
	fake, client, trunkSID := line()
	defer fake.Close()
	fake.Inject(exoteltest.MapPhoneNumber, exoteltest.LoseAnswer)
	ctx, request := context.Background(), exotel.MapPhoneNumberRequest{PhoneNumber: "+912247788868"}

	_, err := client.PhoneNumbers.Map(ctx, trunkSID, request)
	if errors.Is(err, exotel.ErrOutcomeUnknown) {
		_, err = client.PhoneNumbers.Map(ctx, trunkSID, request)
	}
	if errors.Is(err, exotel.ErrDuplicate) {
		for number, err := range client.PhoneNumbers.All(ctx, trunkSID) {
			if err != nil {
				log.Fatal(err)
			}
			if exotel.SamePhoneNumber(number.PhoneNumber, request.PhoneNumber) {
				fmt.Println("mapped to this trunk, as", number.ID)
			}
		}
	}
	// Output:
	// mapped to this trunk, as 41512
}

// An address whose answer was lost: the same call again tells that it is there,
// and the list with which mask.
func ExampleWhitelistedIPsService_Add() {
	fake, client, trunkSID := line()
	defer fake.Close()
	fake.Inject(exoteltest.WhitelistIP, exoteltest.LoseAnswer)
	ctx, wanted := context.Background(), netip.MustParsePrefix("8.8.8.0/24")

	_, err := client.WhitelistedIPs.Add(ctx, trunkSID, exotel.WhitelistPrefix(wanted))
	if errors.Is(err, exotel.ErrOutcomeUnknown) {
		_, err = client.WhitelistedIPs.Add(ctx, trunkSID, exotel.WhitelistPrefix(wanted))
	}
	if errors.Is(err, exotel.ErrDuplicate) {
		for ip, err := range client.WhitelistedIPs.All(ctx, trunkSID) {
			if err != nil {
				log.Fatal(err)
			}
			if prefix, ok := ip.Prefix(); ok && prefix == wanted {
				fmt.Println("there is", prefix)
			}
		}
	}
	// Output:
	// there is 8.8.8.0/24
}

// Destinations whose answer was lost: look first, since the same call again
// would add them a second time.
func ExampleDestinationURIsService_Add() {
	fake, client, trunkSID := line()
	defer fake.Close()
	fake.Inject(exoteltest.AddDestinationURIs, exoteltest.LoseAnswer)
	ctx, wanted := context.Background(), "sip.acme.com:5061;transport=tls"

	_, err := client.DestinationURIs.Add(ctx, trunkSID, []string{wanted})
	if errors.Is(err, exotel.ErrOutcomeUnknown) {
		// Once the call can't be under way any more:
		for uri, err := range client.DestinationURIs.All(ctx, trunkSID) {
			if err != nil {
				log.Fatal(err)
			}
			if exotel.SameDestination(uri.Destination, wanted) {
				fmt.Println("there is", uri.Destination)
			}
		}
	}
	// Output:
	// there is sip:sip.acme.com:5061;transport=tls
}

// A user whose answer was lost: look first, and give the one that is there the
// password that you know.
func ExampleCredentialsService_Create() {
	fake, client, trunkSID := line()
	defer fake.Close()
	fake.Inject(exoteltest.CreateCredential, exoteltest.LoseAnswer)
	ctx, wanted := context.Background(), exotel.CreateCredentialRequest{UserName: "acme", Password: "a_l0ng_and_secret_one"}

	_, err := client.Credentials.Create(ctx, trunkSID, wanted)
	if errors.Is(err, exotel.ErrOutcomeUnknown) {
		// Once the call can't be under way any more:
		for user, err := range client.Credentials.All(ctx, trunkSID) {
			if err != nil {
				log.Fatal(err)
			}
			if user.UserName != wanted.UserName {
				continue
			}
			if _, err := client.Credentials.Update(ctx, trunkSID, user.ID, exotel.UpdateCredentialRequest{Password: wanted.Password}); err != nil {
				log.Fatal(err)
			}
			fmt.Println("there is", user.UserName)
		}
	}
	fmt.Println(wanted) // never the password
	// Output:
	// there is acme
	// user_name "acme", friendly_name ""
}

// A setting whose answer was lost is set again.
func ExampleSettingsService_Set() {
	fake, client, trunkSID := line()
	defer fake.Close()
	fake.Inject(exoteltest.SetSettings, exoteltest.LoseAnswer)
	ctx, wanted := context.Background(), []exotel.Setting{{Name: exotel.CallerIDAlias, Value: "+912247788868"}}

	results, err := client.Settings.Set(ctx, trunkSID, wanted)
	if errors.Is(err, exotel.ErrOutcomeUnknown) {
		results, err = client.Settings.Set(ctx, trunkSID, wanted)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results[0].Name, results[0].Value)
	// Output:
	// trunk_external_alias +912247788868
}

// line is a fake with one trunk that has nothing yet, and a client of it.
func line() (*exoteltest.Server, *exotel.Client, string) {
	fake, err := exoteltest.New(exoteltest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	client, err := exotel.New(fake.Config())
	if err != nil {
		log.Fatal(err)
	}
	return fake, client, fake.Add(exotel.Trunk{Name: "acme_42"})
}
