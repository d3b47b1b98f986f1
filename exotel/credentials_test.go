package exotel

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/canary"
)

const leakPassword = "Zq7_vX2mK9pL4wT8nR5c"

var passwords = canary.For(map[string]string{"password": leakPassword})

// echoed are what an API, or a proxy in front of it, can make of the body of a request.
func echoed() map[string]string {
	body := `{"user_name":"voice_ai_user","password":"` + leakPassword + `"}`
	return map[string]string{
		"plain":            leakPassword,
		"in a sentence":    "the password " + leakPassword + " is taken",
		"the request":      body,
		"request, cut off": body[:50],
		"as Go quotes it":  fmt.Sprintf("%q", body),
		"password alone":   "\"" + leakPassword,
	}
}

// Wherever the answer repeats it, the password is in no error, no call and no credential.
func TestPasswordComesBackNowhere(t *testing.T) {
	t.Parallel()
	create, update := CreateCredentialRequest{UserName: "voice_ai_user", Password: leakPassword}, UpdateCredentialRequest{Password: leakPassword}
	for name, echo := range echoed() {
		text := quote(echo)
		for place, answer := range map[string]answering{
			"message":       {400, nil, `{"request_id":"1","http_code":400,"response":{"code":400,"error_data":{"code":1002,"message":` + text + `,"description":` + text + `}}}`},
			"request id":    {200, nil, `{"request_id":` + text + `,"http_code":200,"response":null}`},
			"credential":    {200, nil, `{"request_id":` + text + `,"http_code":200,"response":{"code":200,"data":{"id":"1","password":` + text + `,"Sip_Password":` + text + `,"note":` + text + `,"nested":[{` + text + `:` + text + `,"secret":"x"}]}}}`},
			"friendly name": {200, nil, `{"http_code":200,"response":{"code":200,"data":{"id":"1","friendly_name":` + text + `}}}`},
			"user name":     {200, nil, `{"http_code":200,"response":{"code":200,"data":{"id":"1","user_name":` + text + `}}}`},
			"page":          {502, nil, "<html>" + echo + "</html>"},
			"location":      {302, http.Header{"Location": {"https://other.example/%zz" + echo}}, ""},
		} {
			var calls []Call
			ctx := WithHooks(t.Context(), Hooks{After: func(c Call) { calls = append(calls, c) }})
			client := leaking(t, answer.status, answer.header, answer.body)
			made, createErr := client.Credentials.Create(ctx, aTrunk, create)
			changed, updateErr := client.Credentials.Update(ctx, aTrunk, "1", update)
			if found := passwords.In(fmt.Sprintf("%+v %+v %v %v %+v", made, changed, createErr, updateErr, calls)); len(found) > 0 {
				t.Errorf("%s in %s: %v", name, place, found)
			}
			for _, c := range []*Credential{made, changed} {
				if c == nil {
					continue
				}
				raw, err := json.Marshal(c)
				if found := passwords.In(string(raw) + string(c.Raw)); len(found) > 0 || err != nil {
					t.Errorf("%s in %s: the credential holds %v (%v): %s", name, place, found, err, c.Raw)
				}
			}
			for _, call := range calls {
				if call.Err != nil && len(passwords.In(call.Err.Error())) > 0 {
					t.Errorf("%s in %s: the call says %v", name, place, call.Err)
				}
			}
			if (made == nil) == (createErr == nil) || (changed == nil) == (updateErr == nil) {
				t.Errorf("%s in %s: neither a value nor an error", name, place)
			}
		}
	}
}

// A list is asked for without knowing the password: a field of that name must go
// all the same.
func TestPasswordInAListIsInNoRaw(t *testing.T) {
	t.Parallel()
	body := `{"http_code":200,"response":[{"code":200,"data":{"id":"1","user_name":"u","password":"` + leakPassword + `","sip":{"PASSWORD":"` + leakPassword + `","realm":"r"}}}]}`
	page, err := leaking(t, 200, nil, body).Credentials.List(t.Context(), aTrunk, CredentialListOptions{})
	if err != nil || len(page.Credentials) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	raw := string(page.Credentials[0].Raw)
	if len(passwords.In(raw)) > 0 || !strings.Contains(raw, `"realm":"r"`) {
		t.Errorf("Raw is %s", raw)
	}
}

func TestRequestsPrintWithoutThePassword(t *testing.T) {
	t.Parallel()
	create := CreateCredentialRequest{UserName: "voice_ai_user", Password: leakPassword, FriendlyName: "x"}
	update := UpdateCredentialRequest(create)
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "create", create, "update", update)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "create", create, "pointer", &update)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		fmt.Fprintf(&out, format+format+format, create, update, &create)
	}
	if found := passwords.In(out.String()); len(found) > 0 || !strings.Contains(out.String(), "voice_ai_user") {
		t.Errorf("%v in %s", found, out.String())
	}
	// It is sent all the same.
	if sent, err := json.Marshal(create); err != nil || len(passwords.In(string(sent))) == 0 {
		t.Errorf("sent %s, %v", sent, err)
	}
}

func TestBadCredentialsAreNamedButNotRepeated(t *testing.T) {
	t.Parallel()
	good := CreateCredentialRequest{UserName: "voice_ai.user-1", Password: leakPassword, FriendlyName: "elevenlabs_prod"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, broken := range map[string]func(*CreateCredentialRequest){
		"user_name is empty":         func(r *CreateCredentialRequest) { r.UserName = "" },
		"user_name must":             func(r *CreateCredentialRequest) { r.UserName = "a b" },
		"user_name must be 1 to 64":  func(r *CreateCredentialRequest) { r.UserName = strings.Repeat("a", 65) },
		"password is empty":          func(r *CreateCredentialRequest) { r.Password = "" },
		"password must":              func(r *CreateCredentialRequest) { r.Password = leakPassword + "-" },
		"password must be 8":         func(r *CreateCredentialRequest) { r.Password = "short_7" },
		"password must be 8 to 128":  func(r *CreateCredentialRequest) { r.Password = strings.Repeat(leakPassword, 7) },
		"password stands":            func(r *CreateCredentialRequest) { r.FriendlyName = "x" + leakPassword },
		"password stands in":         func(r *CreateCredentialRequest) { r.UserName = leakPassword },
		"friendly_name must":         func(r *CreateCredentialRequest) { r.FriendlyName = "elevenlabs-prod" },
		"friendly_name must be up t": func(r *CreateCredentialRequest) { r.FriendlyName = strings.Repeat("a", 33) },
	} {
		r := good
		broken(&r)
		client, _ := scripted(t)
		_, err := client.Credentials.Create(t.Context(), aTrunk, r)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		} else if len(passwords.In(err.Error())) > 0 || strings.Contains(err.Error(), "short_7") {
			t.Errorf("%s: the error repeats it: %v", field, err)
		}
	}
}

// The client of another account, or of the same without a password in its
// request, must not take out what only looks like one.
func TestRedactionOfOneRequestEndsWithIt(t *testing.T) {
	t.Parallel()
	client := leaking(t, 200, nil, `{"http_code":200,"response":{"code":200,"data":{"id":"1","note":"`+leakPassword+`"}}}`)
	if _, err := client.Credentials.Update(t.Context(), aTrunk, "1", UpdateCredentialRequest{Password: leakPassword}); err != nil {
		t.Fatal(err)
	}
	c, err := client.Credentials.Update(t.Context(), aTrunk, "1", UpdateCredentialRequest{FriendlyName: "x"})
	if err != nil || !strings.Contains(string(c.Raw), leakPassword) {
		t.Errorf("%+v, %v", c, err)
	}
}
