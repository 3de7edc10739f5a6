package openai

import (
	"fmt"
	"time"
)

// Config is the API's part of the server's configuration.
type Config struct {
	MaxBody          int64         `yaml:"max_body"`           // bytes of a request's body
	MaxMessages      int           `yaml:"max_messages"`       // of one request
	DefaultMaxTokens int           `yaml:"default_max_tokens"` // where a request names none
	MaxTokens        int           `yaml:"max_tokens"`         // that a request may ask for
	KeepAlive        time.Duration `yaml:"keep_alive"`         // silence before the first content until an SSE comment keeps middleboxes open
	ReadTimeout      time.Duration `yaml:"read_timeout"`       // of a request's whole body
	WriteTimeout     time.Duration `yaml:"write_timeout"`      // of one write; a reader slower than this is cut off
	Workers          int           `yaml:"workers"`            // chat requests served at a time, each to its last byte; 0: no bound
	Backlog          int           `yaml:"backlog"`            // that may wait for a worker; one more gets 503
	Headers          bool          `yaml:"headers"`            // x-brownout-*; off for public callers
}

// Defaults are [4 MiB], [4096] messages, [1024] and [16384] tokens, [10 s] each, any number of
// requests at a time (with workers [1024] may wait), headers on.
func Defaults() Config {
	return Config{
		MaxBody: 4 << 20, MaxMessages: 4096, DefaultMaxTokens: 1024, MaxTokens: 16384,
		KeepAlive: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, Backlog: 1024, Headers: true,
	}
}

// Validate reports every bad field: its key, what is wrong, how to mend it.
func (c Config) Validate(report func(key, what, mend string)) {
	if c.MaxBody < 1024 || c.MaxBody > 256<<20 {
		report("max_body", fmt.Sprintf("%d is not between 1024 and %d bytes", c.MaxBody, 256<<20), "write for example 4194304")
	}
	if c.MaxMessages < 1 || c.MaxMessages > 1<<20 {
		report("max_messages", fmt.Sprintf("%d is not between 1 and %d", c.MaxMessages, 1<<20), "write for example 4096")
	}
	if c.MaxTokens < 1 || c.MaxTokens > 1<<20 {
		report("max_tokens", fmt.Sprintf("%d is not between 1 and %d", c.MaxTokens, 1<<20), "write for example 16384")
	}
	if c.DefaultMaxTokens < 1 || c.DefaultMaxTokens > c.MaxTokens {
		report("default_max_tokens", fmt.Sprintf("%d is not between 1 and max_tokens (%d)", c.DefaultMaxTokens, c.MaxTokens), "write for example 1024")
	}
	if c.Workers < 0 || c.Workers > 1<<20 {
		report("workers", fmt.Sprintf("%d is not between 0 and %d", c.Workers, 1<<20), "write for example 32, or 0 for no bound")
	}
	if c.Backlog < 0 || c.Backlog > 1<<20 {
		report("backlog", fmt.Sprintf("%d is not between 0 and %d", c.Backlog, 1<<20), "write for example 1024")
	}
	for _, f := range []struct {
		key   string
		value time.Duration
	}{{"keep_alive", c.KeepAlive}, {"read_timeout", c.ReadTimeout}, {"write_timeout", c.WriteTimeout}} {
		if f.value < time.Millisecond || f.value > time.Hour {
			report(f.key, fmt.Sprintf("%v is not between 1ms and 1h", f.value), "write for example 10s")
		}
	}
}
