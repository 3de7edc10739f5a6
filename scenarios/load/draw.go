package load

import (
	"math"

	"github.com/brownout-dev/brownout/internal/synth"
)

// purpose separates the random streams of one arrival: a new purpose never shifts another's draws.
type purpose uint64

const (
	forGap purpose = iota + 1
	forPromptLength
	forOutputLength
	forID
	forSeed
	forPrompt
	forNormal
	forClass
	forPrefix  // its text
	forRank    // which of the pool
	forTurns   // how many
	forThink   // the pause after a turn
	forHistory // the planned answers that a later turn sends
	forLead    // conversations under way at time zero
	forCancel
)

// draw is 64 random bits that depend on nothing but (seed, purpose, index). For a fixed seed and
// purpose it is a bijection of index, so ids never collide within a run.
func draw(seed uint64, why purpose, index uint64) uint64 {
	stream := synth.Mix(seed ^ synth.Mix(uint64(why)))
	return synth.Mix(stream + index)
}

// unit maps 64 random bits to (0, 1]: its logarithm is finite.
func unit(bits uint64) float64 { return (float64(bits>>11) + 1) / (1 << 53) }

// normal is a standard normal draw by the Box-Muller transform (1958).
func normal(bits uint64) float64 {
	angle := unit(synth.Mix(bits ^ uint64(forNormal)))
	return math.Sqrt(-2*math.Log(unit(bits))) * math.Cos(2*math.Pi*angle)
}
