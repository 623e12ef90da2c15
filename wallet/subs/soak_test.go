//go:build soak

package subs_test

import "testing"

// TestSoakModel is TestModel for a night.
func TestSoakModel(t *testing.T) { modelMany(t, 1000, 200_000) }
