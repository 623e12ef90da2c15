//go:build !arm

package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/transcript"
	"github.com/boatd/boatd/internal/transcript/rig"
)

var update = flag.Bool("update", false, "write what boatd answers into the transcripts where they name nothing")

// transcripts reads all transcripts.
func transcripts(t *testing.T) []*transcript.Transcript {
	t.Helper()
	paths, err := filepath.Glob("testdata/transcripts/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	all := make([]*transcript.Transcript, len(paths))
	for i, path := range paths {
		if all[i], err = transcript.Read(path); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestTranscripts plays every transcript against the real binary, over real
// terminals.
func TestTranscripts(t *testing.T) {
	command := boatdUnderTest(t)
	for _, tr := range transcripts(t) {
		t.Run(strings.TrimSuffix(filepath.Base(tr.Path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			play(t, tr, command)
		})
	}
}

func play(t *testing.T, tr *transcript.Transcript, command []string) {
	chain := ""
	_, real, err := rig.Devchain(tr)
	if err != nil {
		t.Fatal(err)
	}
	if real {
		if chain, err = chainProgram(); err != nil {
			t.Fatal(err)
		}
	}
	stage, err := rig.NewStage(t.Context(), tr, command, chain)
	if err != nil {
		t.Fatal(err)
	}
	before := tr.String()
	player := &transcript.Player{Update: *update}
	if err := player.Play(t.Context(), tr, stage); err != nil {
		if errors.Is(err, transcript.ErrSilent) {
			_ = stage.Quit() // the log says what it was doing
		}
		t.Errorf("%v\n\nlog:\n%s", err, stage.Log())
	}
	if err := stage.Close(); err != nil {
		t.Error(err)
	}
	if now := tr.String(); now != before {
		if err := os.WriteFile(tr.Path, []byte(now), 0o644); err != nil {
			t.Error(err)
		}
	}
}
