package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/canary"
	"github.com/trunkhook/trunkhook/internal/secrets"
)

// What is put in is never put out; what is made is shown once, when it is made.
func TestNothingThatIsStoredIsShown(t *testing.T) {
	t.Parallel()
	key, token, bearer, signing := rand.Text(), rand.Text(), rand.Text(), base64.StdEncoding.EncodeToString([]byte(rand.Text()))
	watch := canary.For(map[string]string{"key": key, "token": token, "bearer": bearer, "signing secret": signing})
	fake, err := exoteltest.New(exoteltest.Options{APIKey: key, APIToken: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := r.Header.Get("Authorization") + " " + key + " " + token
		_, _ = fmt.Fprintf(w, `{"request_id":%q,"http_code":401,"response":{"code":401,"error_data":{"code":1010,"message":%q}}}`, said, said)
	}))
	t.Cleanup(echo.Close)
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "secret.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":"api.exotel.com"}`, key, token, exoteltest.DefaultAccountSID)
	stored := fmt.Sprintf(`{"api":[%q,"whsec_%s"],"hubspot":[%q]}`, bearer, signing, bearer)
	asked := func(answers ...string) *person { return &person{t: t, answers: answers} }
	for name, test := range map[string]struct {
		person *person
		args   []string
	}{
		"asked":              {asked(key, token, exoteltest.DefaultAccountSID, "1"), []string{"-exotel-url", fake.URL}},
		"refused":            {asked(key, token+"x", exoteltest.DefaultAccountSID, "1"), []string{"-exotel-url", fake.URL}},
		"repeated":           {asked(key, token, exoteltest.DefaultAccountSID, "1"), []string{"-exotel-url", echo.URL}},
		"mixed up":           {asked(key, "", token, "1"), []string{"-exotel-url", fake.URL}},
		"account mixed up":   {asked(key, token, token+"/", "1"), []string{"-exotel-url", fake.URL}},
		"key with a colon":   {asked(key+":"+token, token, "a", "1"), []string{"-exotel-url", fake.URL}},
		"region mixed up":    {asked(key, token, "a", token), []string{"-exotel-url", fake.URL}},
		"plain http":         {asked(key, token, "a", "1"), []string{"-exotel-url", "http://exotel.example/" + token}},
		"files":              {nil, []string{"-exotel-url", fake.URL, "-exotel-file", file(good), "-sources-file", file(stored)}},
		"broken exotel file": {nil, []string{"-exotel-url", fake.URL, "-exotel-file", file(good[:len(good)-1])}},
		"broken sources":     {nil, []string{"-sources-file", file(stored + bearer)}},
		"sources of a type":  {nil, []string{"-sources-file", file(fmt.Sprintf(`{"api":%q}`, bearer))}},
		"added":              {nil, []string{"-add", "api"}},
		"added, signing":     {nil, []string{"-add", "generic", "-signing"}},
		"added, a password":  {nil, []string{"-add", "pipedrive", "-user", "crm"}},
		"set":                {asked(bearer), []string{"-set", "hubspot"}},
		"set once more":      {asked("whsec_" + signing), []string{"-set", "api"}},
		"set as a user":      {asked(bearer + ":" + token), []string{"-set", "pipedrive"}},
		"set, too short":     {asked("crm:" + token[:15]), []string{"-set", "pipedrive"}},
		"set, with a space":  {asked(bearer + " " + token), []string{"-set", "leadsquared"}},
		"set, no hex":        {asked(bearer), []string{"-set", "close"}},
		"set, cut off":       {asked("whsec_" + signing[:30]), []string{"-set", "clerk"}},
		"set, another key":   {asked("sk_live_" + bearer), []string{"-set", "stripe"}},
		"set, base64 alone":  {asked(signing), []string{"-set", "generic"}},
		"set, a public key":  {asked("whpk_" + signing), []string{"-set", "generic"}},
		"set, a private key": {asked("whsk_" + signing), []string{"-set", "generic"}},
		"set on the line":    {nil, []string{"-set", "stripe", "whsec_" + signing}},
		"set for a secret":   {nil, []string{"-set", bearer}},
		"added for one":      {nil, []string{"-add", bearer}},
		"a pair as the user": {nil, []string{"-add", "pipedrive", "-user", "crm:" + token}},
		"dropped":            {nil, []string{"-drop", "api"}},
		"dropped, unsure":    {nil, []string{"-drop", "hubspot"}},
		"dropped for one":    {nil, []string{"-drop", bearer}},
		"dropped, all":       {nil, []string{"-drop", "hubspot", "-all"}},
		"dropped from none":  {nil, []string{"-drop", "pipedrive"}},
	} {
		v := vault{"E": good, "S": stored}
		out, err := use(t, v, test.person, test.args...)
		if found := watch.In(fmt.Sprint(out, err)); len(found) > 0 {
			t.Errorf("%s: the %v is shown: %s, %v", name, found, out, err)
		}
	}
	for _, stored := range []string{bearer, fmt.Sprintf(`{"api":%q}`, bearer), fmt.Sprintf(`[%q]`, signing)} {
		for _, args := range [][]string{{"-add", "api"}, {"-drop", "api"}} {
			if out, err := use(t, vault{"S": stored}, nil, args...); err == nil || len(watch.In(out+err.Error())) > 0 {
				t.Errorf("stored %s: %s, %v", stored, out, err)
			}
		}
	}
}

// What -add makes stands once in what is stored, and once on the screen.
func TestWhatIsMadeIsShownOnceAndStored(t *testing.T) {
	t.Parallel()
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, source := range append(set.Names(), "api") {
		for _, more := range [][]string{nil, {"-signing"}, {"-user", "crm"}} {
			old := rand.Text()
			v := vault{"S": fmt.Sprintf(`{%q:["%s"]}`, source, old)}
			out, err := use(t, v, nil, append([]string{"-add", source}, more...)...)
			list, _ := secrets.ParseSources(v["S"])
			if err != nil {
				if out != "" || len(list[source]) != 1 {
					t.Errorf("%s %v: said %s, stored %s, %v", source, more, out, v["S"], err)
				}
				continue
			}
			made++
			fresh := strings.TrimPrefix(list[source][0], "crm:")
			if len(list[source]) != 2 || strings.Count(v["S"], fresh) != 1 || strings.Count(out, fresh) != 1 || strings.Contains(out, old) {
				t.Errorf("%s %v: said %s, stored %s", source, more, out, v["S"])
			}
			if rest := strings.Replace(out, fresh, "", 1); len(canary.For(map[string]string{"made": fresh}).In(rest)) > 0 {
				t.Errorf("%s %v: shown again in %s", source, more, rest)
			}
		}
	}
	if made == 0 {
		t.Error("nothing was made")
	}
}

// full is a Secrets Manager that stores nothing.
type full struct{ vault }

func (full) PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	return nil, errors.New("LimitExceededException")
}

// A secret that could not be stored opens nothing, and must not look as if it did.
func TestSecretThatIsNotStoredIsNotShown(t *testing.T) {
	t.Parallel()
	for _, o := range []options{{sourcesID: "S", add: "api"}, {sourcesID: "S", add: "api", signing: true}} {
		var shown strings.Builder
		if err := o.do(t.Context(), store{full{vault{"S": "{}"}}}, nil, nil, &shown); err == nil || shown.Len() > 0 {
			t.Errorf("%v, shown %s", err, shown.String())
		}
	}
}
