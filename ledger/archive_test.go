package ledger_test

import (
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
)

// archived is a table with its archive.
type archived struct {
	*ledger.Ledger
	*ledger.Archive
}

func TestArchiveConformance(t *testing.T) {
	t.Parallel()
	engine := dynamotest.Start(t)
	ledgertest.RunArchive(t, func(t *testing.T) ledgertest.Archive {
		t.Helper()
		table := engine.CreateTable(t)
		return archived{ledger.New(engine.Client(), table), ledger.NewArchive(engine.Client(), table)}
	})
}
