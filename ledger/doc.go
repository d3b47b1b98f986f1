// Package ledger keeps the signups in one DynamoDB table.
//
// A signup is one item under its id. Every write is one conditional UpdateItem
// that returns the new item, or, where its condition fails, the old one: no
// write needs a read before it. Pending items carry a constant key, queue, and
// due_at, so that a sparse index lists what is due; both go when a signup is
// finished. Keys that start with # are for what is no signup.
//
// The writes do what the Apply methods of package provision define. Package
// ledgertest checks that, here and for ledger/embedded.
package ledger
