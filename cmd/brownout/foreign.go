package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// foreignFlags describe a server that is already there. What is secret comes from the environment.
type foreignFlags struct {
	api, admin, faults string
	keyEnv             string
	headers            []string
	caFile             string
	body               string
	model              string
	tokens             string
	maxRate            string
	yesBreak           []string

	capsAny bool // --max-rate means something without --target too
}

// names of the flags that mean nothing without --target.
func (f *foreignFlags) names() []string {
	names := []string{"target-admin", "target-faults", "key-env", "header", "ca-file", "body", "model", "tokens", "yes-break", "docker"}
	if !f.capsAny {
		names = append(names, "max-rate")
	}
	return names
}

func (f *foreignFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.api, "target", "", "base URL of a server that is already there (OpenAI-compatible)")
	flags.StringVar(&f.admin, "target-admin", "", "its admin listener, if it is a refserver (token: $"+target.AdminTokenEnv+")")
	flags.StringVar(&f.faults, "target-faults", "", "its fault holder (token: $"+target.FaultTokenEnv+")")
	flags.StringVar(&f.keyEnv, "key-env", "", "environment variable that holds the API key of --target")
	flags.StringArrayVar(&f.headers, "header", nil, "extra header of every request, NAME=VALUE; a secret is NAME=env:VARIABLE (repeatable)")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file of the authorities that sign the certificate of --target")
	flags.StringVar(&f.body, "body", "", `extra fields of every request body, as JSON: '{"temperature":0}'`)
	flags.StringVar(&f.model, "model", "", "model to ask --target for (default: the scenario's)")
	flags.StringVar(&f.tokens, "tokens", "usage", "count output tokens by the server's usage where it comes, or by chunks: do not ask for usage")
	flags.StringVar(&f.maxRate, "max-rate", "", "refuse a scenario that sends more, e.g. 50/s")
	flags.StringArrayVar(&f.yesBreak, "yes-break", nil, "host beyond this machine that the scenario's faults may break (repeatable)")
}

// overrides are what the flags change in the scenario itself.
func (f *foreignFlags) overrides() []string {
	if f.model == "" {
		return nil
	}
	name, err := json.Marshal(f.model)
	if err != nil {
		return nil // a string always is JSON
	}
	return []string{"load.model=" + string(name)}
}

// foreign puts the flags together; nil when the scenario shall start its own server. The error lists
// every flag that cannot be read.
func (f *foreignFlags) foreign(c *cobra.Command, s *spec.Spec) (*target.Foreign, error) {
	if f.api == "" {
		for _, name := range f.names() {
			if c.Flags().Changed(name) {
				return nil, fmt.Errorf("--%s describes a server that is already there; name it with --target URL", name)
			}
		}
		return nil, nil //nolint:nilnil // nothing to adopt is an answer: the scenario starts its own
	}
	t := &target.Foreign{API: f.api, Admin: f.admin, Faults: f.faults,
		AdminToken: os.Getenv(target.AdminTokenEnv), FaultToken: os.Getenv(target.FaultTokenEnv),
		Dialect: target.Dialect{KeyEnv: f.keyEnv, CAFile: f.caFile, NoUsage: f.tokens == "chunks"},
		Rate:    s.Load.PeakRate(), Harms: len(s.Faults) > 0, Break: f.yesBreak, Env: os.LookupEnv}
	var wrong []error
	if f.tokens != "usage" && f.tokens != "chunks" {
		wrong = append(wrong, fmt.Errorf("--tokens %q is no way to count; write usage or chunks", f.tokens))
	}
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	var err error
	t.Headers, err = target.ParseHeaders(f.headers)
	note(err)
	t.Body, err = target.ParseBody(f.body)
	note(err)
	t.MaxRate, err = target.ParseMaxRate(f.maxRate)
	note(err)
	return t, errors.Join(wrong...)
}
