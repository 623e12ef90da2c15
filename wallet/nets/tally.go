package nets

import (
	"fmt"
	"sync"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/ledger"
)

// writesADay is how often a day a tally is written by itself at most. Power that
// fails forgets what was used since: at most so much of the budget, and the
// request that was under way.
const writesADay = 16

// A tally counts the bytes of one network against its daily_bytes, over every
// change of its options. A day of running time after its first byte, the count
// begins anew. It is a chains.Gauge.
type tally struct {
	set  *Set
	name string

	mu    sync.Mutex
	since uint64 // running time
	used  uint64
	tried uint64 // used when it was last to be written by itself
}

// tally returns the tally of a network.
func (s *Set) tally(name string) *tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	y := s.tallies[name]
	if y == nil {
		y = &tally{set: s, name: name}
		s.tallies[name] = y
	}
	return y
}

// recall takes up the tallies of the ledger.
func (s *Set) recall(st *ledger.State) {
	for name, rec := range st.Tallies {
		s.tallies[name] = &tally{set: s, name: name, since: min(rec.Since, s.cfg.Book.Running()), used: rec.Used}
	}
}

// limit is the budget in force, 0 for none.
func (y *tally) limit() uint64 {
	n, err := y.set.Get(y.name)
	if err != nil {
		return 0
	}
	return n.Options.Integer("daily_bytes")
}

// turn begins a new day if the old one is over. y.mu is held.
func (y *tally) turn() {
	if now := y.set.cfg.Book.Running(); y.used == 0 || now >= y.since+ledger.Day {
		y.since, y.used, y.tried = now, 0, 0
	}
}

// Count adds bytes.
func (y *tally) Count(bytes int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.turn()
	y.used += uint64(bytes)
}

// Admit is chains.ErrBudget once the budget is used up. Before that it sees to it
// that not too much of what was used is only in memory.
func (y *tally) Admit() error {
	limit := y.limit()
	if limit == 0 {
		return nil
	}
	var durable uint64
	y.set.cfg.Book.View(func(st *ledger.State) {
		if rec := st.Tallies[y.name]; rec != nil && rec.Since == y.record().Since {
			durable = rec.Used
		}
	})
	y.mu.Lock()
	y.turn()
	used := y.used
	due := used >= max(durable, y.tried)+max(1, limit/writesADay)
	if due {
		y.tried = used
	}
	y.mu.Unlock()
	if due {
		if err := y.set.cfg.Book.Flush(); err != nil {
			y.set.cfg.Log.Warn("the bytes used today were not written", "net", y.name, "err", err)
		}
	}
	if used >= limit {
		return &chains.Error{Kind: chains.ErrBudget, Doing: "ask network " + y.name, Detail: fmt.Sprintf("%d of %d bytes", used, limit)}
	}
	return nil
}

// record is the tally as the ledger has it.
func (y *tally) record() ledger.Tally {
	y.mu.Lock()
	defer y.mu.Unlock()
	return ledger.Tally{Net: y.name, Since: y.since, Used: y.used}
}

// left is how long nothing more is sent, 0 while the budget is not used up.
func (y *tally) left() time.Duration {
	limit, now := y.limit(), y.set.cfg.Book.Running()
	y.mu.Lock()
	defer y.mu.Unlock()
	if limit == 0 || y.used < limit || now >= y.since+ledger.Day {
		return 0
	}
	return time.Duration(y.since+ledger.Day-now) * time.Second
}

// Exhausted returns how long a network whose budget of bytes is used up has to
// wait; 0 where it is not.
func (s *Set) Exhausted(name string) time.Duration { return s.tally(name).left() }

// Used returns the bytes that a network has used of its budget in the present
// day, and the budget; 0 and 0 where it has none.
func (s *Set) Used(name string) (used, limit uint64) {
	y := s.tally(name)
	if limit = y.limit(); limit == 0 {
		return 0, 0
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.turn()
	return y.used, limit
}

// Waiting says whether a network has to wait for a new day: then running time is
// worth writing.
func (s *Set) Waiting() bool {
	for _, n := range s.List() {
		if s.Exhausted(n.Name) > 0 {
			return true
		}
	}
	return false
}

// riders are the tallies that matter and are not in the ledger as they are.
func (s *Set) riders(st *ledger.State) []ledger.Record {
	var all []ledger.Record
	for _, n := range s.List() {
		y := s.tally(n.Name)
		rec := y.record()
		if old := st.Tallies[n.Name]; y.limit() > 0 && rec.Used > 0 && (old == nil || *old != rec) {
			all = append(all, rec)
		}
	}
	return all
}
