// Package http1 is HTTP/1.1 over plain connections for one kind of request: a POST whose answer is
// read as it comes. One goroutine does everything, so a request costs one write and the reads of its
// answer, where net/http hands it through two goroutines of each connection. It never redirects,
// retries, decompresses or asks a proxy. net/http stays the client for TLS and HTTP/2.
//
// What may not live here: what an answer means, timeouts (whoever waits calls Abort), k6.
package http1
