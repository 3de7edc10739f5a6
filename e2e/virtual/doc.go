// Package virtual tests what takes many runs: whole loads on the simulated engines, in virtual time.
// It alone may look into server and reports at once.
//
// What may not live here: anything but tests.
package virtual
