package ethereum_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
)

func TestReplacementFees(t *testing.T) {
	w0 := func(fee int64) *big.Int {
		if fee == 0 {
			return nil
		}
		return gwei(fee)
	}
	// The first attempt has cap 15 gwei and tip 1 gwei.
	for name, c := range map[string]struct {
		options   chains.Options
		chosen    bool  // the tip of the first attempt, by the host
		base, tip int64 // gwei, when it is replaced
		purpose   chains.Purpose
		maxFee    int64
		cap       int64 // wei
		raise     int64 // of the tip, in percent, where the market asks for no more
		want      error
	}{
		"bump":                   {base: 7, tip: 1, purpose: chains.Bumped, cap: 16_800_000_000, raise: 12},
		"bump of 10":             {options: chains.Options{"bump_percent": "10"}, base: 7, tip: 1, purpose: chains.Bumped, cap: 16_500_000_000},
		"bump to the market":     {base: 20, tip: 2, purpose: chains.Bumped, cap: 42_000_000_000},
		"bump to the ceiling":    {options: chains.Options{"max_fee_per_gas": "25gwei"}, base: 20, tip: 2, purpose: chains.Bumped, cap: 25_000_000_000},
		"bump over the ceiling":  {options: chains.Options{"max_fee_per_gas": "16gwei"}, base: 7, tip: 1, purpose: chains.Bumped, want: chains.ErrCeiling},
		"market over":            {options: chains.Options{"max_fee_per_gas": "20gwei"}, base: 30, tip: 1, purpose: chains.Bumped, want: chains.ErrCeiling},
		"tip over":               {options: chains.Options{"max_tip": "1.05gwei"}, chosen: true, base: 7, tip: 1, purpose: chains.Bumped, want: chains.ErrCeiling},
		"in all":                 {options: chains.Options{"max_total_fee": "0.0004ether"}, base: 7, tip: 1, purpose: chains.Bumped, want: chains.ErrCeiling},
		"asked for":              {base: 7, tip: 1, purpose: chains.Bumped, maxFee: 50, cap: 50_000_000_000, raise: 10},
		"asked for too little":   {base: 7, tip: 1, purpose: chains.Bumped, maxFee: 16, want: chains.ErrOption},
		"asked for less":         {base: 7, tip: 1, purpose: chains.Bumped, maxFee: 15},
		"asked for over":         {base: 7, tip: 1, purpose: chains.Bumped, maxFee: 201, want: chains.ErrCeiling},
		"asked for below market": {base: 90, tip: 1, purpose: chains.Bumped, maxFee: 20, cap: 20_000_000_000},
		"cancel":                 {base: 7, tip: 1, purpose: chains.Cancel, cap: 16_800_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakenode.Options{}, c.options, 1)
			in := transfer(big.NewInt(9))
			if c.chosen {
				in.Tip = gwei(1)
			}
			job, a := w.attempt(in, 0)
			w.mustSend(a)
			w.chain.SetFees(gwei(c.base), gwei(c.tip))
			w.chain.Watch(nil)
			d, err := w.net.(chains.Replacer).PrepareReplacement(t.Context(), job, []chains.Attempt{a}, c.purpose, w0(c.maxFee))
			if !errors.Is(err, c.want) || (d == nil) != (c.cap == 0) {
				t.Fatalf("draft %+v, error %v, want %v", d, err, c.want)
			}
			if d == nil {
				return
			}
			b := w.sign(job, d)
			tx := decode(t, b.Raw)
			if tx.GasFeeCap().Cmp(big.NewInt(c.cap)) != 0 || tx.GasTipCap().Cmp(gwei(1)) <= 0 || tx.Nonce() != 0 {
				t.Errorf("cap %v, tip %v", tx.GasFeeCap(), tx.GasTipCap())
			}
			if want := big.NewInt(1e7 * (100 + c.raise)); c.raise > 0 && tx.GasTipCap().Cmp(want) != 0 {
				t.Errorf("tip %v, want %v", tx.GasTipCap(), want)
			}
			if c.purpose == chains.Cancel && (tx.Gas() != 21000 || tx.To().Hex() != w.account.Address || tx.Value().Sign() != 0 || len(tx.Data()) != 0) {
				t.Errorf("a cancelling attempt: %+v", tx)
			}
			// The node has the last word on what replaces what.
			w.mustSend(b)
		})
	}
}

