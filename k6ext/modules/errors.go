package modules

import (
	"errors"
	"fmt"
	"strings"
)

// errInit: a call that needs a running test was made while the script was loaded.
func errInit(what string) error {
	return fmt.Errorf("%s cannot be called in the init context: call it in the default function, in setup or in teardown", what)
}

// oneSentence joins mistakes for an exception.
func oneSentence(what string, wrong []error) error {
	if len(wrong) == 0 {
		return nil
	}
	parts := make([]string, len(wrong))
	for i, err := range wrong {
		parts[i] = err.Error()
	}
	return errors.New(what + ": " + strings.Join(parts, "; "))
}
