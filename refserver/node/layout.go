package node

import "fmt"

// Plan is what a cluster of that config consists of, wherever it runs: its replicas without their
// engines, in the order of New. The config must be valid.
func (c Config) Plan() []Replica {
	c = c.WithDefaults()
	var out []Replica
	for _, id := range c.ids() {
		for g := range c.GPUsPerNode {
			device := fmt.Sprintf("%s/g%d", id, g)
			out = append(out, Replica{ID: device + "/" + c.Model, Node: id, Device: device, Model: c.Model})
		}
	}
	return out
}

// Saturation is Cluster.Saturation for a cluster that runs elsewhere.
func (c Config) Saturation(prompt, output int) (all, minus1 float64) {
	c = c.WithDefaults()
	spec, _, err := c.hardware()
	if err != nil {
		return 0, 0
	}
	return c.saturation(spec, c.Nodes*c.GPUsPerNode, prompt, output)
}
