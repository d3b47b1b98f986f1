package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// remind gives a fake the trunks that the table knows and what they have (it forgets
// when it stops, the table doesn't), and returns how many signups are active.
func (v vendor) remind(ctx context.Context, table *embedded.Ledger, passwords provision.Passwords) (active int, err error) {
	err = table.Each(func(r provision.Record) error {
		if r.Status == provision.StatusActive {
			active++
		}
		if !v.isFake || r.TrunkSID == "" || r.Status == provision.StatusDeleting || r.Status == provision.StatusDeleted {
			return nil
		}
		line, err := lineOf(ctx, r, passwords)
		if err != nil {
			return err
		}
		v.fake.Add(exotel.Trunk{SID: r.TrunkSID, Name: r.TrunkName, DomainName: r.DomainName, NSOCode: exotel.AnyNSO})
		v.fake.AddLine(r.TrunkSID, line)
		return nil
	})
	return active, err
}

// lineOf is what the record's trunk has. What was sent and not recorded is
// forgotten, and will be sent again, as if it had been lost on its way.
func lineOf(ctx context.Context, r provision.Record, passwords provision.Passwords) (line exoteltest.Line, err error) {
	for _, step := range r.LineSteps() {
		if step.Status != provision.StepDone {
			continue
		}
		switch step.Kind {
		case provision.KindPhoneNumber:
			line.PhoneNumbers = append(line.PhoneNumbers, exotel.PhoneNumber{ID: step.ID, PhoneNumber: step.Value, Mode: exotel.Mode(step.Option)})
		case provision.KindWhitelistedIP:
			line.WhitelistedIPs = append(line.WhitelistedIPs, whitelistedIP(step))
		case provision.KindDestinationURI:
			line.DestinationURIs = append(line.DestinationURIs, exotel.DestinationURI{ID: step.ID, Destination: "sip:" + step.Value, Weight: 1})
		case provision.KindCredential:
			kept, _, err := passwords.Keep(ctx, r.TrunkName, step.Value, rand.Text())
			if err != nil {
				return line, fmt.Errorf("the password of %s: %w", step.Value, err)
			}
			line.Credentials = append(line.Credentials, exoteltest.Credential{
				Credential: exotel.Credential{ID: step.ID, UserName: step.Value, FriendlyName: step.Option}, Password: kept,
			})
		case provision.KindCallerID:
			line.Settings = append(line.Settings, exotel.Setting{Name: exotel.CallerIDAlias, Value: step.Value})
		}
	}
	return line, nil
}

// whitelistedIP: the step's value is an address, or a prefix.
func whitelistedIP(step provision.LineStep) exotel.WhitelistedIP {
	prefix, err := netip.ParsePrefix(step.Value)
	if err != nil {
		return exotel.WhitelistedIP{ID: step.ID, IP: step.Value, Mask: 32}
	}
	return exotel.WhitelistedIP{ID: step.ID, IP: prefix.Addr().String(), Mask: prefix.Bits()}
}
