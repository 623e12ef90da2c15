package wallet_test

import (
	"errors"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/amount"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

// TestRepeatedInWholeUnits: an order in whole units of a token is the same one when
// it is repeated after a power cut, when nobody knows the decimals any more, or
// when the contract names others by then.
func TestRepeatedInWholeUnits(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	w.wallet("w0")
	pay := func(ref, amount string) (uint32, error) {
		id, release, err := w.m.Life.Submit(life.Order{Command: chains.Transfer, Wallet: "w0", Ref: ref, To: target(1),
			Amount: amount, Asset: fakenode.Accepts, Options: map[string]string{}})
		if err == nil {
			release()
		}
		return id, err
	}
	if _, err := pay("a", "0.5whole"); !errors.Is(err, amount.ErrAmount) {
		t.Fatalf("decimals that nobody has named: %v", err)
	}
	w.m.Life.HeardDecimals(net, fakenode.Accepts, 6)
	first, err := pay("a", "0.5whole")
	if err != nil {
		t.Fatal(err)
	}
	same := func(when string) {
		t.Helper()
		for _, text := range []string{"0.5whole", "0.50whole", "500000"} {
			if id, err := pay("a", text); id != first || err != nil {
				t.Errorf("%s: %s is %d, %v", when, text, id, err)
			}
		}
		for _, text := range []string{"5whole", "0.05whole", "5", "0.6whole"} {
			if id, err := pay("a", text); !errors.Is(err, refusal.ErrExists) {
				t.Errorf("%s: %s is %d, %v", when, text, id, err)
			}
		}
	}
	same("at once")
	w.restart()
	same("after a restart")
	if _, err := pay("b", "0.5whole"); !errors.Is(err, amount.ErrAmount) {
		t.Errorf("another order after a restart: %v", err)
	}
	w.m.Life.HeardDecimals(net, fakenode.Accepts, 18)
	same("after the contract has changed")
	for range 5 {
		w.sweep()
		w.chain.Chain.Mine(1)
	}
	if s, _ := w.m.Life.Status(first); !s.State.Final() {
		t.Errorf("%+v", s)
	}
	same("after its end")
}
