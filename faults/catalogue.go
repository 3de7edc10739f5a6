package faults

import (
	"slices"
	"strings"
)

// catalogue is every kind there is, by name. A kind is listed only when a driver can do it.
var catalogue = []kind{{
	KindInfo: KindInfo{
		Kind:    "gpu.oom",
		Layer:   LayerGPU,
		Summary: "another process takes the free memory of a GPU, so that the engine's next allocation does not fit",
		On:      "gpu",
		Params: []ParamInfo{{
			Name: "reserve", Unit: "%", Default: "99.5%", Min: 0.1, Max: 100,
			Help: "share of the memory that is free when the fault begins",
		}, {
			Name: "trigger", Unit: "word", Default: "peak", Words: []string{"peak", "restart"},
			Help: "peak: wait for the engine's own activation peak; restart: also restart the engine, which must then load beside the other process",
		}},
		Incident: "a second process on a serving GPU (a notebook, a leaked worker, another engine) eats what the engine left free; " +
			"the next allocation of some 50 MiB fails and the engine dies (vLLM issue 188 asks for exactly this check; vLLM pull request 5173: the engine stays dead until somebody restarts it)",
		Proof:   "an allocation on the device is refused: the engine's own after the fault began, or a probe of the engine's activation peak",
		Gone:    "the foreign memory is off the device's ledger, and an allocation of the engine's activation peak fits again",
		Healthy: "the engine shrinks its batch or hands its streams to other replicas; no stream is lost, and the replica serves again by itself",
		Drivers: []string{"refserver"},
	},
	check: func(f Fault) []Problem {
		if f.Params["trigger"] == "restart" && f.Ramp > 0 {
			return []Problem{{Field: "ramp", Text: "a ramp cannot go with trigger=restart, the engine would reload before the memory is taken: drop one of them"}}
		}
		return nil
	},
}, nodeKill()}

// kind is a KindInfo with the rules that its parameters' own bounds do not say.
type kind struct {
	KindInfo
	check func(Fault) []Problem
}

// Catalogue lists every kind, by name. The caller owns the slice, not what its elements point to.
func Catalogue() []KindInfo {
	infos := make([]KindInfo, len(catalogue))
	for i, k := range catalogue {
		infos[i] = k.KindInfo
	}
	return infos
}

// Lookup finds a kind by its name.
func Lookup(name string) (KindInfo, bool) {
	k, ok := find(name)
	return k.KindInfo, ok
}

func find(name string) (kind, bool) {
	i := slices.IndexFunc(catalogue, func(k kind) bool { return k.Kind == name })
	if i < 0 {
		return kind{}, false
	}
	return catalogue[i], true
}

func kindNames() string {
	names := make([]string, len(catalogue))
	for i, k := range catalogue {
		names[i] = k.Kind
	}
	return strings.Join(names, ", ")
}
