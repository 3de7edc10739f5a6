// Package compare says whether one set of runs is slower than another: better, same, worse, or not to be
// told. Pure functions over the samples that a result or a baseline keeps; deterministic, no clock.
//
// Two questions are asked of every metric, and a difference counts only when both say so:
//
//   - Do these very runs differ? A permutation test over whole seconds of load, because the requests of one
//     second wait in the same queues and are not independent.
//   - Does that difference stand out from the one between runs of the same build? A t-test over one number
//     a run. A whole run can be slower because the machine was busy; inside one run nothing shows that.
//
// What may not live here: reading files (baseline), words for people (render), judging one run (slo).
package compare
