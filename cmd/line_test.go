package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// wholeLine asks for all that there is: its second destination is an address that
// must have been whitelisted before.
func wholeLine() provision.Line {
	return provision.Line{
		PhoneNumbers:    []provision.PhoneNumber{{PhoneNumber: "+912247788868", Mode: exotel.ModePSTN}, {PhoneNumber: "+912247788869", Mode: exotel.ModeFlow}},
		WhitelistedIPs:  []string{"8.8.8.0/24", "9.9.9.9"},
		DestinationURIs: []string{"sip.acme.example:5061;transport=tls", "8.8.8.8:5060"},
		Credentials:     []provision.Credential{{UserName: "acme.phone", FriendlyName: "acme_phone"}},
		CallerID:        "+912247788868",
	}
}

// delivery is the signup as a sender sends it.
func (c *cell) delivery() events.APIGatewayV2HTTPRequest {
	return postLine(c.id, c.line)
}

func postLine(id string, line provision.Line) events.APIGatewayV2HTTPRequest {
	type number struct {
		PhoneNumber string      `json:"phone_number"`
		Mode        exotel.Mode `json:"mode"`
	}
	type credential struct {
		UserName     string `json:"user_name"`
		FriendlyName string `json:"friendly_name"`
	}
	fields := struct {
		SignupID        string       `json:"signup_id"`
		Company         string       `json:"company"`
		PhoneNumbers    []number     `json:"phone_numbers,omitempty"`
		WhitelistedIPs  []string     `json:"whitelisted_ips,omitempty"`
		DestinationURIs []string     `json:"destination_uris,omitempty"`
		Credentials     []credential `json:"credentials,omitempty"`
		CallerID        string       `json:"caller_id,omitempty"`
	}{SignupID: id, Company: "Acme Telecom", WhitelistedIPs: line.WhitelistedIPs, DestinationURIs: line.DestinationURIs, CallerID: line.CallerID}
	for _, n := range line.PhoneNumbers {
		fields.PhoneNumbers = append(fields.PhoneNumbers, number(n))
	}
	for _, u := range line.Credentials {
		fields.Credentials = append(fields.Credentials, credential(u))
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings can always be written
	}
	event := post(id)
	event.Body = string(body)
	return event
}

// signup is what the delivery says.
func (c *cell) signup() provision.Signup {
	return provision.Signup{ID: c.id, Company: "Acme Telecom", Source: "api", Line: c.line}.Normalised()
}

// steps are what the delivery asks for beside the trunk.
func (c *cell) steps() map[string]provision.LineStep { return c.signup().Line.Steps() }

// ended tells whether there is nothing left to do of what the delivery asks for.
func (c *cell) ended(record provision.Record) bool {
	for key := range c.steps() {
		if status := record.Steps[key].Status; status != provision.StepDone && status != provision.StepRefused {
			return false
		}
	}
	return record.Status == provision.StatusActive || record.Status == provision.StatusIncomplete
}

// lineKept checks the promise of the line: each thing is at Exotel, once and as it
// was asked for, or was refused; and the customer can fetch the password with which
// the credential works.
func (c *cell) lineKept() error {
	record, err := c.ledger.Get(c.t.Context(), c.id)
	if err != nil {
		return err
	}
	want := c.steps()
	if len(record.Steps) != len(want) {
		err = fmt.Errorf("steps %+v", record.Steps)
	}
	var there []string
	for key := range want {
		step := record.Steps[key]
		switch refused := slices.Contains(c.refused, key); {
		case refused && (step.Status != provision.StepRefused || step.Reason == ""), !refused && step.Status != provision.StepDone, !step.SentAt.IsZero():
			err = errors.Join(err, fmt.Errorf("%s is %+v", key, step))
		case !refused:
			there = append(there, key+" "+step.Option+step.Value)
		}
		if step.Kind == provision.KindCredential && step.Status == provision.StepDone {
			err = errors.Join(err, c.passwordWorks(record.TrunkSID, step))
		}
	}
	slices.Sort(there)
	if found := c.atExotel(record.TrunkSID); !slices.Equal(there, found) {
		err = errors.Join(err, fmt.Errorf("at Exotel is\n%s, want\n%s", strings.Join(found, "\n"), strings.Join(there, "\n")))
	}
	return err
}

// passwordWorks: what is kept is what Exotel was given.
func (c *cell) passwordWorks(trunkSID string, step provision.LineStep) error {
	parameter := c.keeper.Parameters()[step.PasswordAt]
	for _, credential := range c.fake.Line(trunkSID).Credentials {
		if credential.UserName == step.Value && (credential.Password != parameter.Value || parameter.Type != "SecureString" || parameter.Version != 1) {
			return fmt.Errorf("the password of %s isn't what is kept at %q", step.Value, step.PasswordAt)
		}
	}
	return nil
}

