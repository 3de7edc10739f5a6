package slo

// Seconds writes a length of time for the ear: "93 ms", "2.1 s", "3 min 20 s".
func Seconds(s float64) string { return duration(s) }

// Percent writes a share so that only a whole one reads 100 %.
func Percent(share float64) string { return percent(share) }
