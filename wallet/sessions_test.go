package wallet_test

import (
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/ledger"
)

// TestSessionsAndReset: networks keep their TLS sessions over a proper stop, and a
// factory reset forgets them, in memory and on flash.
func TestSessionsAndReset(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	var kept chains.Sessions
	open := w.chain.Protocol.Open
	w.chain.Protocol.Open = func(c chains.Config, d chains.Deps) (chains.Network, error) {
		kept = d.Sessions
		return open(c, d)
	}
	w.mustOpen()
	kept.Keep("a server", []byte("a secret"))
	w.stop()
	w.restart()
	if got := kept.Load("a server"); string(got) != "a secret" {
		t.Fatalf("after a proper stop there is %q", got)
	}
	must(t, w.m.FactoryReset(ctx, nil, true))
	if got := kept.Load("a server"); got != nil {
		t.Errorf("after a reset there is %q", got)
	}
	w.m.Book.View(func(st *ledger.State) {
		if len(st.Sessions) != 0 {
			t.Errorf("on flash: %v", st.Sessions)
		}
	})
	w.restart()
	if got := kept.Load("a server"); got != nil {
		t.Errorf("after a reset and a restart there is %q", got)
	}
}
