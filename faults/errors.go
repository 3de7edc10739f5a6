package faults

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons why a holder refuses; test with errors.Is. Each is the beginning of a sentence.
var (
	ErrNoMatch     = errors.New("the selector matches nothing")             // 404
	ErrTooWide     = errors.New("the selector is too wide")                 // 409
	ErrConflict    = errors.New("the target already has a fault like this") // 409
	ErrUnknown     = errors.New("no such fault")                            // 404
	ErrEnded       = errors.New("the fault is over")                        // 410
	ErrStopping    = errors.New("the fault holder is stopping")             // 503
	ErrUnsupported = errors.New("no driver of this holder can do that")     // 400
	ErrRequest     = errors.New("the request is wrong")                     // 400
	ErrDriver      = errors.New("the target did not obey")                  // 502
	ErrFull        = errors.New("the fault holder cannot take a fault now") // 503
)

// Problem is one mistake in a fault.
type Problem struct {
	Column int    // of the one-line form, in characters from 1; 0 when the fault was not parsed from text
	Field  string // "kind", "on", "for", "ramp", "seed", "max_share", "line" or the name of a parameter
	Text   string // what is wrong and how to mend it
}

// SyntaxError is everything that is wrong with one fault, in the order of the line.
type SyntaxError struct {
	Line     string // as it was written; "" when the fault was not parsed from text
	Problems []Problem
}

// Error is one sentence that names every mistake.
func (e *SyntaxError) Error() string {
	parts := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		if p.Column > 0 {
			parts = append(parts, fmt.Sprintf("column %d: %s", p.Column, p.Text))
		} else {
			parts = append(parts, p.Text)
		}
	}
	if e.Line == "" {
		return "wrong fault: " + strings.Join(parts, "; ")
	}
	return fmt.Sprintf("wrong fault %q: %s", e.Line, strings.Join(parts, "; "))
}
