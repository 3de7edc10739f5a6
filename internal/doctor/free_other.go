//go:build !unix

package doctor

func free(string) (uint64, bool) { return 0, false }
