package wire

import "github.com/brownout-dev/brownout/refserver/engine"

// Ask is one request to one engine of the node.
type Ask struct {
	Epoch    uint64 // the gateway's; every Frame of the answer repeats it
	Instance string // the node life that the gateway means; another one refuses
	Replica  string
	Request  engine.Request
}

func (a *Ask) size() int {
	n := 80 + len(a.Instance) + len(a.Replica) + len(a.Request.ID) + len(a.Request.Model) + len(a.Request.Prompt) + len(a.Request.Sent)
	for _, s := range a.Request.Stop {
		n += 10 + len(s)
	}
	return n
}

func (a *Ask) pack(b []byte) []byte {
	r := &a.Request
	b = putInt(b, int(a.Epoch))
	for _, s := range [...]string{a.Instance, a.Replica, r.ID, r.Model, r.Prompt, r.Sent} {
		b = putString(b, s)
	}
	for i := range 8 {
		b = append(b, byte(r.Seed>>(8*i)))
	}
	eos := 0
	if r.IgnoreEOS {
		eos = 1
	}
	for _, n := range [...]int{r.PromptTokens, r.MaxTokens, r.ResumeAt, eos, len(r.Stop)} {
		b = putInt(b, n)
	}
	for _, s := range r.Stop {
		b = putString(b, s)
	}
	return b
}

func (a *Ask) unpack(data []byte) error {
	u := unpacker{rest: data}
	*a = Ask{Epoch: uint64(u.int())}
	r := &a.Request
	for _, s := range [...]*string{&a.Instance, &a.Replica, &r.ID, &r.Model, &r.Prompt, &r.Sent} {
		*s = u.string()
	}
	if len(u.rest) < 8 {
		return errShort
	}
	for i := range 8 {
		r.Seed |= uint64(u.rest[i]) << (8 * i)
	}
	u.rest = u.rest[8:]
	r.PromptTokens, r.MaxTokens, r.ResumeAt = u.int(), u.int(), u.int()
	r.IgnoreEOS = u.int() != 0
	stops := u.int()
	if stops > len(u.rest) { // each takes a byte at least
		return errShort
	}
	for range stops {
		r.Stop = append(r.Stop, u.string())
	}
	return u.end()
}
