// Package lies is the suite of lies: runs that some load test would call good, and what brownout must
// say of each instead. A lie is told to the built binary, as a user would meet it: a server that flatters
// itself, a fault that is none, a load generator that is starved, a clock that jumps.
//
// Every lie names the guard that catches it, as an edit of our own source that takes the guard away. The
// mutation run builds brownout with that edit and tells the lie again: it must now be believed. A guard
// whose removal nothing notices guards nothing.
//
// What may not live here: what brownout can do besides not being fooled (e2e has that).
package lies
