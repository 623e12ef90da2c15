package chaintest

import (
	"math/big"
	"testing"

	"github.com/boatd/boatd/chains"
)

// replacement drafts, signs and journals an attempt in the place of prior.
func (b *bench) replacement(job *chains.Job, prior []chains.Attempt, p chains.Purpose, maxFee *big.Int) []chains.Attempt {
	b.t.Helper()
	r := b.net.(chains.Replacer)
	again := *job
	again.Ahead, again.Committed = true, new(big.Int)
	d, err := r.PrepareReplacement(b.t.Context(), &again, prior, p, maxFee)
	if err != nil {
		b.t.Fatalf("PrepareReplacement: %v", err)
	}
	if d == nil {
		return prior
	}
	if d.Purpose != p || d.Nonce != prior[0].Nonce {
		b.t.Errorf("PrepareReplacement: purpose %d, nonce %d", d.Purpose, d.Nonce)
	}
	s := b.assemble(&again, d)
	return append(prior, chains.Attempt{Purpose: p, Nonce: d.Nonce, Raw: s.Raw, Hash: s.Hash})
}

func testBump(t *testing.T, b *bench) {
	r, ok := b.net.(chains.Replacer)
	if !ok {
		return
	}
	ceiling := b.Config.Options.Amount("max_fee_per_gas")
	job, a := b.attempt(b.Good)
	signed := []chains.Attempt{a}
	if err := r.JudgeReplacement(signed, new(big.Int).Rsh(ceiling, 1)); err != nil {
		t.Errorf("JudgeReplacement of half the ceiling: %v", err)
	}
	wantErr(t, "JudgeReplacement above it", r.JudgeReplacement(signed, new(big.Int).Add(ceiling, big.NewInt(1))), chains.ErrCeiling)
	b.send(a)
	all := b.replacement(job, []chains.Attempt{a}, chains.Bumped, nil)
	if len(all) != 2 {
		t.Fatal("no replacement")
	}
	b.send(all[1])
	fee := new(big.Int).Rsh(ceiling, 1)
	all = b.replacement(job, all, chains.Bumped, fee)
	if len(all) != 3 {
		t.Fatal("no second replacement")
	}
	if again := b.replacement(job, all, chains.Bumped, fee); len(again) != 3 {
		t.Error("asking again for the same fee made another attempt")
	}
	b.send(all[2])
	if e := b.look(all...); e.Outcome != chains.Pending || e.Known != b.Tells {
		t.Errorf("replaced twice: %+v", e)
	}
	b.Chain.Mine(b.Final)
	if e := b.look(all...); e.Outcome != chains.Succeeded || e.Attempt != 2 || !e.Settled {
		t.Errorf("the last one is included: %+v", e)
	}
	b.effects(b.Good, 1)
	again := *job
	if d, err := r.PrepareReplacement(t.Context(), &again, all, chains.Bumped, ceiling); d != nil || err != nil {
		t.Errorf("replacing what is included: %+v, %v", d, err)
	}
}

func testCancel(t *testing.T, b *bench) {
	if _, ok := b.net.(chains.Replacer); !ok {
		return
	}
	job, a := b.attempt(b.Good)
	b.send(a)
	all := b.replacement(job, []chains.Attempt{a}, chains.Cancel, nil)
	if len(all) != 2 {
		t.Fatal("no cancelling attempt")
	}
	if again := b.replacement(job, all, chains.Cancel, nil); len(again) != 2 {
		t.Error("cancelling again made another attempt")
	}
	b.send(all[1])
	b.Chain.Mine(b.Final)
	if e := b.look(all...); e.Outcome != chains.Succeeded || e.Attempt != 1 || !e.Settled {
		t.Errorf("cancelled: %+v", e)
	}
	b.effects(b.Good, 0)
}

// The cancelling attempt does not reach a node before the original is in a
// block, and must not make a second effect then.
func testOriginalWins(t *testing.T, b *bench) {
	if _, ok := b.net.(chains.Replacer); !ok {
		return
	}
	job, a := b.attempt(b.Good)
	b.send(a)
	all := b.replacement(job, []chains.Attempt{a}, chains.Cancel, nil)
	b.Chain.Mine(1)
	if err := b.net.Send(t.Context(), chains.Signed{Raw: all[1].Raw, Hash: all[1].Hash}); err == nil {
		t.Error("a node took an attempt whose nonce is used")
	}
	b.Chain.Mine(b.Final)
	if e := b.look(all...); e.Outcome != chains.Succeeded || e.Attempt != 0 || !e.Settled {
		t.Errorf("the original won: %+v", e)
	}
	b.effects(b.Good, 1)
}
