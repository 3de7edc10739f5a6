package faults

func gpuSlow() kind {
	return kind{KindInfo: KindInfo{
		Kind:    "gpu.slow",
		Layer:   LayerGPU,
		Summary: "a GPU computes correctly but takes several times as long for every engine step",
		On:      "gpu",
		Params: []ParamInfo{{
			Name: "factor", Unit: "x", Default: "8x", Min: 1.5, Max: 100,
			Help: "how many times as long a step takes",
		}, {
			Name: "jitter", Unit: "%", Default: "0%", Min: 0, Max: 100,
			Help: "share of the extra time by which a step varies up and down, drawn from the seed",
		}},
		Incident: "heat, a power cap or a failing power supply holds a GPU's clock down (NVML throttle reasons HW slowdown, HW thermal slowdown, SW power cap; " +
			"dcgmi and gpud watch for them); nothing fails, every health check is green, and the users of that GPU wait",
		Proof:   "the server's own timing of the newest steps, against what its model gives an undisturbed device, is at least half-way to the factor",
		Gone:    "the throttle is off the device, and the newest steps take about what an undisturbed device needs, or the device is idle",
		Healthy: "requests go to the faster GPUs within a few steps, streams already on the slow one stay inside their limits, and the GPU gets its share back by itself",
		Drivers: []string{"refserver"},
	}}
}
