//go:build !arm

package main

import (
	"os"
	"testing"

	"github.com/boatd/boatd/internal/transcript"
)

func TestTry(t *testing.T) {
	tr, err := transcript.Read(os.Getenv("TRY"))
	if err != nil {
		t.Skip(err)
	}
	play(t, tr, boatdUnderTest(t))
}

func TestStress(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("TRY"))
	if err != nil {
		t.Skip(err)
	}
	for range 300 {
		t.Run("x", func(t *testing.T) {
			t.Parallel()
			tr, err := transcript.Parse("x", string(text))
			if err != nil {
				t.Fatal(err)
			}
			play(t, tr, boatdUnderTest(t))
		})
	}
}
