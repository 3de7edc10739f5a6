//go:build !race

package virtual

const usual = 20
