//go:build e2e

package e2e

import (
	"context"
	"errors"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/transcript"
	"github.com/boatd/boatd/internal/transcript/rig"
)

// A gethStage is a geth that a transcript is played on. It makes a block for
// every transaction.
type gethStage struct {
	t *testing.T
	*node
}

var _ rig.Node = gethStage{}

func (g gethStage) Fund(_ context.Context, address string, wei *big.Int) error {
	g.fund(g.t, address, wei)
	return nil
}

func (g gethStage) Mine(_ context.Context, n uint64) error {
	for range n {
		g.fund(g.t, g.dev, new(big.Int))
	}
	return nil
}

func (g gethStage) Reorg(context.Context, uint64) error {
	return errors.New("geth does not replace blocks")
}

func (g gethStage) Balance(_ context.Context, address string) (*big.Int, error) {
	return g.balance(g.t, address), nil
}

func (g gethStage) Nonce(_ context.Context, address string) (uint64, error) {
	return g.nonce(g.t, address), nil
}

// Close leaves the node to the test's end.
func (g gethStage) Close() error { return nil }

// TestE2ETranscripts plays the transcripts whose chain makes blocks by itself
// against geth: what the manual shows and what contracts answer holds there too.
func TestE2ETranscripts(t *testing.T) {
	paths, err := filepath.Glob("../../cmd/boatd/testdata/transcripts/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, path := range paths {
		tr, err := transcript.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		period, _, err := rig.Devchain(tr)
		if err != nil {
			t.Fatal(err)
		}
		if period == 0 {
			continue
		}
		played++
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			playOnGeth(t, tr)
		})
	}
	if played == 0 {
		t.Error("there is no such transcript")
	}
}

func playOnGeth(t *testing.T, tr *transcript.Transcript) {
	n := ownGeth(t, gethOptions{})
	stage, err := rig.NewStageOver(t.Context(), tr, []string{boatdProgram}, n.url, gethStage{t, n})
	if err != nil {
		t.Fatal(err)
	}
	if err := new(transcript.Player).Play(t.Context(), tr, stage); err != nil {
		t.Errorf("%v\n\nlog:\n%s", err, stage.Log())
	}
	if err := stage.Close(); err != nil {
		t.Error(err)
	}
}
