package cmd_test

import (
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// What a process does for a line, where it has made the trunk itself, and where it
// has to look what is there of that which doubles.
var (
	freshLine = []string{
		mapNumber, mapNumber, addAddress, addAddress, mark, addDestinations, keepPassword, mark, addCredential, setCallerID,
	}
	begunLine = []string{
		mapNumber, mapNumber, addAddress, addAddress,
		listDestinations, mark, addDestinations, listCredentials, keepPassword, mark, addCredential, setCallerID,
	}
)

// The first one pays for its calls out of the budget; the others leave that out.
var lineJourneys = []journey{
	{
		name: "line", command: "webhook", prepare: (*cell).asksForAll, shared: 3,
		calls: calls(atStart, []string{
			takeBudget, createTrunk, recordTrunk, takeBudget, mapNumber, takeBudget, mapNumber, takeBudget, addAddress, takeBudget, addAddress,
			takeBudget, mark, addDestinations, keepPassword, takeBudget, mark, addCredential, takeBudget, setCallerID, record, reply,
		}),
	},
	{
		name: "line, trunk exists", command: "webhook", prepare: func(c *cell) { c.lineOfOld(); c.trunkExists() }, shared: 5,
		calls: calls(atStart, []string{createTrunk, listTrunks, recordTrunk}, begunLine, []string{record, reply}),
	},
	{
		name: "line, all is there", command: "webhook", prepare: (*cell).lineExists, shared: 3,
		calls: calls(atStart, []string{
			mapNumber, listNumbers, changeNumber, addAddress, listAddresses, listDestinations, listCredentials, keepPassword, readPassword, changeCredential, setCallerID, record, reply,
		}),
	},
	{
		name: "line, list lags", command: "webhook", prepare: (*cell).numbersUnlisted, shared: 4,
		calls: calls(atStart, []string{mapNumber, listNumbers, mapNumber, giveBack, reply}),
	},
	{
		name: "line, extended", command: "webhook", prepare: (*cell).extended, shared: 3,
		calls: calls(atStart, []string{extend, claim, mapNumber, listDestinations, mark, addDestinations, record, reply}),
	},
	{
		name: "pass: line", command: "reconciler", prepare: func(c *cell) { c.lineOfOld(); c.due() }, shared: 4,
		calls: calls(atPass, []string{takeOver, createTrunk, recordTrunk}, freshLine, []string{record}, atEnd),
	},
	{
		name: "pass: line begun", command: "reconciler", prepare: func(c *cell) { c.lineBegun() }, shared: 4,
		calls: calls(atPass, []string{takeOver}, begunLine, []string{record}, atEnd),
	},
}

func (c *cell) asksForAll() { c.line = wholeLine() }

// lineOfOld asks for all too, and leaves the budget out.
func (c *cell) lineOfOld() {
	c.asksForAll()
	c.env = []string{unlimited}
}

// lineBegun: another process made the trunk, wrote it down, and died.
func (c *cell) lineBegun() exotel.Trunk {
	c.lineOfOld()
	c.due()
	trunk := exotel.Trunk{Name: c.name(), DomainName: exotel.DomainName("exoteltest")}
	trunk.SID = c.fake.Add(trunk)
	w := provision.Attach{SignupID: c.id, Owner: "dead", AccountSID: "exoteltest", Trunk: trunk, Now: time.Now()}
	if _, holds, err := c.ledger.Attach(c.t.Context(), w); err != nil || !holds {
		c.t.Errorf("not attached: %v", err)
	}
	return trunk
}

// client speaks to the fake directly.
func (c *cell) client() *exotel.Client {
	client, err := exotel.New(c.fake.Config())
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// numbersUnlisted: another process mapped the numbers a moment ago, and the list
// doesn't show them yet.
func (c *cell) numbersUnlisted() {
	c.mapNumbers(c.lineBegun().SID, c.line.PhoneNumbers)
	c.fake.SetLag(exoteltest.ListPhoneNumbers, 4*time.Second)
}

func (c *cell) mapNumbers(trunkSID string, numbers []provision.PhoneNumber) {
	for _, number := range numbers {
		request := exotel.MapPhoneNumberRequest{PhoneNumber: number.PhoneNumber, Mode: number.Mode}
		if _, err := c.client().PhoneNumbers.Map(c.t.Context(), trunkSID, request); err != nil {
			c.t.Error(err)
		}
	}
}

// lineExists: another process, or somebody, has added all; one number in the other
// mode, and the credential with another password than the one that is kept.
func (c *cell) lineExists() {
	trunk := c.lineBegun()
	client, ctx := c.client(), c.t.Context()
	c.mapNumbers(trunk.SID, []provision.PhoneNumber{c.line.PhoneNumbers[0], {PhoneNumber: c.line.PhoneNumbers[1].PhoneNumber, Mode: exotel.ModePSTN}})
	for _, request := range []exotel.WhitelistIPRequest{{IP: "8.8.8.0", Mask: 24}, {IP: "9.9.9.9", Mask: 32}} {
		if _, err := client.WhitelistedIPs.Add(ctx, trunk.SID, request); err != nil {
			c.t.Error(err)
		}
	}
	if _, err := client.DestinationURIs.Add(ctx, trunk.SID, c.line.DestinationURIs); err != nil {
		c.t.Error(err)
	}
	user := c.line.Credentials[0]
	if _, err := client.Credentials.Create(ctx, trunk.SID, exotel.CreateCredentialRequest{UserName: user.UserName, Password: "canary_other_password", FriendlyName: user.FriendlyName}); err != nil {
		c.t.Error(err)
	}
	c.keeper.Set("/trunkhook/"+trunk.Name+"/"+user.UserName, "canary_kept_password")
}

// extended: all but a number and a destination is done, and a second delivery asks
// for them too.
func (c *cell) extended() {
	c.lineOfOld()
	all := c.line
	c.line.PhoneNumbers, c.line.DestinationURIs = all.PhoneNumbers[:1], all.DestinationURIs[:1]
	c.finished()
	c.line = all
}
