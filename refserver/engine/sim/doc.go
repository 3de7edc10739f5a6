// Package sim is an engine of continuous batching on one simulated GPU: chunked prefill under a token
// budget, KV blocks that bound admission, recompute preemption, run-time allocations that can be
// refused, and a process that can die and load again. Time passes per engine step, for the whole
// batch, by gpu.Timing; the text is internal/synth's.
//
// The schedule and the memory policy are pure (schedule, core: they take now and never wait); one
// goroutine, Engine.Run, waits for the planned end of each step and delivers.
//
// What may not live here: routing, retries, HTTP, clusters, knowledge of faults.
package sim
