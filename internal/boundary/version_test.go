package boundary

import (
	"slices"
	"strconv"
	"strings"
)

// atLeast compares a released version with another; a pre-release is none.
func atLeast(version string, want ...int) bool {
	text, ok := strings.CutPrefix(version, "v")
	parts := strings.Split(text, ".")
	if !ok || len(parts) != len(want) {
		return false
	}
	have := make([]int, len(want))
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return false
		}
		have[i] = n
	}
	return slices.Compare(have, want) >= 0
}
