package life_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/nets"
)

// follower is due when it is told, and counts.
type follower struct {
	due   time.Time
	err   error
	looks int
}

func (f *follower) Due(string) time.Time { return f.due }

func (f *follower) Look(_ context.Context, n *nets.Net) error {
	if !n.Known() {
		return errors.New("it is not known which chain this is")
	}
	f.looks++
	return f.err
}

// named is a network of which nothing but the name is ever asked.
type named struct{ chains.Network }

func (named) Identify(context.Context) (chains.Identity, error) {
	return chains.Identity{ChainID: "7"}, nil
}

// TestFollow: events are looked for when it is time and there is a bearer, and
// errors that are the network's keep everything waiting, others only the events.
func TestFollow(t *testing.T) {
	now, bearer := time.Unix(1_800_000_000, 0), true
	clock := func() time.Time { return now }
	quiet := slog.New(slog.DiscardHandler)
	b, err := book.Open(book.Config{FS: crashfs.New(), Now: clock, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	p := chains.Protocol{Name: "fake", Check: func(chains.Config) []chains.OptionError { return nil },
		Open: func(chains.Config, chains.Deps) (chains.Network, error) { return named{}, nil }}
	ns, err := nets.Open(nets.Config{Book: b, Protocols: chains.NewRegistry(p), Log: quiet, File: []chains.Config{{Name: "net", Protocol: "fake"}}})
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{}
	e := life.New(life.Config{Book: b, Nets: ns, Follower: f, Now: clock, Jitter: func() float64 { return 1 }, Bearer: func(*nets.Net) bool { return bearer }, Log: quiet})
	sweep := func(what string, looks int, wait time.Duration) {
		t.Helper()
		if got := e.Sweep(t.Context(), "net"); got != wait || f.looks != looks {
			t.Errorf("%s: %d looks and then a wait of %v, want %d and %v", what, f.looks, got, looks, wait)
		}
		if idle := e.Idle().Next; idle != wait {
			t.Errorf("%s: %v to the next need as hosts see it", what, idle)
		}
	}
	sweep("nothing to follow", 0, life.Forever)
	f.due = now.Add(time.Minute)
	sweep("too early", 0, time.Minute)
	now = f.due
	bearer = false
	sweep("no bearer", 0, life.Forever)
	bearer = true
	sweep("due", 1, 0)
	f.err = fmt.Errorf("odd: %w", chains.ErrDisagree)
	sweep("an odd answer", 2, 2*time.Second)
	sweep("at once again", 2, 2*time.Second)
	now = now.Add(2 * time.Second)
	sweep("odd again", 3, 4*time.Second)
	e.Kick("net") // as a new subscription does
	sweep("kicked", 3, time.Second)
	now = now.Add(time.Second)
	f.err = nil
	sweep("well again", 4, 0)
	f.err = chains.ErrUnreachable
	sweep("unreachable", 5, 2*time.Second)
	sweep("still resting", 5, 2*time.Second)
	now = now.Add(2 * time.Second)
	f.err = fmt.Errorf("a node that says nothing: %w", context.DeadlineExceeded)
	sweep("no answer in time", 6, 4*time.Second)
	var told []string
	for _, ev := range b.Retained(0, 99) {
		told = append(told, fmt.Sprint(ev.Name, ev.Fields))
	}
	if len(told) != 2 || told[0] != "net[1 net]" || told[1] != "net[0 net]" {
		t.Errorf("hosts were told %q", told)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	sweep2 := e.Sweep(t.Context(), "net")
	if sweep2 != life.Forever || f.looks != 6 {
		t.Errorf("%d looks after the stop", f.looks)
	}
}
