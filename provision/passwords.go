package provision

import "context"

// Passwords keeps the passwords of credentials, where those may fetch them who may;
// never in the ledger.
type Passwords interface {
	// Keep keeps a password for a user of a trunk, unless one is kept already, and
	// returns the one that is, with the name by which it can be fetched.
	Keep(ctx context.Context, trunkName, userName, password string) (kept, at string, err error)
}
