package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
)

func (w *lineWork) phoneNumbers(ctx context.Context, open []LineStep) error {
	numbers, trunkSID := w.account.PhoneNumbers, w.record.TrunkSID
	request := func(step LineStep) exotel.MapPhoneNumberRequest {
		return exotel.MapPhoneNumberRequest{PhoneNumber: step.Value, Mode: exotel.Mode(step.Option)}
	}
	return w.unique(ctx, open, uniqueKind{
		lookup: lookup{
			list: func(ctx context.Context) iter.Seq2[listed, error] {
				return listing(numbers.All(ctx, trunkSID), func(n exotel.PhoneNumber) listed {
					return listed{"+" + strings.TrimPrefix(n.PhoneNumber, "+"), n.ID, string(n.Mode.OrDefault())}
				})
			},
			change: func(ctx context.Context, step *LineStep, there listed) error {
				if there.option == step.Option {
					return nil
				}
				_, err := numbers.UpdateMode(ctx, trunkSID, there.id, request(*step))
				return err
			},
		},
		add: func(ctx context.Context, step LineStep) (string, error) {
			number, err := numbers.Map(ctx, trunkSID, request(step))
			if err != nil {
				return "", err
			}
			return number.ID, nil
		},
		hidden: "Exotel says that it is mapped already, and this trunk's list doesn't show it: another trunk may have it",
	})
}

func (w *lineWork) whitelistedIPs(ctx context.Context, open []LineStep) error {
	ips, trunkSID := w.account.WhitelistedIPs, w.record.TrunkSID
	return w.unique(ctx, open, uniqueKind{
		lookup: lookup{list: func(ctx context.Context) iter.Seq2[listed, error] {
			return listing(ips.All(ctx, trunkSID), func(ip exotel.WhitelistedIP) listed {
				prefix, _ := ip.Prefix()
				return listed{value: prefixText(prefix), id: ip.ID}
			})
		}},
		add: func(ctx context.Context, step LineStep) (string, error) {
			prefix, _ := parsePrefix(step.Value)
			ip, err := ips.Add(ctx, trunkSID, exotel.WhitelistPrefix(prefix))
			if err != nil {
				return "", err
			}
			return ip.ID, nil
		},
		hidden: "Exotel says that it is whitelisted already, and the trunk's list doesn't show it: it may be there with another mask",
	})
}

func (w *lineWork) destinationURIs(ctx context.Context, open []LineStep) error {
	destinations, trunkSID := w.account.DestinationURIs, w.record.TrunkSID
	return w.doubling(ctx, open, doublingKind{
		together: true,
		lookup: lookup{list: func(ctx context.Context) iter.Seq2[listed, error] {
			return listing(destinations.All(ctx, trunkSID), func(d exotel.DestinationURI) listed {
				return listed{value: exotel.NormalDestination(d.Destination), id: d.ID}
			})
		}},
		add: func(ctx context.Context, steps []LineStep) ([]outcome, error) {
			values := make([]string, len(steps))
			for i, step := range steps {
				values[i] = step.Value
			}
			results, err := destinations.Add(ctx, trunkSID, values)
			outcomes := make([]outcome, len(results))
			for i, result := range results {
				if outcomes[i].err = result.Err; result.URI != nil {
					outcomes[i].id = result.URI.ID
				}
			}
			return outcomes, err
		},
	})
}

// credentials keeps each password before anything is sent, so that a lost answer
// loses none. A credential that is there gets it as well: whoever made it, this
// password is the one that the customer gets.
func (w *lineWork) credentials(ctx context.Context, open []LineStep) error {
	credentials, trunkSID := w.account.Credentials, w.record.TrunkSID
	passwords := make(map[string]string)
	keep := func(ctx context.Context, step *LineStep) (err error) {
		passwords[step.Value], step.PasswordAt, err = w.password(ctx, step.Value)
		return err
	}
	return w.doubling(ctx, open, doublingKind{
		prepare: keep,
		lookup: lookup{
			list: func(ctx context.Context) iter.Seq2[listed, error] {
				return listing(credentials.All(ctx, trunkSID), func(c exotel.Credential) listed { return listed{value: c.UserName, id: c.ID} })
			},
			change: func(ctx context.Context, step *LineStep, there listed) error {
				if err := keep(ctx, step); err != nil {
					return err
				}
				_, err := credentials.Update(ctx, trunkSID, there.id, exotel.UpdateCredentialRequest{
					UserName: step.Value, Password: passwords[step.Value], FriendlyName: step.Option,
				})
				return err
			},
		},
		add: func(ctx context.Context, steps []LineStep) ([]outcome, error) {
			step := steps[0]
			created, err := credentials.Create(ctx, trunkSID, exotel.CreateCredentialRequest{
				UserName: step.Value, Password: passwords[step.Value], FriendlyName: step.Option,
			})
			if err != nil {
				return nil, err
			}
			return []outcome{{id: created.ID}}, nil
		},
	})
}

// password is the one that is kept of a user, or a new one that is kept from now on:
// 26 of [A-Z2-7], 130 bits.
func (w *lineWork) password(ctx context.Context, userName string) (password, at string, err error) {
	done := w.try.begin(StepPassword)
	password, at, err = w.try.engine.Passwords.Keep(ctx, w.record.TrunkName, userName, rand.Text())
	done(err)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errNoPassword, err)
	}
	return password, at, nil
}

// callerID is a setting of the trunk: setting it twice is setting it once.
func (w *lineWork) callerID(ctx context.Context, open []LineStep) error {
	for _, step := range open {
		if !w.timeToSend() {
			return errNoTurn
		}
		results, err := w.account.Settings.Set(ctx, w.record.TrunkSID, []exotel.Setting{{Name: exotel.CallerIDAlias, Value: step.Value}})
		if err == nil && len(results) == 1 {
			err = results[0].Err
		}
		if err = w.settle(ctx, step, "", err); err != nil {
			return err
		}
	}
	return nil
}
