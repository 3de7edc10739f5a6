package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/scenarios/load"
)

// Dialect is how to speak to a server that is not ours. Nothing in it is secret: what is, it names
// by its environment variable.
type Dialect struct {
	KeyEnv  string            // environment variable with the API key; "" = none
	Headers map[string]string // values, or "env:NAME"
	CAFile  string            // PEM file of the authorities that sign its certificate; "" = the system's
	Body    map[string]any    // extra fields of every request body
	NoUsage bool              // count tokens by chunks; usage is not asked for
}

// Foreign is a server that was there already.
type Foreign struct {
	API        string // base URL, with or without /v1
	Admin      string // of its admin listener, if it is a reference server
	Faults     string // of its fault holder, if there is one
	AdminToken string
	FaultToken string
	Dialect

	Rate    float64 // requests/s that are planned at most; +Inf: nothing bounds them
	MaxRate float64 // the most that may be sent; 0 = no cap
	Harms   bool    // the scenario injects faults
	// Break are the hosts beyond this machine that faults may break, each named by a person.
	Break []string
	// Env looks environment variables up.
	Env func(name string) (string, bool)
}

// Adopt takes a server that is already there. Before anything is sent it reports everything that is
// wrong with f at once; then it makes sure that somebody answers.
func Adopt(ctx context.Context, f Foreign) (*Target, error) {
	f.API = strings.TrimSuffix(strings.TrimRight(f.API, "/"), "/v1")
	f.Admin, f.Faults = strings.TrimRight(f.Admin, "/"), strings.TrimRight(f.Faults, "/")
	wrong := slices.Concat(f.addresses(), f.dialect(), f.rate(), f.confirmed())
	transport, err := trusting(f.CAFile)
	if err != nil {
		wrong = append(wrong, err)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	t := &Target{Kind: "foreign", API: f.API, Admin: f.Admin, Faults: f.Faults,
		AdminToken: f.AdminToken, FaultToken: f.FaultToken, Dialect: f.Dialect, MaxRate: f.MaxRate, transport: transport}
	if err := t.Reachable(ctx); err != nil {
		return nil, fmt.Errorf("nobody answers at --target %s (%w); start the server, correct the URL, or give its certificate authority with --ca-file", t.API, err)
	}
	return t, nil
}

func (f *Foreign) addresses() []error {
	var wrong []error
	for _, a := range []struct{ flag, raw string }{{"--target", f.API}, {"--target-admin", f.Admin}, {"--target-faults", f.Faults}} {
		if a.raw == "" && a.flag != "--target" {
			continue
		}
		u, err := url.Parse(a.raw)
		switch {
		case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
			wrong = append(wrong, fmt.Errorf("%s %q is not a base URL; write for example http://127.0.0.1:8000", a.flag, hideUser(a.raw)))
		case u.User != nil:
			wrong = append(wrong, fmt.Errorf("%s has a user or a password in its URL, which result files would show; write them into an environment variable and give --header Authorization=env:NAME", a.flag))
		case u.RawQuery != "" || u.Fragment != "":
			wrong = append(wrong, fmt.Errorf("%s %s has more than a path behind its host; write the base URL alone, and keys as --header NAME=env:VARIABLE", a.flag, u.Scheme+"://"+u.Host))
		}
	}
	return wrong
}

// hideUser cuts what may be a password out of something that is no URL.
func hideUser(raw string) string {
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}

func (f *Foreign) dialect() []error {
	var wrong []error
	if v, ok := f.Env(f.KeyEnv); f.KeyEnv != "" && (!ok || v == "") {
		wrong = append(wrong, fmt.Errorf("--key-env %s: that environment variable is empty; export the API key there", f.KeyEnv))
	}
	for _, err := range load.CheckHeaders(f.Headers) {
		wrong = append(wrong, fmt.Errorf("--header %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		value := f.Headers[name]
		switch fromEnv := strings.HasPrefix(value, load.EnvPrefix); {
		case !fromEnv && looksSecret(name, value):
			wrong = append(wrong, fmt.Errorf("--header %q carries a secret, which process lists and result files would show; export it and write --header %s=env:NAME", name, name))
		case f.KeyEnv != "" && strings.EqualFold(name, "Authorization"):
			wrong = append(wrong, errors.New("--header Authorization and --key-env both set the same header; keep one"))
		}
	}
	if _, _, err := load.ResolveHeaders(f.Headers, f.Env); err != nil && len(wrong) == 0 {
		wrong = append(wrong, fmt.Errorf("--header %w", err))
	}
	for _, err := range load.CheckBody(f.Body) {
		wrong = append(wrong, fmt.Errorf("--body %w", err))
	}
	return wrong
}

// looksSecret reports whether a header is of the sort that carries a credential.
func looksSecret(name, value string) bool {
	name, value = strings.ToLower(name), strings.ToLower(value)
	for _, part := range []string{"auth", "cookie", "token", "secret", "passw", "key", "credential", "signature"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	for _, scheme := range []string{"bearer ", "basic ", "sk-"} {
		if strings.HasPrefix(value, scheme) {
			return true
		}
	}
	return false
}

func (f *Foreign) rate() []error {
	if f.MaxRate > 0 && math.IsInf(f.Rate, 1) {
		return []error{fmt.Errorf("the scenario is a closed loop without a think time, which sends as fast as the target answers, and --max-rate allows %g/s; give its users a think time with --set load.arrivals.think=1s, or write an open loop", f.MaxRate)}
	}
	if f.MaxRate > 0 && f.Rate > f.MaxRate {
		return []error{fmt.Errorf("the scenario sends up to %g requests/s and --max-rate allows %g/s; lower it with --set load.arrivals.rate=%g/s", f.Rate, f.MaxRate, f.MaxRate)}
	}
	return nil
}

// confirmed makes sure that a person named every host beyond this machine that faults will break.
func (f *Foreign) confirmed() []error {
	var wrong []error
	hosts := map[string]string{} // host → the flag it came from
	for _, a := range []struct{ flag, raw string }{{"--target", f.API}, {"--target-admin", f.Admin}, {"--target-faults", f.Faults}} {
		if u, err := url.Parse(a.raw); err == nil && u.Hostname() != "" {
			if _, twice := hosts[strings.ToLower(u.Hostname())]; !twice {
				hosts[strings.ToLower(u.Hostname())] = a.flag
			}
		}
	}
	named := map[string]bool{}
	for _, host := range f.Break {
		named[strings.ToLower(host)] = true
		if _, ours := hosts[strings.ToLower(host)]; !ours {
			wrong = append(wrong, fmt.Errorf("--yes-break %s is not a host of this target; write the one of %s", host, strings.Join(slices.Sorted(maps.Keys(hosts)), " or ")))
		}
	}
	if !f.Harms {
		return wrong
	}
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		if !loopback(host) && !named[host] {
			wrong = append(wrong, fmt.Errorf("the scenario injects faults and %s %s is not this machine; if you may break it, confirm with --yes-break %s", hosts[host], host, host))
		}
	}
	return wrong
}

// loopback reports whether a host is this machine for certain. Other names may lead anywhere.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// trusting is a transport for the few calls that are not load; nil where the system's authorities do.
func trusting(file string) (http.RoundTripper, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // http.Client takes nil as the default
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--ca-file cannot be read (%w); give the path of a PEM file", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca-file %s holds no certificate; give a PEM file", file)
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}, nil
}
