//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

// drill loses the table, and brings every record back by trunkctl: from an export, as
// an operator would. No trunk is made twice.
func drill(t *testing.T, s *stack) {
	dir := t.TempDir()
	program := filepath.Join(dir, "trunkctl")
	s.emulator.run(t, "go", "build", "-buildvcs=false", "-o", program, "./cmd/trunkctl")
	t.Setenv("EXOTEL_BASE_URL", s.fake.URL)
	outputs := s.rawOutputs(t)
	trunkctl := func(args ...string) string {
		return s.emulator.run(t, program, append([]string{"--outputs", outputs}, args...)...)
	}

	exported := trunkctl("export")
	file := filepath.Join(dir, "signups.jsonl")
	if err := os.WriteFile(file, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	signups := strings.Count(exported, "\n")
	if removed := s.empty(t); removed < signups || signups == 0 {
		t.Fatalf("%d items were there, and %d signups", removed, signups)
	}
	trunkctl("replay", file, "--yes", "--reason", "a drill")
	trunkctl("audit", "--fix", "--yes", "--reason", "a drill")
	if report := trunkctl("audit", "--lines"); !strings.Contains(report, "nothing is wrong") {
		t.Errorf("the audit says %s", report)
	}
	for line := range strings.Lines(exported) {
		var before provision.Record
		if err := json.Unmarshal([]byte(line), &before); err != nil {
			t.Fatal(err)
		}
		after, err := s.ledger.Get(t.Context(), before.SignupID)
		same := after.TrunkSID == before.TrunkSID || before.Status == provision.StatusPending && before.TrunkSID == "" // made meanwhile
		if err != nil || !same || after.Status != provision.StatusActive || after.TrunkName != before.TrunkName || len(after.Steps) != len(before.Steps) {
			t.Errorf("%s was %s with %s, and is %s with %s (%v)", before.SignupID, before.Status, before.TrunkSID, after.Status, after.TrunkSID, err)
		}
	}
	if n := len(s.fake.Trunks()); n != signups {
		t.Errorf("%d trunks of %d signups", n, signups)
	}
}

// empty takes everything out of the table, and returns how much that was.
func (s *stack) empty(t *testing.T) (removed int) {
	t.Helper()
	table, api := s.outputs.must(t, "SignupsTable"), s.emulator.clients.DynamoDB
	for pages := dynamodb.NewScanPaginator(api, &dynamodb.ScanInput{TableName: &table}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			key := map[string]types.AttributeValue{"signup_id": item["signup_id"]}
			if _, err := api.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
				t.Fatal(err)
			}
			removed++
		}
	}
	return removed
}
