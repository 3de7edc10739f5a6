package render

// term is one word and what it means here.
type term struct{ Word, Meaning string }

// glossary defines the words of a report. They are the same in every report, so that two can be compared.
func glossary() []term {
	return []term{
		{"due", "The instant a request was meant to be sent. Arrivals are open-loop: they do not wait for answers, and what could not be sent is a failed request."},
		{"TTFT", "Time to first token: due → first chunk with content. Role-only and empty chunks do not count."},
		{"ITL", "Inter-token latency: the gap between successive chunks with content, every gap."},
		{"TPOT", "Time per output token: (last content − first content) ÷ (output tokens − 1)."},
		{"E2E", "Due → end of a complete answer."},
		{"sched lag", "Sent − due: the load generator's own delay."},
		{"goodput", "Requests complete, intact and inside every per-request limit ÷ requests due."},
		{"availability", "Requests answered, whether in time or late, ÷ requests due."},
		{"percentiles", "Printed over completed requests, and with failures as +∞. Gates use the second."},
		{"SLI", "1 − bad ÷ due in a sliding window, a bad request being placed at the instant of its harm. Below the objective, with enough bad requests, the service is out."},
		{"percentile gate", "Clopper-Pearson on the share within the limit at 95 %: pass if the lower bound reaches the percentile, fail if the upper one does not, else unknown."},
		{"TTD", "Time to detect: detected − effective."},
		{"TTM", "Time to mitigate: mitigated − impact, the fault still on."},
		{"TTR", "Time to recover: recovered − impact."},
		{"residual", "Harm after the fault was gone: recovered − cleared, at least 0."},
		{"absorbed", "The service was never out of its objective. That is not a time to recover of zero: there was nothing to recover from."},
		{"censored", "Not recovered while it was watched. The time to recover is at least that long."},
		{"unknown", "The measurement does not carry a verdict: the fault was not proven, the client or the simulator was at its limit, a clock was not resolved, or samples were too few."},
	}
}
