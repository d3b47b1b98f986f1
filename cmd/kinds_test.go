package cmd_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// The kinds of call that the functions make, in the words of
// docs/architecture.md.
const (
	fetchSecret   = "fetch secret"
	claim         = "claim"
	takeOver      = "take over"
	pinAccount    = "pin account"
	takeBudget    = "take budget"
	closeBudget   = "close budget"
	createTrunk   = "create"
	listTrunks    = "list"
	record        = "record"
	giveBack      = "give back"
	listDue       = "list due"
	listSearching = "list searching"
	listPending   = "list pending"
	readPlace     = "read place"
	keepPlace     = "keep place"
	reply         = "reply"
)

// What lines add to them.
const (
	extend       = "extend"
	recordTrunk  = "record trunk"
	mark         = "mark as sent"
	keepPassword = "keep password"
	readPassword = "read password"

	mapNumber        = string(exoteltest.MapPhoneNumber)
	listNumbers      = string(exoteltest.ListPhoneNumbers)
	changeNumber     = string(exoteltest.UpdatePhoneNumber)
	addAddress       = string(exoteltest.WhitelistIP)
	listAddresses    = string(exoteltest.ListWhitelistedIPs)
	addDestinations  = string(exoteltest.AddDestinationURIs)
	listDestinations = string(exoteltest.ListDestinationURIs)
	addCredential    = string(exoteltest.CreateCredential)
	listCredentials  = string(exoteltest.ListCredentials)
	changeCredential = string(exoteltest.UpdateCredential)
	setCallerID      = string(exoteltest.SetSettings)
)

// vendorKinds are the calls to Exotel by what they are about and their method.
var vendorKinds = map[string]map[string]string{
	"trunks":           {http.MethodPost: createTrunk, http.MethodGet: listTrunks},
	"phone-numbers":    {http.MethodPost: mapNumber, http.MethodGet: listNumbers, http.MethodPut: changeNumber},
	"whitelisted-ips":  {http.MethodPost: addAddress, http.MethodGet: listAddresses},
	"destination-uris": {http.MethodPost: addDestinations, http.MethodGet: listDestinations},
	"credentials":      {http.MethodPost: addCredential, http.MethodGet: listCredentials, http.MethodPut: changeCredential},
	"settings":         {http.MethodPost: setCallerID},
}

// kindOfSecret: Secrets Manager is asked for one thing only.
func kindOfSecret(*http.Request, []byte) string { return fetchSecret }

// kindOfRuntime: to ask for the next event is no call of the matrix.
func kindOfRuntime(r *http.Request, _ []byte) string {
	if r.Method == http.MethodPost {
		return reply
	}
	return "next"
}

// kindOfVendor reads /v2/accounts/<sid>/trunks[/<sid>/<resource>[/<id>]].
func kindOfVendor(r *http.Request, _ []byte) string {
	elements := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	about := elements[min(3, len(elements)-1)]
	if len(elements) > 5 {
		about = elements[5]
	}
	return cmp.Or(vendorKinds[about][r.Method], r.Method+" "+about)
}

// kindOfKeeper: Systems Manager keeps passwords.
func kindOfKeeper(r *http.Request, body []byte) string {
	name := lambdatest.Operation(r, body)
	return cmp.Or(map[string]string{"PutParameter": keepPassword, "GetParameter": readPassword}[name], name)
}

// kindOfTable tells the writes apart by the values that only they have.
func kindOfTable(r *http.Request, body []byte) string {
	type text struct{ S string }
	var in struct {
		Key    map[string]text
		Values map[string]text `json:"ExpressionAttributeValues"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return err.Error()
	}
	has := func(name string) bool { _, ok := in.Values[name]; return ok }
	name, key := lambdatest.Operation(r, nil), in.Key["signup_id"].S
	switch {
	case name == "Query" && has(":until"):
		return listDue
	case name == "Query" && in.Values[":queue"].S == "search":
		return listSearching
	case name == "Query":
		return listPending
	}
	return kindOfItem(name, key, has)
}

func kindOfItem(name, key string, has func(string) bool) string {
	switch {
	case key == "#search" && name == "GetItem":
		return readPlace
	case key == "#search":
		return keepPlace
	case key == "#budget" && has(":each"), key == "#budget" && has(":fresh"):
		return takeBudget
	case strings.HasPrefix(key, "#"):
		return closeBudget
	case has(":company"):
		return claim
	case has(":one") && !has(":owner"):
		return extend
	case has(":one"):
		return takeOver
	case has(":trunk_sid") && has(":ended"):
		return record
	case has(":trunk_sid"):
		return recordTrunk
	case has(":last_error"):
		return giveBack
	case has(":account"):
		return pinAccount
	case has(":k0"):
		return mark
	}
	return name
}
