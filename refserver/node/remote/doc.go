// Package remote is a cluster whose nodes are other processes, seen from the gateway: it connects to
// them, believes what their heartbeats say, hands their engines out as engine.Engine, and starts them
// again where it was given the means to start them.
//
// A node's life at the gateway is an epoch. It begins with a connection and a first heartbeat and ends,
// once and for ever, when the connection closes or heartbeats stay away too long: every stream of it is
// then ended with an error at once, so that the router continues it elsewhere, and nothing the node may
// still say on it is delivered. A node that comes back comes back as a new epoch.
//
// What may not live here: engines, the node's own side (host), routing, how a process is started.
package remote
