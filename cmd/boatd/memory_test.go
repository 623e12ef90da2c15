package main

import (
	"runtime/debug"
	"testing"
)

// TestSaveMemory: garbage is collected early, unless GOGC says otherwise.
func TestSaveMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	for _, c := range []struct {
		environ []string
		want    int
	}{
		{[]string{"PATH=/bin", "GOGC=off"}, 77},
		{[]string{"PATH=/bin"}, garbageShare},
	} {
		saveMemory(c.environ)
		if got := debug.SetGCPercent(77); got != c.want {
			t.Errorf("%q: %d percent, want %d", c.environ, got, c.want)
		}
	}
}
