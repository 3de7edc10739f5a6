// Package jsonfile is JSON files that obey a JSON Schema: their size is bounded, the first mistake is
// told in one sentence with its place, and they are written in one step.
//
// What may not live here: what any one file means.
package jsonfile
