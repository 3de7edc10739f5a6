package run

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/scenarios/load"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// lease is how long a fault outlives the harness that asked for it.
const lease = 3 * time.Second

// fired is what the load generator left behind.
type fired struct {
	shard       string
	code        int
	interrupted bool
	targetDied  bool
	ended       time.Time
}

// fire runs the k6 child to its end (or to ours) while events are collected.
func (r *running) fire(ctx context.Context) (fired, error) {
	f := fired{shard: filepath.Join(r.dir, "records.shard")}
	beacon, err := startBeacon(r.clock)
	if err != nil {
		return f, err
	}
	defer beacon.stop()

	var background sync.WaitGroup
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	defer func() { stopFollowing(); background.Wait() }()
	background.Go(func() { r.server.follow(following) })

	r.Say("calibrating the client")
	child, progress, err := r.startLoad(beacon.url, f.shard)
	if err != nil {
		return f, err
	}
	background.Go(func() { r.relay(progress) })
	// The plan's own length, its drain, and a minute for a machine that is slow to start and stop.
	limit := time.NewTimer(r.Spec.Length() + r.Spec.Client.Total + time.Minute)
	defer limit.Stop()
	select {
	case <-child.Done():
	case <-r.target.Died():
		f.targetDied = true
		child.Stop(10 * time.Second)
	case <-ctx.Done():
		f.interrupted = true
		child.Interrupt()
		child.Stop(15 * time.Second)
	case <-limit.C:
		child.Stop(10 * time.Second)
		return f, fmt.Errorf("the load generator did not end in time; see %s", child.LogFile)
	}
	f.ended = time.Now()
	f.code = child.ExitCode()
	if f.code != 0 && !f.interrupted && !f.targetDied {
		return f, fmt.Errorf("the load generator ended with code %d: %s (log: %s)", f.code, child.LastWords(), child.LogFile)
	}
	stopFollowing()
	background.Wait() // from here on nobody else adds events
	r.server.rest(context.WithoutCancel(ctx))
	return f, nil
}

// startLoad starts `brownout k6 run -` with the generated script on stdin and options in a file.
func (r *running) startLoad(beacon, shard string) (*target.Child, *os.File, error) {
	options, err := r.options(beacon, shard)
	if err != nil {
		return nil, nil, err
	}
	config := filepath.Join(r.dir, "k6.json")
	if err := os.WriteFile(config, options, 0o600); err != nil {
		return nil, nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	child, err := target.Start(target.Command{
		Binary: r.Binary,
		Args:   []string{"k6", "run", "--quiet", "--config", config, "--out", "brownout=" + shard, "-"},
		Env: []string{"BROWNOUT_PROGRESS_FD=4", target.FaultTokenEnv + "=" + r.target.FaultToken,
			"K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "K6_NO_COLOR=true"},
		Stdin: bytes.NewReader([]byte(script)),
		Log:   filepath.Join(r.dir, "k6.log"),
		Extra: []*os.File{write},
	})
	write.Close()
	if err != nil {
		read.Close()
		return nil, nil, fmt.Errorf("cannot start the load generator: %w", err)
	}
	return child, read, nil
}

// script only brings our extension in: load and timeline are executors, configured by JSON.
const script = `import "k6/x/brownout";
export default function () {}
`

// k6Options is what k6 reads with --config.
type k6Options struct {
	Scenarios map[string]map[string]any `json:"scenarios"`
}

func (r *running) options(beacon, shard string) ([]byte, error) {
	arrivals, err := asMap(r.Spec.Arrivals(r.client(), r.id, shard, beacon))
	if err != nil {
		return nil, err
	}
	arrivals["executor"] = "brownout-arrivals"
	arrivals["gracefulStop"] = "5s"
	arrivals["records_only"] = true
	scenarios := map[string]map[string]any{"load": arrivals}
	if len(r.Spec.Faults) > 0 {
		timeline, err := asMap(struct {
			Timeline faults.Plan `json:"timeline"`
		}{r.Spec.Timeline(r.target.Faults, target.FaultTokenEnv, r.id, lease)})
		if err != nil {
			return nil, err
		}
		timeline["executor"] = "brownout-timeline"
		timeline["gracefulStop"] = "10s"
		scenarios["timeline"] = timeline
	}
	return json.MarshalIndent(k6Options{scenarios}, "", "  ")
}

// client is how the measuring client talks to this target.
func (r *running) client() load.Client {
	d := r.target.Dialect
	return load.Client{BaseURL: r.target.API, KeyEnv: d.KeyEnv, Headers: d.Headers, CAFile: d.CAFile, ExtraBody: d.Body,
		NoUsage: d.NoUsage, Exact: r.exact,
		ConnectTimeout: r.Spec.Client.Connect, TTFTTimeout: r.Spec.Client.TTFT,
		StallTimeout: r.Spec.Client.Stall, TotalTimeout: r.Spec.Client.Total, MaxBody: 16 << 20}
}

func asMap(v any) (map[string]any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // seeds are 64 bits wide
	return m, dec.Decode(&m)
}

// relay hands the child's progress lines on until the child closes its end.
func (r *running) relay(progress *os.File) {
	defer progress.Close()
	lines := bufio.NewScanner(progress)
	for lines.Scan() {
		var p load.Progress
		if json.Unmarshal(lines.Bytes(), &p) == nil && r.Progress != nil {
			r.Progress(p)
		}
	}
}
