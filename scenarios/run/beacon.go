package run

import (
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// beacon shows the harness's clock on a loopback port: the load generator reads it to say how far
// its own clock is from ours.
type beacon struct {
	url  string
	http *http.Server
}

func startBeacon(clock *event.Clock) (*beacon, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback port is there at once or not at all
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(clock.Read()) // a reader that hung up needs no answer
	})
	b := &beacon{url: "http://" + l.Addr().String(), http: &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}}
	go func() { _ = b.http.Serve(l) }() // ends with ErrServerClosed on stop
	return b, nil
}

func (b *beacon) stop() { b.http.Close() }
