// Package agent is the process side of faults: it holds them. It arms a fault through its driver,
// proves it, keeps it under a lease, clears it, proves that it is gone, and journals every step. It
// lives in the server's process or in one of its own; who injects (CLI, load generator) only speaks
// its HTTP API and may die at any time.
//
// What may not live here: how a target is harmed (faults/drivers), the language and the HTTP of
// faults (faults), judging.
package agent
