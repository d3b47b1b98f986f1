package exotel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

const (
	aTrunk      = "trmum1f708622631150902801a1n"
	aNumber     = "+919876543210"
	someAddress = "44.248.146.11"
)

var (
	five           = 5
	aMapping       = MapPhoneNumberRequest{PhoneNumber: aNumber, Mode: ModeFlow}
	anAddress      = WhitelistIPRequest{IP: someAddress, Mask: 32}
	destinations   = []string{someAddress + ":5061;transport=tls"}
	aCredential    = CreateCredentialRequest{UserName: "voice_ai_user", Password: "s3cret_Password_24_chars", FriendlyName: "voice_ai_platform"}
	newPassword    = UpdateCredentialRequest{Password: "an0ther_Password"}
	aCallerID      = []Setting{{Name: CallerIDAlias, Value: aNumber}}
	anotherWeight  = UpdateDestinationRequest{Weight: &five}
	anotherName    = UpdateTrunkRequest{TrunkName: "renamed"}
	theTrunkOfThis = TrunkMapOptions{Exophone: aNumber, TrunkSID: aTrunk}
)

// operation is one call of the client, with ids that a test chooses.
type operation struct {
	sends string // method, path below the account, and body
	call  func(ctx context.Context, c *Client, trunkSID, id string) (any, error)
}

