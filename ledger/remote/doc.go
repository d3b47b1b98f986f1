// Package remote is a ledger over HTTP on one machine: bbolt's file is locked by the
// process that has it open, so an operator's tool asks that process. The writes travel
// as they are, in Go's own encoding (gob): as JSON a trunk would be read as Exotel
// sends it, and lose what isn't in that form.
package remote
