//go:build race

package virtual

// fewer comparisons: the race detector makes each ten times as long, and it looks at the code, not at rates.
const usual = 3
