package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/internal/passwords"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/ledger/remote"
	"github.com/trunkhook/trunkhook/provision"
)

// openLocal opens the system that runs with that folder.
func openLocal(ctx context.Context, dir string, getenv func(string) string, log *slog.Logger) (system, error) {
	key, err := door.Find(dir)
	if err != nil {
		return system{}, usageError{err}
	}
	about, err := key.Ask(ctx)
	if err != nil {
		return system{}, err
	}
	fetch := func(context.Context) (string, error) {
		if about.ExotelSecretFile == "" {
			return about.ExotelSecret, nil
		}
		content, err := os.ReadFile(about.ExotelSecretFile)
		return string(content), err
	}
	table := remote.New(key.URL, key.Token)
	engine := &provision.Engine{
		Ledger: table, Accounts: secrets.NewExotel(fetch, secrets.ExotelOptions{BaseURL: about.ExotelURL}, log),
		Prefix: about.TrunkPrefix, Passwords: passwords.NewFiles(about.Passwords),
	}
	if about.CallsPerMinute > 0 {
		engine.Budget = provision.NewBudget(table, about.CallsPerMinute, nil)
	}
	return system{engine: engine, archive: table, getenv: getenv, who: func(context.Context) string { return user(getenv) }}, nil
}
