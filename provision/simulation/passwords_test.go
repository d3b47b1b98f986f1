package simulation_test

import (
	"context"
	"errors"
	"time"
)

var errPasswords = errors.New("password store down")

// passwords is a process's way to the one store of them: a provision.Passwords.
type passwords struct{ process *process }

// Keep is atomic: the first one stays.
func (p *passwords) Keep(ctx context.Context, trunkName, userName, password string) (kept, at string, err error) {
	world := p.process.world
	c := world.begin(ctx, "keep password", trunkName+" "+userName)
	if c.expired() {
		return "", "", context.DeadlineExceeded
	}
	leg, fault := c.between(5*time.Millisecond, 50*time.Millisecond), c.fault(passwordFaults)
	if fault == passwordsDown {
		c.wait(leg)
		return "", "", errPasswords
	}
	at = passwordAt(trunkName, userName)
	keep := func() {
		world.mu.Lock()
		defer world.mu.Unlock()
		if world.passwords[at] == "" {
			world.passwords[at] = password
		}
		kept = world.passwords[at]
	}
	if !c.reach(leg, keep) || !c.wait(leg) {
		return "", "", context.DeadlineExceeded
	}
	if fault == passwordsLoseAnswer {
		return "", "", errPasswords
	}
	return kept, at, nil
}

func passwordAt(trunkName, userName string) string { return trunkName + "/" + userName }