// atExotel is all that the trunk has, sorted, in the words of steps.
func (c *cell) atExotel(trunkSID string) (found []string) {
	add := func(kind provision.StepKind, value, option string) {
		step := provision.LineStep{Kind: kind, Value: value}
		found = append(found, step.Key()+" "+option+value)
	}
	line := c.fake.Line(trunkSID)
	for _, number := range line.PhoneNumbers {
		add(provision.KindPhoneNumber, number.PhoneNumber, string(number.Mode))
	}
	for _, address := range line.WhitelistedIPs {
		prefix := netip.PrefixFrom(netip.MustParseAddr(address.IP), address.Mask)
		add(provision.KindWhitelistedIP, strings.TrimSuffix(prefix.String(), "/32"), "")
	}
	for _, destination := range line.DestinationURIs {
		add(provision.KindDestinationURI, exotel.NormalDestination(destination.Destination), "")
	}
	for _, credential := range line.Credentials {
		add(provision.KindCredential, credential.UserName, credential.FriendlyName)
	}
	for _, setting := range line.Settings {
		add(provision.KindCallerID, setting.Value, "")
	}
	slices.Sort(found)
	return found
}

// doubles are the calls that make a second one where they are sent twice.
var doubles = map[provision.StepKind]exoteltest.Op{
	provision.KindDestinationURI: exoteltest.AddDestinationURIs,
	provision.KindCredential:     exoteltest.CreateCredential,
}

// sent are the steps that may have been sent, and would double.
func sent(record provision.Record) (steps []provision.LineStep) {
	for _, step := range record.LineSteps() {
		if _, ok := doubles[step.Kind]; ok && step.Status == provision.StepPending && !step.SentAt.IsZero() {
			steps = append(steps, step)
		}
	}
	return steps
}

// leftAlone checks that what would double is not sent again before it has settled,
// by a pass or by another delivery, where it isn't known what came of it.
func (c *cell) leftAlone() error {
	record, err := c.ledger.Get(c.t.Context(), c.id)
	steps := sent(record)
	if len(steps) == 0 || record.Status != provision.StatusPending {
		return nil // whether it is on disk is asked later
	}
	c.pause(0, func(r provision.Record) time.Time { return r.LeaseUntil })
	c.alone = true
	op := doubles[steps[0].Kind]
	before := c.fake.Count(op)
	if _, err := c.again("reconciler").Invoke(c.t.Context(), map[string]any{}, passTime); err != nil {
		return fmt.Errorf("%w: a pass: %w", errOtherwise, err)
	}
	told, _, deliverErr := c.deliver(c.again("webhook"))
	if told == died {
		return fmt.Errorf("%w: a redelivery ended early", errOtherwise)
	}
	if n := c.fake.Count(op) - before; n != 0 {
		return fmt.Errorf("%s was sent %d times more", op, n)
	}
	later, getErr := c.ledger.Get(c.t.Context(), c.id)
	for _, step := range steps {
		if now := later.Steps[step.Key()]; now.Status == provision.StepPending && (!now.SentAt.Equal(step.SentAt) || later.Status != provision.StatusPending || told != "202") {
			err = errors.Join(err, fmt.Errorf("told %s, and %s is %+v, was %+v", told, step.Key(), now, step))
		}
	}
	return errors.Join(err, deliverErr, getErr)
}

// settlingTime is the engine's.
const settlingTime = 3 * time.Minute

// settle lets the settling time go by for what was sent and is nobody's now: by the
// record it was sent that much earlier. It tells whether there was such a step.
func (c *cell) settle() bool {
	record, err := c.ledger.Get(c.t.Context(), c.id)
	steps := sent(record)
	if err != nil || record.Status != provision.StatusPending || len(steps) == 0 || record.LeaseUntil.After(time.Now()) {
		return false
	}
	time.Sleep(time.Until(c.quiet))
	now := time.Now()
	in := &dynamodb.UpdateItemInput{
		TableName: &c.table, Key: map[string]types.AttributeValue{"signup_id": &types.AttributeValueMemberS{Value: c.id}},
		// Whoever has sent it again meanwhile, or holds it, is left alone.
		ConditionExpression:       aws.String("#updated_at = :seen"),
		ExpressionAttributeNames:  map[string]string{"#updated_at": "updated_at", "#due_at": "due_at", "#steps": "steps", "#sent_at": "sent_at"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":seen": timeValue(record.UpdatedAt), ":now": timeValue(now)},
	}
	set := "SET #due_at = :now"
	for i, step := range steps {
		set += fmt.Sprintf(", #steps.#step%d.#sent_at = :sent%[1]d", i)
		in.ExpressionAttributeNames[fmt.Sprintf("#step%d", i)] = step.Key()
		in.ExpressionAttributeValues[fmt.Sprintf(":sent%d", i)] = timeValue(step.SentAt.Add(-settlingTime))
	}
	in.UpdateExpression = &set
	var refused *types.ConditionalCheckFailedException
	if _, err := c.engine.Client().UpdateItem(c.t.Context(), in); err != nil && !errors.As(err, &refused) {
		c.t.Error(err)
	}
	return true
}

func timeValue(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: t.UTC().Format("2006-01-02T15:04:05.000Z")}
}
