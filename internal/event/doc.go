// Package event is the vocabulary of the timeline: what happened, to what, when,
// and by whose clock. Every process of a run (server, load generator, fault holder)
// emits Events on its own Clock; the harness maps them onto its own with an Offset.
//
// What may not live here: judging (reports/slo), storage, HTTP.
package event
