// Package gpu is the state of one accelerator and the arithmetic that follows from it: what a model
// weighs, how long an engine step takes, what fits in memory, and what the telemetry then shows.
// Everything is a pure function of (state, now) except Device, which adds one mutex.
//
// What may not live here: goroutines, waiting, scheduling of requests, HTTP, knowledge of faults.
// Foreign memory is a plain property of a device; who asked for it is not this package's business.
package gpu
