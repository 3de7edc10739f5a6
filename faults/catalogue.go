package faults

import (
	"slices"
	"strings"
)

// catalogue is every kind there is, by name. A kind is listed only when a driver can do it.
var catalogue = []kind{gpuOOM(), gpuSlow(), nodeKill()}

// kind is a KindInfo with the rules that its parameters' own bounds do not say.
type kind struct {
	KindInfo
	check func(Fault) []Problem
}

// Catalogue lists every kind, by name. The caller owns the slice, not what its elements point to.
func Catalogue() []KindInfo {
	infos := make([]KindInfo, len(catalogue))
	for i, k := range catalogue {
		infos[i] = k.KindInfo
	}
	return infos
}

// Lookup finds a kind by its name.
func Lookup(name string) (KindInfo, bool) {
	k, ok := find(name)
	return k.KindInfo, ok
}

func find(name string) (kind, bool) {
	i := slices.IndexFunc(catalogue, func(k kind) bool { return k.Kind == name })
	if i < 0 {
		return kind{}, false
	}
	return catalogue[i], true
}

func kindNames() string {
	names := make([]string, len(catalogue))
	for i, k := range catalogue {
		names[i] = k.Kind
	}
	return strings.Join(names, ", ")
}
