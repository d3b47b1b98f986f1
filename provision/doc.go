// Package provision turns a signup into one SIP trunk: exactly one, whatever is
// delivered twice, lost, slow or killed on the way. It knows neither AWS nor
// HTTP; the ports it needs ([Ledger], [Accounts], [Trunks]) are declared here.
//
// # How does one signup go?
//
//	claim -> create | adopt -> record
//
// The claim is one conditional write, made before anything else: from then on
// the signup is on disk and somebody will finish it. The trunk's name is a
// function of the signup id alone ([TrunkName]), so Exotel's own rule that a
// name is unique makes every repetition, by whomever, meet at one trunk: it is
// created, or found by its name and adopted. The record makes the signup active.
//
// # Why can two workers never make two trunks?
//
// They send the same name. What the lease adds is only that they don't bother
// the vendor at once, and what the owner token adds is that the slower one
// can't overwrite what the faster one wrote.
//
// # What if the answer to a create is lost?
//
// Then the outcome is unknown, the signup stays pending, and the next try (a
// redelivery, or [Engine.Reconcile]) creates again: it either makes the trunk
// or is told that the name is taken, and adopts.
//
// # Who decides what a failure means?
//
// The function judge, in one switch, by the kinds of package exotel. No refusal
// of Exotel's rejects a signup: nothing in a create is the customer's, and an
// earlier try may still be under way.
package provision
