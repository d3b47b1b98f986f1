package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// A fake that is started anew isn't given the trunk of a signup that was deleted.
func TestDeletedTrunksAreNotRemembered(t *testing.T) {
	t.Parallel()
	table, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	now := time.Now()
	for _, id := range []string{"kept", "deleted"} {
		s := provision.Signup{ID: id, Company: "Acme"}
		trunk := exotel.Trunk{SID: "trmum1" + id, Name: provision.TrunkName("th", id)}
		claim := provision.Claim{Signup: s, TrunkName: trunk.Name, AccountSID: "exoteltest", Owner: "one", Now: now, LeaseUntil: now}
		if _, _, err := table.Claim(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		if _, holds, err := table.Activate(t.Context(), provision.Activate{SignupID: id, Owner: "one", Trunk: trunk, Now: now}); err != nil || !holds {
			t.Fatal(holds, err)
		}
	}
	if _, _, err := table.Delete(t.Context(), provision.Delete{SignupID: "deleted", Now: now, QuietAt: now}); err != nil {
		t.Fatal(err)
	}
	anew := vendor{isFake: true, fake: exoteltest.Start(t)}
	if _, err := anew.remind(t.Context(), table, nil); err != nil {
		t.Fatal(err)
	}
	if trunks := anew.fake.Trunks(); len(trunks) != 1 || trunks[0].Name != provision.TrunkName("th", "kept") {
		t.Errorf("%+v", trunks)
	}
}
