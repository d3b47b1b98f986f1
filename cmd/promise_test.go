package cmd_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

// promiseKept checks the whole promise: as many trunks of ours as signups, each
// active with its own, and nothing held or waiting any more. It returns the signups.
// Those named are incomplete instead.
func (c *cloud) promiseKept(incomplete ...string) (signups []string, err error) {
	trunks, err := c.ownTrunks()
	if err != nil {
		return nil, err
	}
	pages := dynamodb.NewScanPaginator(c.engine.Client(), &dynamodb.ScanInput{TableName: &c.table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.t.Context())
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			id := textOf(item, "signup_id")
			if strings.HasPrefix(id, "#") {
				continue
			}
			want := provision.StatusActive
			if slices.Contains(incomplete, id) {
				want = provision.StatusIncomplete
			}
			if err := isSettled(item, want, trunks[provision.TrunkName("tst", id)]); err != nil {
				return nil, fmt.Errorf("%s: %w", id, err)
			}
			signups = append(signups, id)
		}
	}
	if len(signups) != len(trunks) {
		return nil, fmt.Errorf("signups %v, trunks %v", signups, trunks)
	}
	return signups, nil
}

// ownTrunks are the sids of our trunks at the vendor, by name.
func (c *cloud) ownTrunks() (map[string]string, error) {
	trunks := map[string]string{}
	for _, trunk := range c.fake.Trunks() {
		if !strings.HasPrefix(trunk.Name, "tst_") {
			continue
		}
		if trunks[trunk.Name] != "" {
			return nil, fmt.Errorf("two trunks %s", trunk.Name)
		}
		trunks[trunk.Name] = trunk.SID
	}
	return trunks, nil
}

func isSettled(item map[string]types.AttributeValue, want provision.Status, sid string) error {
	if status := textOf(item, "status"); status != string(want) || sid == "" || textOf(item, "trunk_sid") != sid {
		return fmt.Errorf("it is %s with trunk %q, and its trunk is %q", status, textOf(item, "trunk_sid"), sid)
	}
	for _, name := range []string{"owner", "lease_until", "queue", "due_at"} {
		if item[name] != nil {
			return fmt.Errorf("it still has %s", name)
		}
	}
	return nil
}

func textOf(item map[string]types.AttributeValue, name string) string {
	if text, ok := item[name].(*types.AttributeValueMemberS); ok {
		return text.Value
	}
	return ""
}
