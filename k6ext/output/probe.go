package output

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// probes is how many round trips one estimate takes: the shortest wins, so a few dozen find a quiet
// moment, and on loopback they cost some milliseconds.
const probes = 20

// probe estimates the harness's clock against ours.
func probe(ctx context.Context, harness string, clock *event.Clock) (event.Offset, error) {
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Second}
	seen := make([]event.Probe, 0, probes)
	for range probes {
		p, err := one(ctx, client, harnessClock(harness), clock)
		if err != nil {
			return event.Offset{}, err
		}
		seen = append(seen, p)
	}
	// The first round trip opened the connection and is no measure of the way.
	offset, ok := event.Estimate(seen[1:])
	if !ok {
		return event.Offset{}, fmt.Errorf("the clock at %s changed its identity: was the harness restarted?", harness)
	}
	return offset, nil
}

func one(ctx context.Context, client *http.Client, url string, clock *event.Clock) (event.Probe, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return event.Probe{}, err
	}
	p := event.Probe{Sent: clock.Now()}
	resp, err := client.Do(req)
	if err != nil {
		return event.Probe{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	p.Received = clock.Now()
	if err != nil {
		return event.Probe{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return event.Probe{}, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	if err := json.Unmarshal(body, &p.Theirs); err != nil || p.Theirs.Clock == "" {
		return event.Probe{}, fmt.Errorf("%s did not answer with a clock reading", url)
	}
	return p, nil
}
