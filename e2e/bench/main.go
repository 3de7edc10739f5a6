// Command bench measures what the measuring client costs beside its peers, in one run: CPU per
// stream of a load generator's process, while the same lean server answers all of them from another
// process; then the arrival lag and the memory of a long load. make bench runs it last.
//
// What may not live here: pass or fail. It prints what this machine did; ratios within one run are
// the claim, and nobody asserts on them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	binary   string
	rounds   int
	length   time.Duration // of one load
	rate     int           // of coalesced streams
	stepRate int           // of stepped streams
	lagRate  int           // of the load whose lag is looked at
	requests int           // of the long load
	fast     int           // its rate
	only     string
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if child := children(args[0]); child != nil {
			return child(ctx, args[1:])
		}
	}
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&s.binary, "binary", "bin/brownout", "the brownout to measure")
	f.IntVar(&s.rounds, "rounds", 3, "rounds of all peers, one after the other; 0 leaves them out")
	f.DurationVar(&s.length, "for", 5*time.Second, "length of a load")
	f.IntVar(&s.rate, "rate", 8000, "streams a second that come in one write")
	f.IntVar(&s.stepRate, "step-rate", 1000, "streams a second that come chunk by chunk")
	f.IntVar(&s.lagRate, "lag-rate", 2000, "streams a second of the load whose lag is measured; 0 leaves it out")
	f.IntVar(&s.requests, "requests", 1_000_000, "requests of the long load; 0 leaves it out")
	f.IntVar(&s.fast, "fast", 10_000, "requests a second of the long load")
	f.StringVar(&s.only, "only", "", "only peers whose name holds this text")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if s.binary, err = filepath.Abs(s.binary); err != nil {
		return err
	}
	if _, err := os.Stat(s.binary); err != nil {
		return fmt.Errorf("%s cannot be run (%w): make build makes it, -binary names another", s.binary, err)
	}
	if s.rounds < 0 || s.rate < 1 || s.stepRate < 1 || s.fast < 1 || s.length < time.Second {
		return errors.New("-rate, -step-rate and -fast must be 1 or more, and -for 1s or more")
	}
	return s.measure(ctx, os.Stdout)
}

// children are the processes this program starts of itself.
func children(name string) func(context.Context, []string) error {
	switch name {
	case "server":
		return serve
	case "nethttp":
		return netHTTP
	case "syscalls":
		return syscalls
	case "judge":
		return judge
	}
	return nil
}
