package load

import (
	"math"
	"slices"
	"time"
)

// Fit is a load fitted to published numbers of a recorded one. It has the trace's rate, burstiness and
// lengths, and nothing else: no daily curve, no correlation between prompt and answer, no shared prefixes.
// Replay the trace where these matter.
type Fit struct {
	Name     string
	Source   string // where the trace is
	Licence  string
	Arrivals Arrivals // Rate 0: none was published, give one
	Prompt   Length
	Output   Length
}

// Fits are the loads that can be named, in order of name. Every number is one of the trace's own:
//
//   - lengths are lognormal with the mean and deviation of the logarithm where these are known (Azure),
//     else through the median and the 90th percentile: sigma = ln(p90/p50) / 1.2816; they are cut at the
//     99th percentile;
//   - gaps of one coefficient of variation near 1 are gamma distributed;
//   - azure-2023-code sends in bursts: mean 2.57/s, busiest minute 10.5/s, CV of the gaps 13.2. With
//     that minute as the rate λ of a burst, an interrupted Poisson process has bursts for 2.57/10.5 of
//     the time and CV² = 1 + 2λω₁/(ω₁+ω₂)² (Kuczura 1973), 1/ω₁ being the mean length of bursts and 1/ω₂
//     that of pauses: 14.5 s and 44.6 s;
//   - of mooncake-conversation the gaps are not known, for its clock ticks every 3 s: Poisson is assumed;
//   - of mooncake-synthetic no rate is known.
func Fits() []Fit {
	const azure, ccby = "Azure/AzurePublicDataset, AzureLLMInferenceTrace (Patel et al., Splitwise, ISCA 2024)", "CC-BY-4.0"
	const mooncake, apache = "kvcache-ai/Mooncake, FAST25-release/traces (Qin et al., FAST 2025)", "Apache-2.0"
	code := interrupted(2.57, 10.5, 13.2)
	return []Fit{
		{"azure-2023-code", azure, ccby, code, logarithm(7.00, 1.36, 7436), logarithm(2.79, 0.85, 251)},
		{"azure-2023-conversation", azure, ccby, Arrivals{Process: Gamma, Rate: 5.53, CV: 1.09},
			logarithm(6.63, 0.99, 4142), logarithm(5.02, 0.86, 601)},
		{"mooncake-conversation", mooncake, apache, Arrivals{Process: Poisson, Rate: 3.40},
			quantile(6909, 27367, 85400), quantile(350, 597, 1119)},
		{"mooncake-synthetic", mooncake, apache, Arrivals{Process: Gamma, CV: 1.01},
			quantile(11587, 38611, 66456), quantile(69, 389, 768)},
	}
}

// FitNamed is the one of that name.
func FitNamed(name string) (Fit, bool) {
	all := Fits()
	i := slices.IndexFunc(all, func(f Fit) bool { return f.Name == name })
	if i < 0 {
		return Fit{}, false
	}
	return all[i], true
}

// FitNames are the names of all.
func FitNames() (names []string) {
	for _, f := range Fits() {
		names = append(names, f.Name)
	}
	return names
}

// logarithm is a lognormal length by the mean and deviation of its logarithm.
func logarithm(mu, sigma float64, most int) Length {
	mean := math.Round(10*math.Exp(mu+sigma*sigma/2)) / 10
	return Length{Dist: Lognormal, Mean: mean, Spread: sigma, Min: 1, Max: most}
}

// quantile is a lognormal length by its median and 90th percentile.
func quantile(p50, p90 float64, most int) Length {
	const z90 = 1.2815515655446004 // of the standard normal
	sigma := math.Round(1e4*math.Log(p90/p50)/z90) / 1e4
	return logarithm(math.Log(p50), sigma, most)
}

// interrupted is the on/off process of that mean, rate in bursts and CV of gaps.
func interrupted(mean, burst, cv float64) Arrivals {
	share := mean / burst
	switches := 2 * burst * (1 - share) / (cv*cv - 1) // ω₁ + ω₂
	round := func(s float64) time.Duration { return time.Duration(s * 1e9).Round(100 * time.Millisecond) }
	return Arrivals{Process: OnOff, Rate: mean, On: round(1 / (switches * (1 - share))), Off: round(1 / (switches * share))}
}
