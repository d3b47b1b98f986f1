package exoteltest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// raw is a request to the fake as no client of ours would send it, and the
// status and body of the answer.
func raw(t *testing.T, fake *exoteltest.Server, method, path, body string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, fake.URL+"/v2/accounts/exoteltest"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(exoteltest.DefaultAPIKey, exoteltest.DefaultAPIToken)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(read, &answer)
	}
	if err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, read)
	}
	return resp.StatusCode, answer
}

// recorded is an answer of the vendor's, less what differs from call to call.
func recorded(t *testing.T, file string) map[string]any {
	t.Helper()
	body, err := os.ReadFile("../testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	body = bytes.ReplaceAll(body, []byte("trmum1f708622631150902801a1n"), []byte("trunk1"))
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// forget takes out what differs from call to call.
func forget(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range []string{"request_id", "date_created", "date_updated", "id"} {
			if text, there := value[name].(string); there && text != "" {
				value[name] = "some"
			}
		}
		for _, field := range value {
			forget(field)
		}
	case []any:
		for _, element := range value {
			forget(element)
		}
	}
}

// The fake's answers are the recorded ones, to the last field.
func TestAnswersAreTheRecordedOnes(t *testing.T) {
	t.Parallel()
	const line = "/trunks/trunk1/"
	number := `{"phone_number":"+919876543210"}`
	ip := `{"ip":"44.248.146.11","mask":32}`
	destination := `{"destinations":[{"destination":"44.248.146.11:5061;transport=tls"}]}`
	for name, test := range map[string]struct {
		before [][3]string // calls: method, path, body
		call   [3]string
		status int
		file   string
	}{
		"number mapped":       {nil, [3]string{"POST", line + "phone-numbers", number}, 200, "phone_number_mapped.json"},
		"number to a flow":    {nil, [3]string{"POST", line + "phone-numbers", `{"phone_number":"+919876543210","mode":"flow"}`}, 200, "phone_number_flow.json"},
		"number mapped twice": {[][3]string{{"POST", line + "phone-numbers", number}}, [3]string{"POST", line + "phone-numbers", number}, 200, "phone_number_duplicate.json"},
		"number updated":      {[][3]string{{"POST", line + "phone-numbers", number}}, [3]string{"PUT", line + "phone-numbers/41512", `{"phone_number":"+919876543210","mode":"flow"}`}, 200, "phone_number_updated.json"},
		"unknown trunk":       {nil, [3]string{"POST", "/trunks/unknown/phone-numbers", number}, 404, "phone_number_unknown_trunk.json"},
		"numbers listed":      {[][3]string{{"POST", line + "phone-numbers", `{"phone_number":"+919876543210","mode":"flow"}`}}, [3]string{"GET", line + "phone-numbers", ""}, 200, "phone_numbers_list.json"},
		"address":             {nil, [3]string{"POST", line + "whitelisted-ips", ip}, 200, "whitelisted_ip.json"},
		"address twice":       {[][3]string{{"POST", line + "whitelisted-ips", `{"ip":"44.248.146.10"}`}}, [3]string{"POST", line + "whitelisted-ips", `{"ip":"44.248.146.10","mask":24}`}, 200, "whitelisted_ip_duplicate.json"},
		"addresses listed":    {[][3]string{{"POST", line + "whitelisted-ips", ip}}, [3]string{"GET", line + "whitelisted-ips", ""}, 200, "whitelisted_ips_list.json"},
		"mask below zero":     {nil, [3]string{"POST", line + "whitelisted-ips", `{"ip":"44.248.146.11","mask":-1}`}, 400, "mask_type.json"},
		"destination":         {[][3]string{{"POST", line + "whitelisted-ips", ip}}, [3]string{"POST", line + "destination-uris", destination}, 200, "destination_added.json"},
		"not whitelisted":     {nil, [3]string{"POST", line + "destination-uris", destination}, 207, "destination_not_whitelisted.json"},
		"documentation's":     {nil, [3]string{"POST", line + "destination-uris", `{"destinations":[{"destination":"203.0.113.50:5061;transport=tls"}]}`}, 207, "destination_invalid.json"},
		"private":             {nil, [3]string{"POST", line + "destination-uris", `{"destinations":[{"destination":"192.168.1.1:5060"}]}`}, 207, "destination_invalid.json"},
		"destinations listed": {[][3]string{{"POST", line + "whitelisted-ips", ip}, {"POST", line + "destination-uris", destination}, {"POST", line + "destination-uris", `{"destinations":[{"destination":"sip.company.com:5061;transport=tls"}]}`}}, [3]string{"GET", line + "destination-uris", ""}, 200, "destinations_list.json"},
		"no credentials":      {nil, [3]string{"GET", line + "credentials", ""}, 200, "credentials_empty.json"},
		"caller's number":     {nil, [3]string{"POST", line + "settings", `{"settings":[{"name":"trunk_external_alias","value":"+919876543210"}]}`}, 200, "settings_set.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := exoteltest.Start(t)
			fake.Add(exotel.Trunk{SID: "trunk1", Name: "acme"})
			for _, call := range test.before {
				raw(t, fake, call[0], call[1], call[2])
			}
			status, got := raw(t, fake, test.call[0], test.call[1], test.call[2])
			want := recorded(t, test.file)
			forget(got)
			forget(want)
			if status != test.status || !reflect.DeepEqual(got, want) {
				t.Errorf("answered %d\n%v\nwant %d\n%v", status, got, test.status, want)
			}
		})
	}
}

