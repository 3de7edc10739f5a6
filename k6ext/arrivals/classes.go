package arrivals

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/brownout-dev/brownout/k6ext/client"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// classes are those of the plan's mix, as the client sends them; none without a mix. key is the load's own.
func (e *Executor) classes(key string, env func(string) (string, bool)) ([]client.Class, error) {
	plan := &e.config.Plan
	if len(plan.Mix) == 0 {
		return nil, nil
	}
	var out []client.Class
	var wrong []error
	for i, c := range plan.Classes() {
		own, err := e.key(fmt.Sprintf("plan.mix[%d].key_env", i), c.KeyEnv, key, env)
		if err != nil {
			wrong = append(wrong, err)
		}
		limits, ok := e.config.ClassLimits[c.Name]
		if !ok {
			limits = e.config.Limits
		}
		out = append(out, client.Class{Name: c.Name, Model: c.Model, Tenant: c.Tenant, Stream: c.Streams(), Key: own, Limits: limits})
	}
	return out, errors.Join(wrong...)
}

// classLimitFlaws lists what is wrong with limits of classes.
func (c Config) classLimitFlaws() (wrong []error) {
	for _, name := range slices.Sorted(maps.Keys(c.ClassLimits)) {
		switch limits := c.ClassLimits[name]; {
		case !slices.ContainsFunc(c.Plan.Mix, func(class load.Class) bool { return class.Name == name }):
			wrong = append(wrong, fmt.Errorf("class_limits.%.80s: the mix has no such class; name one of its classes", name))
		case limits.Negative():
			wrong = append(wrong, fmt.Errorf("class_limits.%s must not be negative: leave a limit out to have none", name))
		}
	}
	return wrong
}

// key is what the environment variable of that name holds; otherwise where none is named.
func (e *Executor) key(option, name, otherwise string, env func(string) (string, bool)) (string, error) {
	if name == "" {
		return otherwise, nil
	}
	key, ok := env(name)
	if !ok {
		return "", fmt.Errorf("scenario %s: %s names the environment variable %s, which is not set", e.config.Name, option, name)
	}
	return key, nil
}
