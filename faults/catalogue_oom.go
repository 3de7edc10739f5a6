package faults

func gpuOOM() kind {
	return kind{
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
	}
}
