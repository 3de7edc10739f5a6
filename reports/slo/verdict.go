package slo

// verdict joins problems, guards and gates. In this order:
//
//   - a problem or a tripped guard makes it unknown, whatever the gates say: a starved machine must give
//     neither a false pass nor a false fail. Failed gates are still among the reasons.
//   - a failed gate makes it fail, though others may be unknown: more samples would not mend it.
//   - an unknown gate makes it unknown; so does a run without any gate, for nothing was promised.
func verdict(problems []Reason, guards []GuardResult, gates []GateResult) (Verdict, []Reason) {
	reasons := append(make([]Reason, 0, len(problems)), problems...)
	for i := range guards {
		if guards[i].Tripped {
			reasons = append(reasons, Reason{Word: guards[i].Word, Text: guards[i].text()})
		}
	}
	distrusted := len(reasons) > 0
	if len(gates) == 0 {
		reasons = append(reasons, Reason{Word: "gate", Text: "No gate was set, so there is nothing to pass or fail; add one to the SLO."})
	}
	failed, unknown := false, len(gates) == 0
	for i := range gates {
		if gates[i].Verdict == Fail {
			failed = true
			reasons = append(reasons, Reason{Word: "gate", Text: gates[i].Why})
		}
	}
	for i := range gates {
		if gates[i].Verdict == Unknown {
			unknown = true
			word := "samples"
			if gates[i].Scope == "recovery" {
				word = "gate"
			}
			reasons = append(reasons, Reason{Word: word, Text: gates[i].Why})
		}
	}
	switch {
	case distrusted:
		return Unknown, reasons
	case failed:
		return Fail, reasons
	case unknown:
		return Unknown, reasons
	}
	return Pass, reasons
}
