package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/synth"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// tokens is the length of a measured stream.
const tokens = 16

// job is one load that a peer shall make.
type job struct {
	binary  string // brownout
	url     string
	clock   string // of the harness
	dir     string // for files of this job
	rate    int
	length  time.Duration
	outputs int // tokens
}

func (j job) shard() string { return j.dir + "/records.shard" }

// peer is one load generator: the command that makes the load.
type peer struct {
	name    string
	does    string
	command func(job) (args []string, stdin string, err error)
	records bool // it leaves a shard
}

func peers() []peer {
	return []peer{
		{"brownout run", "its load generator, brownout-arrivals: every token checked and timed, one record a request on disk", arrivals(true), true},
		{"brownout-arrivals in k6", "the same in a plain k6 run, whose metrics it feeds", arrivals(false), true},
		{"k6 http.post", "reads the whole body, looks at no token", scripted(post), false},
		{"k6/x/brownout chat", "the JavaScript module: every token checked against its form and timed", scripted(chat), false},
		{"Go net/http", "bare client, bufio.Scanner over the body, nothing recorded", bare, false},
	}
}

// prompt is 16 tokens, as those of brownout-arrivals.
func prompt() string { return synth.Key(1).Text(0, 16) }

// requestBody is what brownout-arrivals sends but for seed and prompt.
func requestBody(outputs int) string {
	return fmt.Sprintf(`{"ignore_eos":true,"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":%d,"seed":1,`+
		`"messages":[{"role":"user","content":"%s"}]}`, outputs, prompt())
}

func k6(j job) []string {
	return []string{j.binary, "k6", "run", "--quiet", "--no-usage-report"}
}

// arrivals is the executor; judged: under a harness, as brownout run starts it.
func arrivals(judged bool) func(job) ([]string, string, error) {
	return func(j job) ([]string, string, error) {
		o := load.ArrivalsOptions{
			Plan: load.Plan{
				Seed: 1, Model: "m", Stream: true, MaxInFlight: 20_000, Duration: j.length,
				Arrivals: load.Arrivals{Process: load.Constant, Rate: float64(j.rate)},
				Prompt:   load.Length{Dist: load.Fixed, Mean: 16}, Output: load.Length{Dist: load.Fixed, Mean: float64(j.outputs)},
			},
			Client: load.Client{BaseURL: j.url, Exact: true}, Drain: 10 * time.Second, Run: "bench", Shard: j.shard(),
		}
		if judged {
			o.Harness, o.RecordsOnly = j.clock, true
		}
		raw, err := json.Marshal(o)
		if err != nil {
			return nil, "", err
		}
		var options map[string]any
		if err := json.Unmarshal(raw, &options); err != nil {
			return nil, "", err
		}
		options["executor"] = "brownout-arrivals"
		config, err := json.Marshal(map[string]any{"scenarios": map[string]any{"load": options}})
		if err != nil {
			return nil, "", err
		}
		file := j.dir + "/k6.json"
		if err := os.WriteFile(file, config, 0o600); err != nil {
			return nil, "", err
		}
		return append(k6(j), "--config", file, "--out", "brownout="+j.shard(), "-"),
			"import 'k6/x/brownout';\nexport default function () {}\n", nil
	}
}

// post is k6's own HTTP client.
const post = `import http from 'k6/http';
const body = @BODY@;
const params = { headers: { 'Content-Type': 'application/json' } };
export default function () { http.post('@URL@/v1/chat/completions', body, params); }
`

// chat is our module in k6's own executor.
const chat = `import { Client } from 'k6/x/brownout';
const client = new Client({ baseURL: '@URL@', model: 'm' });
const request = JSON.parse(@BODY@);
export default function () { client.chat(request); }
`

// scripted is a script under k6's constant-arrival-rate.
func scripted(script string) func(job) ([]string, string, error) {
	return func(j job) ([]string, string, error) {
		body, err := json.Marshal(requestBody(j.outputs))
		if err != nil {
			return nil, "", err
		}
		text := strings.NewReplacer("@URL@", j.url, "@BODY@", string(body)).Replace(script)
		text += fmt.Sprintf("export const options = { scenarios: { load: { executor: 'constant-arrival-rate', rate: %d, "+
			"timeUnit: '1s', duration: '%s', preAllocatedVUs: 100 } } };\n", j.rate, j.length)
		return append(k6(j), "-"), text, nil
	}
}

// bare is this program's child "nethttp".
func bare(j job) ([]string, string, error) {
	self, err := os.Executable()
	return []string{self, "nethttp", j.url, strconv.Itoa(j.rate), j.length.String(), strconv.Itoa(j.outputs)}, "", err
}

// netHTTP is what one writes first: a goroutine a request, http.Client, a scanner over the lines.
func netHTTP(ctx context.Context, args []string) error {
	url := args[0]
	rate, _ := strconv.Atoi(args[1])
	length, _ := time.ParseDuration(args[2])
	outputs, _ := strconv.Atoi(args[3]) // our own parent wrote them
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024}}
	body := requestBody(outputs)
	var wg sync.WaitGroup
	var failed atomic.Int64
	start := time.Now()
	for i := range int(float64(rate) * length.Seconds()) {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		wg.Go(func() {
			if err := scan(ctx, client, url, body, outputs); err != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d requests failed", n)
	}
	return nil
}

func scan(ctx context.Context, client *http.Client, url, body string, outputs int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	events := 0
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if len(lines.Bytes()) > 0 {
			events++
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if want := outputs + 3; events != want {
		return fmt.Errorf("%d events where %d were due: %w", events, want, io.ErrUnexpectedEOF)
	}
	return nil
}
