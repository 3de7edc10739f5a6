package lies

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
)

// Lie is one lie with the truth about it.
type Lie struct {
	Name  string
	Told  string // what happens, and why a load test believes it
	Truth string // what brownout must say
	// Tell runs brownout against the lie. The error says how it was fooled; nil: it was not.
	Tell  func(s *Stage) error
	Guard []Edit // without it Tell must fail
}

// Edit replaces one piece of a source file. File is relative to the module's root; Old is there exactly once.
type Edit struct{ File, Old, New string }

// All is the suite.
func All() []Lie {
	var all []Lie
	for _, some := range [][]Lie{ofServers(), ofLoads(), ofFaults(), ofPlaces(), ofBaselines()} {
		all = append(all, some...)
	}
	return all
}

// Verdicts as exit codes.
const (
	pass    = 0
	refused = 1
	unknown = 3
	fail    = 99
)

// Fooled is what Tell returns when brownout believed the lie. Any other error says nothing about that.
type Fooled struct{ what string }

func (f *Fooled) Error() string { return f.what }

func fooled(format string, args ...any) error { return &Fooled{fmt.Sprintf(format, args...)} }

// errBusy: this machine was too busy to tell, which says nothing about the lie.
var errBusy = errors.New("the machine was too busy")

// Retold tells the lie, again (at most twice) while the machine was too busy. A machine that always is shows nothing.
func (l Lie) Retold(stage func() *Stage) error {
	for try := 1; ; try++ {
		if err := l.Tell(stage()); !errors.Is(err, errBusy) || try == 3 {
			return err
		}
	}
}

// busy reports whether the verdict is unknown because of this machine.
func (o Outcome) busy() bool {
	for _, r := range o.Result.Judgement.Reasons {
		if r.Word == "client-limited" || r.Word == "simulator-limited" {
			return true
		}
	}
	return false
}

// expect compares how the run ended: its code, and for unknown the word of one of its reasons.
func (o Outcome) expect(code int, reason string) error {
	if o.Stdout+o.Stderr == "" {
		return errors.New("nothing was run")
	}
	if o.Code == unknown && code != unknown && o.busy() {
		return fmt.Errorf("%w: %s", errBusy, strings.Join(o.Result.Summary, " "))
	}
	if o.Code != code {
		return fooled("exit code %d, and the truth is %d: %s%s", o.Code, code, o.Stdout, o.Stderr)
	}
	if reason == "" {
		return nil
	}
	for _, r := range o.Result.Judgement.Reasons {
		if r.Word == reason {
			return nil
		}
	}
	if o.busy() {
		return fmt.Errorf("%w: %v", errBusy, o.Result.Judgement.Reasons)
	}
	return fooled("none of the reasons is %q: %v", reason, o.Result.Judgement.Reasons)
}

// outcomes compares how the requests ended: at least so many of them like that.
func outcomes(r result.Result, word record.Outcome, least int) error {
	if n := r.Judgement.Run.Outcomes[word.String()]; n < least {
		return fooled("%d requests ended %s, and the truth is at least %d: %v", n, word, least, r.Judgement.Run.Outcomes)
	}
	return nil
}