// The refusals whose texts are recorded, but not as whole answers.
func TestRefusalsHaveTheRecordedTexts(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Add(exotel.Trunk{SID: "trunk1", Name: "acme"})
	for _, test := range []struct {
		path, body  string
		status      int
		code        float64
		description string
	}{
		{"phone-numbers", `{}`, 400, 1001, "PhoneNumber is mandatory"},
		{"phone-numbers", `{"phone_number":""}`, 404, 1000, "Not Found"},
		{"phone-numbers", `{"phone_number":"+1234567890123456789012345678901"}`, 404, 1000, "Not Found"},
		{"phone-numbers", `{"phone_number":"080-486-36999"}`, 400, 1002, "Invalid PhoneNumber"},
		{"phone-numbers", `{"phone_number":"123456"}`, 400, 1002, "Invalid PhoneNumber"},
		{"phone-numbers", `{"phone_number":`, 400, 1007, "unexpected end of JSON input"},
		{"whitelisted-ips", `{"mask":32}`, 400, 1001, "Ip is mandatory"},
		{"whitelisted-ips", `{"ip":"invalid.ip.address","mask":32}`, 400, 1002, "Invalid ip"},
		{"whitelisted-ips", `{"ip":"999.999.999.999","mask":32}`, 400, 1002, "Invalid ip"},
		{"whitelisted-ips", `{"ip":"8.8.8.8","mask":15}`, 400, 1002, "mask should be in-between 16 and 32"},
		{"whitelisted-ips", `{"ip":"8.8.8.8","mask":99}`, 400, 1002, "mask should be in-between 16 and 32"},
		{"credentials", `{"user_name":"a","password":"b","friendly_name":"elevenlabs-prod"}`, 400, 1002, "Allowed characters for FriendlyName is alphanumberic and _"},
	} {
		status, answer := raw(t, fake, "POST", "/trunks/trunk1/"+test.path, test.body)
		response, _ := answer["response"].(map[string]any)
		errorData, _ := response["error_data"].(map[string]any)
		if status != test.status || errorData["code"] != test.code || errorData["description"] != test.description || response["data"] != nil {
			t.Errorf("%s %s: %d %v", test.path, test.body, status, answer)
		}
	}
	if line := fake.Line("trunk1"); !reflect.DeepEqual(line, exoteltest.Line{}) {
		t.Errorf("made %+v", line)
	}
}

func TestPasswordIsInNoAnswer(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Add(exotel.Trunk{SID: "trunk1", Name: "acme"})
	const path, password = "/trunks/trunk1/credentials", "Zq7_vX2mK9pL4wT8nR5c"
	for _, call := range [][3]string{
		{"POST", path, `{"user_name":"a","password":"` + password + `"}`},
		{"PUT", path + "/1234", `{"password":"` + password + `_2"}`},
		{"PUT", path + "/1234", `{"password":"` + password + `-3"}`},
		{"GET", path, ""},
		{"DELETE", path + "?id=1234", ""},
	} {
		_, answer := raw(t, fake, call[0], call[1], call[2])
		text, err := json.Marshal(answer)
		if err != nil || strings.Contains(string(text), password) {
			t.Errorf("%s: %s, %v", call[0], text, err)
		}
	}
}

func TestLineIsACopy(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Add(exotel.Trunk{SID: "trunk1", Name: "acme"})
	raw(t, fake, "POST", "/trunks/trunk1/phone-numbers", `{"phone_number":"+919876543210"}`)
	fake.Line("trunk1").PhoneNumbers[0].PhoneNumber = "changed"
	if got := fake.Line("trunk1").PhoneNumbers[0].PhoneNumber; got != "+919876543210" {
		t.Errorf("the fake has %s", got)
	}
}

func TestPathsThatAreNoneAreNotFound(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Add(exotel.Trunk{SID: "trunk1", Name: "acme"})
	for _, call := range [][2]string{
		{"GET", "/trunks/trunk1"},
		{"PUT", "/trunks"},
		{"PUT", "/trunks/trunk1/phone-numbers"},
		{"PUT", "/trunks/trunk1/settings/x"},
		{"DELETE", "/trunks/trunk1/phone-numbers/41512"},
		{"GET", "/trunks/trunk1/other"},
		{"POST", "/trunk-maps"},
		{"GET", "/trunks/trunk1/phone-numbers/1/2"},
	} {
		if status, _ := raw(t, fake, call[0], call[1], "{}"); status != http.StatusNotFound {
			t.Errorf("%v: %d", call, status)
		}
	}
	if n := fake.Count(exoteltest.Other); n != 8 {
		t.Errorf("%d other calls", n)
	}
}
