package refserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// Limits of the listeners. Streams have no limit as a whole: the API sets one for every write.
const (
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 64 << 10
	goodbyeTime = time.Second // for connections to close once all answers are out
)

// Run listens and serves until ctx ends, then drains: readiness goes off, new requests are refused
// with 503, those inside finish within the drain time or are broken with an explicit error. It
// returns nil after a stop by ctx, and may be called once.
func (s *Server) Run(ctx context.Context) error {
	apiListener, err := listen(ctx, "listen", s.cfg.Listen)
	if err != nil {
		return err
	}
	defer apiListener.Close()
	servers := []*http.Server{newHTTPServer(s.api, s.log)}
	listeners := []net.Listener{apiListener}
	adminAddress := ""
	if s.cfg.Admin.Listen != "" {
		adminListener, err := listen(ctx, "admin.listen", s.cfg.Admin.Listen)
		if err != nil {
			return err
		}
		defer adminListener.Close()
		servers, listeners = append(servers, newHTTPServer(s.admin, s.log)), append(listeners, adminListener)
		adminAddress = adminListener.Addr().String()
	}

	// The engines outlive ctx: what is inside must be able to finish.
	engines, stopEngines := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngines()
	var wg sync.WaitGroup
	failed := make(chan error, len(servers)+1)
	wg.Go(func() {
		if err := s.machines.Run(engines); err != nil {
			failed <- fmt.Errorf("the engines stopped: %w", err)
		}
	})
	for i, server := range servers {
		wg.Go(func() {
			if err := server.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serving %s stopped: %w", listeners[i].Addr(), err)
			}
		})
	}
	s.announce(apiListener.Addr().String(), adminAddress)

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	}
	s.drain()
	close(s.stopping)
	for _, server := range servers {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTime)
		if server.Shutdown(bye) != nil {
			_ = server.Close() // nothing is left to tell those connections
		}
		cancel()
	}
	stopEngines()
	wg.Wait()
	return cause
}

func (s *Server) drain() {
	s.events.Emit(event.Event{Source: "server", Kind: event.ServerDraining})
	s.log.Info("draining", "in_flight", s.api.InFlight(), "deadline", s.cfg.Drain)
	limit, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
	defer cancel()
	if broken := s.api.Drain(limit); broken > 0 {
		s.log.Warn("drain deadline passed", "broken", broken)
	}
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func listen(ctx context.Context, key, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is in use by another process; stop that one, or choose another port (port 0 takes a free one)", key, address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: %s needs rights that this process has not; choose a port above 1023", key, address)
	default:
		return nil, fmt.Errorf("%s: cannot listen on %s: %w", key, address, err)
	}
}
