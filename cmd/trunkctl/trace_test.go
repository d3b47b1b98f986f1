package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/door"
)

func TestStoryOfASignupIsTold(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.trunkctl(t, "", "trace", "northwind-7").wants(t, exitOK, `(?s)^20\d\d-\d\d-\d\d, UTC\n.*delivery from api, try 1: created, answered 201 in .*trunk trmum1.*\[=.*claim.*create trunk .*POST …/trunks  HTTP 200  request [0-9a-f]{32}.*map phone number.*POST …/trunks/trmum1.*record `, `^$`)
	l.trunkctl(t, "", "trace", "nobody").wants(t, exitNotFound, `^$`, `^trunkctl: nobody: the log has no line of it: no such signup\n$`)
	var story struct {
		Spells []struct{ Lanes []struct{ Outcome string } }
	}
	if told := l.trunkctl(t, "", "trace", "acme-42", "-o", "json"); json.Unmarshal([]byte(told.out), &story) != nil || len(story.Spells) == 0 || story.Spells[0].Lanes[0].Outcome != "created" {
		t.Errorf("%+v", told)
	}
}

// The log of a deployed system is a file, or comes by a pipe; no system need run.
func TestStoryIsToldOutOfAnExport(t *testing.T) {
	t.Parallel()
	const message = `{"timestamp":"2026-11-25T22:00:03Z","message":"reconciled","signup_id":"acme-42","outcome":"adopted","attempt":2}`
	export, err := json.Marshal(map[string]any{"events": []map[string]any{{"timestamp": 1790000000000, "message": message + "\n"}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(path, export, 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := local{}
	const told = `(?s)try 1 left no line.*reconciler, try 2: adopted`
	nowhere.trunkctl(t, "", "trace", "acme-42", "--log", path).wants(t, exitOK, told, `^$`)
	nowhere.trunkctl(t, string(export), "trace", "acme-42", "--log", "-").wants(t, exitOK, told, `^$`)
	nowhere.trunkctl(t, "", "trace", "acme-42").wants(t, exitUsage, `^$`, `which log\?`)
	nowhere.trunkctl(t, "", "trace", "acme-42", "--log", path+"x").wants(t, exitUsage, `^$`, `no such file`)
	nowhere.trunkctl(t, `{"events":`, "trace", "acme-42", "--log", "-").wants(t, exitFailed, `^$`, `no whole JSON document`)
	stopped := local{dir: t.TempDir()}
	if err := os.WriteFile(door.Log(stopped.dir), []byte(strings.ReplaceAll(message, "timestamp", "time")), 0o600); err != nil {
		t.Fatal(err)
	}
	stopped.trunkctl(t, "", "trace", "acme-42").wants(t, exitOK, told, `^$`)
}
