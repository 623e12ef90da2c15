//go:build soak

package wallet_test

import (
	"testing"
	"time"
)

// TestSoakSimulation is TestSimulation for a night.
func TestSoakSimulation(t *testing.T) {
	simulateMany(t, uint64(time.Now().UnixNano()), 5_000_000)
}
