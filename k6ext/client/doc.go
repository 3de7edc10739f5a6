// Package client is the measuring client: it sends one chat completion, stamps what happens and
// puts it into exactly one outcome. It never waits, retries or limits itself; the SDK for
// applications does that.
//
// What may not live here: k6, arrivals, files, judging of more than one request.
package client
