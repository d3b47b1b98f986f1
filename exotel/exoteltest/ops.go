package exoteltest

import (
	"net/http"
	"strings"
)

// Op is a kind of call. Its text is what exotel.Error.Op says.
type Op string

// The kinds of call that the fake knows.
const (
	Create Op = "create trunk"
	List   Op = "list trunks"
	Update Op = "update trunk"
	Delete Op = "delete trunk"

	MapPhoneNumber    Op = "map phone number"
	ListPhoneNumbers  Op = "list phone numbers"
	UpdatePhoneNumber Op = "update phone number"
	UnmapPhoneNumber  Op = "unmap phone number"

	WhitelistIP         Op = "whitelist ip"
	ListWhitelistedIPs  Op = "list whitelisted ips"
	UpdateWhitelistedIP Op = "update whitelisted ip"
	RemoveWhitelistedIP Op = "remove whitelisted ip"

	AddDestinationURIs   Op = "add destination uris"
	ListDestinationURIs  Op = "list destination uris"
	UpdateDestinationURI Op = "update destination uri"
	RemoveDestinationURI Op = "remove destination uri"

	CreateCredential Op = "create credential"
	ListCredentials  Op = "list credentials"
	UpdateCredential Op = "update credential"
	DeleteCredential Op = "delete credential"

	SetSettings   Op = "set settings"
	ListSettings  Op = "list settings"
	RemoveSetting Op = "remove setting"

	ListTrunkMaps Op = "list trunk maps"

	Other Op = "other" // anything else; answered with 404
)

// What a trunk has, as the paths say it.
const (
	phoneNumbers    = "phone-numbers"
	whitelistedIPs  = "whitelisted-ips"
	destinationURIs = "destination-uris"
	credentials     = "credentials"
	settings        = "settings"
)

// lineOps are the calls about what a trunk has. A PUT names an id in its path, a
// DELETE in its query.
var lineOps = map[string]map[string]Op{
	phoneNumbers:    {http.MethodPost: MapPhoneNumber, http.MethodGet: ListPhoneNumbers, http.MethodPut: UpdatePhoneNumber, http.MethodDelete: UnmapPhoneNumber},
	whitelistedIPs:  {http.MethodPost: WhitelistIP, http.MethodGet: ListWhitelistedIPs, http.MethodPut: UpdateWhitelistedIP, http.MethodDelete: RemoveWhitelistedIP},
	destinationURIs: {http.MethodPost: AddDestinationURIs, http.MethodGet: ListDestinationURIs, http.MethodPut: UpdateDestinationURI, http.MethodDelete: RemoveDestinationURI},
	credentials:     {http.MethodPost: CreateCredential, http.MethodGet: ListCredentials, http.MethodPut: UpdateCredential, http.MethodDelete: DeleteCredential},
	settings:        {http.MethodPost: SetSettings, http.MethodGet: ListSettings, http.MethodDelete: RemoveSetting},
}

var trunkOps = map[string]Op{http.MethodPost: Create, http.MethodGet: List, http.MethodDelete: Delete}

// route is what a request is about.
type route struct {
	op       Op
	account  string
	trunk    string // sid in the path
	resource string // of the trunk
	id       string // in the path
}

// routeOf reads /v2/accounts/<sid>/trunks[/<sid>[/<resource>[/<id>]]] and
// /v2/accounts/<sid>/trunk-maps.
func routeOf(r *http.Request) route {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v2/accounts/")
	elements := strings.Split(rest, "/")
	to := route{op: Other, account: elements[0]}
	if !ok || len(elements) < 2 {
		return to
	}
	switch elements = elements[1:]; {
	case len(elements) == 1 && elements[0] == "trunk-maps" && r.Method == http.MethodGet:
		to.op = ListTrunkMaps
	case elements[0] != "trunks":
	case len(elements) == 1:
		to.op = known(trunkOps[r.Method])
	case len(elements) == 2 && r.Method == http.MethodPut:
		to.op, to.trunk = Update, elements[1]
	case len(elements) == 3 && r.Method != http.MethodPut, len(elements) == 4 && r.Method == http.MethodPut:
		to.op = known(lineOps[elements[2]][r.Method])
		if to.op != Other {
			to.trunk, to.resource, to.id = elements[1], elements[2], strings.Join(elements[3:], "")
		}
	}
	return to
}

func known(op Op) Op {
	if op == "" {
		return Other
	}
	return op
}
