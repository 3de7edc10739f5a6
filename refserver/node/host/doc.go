// Package host is a node's side of the wire: it serves the GPUs and engines of one node over gRPC to
// the gateways that ask.
//
// What may not live here: engines, what a gateway believes, processes.
package host
