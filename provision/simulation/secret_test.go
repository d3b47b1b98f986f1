package simulation_test

import (
	"context"
	"errors"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

var errSecrets = errors.New("secrets manager down")

// secret is what Secrets Manager holds: an account, and a key for each.
type secret struct {
	accountSID string
	keys       map[string]int
}

// accounts is a process's way to the secret: fetched once, and again where the
// vendor refuses what was fetched. It is a provision.Accounts.
type accounts struct{ process *process }

func (a *accounts) Ready() *provision.Account {
	a.process.world.mu.Lock()
	defer a.process.world.mu.Unlock()
	return a.process.account
}

func (a *accounts) Open(ctx context.Context) (*provision.Account, error) {
	if account := a.Ready(); account != nil {
		return account, nil
	}
	return a.fetch(ctx)
}

func (a *accounts) Reopen(ctx context.Context, refused *provision.Account) (*provision.Account, error) {
	if account := a.Ready(); account != refused {
		return account, nil
	}
	return a.fetch(ctx)
}

func (a *accounts) fetch(ctx context.Context) (*provision.Account, error) {
	w := a.process.world
	c := w.begin(ctx, "fetch secret", "")
	down := c.fault(secretFaults) == secretsDown
	var sid string
	var key int
	read := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		sid = w.secret.accountSID
		key = w.secret.keys[sid]
	}
	if !c.reach(c.between(5*time.Millisecond, 50*time.Millisecond), read) {
		return nil, context.DeadlineExceeded
	}
	if down {
		return nil, errSecrets
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.process.account == nil || a.process.account.SID != sid || a.process.key != key {
		a.process.account, a.process.key = a.process.open(sid, key), key
	}
	return a.process.account, nil
}

// open is a client of the vendor's with these credentials.
func (p *process) open(sid string, key int) *provision.Account {
	client := &trunks{process: p, accountSID: sid, key: key}
	account := &provision.Account{SID: sid, Trunks: client}
	client.complete(account)
	if p.world.weakening.trunks != nil {
		account.Trunks = p.world.weakening.trunks(client)
	}
	if p.world.weakening.account != nil {
		p.world.weakening.account(account)
	}
	return account
}