func TestReplaceLegacy(t *testing.T) {
	w := newWorld(t, fakenode.Options{Legacy: true}, nil, 1)
	job, a := w.attempt(transfer(big.NewInt(9)), 0)
	w.mustSend(a)
	all := []chains.Attempt{a}
	for _, p := range []chains.Purpose{chains.Bumped, chains.Bumped, chains.Cancel} {
		d, err := w.net.(chains.Replacer).PrepareReplacement(t.Context(), job, all, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := w.sign(job, d)
		w.mustSend(b)
		all = append(all, b)
	}
	if got := decode(t, all[3].Raw).GasPrice(); got.Cmp(big.NewInt(9_834_496_000)) != 0 {
		t.Errorf("price %v: want three times 12 percent more than 7 gwei", got)
	}
	w.chain.Mine(3)
	if e, _ := w.look(all...); !e.Settled || e.Attempt != 3 {
		t.Errorf("%+v", e)
	}
}

// The fee that the host has set with the intent is only raised by the host.
func TestHostsFee(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	in := transfer(big.NewInt(9))
	in.MaxFee = gwei(20)
	job, a := w.attempt(in, 0)
	r := w.net.(chains.Replacer)
	if _, err := r.PrepareReplacement(t.Context(), job, []chains.Attempt{a}, chains.Bumped, nil); !errors.Is(err, chains.ErrCeiling) {
		t.Errorf("by itself: %v", err)
	}
	for _, c := range []struct {
		p   chains.Purpose
		fee *big.Int
	}{{chains.Bumped, gwei(30)}, {chains.Cancel, nil}} {
		d, err := r.PrepareReplacement(t.Context(), job, []chains.Attempt{a}, c.p, c.fee)
		if err != nil {
			t.Fatal(err)
		}
		w.sign(job, d)
	}
}

// The host's fee is compared with what was offered for the intent, not for
// cancelling it.
func TestBumpAfterCancel(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	job, a := w.attempt(transfer(big.NewInt(9)), 0)
	r := w.net.(chains.Replacer)
	d, err := r.PrepareReplacement(t.Context(), job, []chains.Attempt{a}, chains.Cancel, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := []chains.Attempt{a, w.sign(job, d)}
	if d, err := r.PrepareReplacement(t.Context(), job, all, chains.Bumped, gwei(16)); !errors.Is(err, chains.ErrUnderpriced) {
		t.Errorf("less than the cancelling attempt: %+v, %v", d, err)
	}
	d, err = r.PrepareReplacement(t.Context(), job, all, chains.Bumped, gwei(40))
	if err != nil || d.Gas != 25200 {
		t.Fatalf("%+v, %v", d, err)
	}
	if tx := decode(t, w.sign(job, d).Raw); tx.Value().Int64() != 9 {
		t.Errorf("value %v", tx.Value())
	}
}

// A delegated account's own code runs when it is paid, so cancelling is
// estimated.
func TestCancelDelegated(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.chain.Delegate(w.account.Address)
	job, a := w.attempt(transfer(big.NewInt(9)), 1)
	d, err := w.net.(chains.Replacer).PrepareReplacement(t.Context(), job, []chains.Attempt{a}, chains.Cancel, nil)
	if err != nil || d.Gas != 31200 { // 26000 and a fifth
		t.Errorf("%+v, %v", d, err)
	}
}

// A cancelling attempt that the market has left behind is raised.
func TestCancelAgain(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	job, a := w.attempt(transfer(big.NewInt(9)), 0)
	all := []chains.Attempt{a}
	r := w.net.(chains.Replacer)
	for _, base := range []int64{7, 40} {
		w.chain.SetFees(gwei(base), gwei(1))
		d, err := r.PrepareReplacement(t.Context(), job, all, chains.Cancel, nil)
		if err != nil || d == nil {
			t.Fatalf("base %d: %+v, %v", base, d, err)
		}
		all = append(all, w.sign(job, d))
		if d, err := r.PrepareReplacement(t.Context(), job, all, chains.Cancel, nil); d != nil || err != nil {
			t.Errorf("base %d, again: %+v, %v", base, d, err)
		}
	}
}

func TestReplaceRefuses(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	job, a := w.attempt(transfer(big.NewInt(9)), 0)
	r := w.net.(chains.Replacer)
	bad := a
	bad.Raw = []byte{1, 2, 3}
	other := *job
	other.Nonce = 1
	for name, c := range map[string]struct {
		job   *chains.Job
		prior []chains.Attempt
	}{"nothing": {job, nil}, "garbage": {job, []chains.Attempt{bad}}, "another nonce": {&other, []chains.Attempt{a}}} {
		if _, err := r.PrepareReplacement(t.Context(), c.job, c.prior, chains.Bumped, nil); !errors.Is(err, chains.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	poor := *job
	w.chain.Fund(w.account.Address, new(big.Int).Neg(ether(1)))
	if _, err := r.PrepareReplacement(t.Context(), &poor, []chains.Attempt{a}, chains.Bumped, nil); !errors.Is(err, chains.ErrFunds) {
		t.Errorf("without funds: %v", err)
	}
}
