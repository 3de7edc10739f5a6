// Package fakellm is a small OpenAI-compatible server whose answers are scripted: other chunkings,
// keep-alives, line ends, and every way an answer can fail. Tests of clients and black-box tests
// use it as the foreign target.
//
// What may not live here: batching, GPUs, resilience (that is refserver), assertions.
package fakellm
