package run

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
)

// Bounds of the measurement, which delays every run with faults.
const (
	injectorIdle  = 100 * time.Millisecond
	injectorCalls = 40
	injectorFor   = 150 * time.Millisecond // of calls, however many that are
)

// lister is what is asked of a fault holder.
type lister interface {
	List(ctx context.Context) ([]faults.Held, error)
}

// injector measures what the fault holder costs while it holds nothing: its CPU time while nobody asks
// (pid 0 = cannot be told apart from the server), then round trips of its API. None of our drivers
// sits in the path of requests.
func injector(ctx context.Context, holder lister, pid int) (*result.Injector, error) {
	out := &result.Injector{}
	if before, err := threadTime(pid); err == nil {
		began := time.Now()
		select {
		case <-time.After(injectorIdle):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if after, err := threadTime(pid); err == nil {
			out.IdleCores = new((after - before).Seconds() / time.Since(began).Seconds())
		}
	}
	var calls []time.Duration
	for end := time.Now().Add(injectorFor); len(calls) < injectorCalls && time.Now().Before(end); {
		began := time.Now()
		if _, err := holder.List(ctx); err != nil {
			return nil, fmt.Errorf("the fault holder did not answer before the run: %w", err)
		}
		calls = append(calls, time.Since(began))
	}
	out.Call = record.SpreadOf(calls)
	return out, nil
}

// threadTime is how long all threads of a process ran so far, by the scheduler's own account (Linux,
// Documentation/scheduler/sched-stats.rst: nanoseconds on the CPU are the first number). The clock ticks of
// /proc/PID/stat are a hundred times too coarse for this. An error where there is no such account.
func threadTime(pid int) (time.Duration, error) {
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "schedstat"))
	if err != nil || len(threads) == 0 {
		return 0, cmp.Or(err, os.ErrNotExist)
	}
	var sum time.Duration
	for _, file := range threads {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended meanwhile
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
