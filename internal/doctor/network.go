package doctor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// timeWait is how long Linux keeps the port of a connection that this side closed (TCP_TIMEWAIT_LEN).
const timeWait = 60 // seconds

func (m *Machine) loopback() Finding {
	f := Finding{Group: "network", Name: "loopback", Level: OK, Found: "ports can be bound on 127.0.0.1"}
	if err := m.Bind(); err != nil {
		f.Level, f.Found, f.Advice = Bad, err.Error(), "the server needs ports on 127.0.0.1; bring the loopback interface up"
	}
	return f
}

// ports compares the ephemeral ports with the connections of a run: one for each request in flight while
// connections are used again, one for each request, for a minute, when the target closes them.
func (m *Machine) ports() Finding {
	text, ok := m.text("proc/sys/net/ipv4/ip_local_port_range")
	w := strings.Fields(text)
	if !ok || len(w) != 2 {
		return unknown("network", "ports")
	}
	from, err1 := strconv.Atoi(w[0])
	to, err2 := strconv.Atoi(w[1])
	if err1 != nil || err2 != nil || to < from {
		return unknown("network", "ports")
	}
	all := to - from + 1
	waiting := m.timeWaiting()
	f := Finding{Group: "network", Name: "ports", Level: OK,
		Found: fmt.Sprintf("%d for outgoing connections to one address, %d in TIME_WAIT now", all, waiting),
		Limit: math.Round(float64(all) / max(1, m.Needs.Stay.Seconds()))}
	const widen = "widen the range: sysctl -w net.ipv4.ip_local_port_range='10000 65535'"
	closing := float64(all) / timeWait
	switch {
	case all < m.Needs.InFlight:
		f.Level, f.Advice = Bad, fmt.Sprintf("%s may need %d; %s", m.Needs.who(), m.Needs.InFlight, widen)
	case all-waiting < m.Needs.InFlight:
		f.Level, f.Advice = Warn, fmt.Sprintf("%s may need %d; wait a minute, or %s", m.Needs.who(), m.Needs.InFlight, widen)
	case closing < m.Needs.Rate:
		f.Level, f.Advice = Warn, fmt.Sprintf("enough as long as the target keeps connections open; one that closes them can be sent %.0f requests/s, and %s sends %.0f: %s", closing, m.Needs.who(), m.Needs.Rate, widen)
	}
	return f
}

// timeWaiting is the number after "tw" on the TCP line of sockstat.
func (m *Machine) timeWaiting() int {
	words := strings.Fields(m.field("proc/net/sockstat", "TCP"))
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] == "tw" {
			n, _ := strconv.Atoi(words[i+1]) // 0 when it is no number
			return n
		}
	}
	return 0
}

func (m *Machine) backlog() Finding {
	text, ok := m.text("proc/sys/net/core/somaxconn")
	n, err := strconv.Atoi(text)
	if !ok || err != nil {
		return unknown("network", "somaxconn")
	}
	f := Finding{Group: "network", Name: "somaxconn", Level: OK, Found: fmt.Sprintf("%d connections may wait to be accepted", n)}
	if n < 1024 {
		f.Level, f.Advice = Warn, "bursts of new connections are refused by the system, not by the server: sysctl -w net.core.somaxconn=4096"
	}
	return f
}
