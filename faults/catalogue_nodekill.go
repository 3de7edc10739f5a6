package faults

// nodeKill is the loss of a whole machine.
func nodeKill() kind {
	return kind{KindInfo: KindInfo{
		Kind:    "node.kill",
		Layer:   LayerNode,
		Summary: "a node and every engine on it die at once, and stay dead until the fault is over; then it loads anew",
		On:      "node",
		Params:  []ParamInfo{},
		Incident: "a machine of a serving fleet loses power, is reclaimed by its cloud or has its process killed for memory; Meta's " +
			"training of Llama 3 on 16,384 H100 met 419 unexpected interruptions in 54 days (The Llama 3 Herd of Models, 2024, table 5)",
		Proof:   "the node's socket refuses connections and its process is gone; inside one process: every engine of it is dead and a probe of it is refused",
		Gone:    "the node may start: its socket accepts again; inside one process: its engines load or serve, and a probe of it is answered",
		Healthy: "the gateway sees the connection close, continues the node's streams elsewhere word for word, and takes the node back once it has loaded",
		Drivers: []string{"refserver", "docker"},
	}}
}
