package faults

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Resolve picks the targets of f among candidates (targets by selector key, as Driver.Candidates
// gives them). A term of the kind's own key matches the target itself; a term of another key matches
// what the target belongs to: "node=n2" holds for the GPU "n2/g1". The answer is sorted.
//
// Errors: ErrNoMatch lists the candidates; ErrTooWide says how to raise the cap.
func (f Fault) Resolve(candidates map[string][]string) ([]string, error) {
	info, ok := Lookup(f.Kind)
	if !ok || len(f.On) == 0 {
		return nil, f.Validate()
	}
	for _, t := range f.On {
		if len(candidates[t.Key]) == 0 {
			return nil, fmt.Errorf("%w: the targets have no key %q, select by %s",
				ErrNoMatch, t.Key, strings.Join(slices.Sorted(maps.Keys(candidates)), " or "))
		}
	}
	all := slices.Compact(slices.Sorted(slices.Values(candidates[info.On])))
	var picked []string
	for _, target := range all {
		if f.On.holds(info.On, target, candidates) {
			picked = append(picked, target)
		}
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("%w: %q picks no %s, there are %s", ErrNoMatch, f.On, info.On, listed(all))
	}
	limit := cmp.Or(f.MaxShare, DefaultMaxShare)
	share := float64(len(picked)) / float64(len(all))
	if share > limit+1e-9 {
		need := math.Ceil(share * 100)
		return nil, fmt.Errorf("%w: %q picks %d of %d (%.0f%%) where at most %.0f%% may be harmed at once: narrow it, or allow it with max_share=%.0f%%",
			ErrTooWide, f.On, len(picked), len(all), share*100, math.Floor(limit*100), need)
	}
	return picked, nil
}

// holds reports whether every term holds for the target.
func (s Selector) holds(key, target string, candidates map[string][]string) bool {
	for _, t := range s {
		if t.Key == key {
			if !glob(t.Value, target) {
				return false
			}
			continue
		}
		within := func(c string) bool {
			return glob(t.Value, c) && (c == target || strings.HasPrefix(target, c+"/"))
		}
		if !slices.ContainsFunc(candidates[t.Key], within) {
			return false
		}
	}
	return true
}

// glob matches with '*' for any run of characters but '/'. Linear but for one backtrack point a
// segment, because a star cannot leave its segment.
func glob(pattern, s string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(s, "/")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if !globSegment(p[i], q[i]) {
			return false
		}
	}
	return true
}

func globSegment(pattern, s string) bool {
	pieces := strings.Split(pattern, "*")
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return pattern == s
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}

// listed joins names for a sentence, the first dozen of them.
func listed(names []string) string {
	const most = 12
	if len(names) == 0 {
		return "none"
	}
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
