// Package node is the machines that carry the engines: simulated nodes with GPUs in this process, one
// replica a GPU, and the plain control surface an operator has over them (hold memory, probe it,
// throttle a device, restart an engine).
//
// What may not live here: routing, breakers, HTTP, how an engine schedules, knowledge of faults.
package node
