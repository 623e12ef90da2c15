package wallet_test

import (
	"context"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/jsonrpc"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
)

// toll is what every request costs in a world that counts bytes.
const toll = 1000

// tolled is a connection whose requests cost a toll.
type tolled struct {
	jsonrpc.Conn
	gauge chains.Gauge
}

func (c tolled) RoundTrip(r *http.Request) (*http.Response, error) {
	c.gauge.Count(toll)
	return c.Conn.RoundTrip(r)
}

// budgetWorld is a world in which every request costs a toll.
func budgetWorld(t *testing.T, budget string) (*world, *fakenode.Chain) {
	w, chain := worldOn(t, fakenode.Options{}, chains.Options{"daily_bytes": budget, "at_may_set": "daily_bytes"})
	var gauge chains.Gauge
	p := ethereum.ProtocolOver(func(ctx context.Context, u *url.URL) (jsonrpc.Conn, error) {
		c, err := chain.Connect(ctx, u)
		return tolled{c, gauge}, err
	})
	open := p.Open
	p.Open = func(c chains.Config, d chains.Deps) (chains.Network, error) {
		gauge = d.Gauge
		return open(c, d)
	}
	w.chain.Protocol = p
	w.mustOpen()
	w.wallet("w0")
	return w, chain
}

// exhaust asks until the budget is used up and returns how many requests were
// answered.
func (w *world) exhaust() (asked int) {
	w.t.Helper()
	for range 1000 {
		_, err := w.balance()
		if errors.Is(err, chains.ErrBudget) {
			return asked
		}
		must(w.t, err)
		asked++
	}
	w.t.Fatal("the budget has no end")
	return 0
}

func (w *world) balance() (*big.Int, error) {
	n, err := w.m.Nets.Get(net)
	must(w.t, err)
	return n.Network.(chains.Balancer).Balance(ctx, "0x0000000000000000000000000000000000000001")
}

// TestDailyBytes: what cannot be sent waits with its reason, nothing goes out,
// and all goes on by itself on the next day, once.
func TestDailyBytes(t *testing.T) {
	w, chain := budgetWorld(t, "5000")
	start := w.now
	node := chain.Node(nodeURL)
	a := w.submit(w.order("w0", "a", 1))
	w.sweep() // first contact, survey, simulation, sending: four requests
	b := w.submit(w.order("w0", "b", 2))
	for range 20 {
		w.m.Life.KickAll()
		w.now = w.now.Add(min(w.m.Life.Sweep(ctx, net), time.Minute))
	}
	if n := node.Requests(); n != 5 {
		t.Fatalf("%d requests for a budget of 5", n)
	}
	w.state(b, ledger.Accepted, ledger.BudgetUsed)
	for _, e := range w.m.Book.Retained(0, 1000) {
		if e.Name == "net" && e.Fields[0] == uint32(0) {
			t.Errorf("hosts were told that the network is down: %+v", e)
		}
	}
	if _, err := w.balance(); !errors.Is(err, chains.ErrBudget) {
		t.Errorf("a question: %v", err)
	}
	if next, want := w.m.Life.Idle().Next, start.Add(24*time.Hour).Sub(w.now); next < want-2*time.Second || next > want+2*time.Second {
		t.Errorf("the network is needed in %v, the day ends in %v", next, want)
	}
	w.now = w.now.Add(w.m.Life.Idle().Next - 2*time.Second)
	w.m.Life.Sweep(ctx, net)
	if n := node.Requests(); n != 5 {
		t.Errorf("%d requests before the day is over", n)
	}
	must(t, w.m.Nets.Set(net, "daily_bytes", "1000000"))
	w.settle()
	w.state(a, ledger.Confirmed, ledger.NoReason)
	w.state(b, ledger.Confirmed, ledger.NoReason)
	w.effects(1, 1)
	w.effects(2, 1)
	w.police.report()
}

// TestDailyBytesNextDay: a budget that is used up is whole again a day of running
// time after its first byte, with nobody doing anything.
func TestDailyBytesNextDay(t *testing.T) {
	w, _ := budgetWorld(t, "12000")
	w.exhaust()
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	if s := w.state(id, ledger.Accepted, ledger.BudgetUsed); s.Hash != "" {
		t.Errorf("signed: %+v", s)
	}
	for range 10 { // sweep goes on to when there is something to do
		w.sweep()
	}
	if s, _ := w.m.Life.Status(id); s.State < ledger.Sent {
		t.Errorf("on the next day: %+v", s)
	}
}

// TestDailyBytesLasts: the count outlives a proper stop whole, a power cut but for
// a sixteenth, a change of options and a factory reset.
func TestDailyBytesLasts(t *testing.T) {
	const requests, part = 64, 64 / 16
	w, _ := budgetWorld(t, "64000")
	for range 13 {
		_, err := w.balance()
		must(t, err)
	}
	w.restart() // nothing was written at the end: as if the power had failed
	if left := w.exhaust(); left < requests-13-1 || left > requests-13+part+1 {
		t.Errorf("after a power cut %d requests of %d are left, 13 were made", left, requests)
	}
	w, _ = budgetWorld(t, "64000")
	for range 13 {
		_, err := w.balance()
		must(t, err)
	}
	w.stop()
	w.restart()
	must(t, w.m.Nets.Set(net, "daily_bytes", "63000"))
	must(t, w.m.FactoryReset(ctx, nil, true))
	must(t, w.m.Nets.Set(net, "daily_bytes", "62000"))
	// Each change makes a new connection, on which the node is asked who it is.
	if left := w.exhaust(); left > 62-13 {
		t.Errorf("after a proper stop %d requests of 62 are left, 13 were made", left)
	}
	must(t, w.m.Nets.Set(net, "daily_bytes", "0"))
	if _, err := w.balance(); err != nil {
		t.Errorf("without a budget: %v", err)
	}
}

// stop is the end of a run that was asked for.
func (w *world) stop() {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	w.m.Run(ctx)
}

// TestDailyBytesWear: the count is written by itself no more than sixteen times a
// day, and not at all without a budget.
func TestDailyBytesWear(t *testing.T) {
	for budget, most := range map[string]uint64{"160000": 16, "0": 0} {
		w, _ := budgetWorld(t, budget)
		before := w.m.Book.Commits()
		for range 160 {
			_, err := w.balance()
			must(t, err)
		}
		if n := w.m.Book.Commits() - before; n > most || most > 0 && n < most-2 {
			t.Errorf("budget %s: %d writes in 160 requests", budget, n)
		}
	}
}

// TestDailyBytesFullFlash: a count that cannot be written holds all the same.
func TestDailyBytesFullFlash(t *testing.T) {
	w, _ := budgetWorld(t, "20000")
	w.fs.Limit(1)
	if n := w.exhaust(); n != 20 {
		t.Errorf("%d requests of 20", n)
	}
}

// TestDailyBytesExpire: what waits for a new day still expires.
func TestDailyBytesExpire(t *testing.T) {
	w, _ := budgetWorld(t, "5000")
	w.exhaust()
	o := w.order("w0", "a", 1)
	o.Options["expire"] = "60"
	id := w.submit(o)
	w.sweep()
	w.state(id, ledger.Accepted, ledger.BudgetUsed)
	if next := w.m.Life.Idle().Next; next > time.Minute {
		t.Errorf("the next sweep is in %v", next)
	}
	w.sweep()
	w.state(id, ledger.Expired, ledger.NoReason)
	if w.m.Life.Idle().Next != life.Forever {
		t.Error("nothing is open, and a sweep is due")
	}
}
