package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// vendor is the Exotel that is used: a fake, or a real account.
type vendor struct {
	accounts provision.Accounts
	isFake   bool
	where    string // for people
	warning  string // for people; may be empty
	close    func()
}

func openVendor(ctx context.Context, o options, table *embedded.Ledger, log *slog.Logger) (vendor, error) {
	if o.secretFile != "" {
		return openAccount(ctx, o.secretFile, o.baseURL, log)
	}
	fake, err := exoteltest.New(exoteltest.Options{})
	if err != nil {
		return vendor{}, fmt.Errorf("the fake Exotel can't listen: %w", err)
	}
	// The fake forgets when it stops, the table doesn't: it begins with the
	// trunks that the table knows.
	err = table.Active(func(r provision.Record) {
		fake.Add(exotel.Trunk{SID: r.TrunkSID, Name: r.TrunkName, DomainName: r.DomainName, NSOCode: exotel.AnyNSO})
	})
	if err != nil {
		fake.Close()
		return vendor{}, err
	}
	config := fake.Config()
	secret := fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":%q}`, config.APIKey, config.APIToken, config.AccountSID, exotel.Singapore)
	accounts := secrets.NewExotel(func(context.Context) (string, error) { return secret, nil }, secrets.ExotelOptions{BaseURL: fake.URL}, log)
	_, err = accounts.Open(ctx)
	return vendor{accounts: accounts, isFake: true, where: "a fake of it on " + fake.URL, close: fake.Close}, err
}

// openAccount reads the credentials of a real account from a file, again
// whenever they are refused.
func openAccount(ctx context.Context, path, baseURL string, log *slog.Logger) (vendor, error) {
	info, err := os.Stat(path)
	if err != nil {
		return vendor{}, fmt.Errorf("EXOTEL_SECRET_FILE %s can't be read: %w", path, unwrapPath(err))
	}
	fetch := func(context.Context) (string, error) {
		content, err := os.ReadFile(path) //nolint:gosec // the file that the user names
		return string(content), err
	}
	accounts := secrets.NewExotel(fetch, secrets.ExotelOptions{BaseURL: baseURL, HTTPClient: &http.Client{Transport: exotel.NewTransport()}, UserAgent: "trunkhook"}, log)
	account, err := accounts.Open(ctx)
	if err != nil {
		return vendor{}, fmt.Errorf("EXOTEL_SECRET_FILE %s: %w", path, err)
	}
	v := vendor{accounts: accounts, where: "the real account " + account.SID, close: func() {}}
	if info.Mode().Perm()&0o077 != 0 {
		v.warning = fmt.Sprintf("%s can be read by others (%s); chmod 600 it.", path, info.Mode().Perm())
	}
	return v, nil
}
