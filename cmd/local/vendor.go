package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/provision"
)

// vendor is the Exotel that is used: a fake, or a real account. Each has a table
// and passwords of its own: what is active at one means nothing to the other.
type vendor struct {
	accounts  provision.Accounts
	tableFile string
	passwords string // the folder
	isFake    bool
	where     string // for people
	warning   string // for people; may be empty
	fake      *exoteltest.Server
	secret    string // of the fake, which everybody knows
}

func (v vendor) close() {
	if v.isFake {
		v.fake.Close()
	}
}

// limit has a fake refuse what Exotel would.
func (v vendor) limit() {
	if v.isFake {
		v.fake.SetLimits(exoteltest.VendorLimits)
	}
}

func openVendor(ctx context.Context, o options, log *slog.Logger) (vendor, error) {
	if o.secretFile != "" {
		return openAccount(ctx, o.secretFile, o.baseURL, log)
	}
	fake, err := exoteltest.New(exoteltest.Options{})
	if err != nil {
		return vendor{}, fmt.Errorf("the fake Exotel can't listen: %w", err)
	}
	config := fake.Config()
	secret := fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":%q}`, config.APIKey, config.APIToken, config.AccountSID, exotel.Singapore)
	accounts := secrets.NewExotel(func(context.Context) (string, error) { return secret, nil }, secrets.ExotelOptions{BaseURL: fake.URL}, log)
	_, err = accounts.Open(ctx)
	return vendor{accounts: accounts, tableFile: "signups.db", passwords: "passwords", isFake: true, fake: fake, secret: secret, where: "a fake of it on " + fake.URL}, err
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
	accounts := secrets.NewExotel(fetch, secrets.ExotelOptions{BaseURL: baseURL}, log)
	account, err := accounts.Open(ctx)
	if err != nil {
		return vendor{}, fmt.Errorf("EXOTEL_SECRET_FILE %s: %w", path, err)
	}
	v := vendor{accounts: accounts, tableFile: "signups-" + account.SID + ".db", passwords: "passwords-" + account.SID, where: "the real account " + account.SID}
	if info.Mode().Perm()&0o077 != 0 {
		v.warning = fmt.Sprintf("%s can be read by others (%s); chmod 600 it.", path, info.Mode().Perm())
	}
	return v, nil
}
