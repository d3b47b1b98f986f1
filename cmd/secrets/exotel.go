package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/internal/secrets"
)

// askExotel asks for the credentials; without a key it leaves what is there.
func (o options) askExotel(ctx context.Context, s store, p prompter, out io.Writer) error {
	fmt.Fprintln(out, "Exotel's credentials (Settings > API in its dashboard). Without a key, what is stored stays.")
	key, err := p.ask(ctx, "API key: ")
	if err != nil || key == "" {
		return err
	}
	token, err := p.askHidden(ctx, "API token (not shown): ")
	if err != nil {
		return err
	}
	sid, err := p.ask(ctx, "Account SID: ")
	if err != nil {
		return err
	}
	region, err := p.ask(ctx, "Region, 1 for Singapore or 2 for Mumbai: ")
	if err != nil {
		return err
	}
	subdomain, known := map[string]string{"1": exotel.Singapore, "2": exotel.Mumbai}[region]
	if !known {
		return errors.New("the region must be 1 or 2")
	}
	text, err := json.Marshal(map[string]string{"api_key": key, "api_token": token, "account_sid": sid, "subdomain": subdomain})
	if err != nil {
		return err
	}
	return o.storeExotel(ctx, s, string(text), out)
}

// tryTime bounds the call that tries the credentials.
const tryTime = 15 * time.Second

// storeExotel tries the credentials, with a call that changes nothing, before it
// stores them: the functions would only find out with the next signup.
func (o options) storeExotel(ctx context.Context, s store, text string, out io.Writer) error {
	fetch := func(context.Context) (string, error) { return text, nil }
	tryCtx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	account, err := secrets.NewExotel(fetch, secrets.ExotelOptions{BaseURL: o.exotelURL}, slog.New(slog.DiscardHandler)).Open(tryCtx)
	if err != nil {
		return err
	}
	if _, err := account.Trunks.List(tryCtx, exotel.ListOptions{PageSize: 1}); err != nil {
		return fmt.Errorf("the credentials are not stored, because Exotel does not take them (a wrong region looks like a wrong key): %w", err)
	}
	if err := s.put(ctx, o.exotelID, text); err != nil {
		return err
	}
	fmt.Fprintf(out, "Stored: Exotel takes them for account %s.\n", account.SID)
	return nil
}
