package lies

import (
	"fmt"
	"strings"
)

// Page is docs/lies.md: the suite as its readers see it.
func Page() string {
	var b strings.Builder
	b.WriteString(`# The suite of lies

A load test can be believed only as far as it cannot be fooled. Below are runs that some tool would call good,
and what brownout says of each. Every one is told to the built binary on every change (` + "`make lies`" + `), and every one
names the guard that catches it: ` + "`make mutants`" + ` builds brownout without that guard, tells the lie again, and fails
unless it is now believed. A guard whose removal nothing notices guards nothing.

| the lie | what happens, and why it is believed | the truth |
|---|---|---|
`)
	for _, l := range All() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", l.Name, l.Told, l.Truth)
	}
	b.WriteString(`
*unknown* is exit code 3, *fail* 99, an *error* 1. What a lie and its guard are in code: [e2e/lies](../e2e/lies).
`)
	return b.String()
}
