package exotel_test

import (
	"context"
	"errors"
	"fmt"
	"log"

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
