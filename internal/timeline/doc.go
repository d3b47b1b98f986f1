// Package timeline tells a signup's story out of the system's own log: each delivery
// and each try of the reconciler, with every write and every call to Exotel, on one
// axis of time. The lines are those that packages handler and provision write, be they
// from the local system's file or from CloudWatch.
package timeline
