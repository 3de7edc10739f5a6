// Package render makes a result readable: in a terminal, and as one HTML file that needs no network.
// Both say the same things in the same words and compute nothing but positions and number formats.
//
// What may not live here: judging, reading or writing result files, colours of a terminal that did
// not ask for them.
package render
