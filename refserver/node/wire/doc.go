// Package wire is what a node and its gateways say to each other over gRPC: the calls' names, their
// messages and the codec. Token frames and requests are packed by hand, a few bytes a frame; what comes
// ten times a second or less is JSON.
//
// What may not live here: connections, servers, when to believe that a node is dead.
package wire

// Service is the gRPC service of a node.
const Service = "brownout.node.v1.Node"

// Calls.
const (
	Generate = "Generate" // Ask → stream of Frame: one engine.Stream; cancelling ends the request
	Beats    = "Beats"    // BeatRequest → stream of Beat, one each Every
	Events   = "Events"   // EventsRequest → stream of EventBatch, as they happen
	Control  = "Control"  // Order → Reply
	Clock    = "Clock"    // Nothing → event.Reading
)

// Path is a call's full name.
func Path(call string) string { return "/" + Service + "/" + call }
