package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Config makes a Client.
type Config struct {
	load.Client
	Limits load.Limits // stamp Record.Harmed; zero = no such limit
	Model  string      // "model" of every request
	Tenant string      // of every record
	Stream bool
	Key    string // API key; "" sends no Authorization header
	// Classes of a mix, by Arrival.Class; the five fields above are then not used.
	Classes []Class
	// Env looks the environment variables up that headers name [os.LookupEnv].
	Env   func(name string) (string, bool)
	Clock *event.Clock
	// MaxIdle bounds the connections kept open between requests [1024].
	MaxIdle int
	// Dial replaces the network; nil = TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Defaults of the timeouts and bounds, where the configuration leaves them zero.
const (
	DefaultConnect = 5 * time.Second
	DefaultTTFT    = 60 * time.Second
	DefaultStall   = 30 * time.Second
	DefaultTotal   = 5 * time.Minute
	DefaultMaxBody = 4 << 20
)

// settings is a valid Config: nothing in it is optional any more.
type settings struct {
	Config
	url   string
	kinds []kind // by Arrival.Class
	tls   *tls.Config
	hide  *strings.Replacer // secrets, out of the notes that servers' errors become
}

func (c Config) settle() (*settings, error) {
	c.ConnectTimeout = orDefault(c.ConnectTimeout, DefaultConnect)
	c.TTFTTimeout = orDefault(c.TTFTTimeout, DefaultTTFT)
	c.StallTimeout = orDefault(c.StallTimeout, DefaultStall)
	c.TotalTimeout = orDefault(c.TotalTimeout, DefaultTotal)
	c.MaxBody = orDefault(c.MaxBody, DefaultMaxBody)
	c.MaxIdle = orDefault(c.MaxIdle, 1024)
	if c.Clock == nil {
		c.Clock = event.NewClock()
	}
	var wrong []error
	if err := Check(c.Client); err != nil {
		wrong = append(wrong, err)
	}
	s := &settings{Config: c}
	s.url = strings.TrimRight(c.BaseURL, "/") + "/v1/chat/completions"
	if c.Env == nil {
		c.Env = os.LookupEnv
	}
	headers, secrets, err := load.ResolveHeaders(c.Headers, c.Env)
	if err != nil {
		wrong = append(wrong, fmt.Errorf("client.headers %w", err))
	}
	common := make(http.Header)
	for k, v := range headers {
		common.Set(k, v)
	}
	secrets = append(secrets, c.Key)
	for _, class := range c.Classes {
		secrets = append(secrets, class.Key)
	}
	s.hide = hiding(secrets)
	if s.tls, err = trust(c.CAFile); err != nil {
		wrong = append(wrong, err)
	}
	if s.kinds, err = c.kinds(common); err != nil {
		wrong = append(wrong, err)
	}
	return s, errors.Join(wrong...)
}

// Check reports everything that is wrong with the options, without touching files or network.
func Check(c load.Client) error {
	var wrong []error
	if !isBase(c.BaseURL) {
		wrong = append(wrong, fmt.Errorf("client.base_url is %q: write the target's address, as in http://127.0.0.1:8000", c.BaseURL))
	}
	for name, d := range map[string]time.Duration{
		"connect": c.ConnectTimeout, "ttft": c.TTFTTimeout, "stall": c.StallTimeout, "total": c.TotalTimeout,
	} {
		if d < 0 {
			wrong = append(wrong, fmt.Errorf("client.%s_timeout_ns is %v: it must not be negative", name, d))
		}
	}
	if c.MaxBody < 0 || c.MaxBody > 1<<30 {
		wrong = append(wrong, fmt.Errorf("client.max_body_bytes is %d: it must lie in 0…%d", c.MaxBody, 1<<30))
	}
	for _, err := range load.CheckHeaders(c.Headers) {
		wrong = append(wrong, fmt.Errorf("client.headers %w", err))
	}
	for _, err := range load.CheckBody(c.ExtraBody) {
		wrong = append(wrong, fmt.Errorf("client.extra_body %w", err))
	}
	return errors.Join(wrong...)
}

// hiding replaces secrets, and what follows a scheme such as "Bearer ".
func hiding(secrets []string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		pairs = append(pairs, s, "[secret]")
		if _, token, ok := strings.Cut(s, " "); ok && token != "" {
			pairs = append(pairs, token, "[secret]")
		}
	}
	return strings.NewReplacer(pairs...)
}

// isBase reports whether text is the address of a target.
func isBase(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

func trust(file string) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return t, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("client.ca_file cannot be read (%w): give the path of a PEM file", err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("client.ca_file %s holds no certificate: give a PEM file", file)
	}
	return t, nil
}
