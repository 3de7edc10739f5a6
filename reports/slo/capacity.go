package slo

import "fmt"

// Capacity is a load beside what the target's own model says that it bears. Requests/s; zero = unknown.
type Capacity struct {
	Rate     float64
	All      float64 // what all replicas bear
	Minus1   float64 // what is left without one of them
	Replicas int
}

// Sentence says what the load means for the loss of one replica (N − 1), with a warning where the others
// could not bear it. It is empty where the model is unknown.
func (c Capacity) Sentence() string {
	if c.All <= 0 || c.Rate <= 0 {
		return ""
	}
	whole, less := "all replicas bear", "one fewer would"
	switch {
	case c.Replicas == 2:
		whole, less = "2 replicas bear", "1 would"
	case c.Replicas > 2:
		whole, less = fmt.Sprintf("%d replicas bear", c.Replicas), fmt.Sprintf("%d would", c.Replicas-1)
	case c.Replicas == 1:
		whole = "the one replica bears"
	}
	s := fmt.Sprintf("%s requests/s is %s of what %s", trim(c.Rate, 1), whole100(c.Rate/c.All), whole)
	switch {
	case c.Replicas == 1 || c.Minus1 <= 0:
		s += ", and there is no second one to take over."
	default:
		s += fmt.Sprintf(" and %s of what %s.", whole100(c.Rate/c.Minus1), less)
	}
	switch {
	case c.Rate >= c.All:
		s += " That is more than the target bears: the queue grows as long as the load lasts."
	case c.Minus1 > 0 && c.Rate >= c.Minus1:
		s += " That leaves no room for a loss: whatever takes one replica away overloads the others until it is back."
	}
	return s
}

// whole100 is a share in whole per cent.
func whole100(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }
