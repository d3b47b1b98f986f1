// Package simulation holds tests only: seeded schedules of the engine's work in
// virtual time, on a table, a vendor and a store of secrets that live in memory.
//
// A schedule is a few signups, delivered more than once to several processes
// whose clocks differ, with passes of the reconciler and an operator in between,
// while processes are killed or stand still, settings change, and calls fail in
// all the ways that the table and the vendor know. In a part of the schedules the
// signups ask for lines: numbers, addresses, destinations, credentials, caller ids,
// and deliveries add to them. Then the faults end, and the reconciler has to finish
// what is left. What must hold, always and at the end, is in invariants_test.go and
// lineinvariants_test.go; what no client can exclude is bounded in bounds_test.go.
//
// # How do I run it?
//
//	make sim                  # 100,000 schedules
//	make sim SEEDS=1000000
//	make sim SEED=4711        # this one, with all that happened in it
//
// # Why does a seed replay exactly?
//
// Every wait of a call is drawn from the seed and from what the call is: who
// makes it, what for, and how often before. The waits are in nanoseconds, so no
// two calls wake at the same instant, and the order in which goroutines run at
// one instant decides nothing.
//
// # Does it find anything?
//
// weakenings_test.go and lineweakenings_test.go take away one safeguard after the
// other, by a wrapper around a port, and demand that the simulation notices.
package simulation