// operations are all that the client can do, by their names.
var operations = map[string]operation{
	"create trunk": {`POST /trunks {"trunk_name":"outbound_trunk","nso_code":"ANY-ANY","domain_name":"exoteltest.pstn.exotel.com"}`, func(ctx context.Context, c *Client, _, _ string) (any, error) {
		return c.Trunks.Create(ctx, goodRequest)
	}},
	"list trunks": {`GET /trunks?offset=50&page_size=10`, func(ctx context.Context, c *Client, _, _ string) (any, error) {
		return c.Trunks.List(ctx, ListOptions{PageSize: 10, Offset: 50})
	}},
	"update trunk": {`PUT /trunks/TRUNK {"trunk_name":"renamed"}`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.Trunks.Update(ctx, trunk, anotherName)
	}},
	"delete trunk": {`DELETE /trunks?trunk_sid=TRUNK`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.Trunks.Delete(ctx, trunk)
	}},
	"map phone number": {`POST /trunks/TRUNK/phone-numbers {"phone_number":"+919876543210","mode":"flow"}`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.PhoneNumbers.Map(ctx, trunk, aMapping)
	}},
	"list phone numbers": {`GET /trunks/TRUNK/phone-numbers?offset=50`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.PhoneNumbers.List(ctx, trunk, PageOptions{Offset: 50})
	}},
	"update phone number": {`PUT /trunks/TRUNK/phone-numbers/41523 {"phone_number":"+919876543210","mode":"flow"}`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return c.PhoneNumbers.UpdateMode(ctx, trunk, id, aMapping)
	}},
	"unmap phone number": {`DELETE /trunks/TRUNK/phone-numbers?id=41523`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return nil, c.PhoneNumbers.Unmap(ctx, trunk, id)
	}},
	"whitelist ip": {`POST /trunks/TRUNK/whitelisted-ips {"ip":"44.248.146.11","mask":32}`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.WhitelistedIPs.Add(ctx, trunk, anAddress)
	}},
	"list whitelisted ips": {`GET /trunks/TRUNK/whitelisted-ips`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.WhitelistedIPs.List(ctx, trunk, PageOptions{})
	}},
	"update whitelisted ip": {`PUT /trunks/TRUNK/whitelisted-ips/41523 {"ip":"44.248.146.11","mask":32}`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return c.WhitelistedIPs.Update(ctx, trunk, id, anAddress)
	}},
	"remove whitelisted ip": {`DELETE /trunks/TRUNK/whitelisted-ips?id=41523`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return nil, c.WhitelistedIPs.Remove(ctx, trunk, id)
	}},
	"add destination uris": {`POST /trunks/TRUNK/destination-uris {"destinations":[{"destination":"44.248.146.11:5061;transport=tls"}]}`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.DestinationURIs.Add(ctx, trunk, destinations)
	}},
	"list destination uris": {`GET /trunks/TRUNK/destination-uris`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.DestinationURIs.List(ctx, trunk, PageOptions{})
	}},
	"update destination uri": {`PUT /trunks/TRUNK/destination-uris/41523 {"weight":5}`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return c.DestinationURIs.Update(ctx, trunk, id, anotherWeight)
	}},
	"remove destination uri": {`DELETE /trunks/TRUNK/destination-uris?id=41523`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return nil, c.DestinationURIs.Remove(ctx, trunk, id)
	}},
	"create credential": {`POST /trunks/TRUNK/credentials {"user_name":"voice_ai_user","password":"s3cret_Password_24_chars","friendly_name":"voice_ai_platform"}`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.Credentials.Create(ctx, trunk, aCredential)
	}},
	"list credentials": {`GET /trunks/TRUNK/credentials?id=41523&page_size=10`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return c.Credentials.List(ctx, trunk, CredentialListOptions{PageSize: 10, ID: id})
	}},
	"update credential": {`PUT /trunks/TRUNK/credentials/41523 {"password":"an0ther_Password"}`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return c.Credentials.Update(ctx, trunk, id, newPassword)
	}},
	"delete credential": {`DELETE /trunks/TRUNK/credentials?id=41523`, func(ctx context.Context, c *Client, trunk, id string) (any, error) {
		return nil, c.Credentials.Delete(ctx, trunk, id)
	}},
	"set settings": {`POST /trunks/TRUNK/settings {"settings":[{"name":"trunk_external_alias","value":"+919876543210"}]}`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.Settings.Set(ctx, trunk, aCallerID)
	}},
	"list settings": {`GET /trunks/TRUNK/settings`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		return c.Settings.List(ctx, trunk, PageOptions{})
	}},
	"remove setting": {`DELETE /trunks/TRUNK/settings?name=41523`, func(ctx context.Context, c *Client, trunk, name string) (any, error) {
		return nil, c.Settings.Remove(ctx, trunk, name)
	}},
	"list trunk maps": {`GET /trunk-maps?exophone=%2B919876543210&trunk_sid=TRUNK`, func(ctx context.Context, c *Client, trunk, _ string) (any, error) {
		o := theTrunkOfThis
		o.TrunkSID = trunk
		return c.TrunkMaps.List(ctx, o)
	}},
}

func (o operation) method() string { return strings.Fields(o.sends)[0] }

// gave tells what came of a call: a value is a pointer or a slice.
func gave(value any) bool {
	v := reflect.ValueOf(value)
	return v.IsValid() && !v.IsNil()
}

func TestEveryRequestIsAsDocumented(t *testing.T) {
	t.Parallel()
	for name, o := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, tr := scripted(t, `{"http_code":404,"response":{"code":404,"status":"failure"}}`)
			var calls []Call
			ctx := WithHooks(t.Context(), Hooks{After: func(c Call) { calls = append(calls, c) }})
			_, err := o.call(ctx, client, aTrunk, "41523")
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != ErrNotFound || failed.Op != name || len(calls) != 1 || calls[0].Op != name {
				t.Fatalf("got %v, calls %+v; want one %q that finds nothing", err, calls, name)
			}
			r := tr.sent[0]
			sent := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/v2/accounts/exoteltest")
			if r.Body != nil {
				body, err := io.ReadAll(r.Body)
				if err != nil || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("body of type %q, %v", r.Header.Get("Content-Type"), err)
				}
				sent += " " + string(body)
			}
			if want := strings.ReplaceAll(o.sends, "TRUNK", aTrunk); sent != want {
				t.Errorf("sent %s\nwant %s", sent, want)
			}
		})
	}
}

