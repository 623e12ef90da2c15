package subs_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/boatd/boatd/chains"
)

// chain is a chain whose newest blocks are replaced now and then, and a node of
// it with the faults that real ones have. Only what subscriptions need of a
// network is there.
type chain struct {
	chains.Network
	rng      *rand.Rand
	identity chains.Identity
	blocks   []block
	made     int    // blocks ever made
	depth    uint64 // blocks above the final one; 0: none is known to be final

	span      uint64 // most blocks at once; 0: any
	most      int    // most events at once; 0: any
	forgetful bool   // blocks that are not final have no logs yet
	lag       uint64
	down      bool
	tells     bool // what is final, unasked
	instant   bool // every block is final
	asked     int  // scans
	horizons  int
	numbers   int    // blocks that horizons were asked for
	flooded   string // contract of which every block has more than any answer holds
	slow      uint64 // most blocks of which the answer comes in time; 0: any
	slowErr   error
	during    func() // called once, while a scan is under way
}

type block struct {
	head   chains.Head
	events []chains.Event
}

func newChain(rng *rand.Rand, depth uint64) *chain {
	c := &chain{rng: rng, identity: chains.Identity{ChainID: "7", Genesis: "aa"}, depth: depth}
	c.mine(0)
	return c
}

// mine adds a block with n events, of two contracts and two kinds.
func (c *chain) mine(n int) {
	c.made++
	b := block{head: chains.Head{Number: uint64(len(c.blocks)), Hash: fmt.Sprintf("%064x", c.made)}}
	for i := range n {
		b.events = append(b.events, chains.Event{Block: b.head, Index: uint64(2 * i), Tx: fmt.Sprintf("%063x%d", c.made, i%10),
			Log: chains.Log{Address: []byte{byte(c.rng.IntN(2))}, Topics: [][]byte{{byte(c.rng.IntN(2))}}, Data: []byte(fmt.Sprint(c.made, i))}})
	}
	c.blocks = append(c.blocks, b)
}

// reorganise replaces the newest n blocks, as far as they are not final, by one
// more, with some events again and some not.
func (c *chain) reorganise(n int) {
	n = min(n, int(c.depth), len(c.blocks)-1)
	c.blocks = c.blocks[:len(c.blocks)-n]
	for range n + 1 {
		c.mine(c.rng.IntN(3))
	}
}

func (c *chain) head() uint64 { return uint64(len(c.blocks) - 1) }

func (c *chain) final() uint64 {
	switch {
	case c.instant:
		return c.head()
	case c.depth == 0:
		return 0
	}
	return c.head() - min(c.head(), c.depth)
}

func (c *chain) Identify(context.Context) (chains.Identity, error) { return c.identity, nil }

func (*chain) ParseAddress(text string) (string, error) {
	if !strings.HasPrefix(text, "0x") {
		return "", chains.ErrAddress
	}
	return text, nil
}

// ParseEvent takes "A" or "B" for the only topic.
func (*chain) ParseEvent(contract, event string, values []*string, peer func(string) (string, error)) (chains.Filter, error) {
	f := chains.Filter{Contract: contract, Event: event}
	switch event {
	case "A":
		f.Topics = [][]byte{{0}}
	case "B":
		f.Topics = [][]byte{{1}}
	case "any":
	default:
		return f, chains.ErrFunction
	}
	for i, v := range values {
		if v == nil {
			continue
		}
		if _, err := peer(*v); err != nil {
			return f, &chains.ArgumentError{Index: i, Err: err}
		}
	}
	return f, nil
}

func (c *chain) Horizon(_ context.Context, numbers []uint64, final bool) (*chains.Horizon, error) {
	c.horizons++
	c.numbers += len(numbers)
	if c.down {
		return nil, chains.ErrUnreachable
	}
	head := c.head() - min(c.head(), c.lag)
	h := &chains.Horizon{Head: head, Blocks: map[uint64]chains.Head{}}
	if final || c.tells {
		h.Final = c.final()
	}
	for _, n := range numbers {
		if n <= head {
			h.Blocks[n] = c.blocks[n].head
		}
	}
	return h, nil
}

func (c *chain) Scan(_ context.Context, scans []chains.Scan) ([]chains.Scanned, error) {
	c.asked++
	if c.down {
		return nil, chains.ErrUnreachable
	}
	all := make([]chains.Scanned, len(scans))
	for i, s := range scans {
		if s.To > c.head() || s.From > s.To {
			return nil, fmt.Errorf("blocks %d to %d of %d: %w", s.From, s.To, c.head(), chains.ErrUnreachable)
		}
		if c.slow > 0 && s.To-s.From >= c.slow {
			return nil, fmt.Errorf("it takes too long: %w", c.slowErr)
		}
		all[i] = c.scan(s)
	}
	if f := c.during; f != nil {
		c.during = nil
		f()
	}
	return all, nil
}

func (c *chain) scan(s chains.Scan) chains.Scanned {
	if s.Filter.Contract == c.flooded {
		return chains.Scanned{Err: chains.ErrTooMuch}
	}
	r := chains.Scanned{Last: c.blocks[s.To].head}
	for n := s.From; n <= s.To; n++ {
		if c.forgetful && n > c.final() {
			break
		}
		for _, e := range c.blocks[n].events {
			if matches(s.Filter, &e) {
				r.Events = append(r.Events, e)
			}
		}
	}
	if size := s.To - s.From + 1; size > 1 && (c.span > 0 && size > c.span || c.most > 0 && len(r.Events) > c.most) {
		return chains.Scanned{Err: chains.ErrTooMuch}
	}
	return r
}

func matches(f chains.Filter, e *chains.Event) bool {
	return f.Contract == fmt.Sprintf("0x%x", e.Address) &&
		(len(f.Topics) == 0 || slices.Equal(f.Topics[0], e.Topics[0]))
}

func hashOf(h chains.Head) []byte { b, _ := hex.DecodeString(h.Hash); return b }
