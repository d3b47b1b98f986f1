package cmd_test

import (
	"encoding/json"
	"net/http"
	"strings"

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

// kindOfSecret: Secrets Manager is asked for one thing only.
func kindOfSecret(*http.Request, []byte) string { return fetchSecret }

// kindOfRuntime: to ask for the next event is no call of the matrix.
func kindOfRuntime(r *http.Request, _ []byte) string {
	if r.Method == http.MethodPost {
		return reply
	}
	return "next"
}

func kindOfVendor(r *http.Request, _ []byte) string {
	if r.Method == http.MethodPost {
		return createTrunk
	}
	return listTrunks
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
	case has(":one"):
		return takeOver
	case has(":trunk_sid"):
		return record
	case has(":last_error"):
		return giveBack
	case has(":account"):
		return pinAccount
	}
	return name
}