// An id stands in a path or says what is deleted: one that leads elsewhere, or to
// nothing, must not be sent.
func TestIdsThatLeadElsewhereAreNotSent(t *testing.T) {
	t.Parallel()
	bad := []string{"", ".", "..", "../credentials", "a/b", "a?b", "a b", "a%2fb", "a\n", "ä", strings.Repeat("a", 129)}
	for name, o := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := scripted(t)
			for _, id := range bad {
				if strings.Contains(o.sends, "/TRUNK") || strings.Contains(o.sends, "DELETE") {
					if _, err := o.call(t.Context(), client, id, "41523"); !errors.Is(err, ErrInvalid) {
						t.Errorf("trunk_sid %q: %v", id, err)
					}
				}
				if strings.Contains(o.sends, "/41523") || strings.Contains(o.sends, "DELETE /trunks/") {
					if _, err := o.call(t.Context(), client, aTrunk, id); !errors.Is(err, ErrInvalid) {
						t.Errorf("id %q: %v", id, err)
					}
				}
			}
		})
	}
}

// A POST, PUT or DELETE that may have been processed is the caller's to repeat.
func TestOnlyReadingIsRepeatedAfterALostAnswer(t *testing.T) {
	t.Parallel()
	for name, o := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			ctx := WithHooks(t.Context(), Hooks{After: func(Call) { calls++ }})
			_, err := o.call(ctx, leaking(t, 502, nil, "<html>"), aTrunk, "41523")
			want := 1
			if o.method() == http.MethodGet {
				want = maxTries
			}
			if !errors.Is(err, ErrOutcomeUnknown) || calls != want {
				t.Errorf("got %v after %d calls, want %d", err, calls, want)
			}
		})
	}
}

// What is surely not sent is sent again, whatever it is.
func TestWhatWasNotSentIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, o := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, tr := scripted(t, refused, `{"http_code":404,"response":{"code":404}}`)
			if _, err := o.call(t.Context(), client, aTrunk, "41523"); !errors.Is(err, ErrNotFound) || len(tr.sent) != 2 {
				t.Errorf("got %v after %d calls", err, len(tr.sent))
			}
		})
	}
}

// Whatever comes, a call gives a value or an error of a kind, and a server error
// is never taken for a refusal. With a value there is what it is known by.
func TestEveryOperationGivesAValueOrAnError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(drawing *rapid.T) {
		d := draw(drawing)
		body := string(d.body(drawing))
		var faults []string
		synctest.Test(t, func(t *testing.T) { // the pauses between tries take no time
			for name, o := range operations {
				value, err := o.call(t.Context(), leaking(t, d.status, nil, body), aTrunk, "41523")
				if fault := o.fault(name, value, err, d); fault != "" {
					faults = append(faults, fmt.Sprintf("%s: %s: %+v and %v", name, fault, value, err))
				}
			}
		})
		if len(faults) > 0 {
			drawing.Fatalf("of %d %s came %s", d.status, body, strings.Join(faults, "\n"))
		}
	})
}

// fault is what is wrong with what a call gave.
func (o operation) fault(name string, value any, err error, d drawn) string {
	var failed *Error
	deletes := o.method() == http.MethodDelete && name != "delete trunk"
	switch {
	case !deletes && gave(value) == (err != nil), deletes && value != nil:
		return "neither a value nor an error, or both"
	case err != nil && (!errors.As(err, &failed) || !errors.Is(err, failed.Kind) || failed.Op != name):
		return "an error without a kind"
	case d.serverError() && (err == nil || failed.Kind != ErrOutcomeUnknown && failed.Kind != ErrDuplicate):
		return "a server error was taken for something else"
	}
	return ""
}

// walked collects what an iterator gives, and the error at its end.
func walked[T any](entries iter.Seq2[T, error]) (all []T, last error) {
	for e, err := range entries {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}
