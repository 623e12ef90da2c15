package subs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
)

const (
	// settle is how many blocks become final until what was told of them is held
	// against the chain once more.
	settle = 32
	// deep is how far below the newest block one is taken for final where the
	// network tells of no newer one that is.
	deep = 1024
	// written is how many blocks in which nothing was found may be looked through
	// again after a restart.
	written = 512
	// batch is how many events are written in one step.
	batch = 256
	// maxMarks is how many marks there may be until no more blocks get one: more
	// than deep and settle and batch can need.
	maxMarks = 1536
	// firstSpan is how many blocks are asked for at once at first; nodes differ
	// in how many they allow.
	firstSpan, maxSpan = 2000, 1 << 20

	// A chain on which nothing happens is looked at ever more seldom.
	waitMin, waitMax = 2 * time.Second, time.Minute
)

// A pace is what is remembered of a network between looks.
type pace struct {
	due    time.Time // of the next look
	active time.Time // of the last event, or the last change
	parked bool      // it is not looked at until there is room
	chain  chains.Identity
	head   uint64 // newest block seen
	final  uint64 // newest final block
	asked  uint64 // newest block when that was asked for; 0: not yet
	at     map[uint32]cursor
	spans  map[uint32]uint64 // blocks to ask for at once, by subscription
	stuck  map[uint32]bool   // of which an alarm told that they do not go on
}

// A cursor is how far a subscription has come; on flash it may be less.
type cursor struct {
	chain chains.Identity
	seen  chains.Head
	final uint64
}

// loose says whether the newest block that was looked through is known and may
// still be replaced.
func (c *cursor) loose() bool { return c.seen.Hash != "" && c.seen.Number > c.final }

// pace returns what is remembered of a network. s.mu is held.
func (s *Set) pace(net string) *pace {
	p := s.paces[net]
	if p == nil {
		p = &pace{at: map[uint32]cursor{}, spans: map[uint32]uint64{}, stuck: map[uint32]bool{}, active: s.cfg.Now()}
		s.paces[net] = p
	}
	return p
}

// Due returns when a network should be looked at next, the zero time for not at
// all: then a subscription or an acknowledgement changes that.
func (s *Set) Due(net string) time.Time {
	s.park(net, true) // before it is seen whether there is room, so that no acknowledgement slips between
	mine, full := s.of(net)
	if len(mine) > 0 && full {
		return time.Time{}
	}
	due := s.park(net, false)
	switch {
	case len(mine) == 0 || !s.tells(net):
		return time.Time{}
	case due.IsZero():
		return s.cfg.Now()
	}
	return due
}

// tells says whether a network has events: in the configuration it may have become
// another one since it was subscribed to.
func (s *Set) tells(net string) bool {
	n, err := s.cfg.Nets.Get(net)
	if err != nil {
		return false
	}
	_, ok := n.Network.(chains.Eventer)
	return ok
}

// park notes whether a network waits for room.
func (s *Set) park(net string, waits bool) (due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pace(net)
	p.parked = waits
	return p.due
}

// A look is one look at a network.
type look struct {
	*Set
	ctx     context.Context
	net     *nets.Net
	chain   chains.Eventer
	horizon *chains.Horizon
	final   uint64 // block that is taken for final
	behind  bool   // there is more to look through
	found   bool
}

// Look looks for events on a network whose chain is known. It must not be called
// for a network while a call for it is under way.
func (s *Set) Look(ctx context.Context, n *nets.Net) error {
	mine, full := s.of(n.Name)
	chain, ok := n.Network.(chains.Eventer)
	if len(mine) == 0 || full || !ok {
		return nil
	}
	l := &look{Set: s, ctx: ctx, net: n, chain: chain}
	var anchors []uint64
	for i := range mine {
		if c := l.cursor(&mine[i]); c.loose() && !slices.Contains(anchors, c.seen.Number) {
			anchors = append(anchors, c.seen.Number)
		}
	}
	var err error
	if l.horizon, err = chain.Horizon(ctx, anchors, l.finalDue()); err != nil {
		return fmt.Errorf("looking for events on network %s: %w", n.Name, err)
	}
	l.noteFinal()
	if err := l.all(mine); err != nil {
		return fmt.Errorf("looking for events on network %s: %w", n.Name, err)
	}
	l.schedule()
	return nil
}

// finalDue says whether the chain has come so far since the newest final block was
// asked for that there may be news.
func (l *look) finalDue() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pace(l.net.Name)
	if p.chain != l.net.Pinned {
		p.chain, p.head, p.asked, p.final = l.net.Pinned, 0, 0, 0
	}
	due := p.head >= p.asked+settle/2 || p.asked == 0
	if due {
		p.asked = p.head
	}
	return due
}

// noteFinal takes up what the horizon says of what is final.
func (l *look) noteFinal() {
	head := l.horizon.Head
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pace(l.net.Name)
	p.head, p.final = head, max(p.final, l.horizon.Final)
	l.final = min(head, max(p.final, head-min(head, deep)))
}

// cursor returns how far a subscription has come, the zero cursor if it has not
// begun on this chain.
func (l *look) cursor(sub *ledger.Subscription) cursor {
	l.mu.Lock()
	c, ok := l.pace(l.net.Name).at[sub.N]
	l.mu.Unlock()
	if !ok && sub.Chain != nil {
		c = cursor{*sub.Chain, sub.Seen, sub.Final}
	}
	if c.chain != l.net.Pinned || sub.Chain == nil || *sub.Chain != l.net.Pinned {
		return cursor{} // it may have the number of another one that is gone
	}
	return c
}

func (l *look) remember(n uint32, c cursor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pace(l.net.Name).at[n] = c
}

// A task is what a look has to do for one subscription.
type task struct {
	sub   ledger.Subscription
	from  cursor
	scan  chains.Scan
	whole bool // it begins behind the last final block
}

// size is how many blocks are asked for.
func (t *task) size() uint64 { return t.scan.To - t.scan.From + 1 }

func (l *look) all(mine []ledger.Subscription) error {
	var tasks []task
	for _, sub := range mine {
		c := l.cursor(&sub)
		if c.chain == (chains.Identity{}) {
			if err := l.begin(&sub); err != nil && !errors.Is(err, errGone) {
				return err
			}
			continue
		}
		if t := (task{sub: sub, from: c}); l.plan(&t) {
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	scans := make([]chains.Scan, len(tasks))
	for i := range tasks {
		scans[i] = tasks[i].scan
	}
	results, err := l.chain.Scan(l.ctx, scans)
	if err != nil {
		switch {
		case errors.Is(err, chains.ErrUnreachable), errors.Is(err, context.DeadlineExceeded):
			l.lessen(tasks)
		case errors.Is(err, chains.ErrTooMuch):
			l.stuck(tasks[0].sub.N) // alone, and a single block
		}
		return err
	}
	var odd error // with one contract's events, which does not keep the others
	for i := range tasks {
		err := l.take(&tasks[i], &results[i])
		switch {
		case err == nil, errors.Is(err, errGone):
		case results[i].Err != nil, errors.Is(err, chains.ErrDisagree):
			odd = fmt.Errorf("subscription %d: %w", tasks[i].sub.N, err)
		default:
			return err
		}
	}
	return odd
}

// lessen has fewer blocks asked for next time: the network has just said how far it
// is, so it may be that the answer was too large for the bearer to come in time.
func (l *look) lessen(tasks []task) {
	for i := range tasks {
		if size := tasks[i].size(); size > 1 {
			l.resize(tasks[i].sub.N, size, false)
		}
	}
}

// still returns the subscription as it is now that a look found as was. Another
// one may have its number by then.
func (l *look) still(st *ledger.State, was *ledger.Subscription) (*ledger.Subscription, error) {
	sub := st.Subs[was.N]
	switch {
	case sub == nil || sub.Net != was.Net || !same(sub.Filter, was.Filter) || (sub.Chain == nil) != (was.Chain == nil):
		return nil, errGone
	case !l.net.Current(st):
		return nil, errStale
	}
	return sub, nil
}

// begin starts a subscription behind the newest block.
func (l *look) begin(was *ledger.Subscription) error {
	c := cursor{l.net.Pinned, chains.Head{Number: l.horizon.Head}, l.horizon.Head}
	err := l.cfg.Book.Update(func(u *book.Update) error {
		sub, err := l.still(u.State(), was)
		if err != nil {
			return err
		}
		u.Add(ledger.Looked{N: sub.N, Chain: c.chain, Seen: c.seen, Final: c.final})
		return nil
	})
	if err != nil {
		return err
	}
	l.remember(was.N, c)
	l.cfg.Log.Info("a subscription begins", "subscription", was.N, "net", l.net.Name, "behind block", c.final)
	return nil
}

// plan says which blocks to look through, false for none.
func (l *look) plan(t *task) bool {
	h, c := l.horizon, &t.from
	if h.Head < c.seen.Number {
		return false // a node that lags, or a chain that has to grow again
	}
	from := c.seen.Number + 1
	shown, anchored := h.Blocks[c.seen.Number]
	switch {
	case c.loose() && !anchored:
		return false // asked in one batch, and not answered
	case c.loose() && shown.Hash != c.seen.Hash, c.seen.Number <= c.final, l.final >= c.final+settle:
		from = c.final + 1
	}
	t.whole = from == c.final+1
	t.scan = chains.Scan{Filter: t.sub.Filter, From: from, To: min(h.Head, from+l.span(t.sub.N)-1)}
	return t.scan.From <= t.scan.To
}

// take writes what a scan has found.
func (l *look) take(t *task, r *chains.Scanned) error {
	size := t.size()
	if errors.Is(r.Err, chains.ErrTooMuch) && size > 1 {
		l.resize(t.sub.N, size, false)
		l.behind = true
		return nil
	}
	if r.Err != nil {
		if errors.Is(r.Err, chains.ErrTooMuch) {
			l.stuck(t.sub.N)
		}
		return r.Err
	}
	l.resize(t.sub.N, size, true)
	gone, err := l.vanished(t, r)
	if err != nil {
		return err
	}
	for rest := r.Events; ; gone = nil {
		cut, told, err := l.write(t, r.Last, rest, gone)
		if err != nil || cut == nil || told == 0 {
			return err
		}
		for rest[0].Block.Number < cut.Block.Number {
			rest = rest[1:]
		}
	}
}

// span returns how many blocks to ask for at once.
func (l *look) span(n uint32) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if span, ok := l.pace(l.net.Name).spans[n]; ok {
		return span
	}
	return firstSpan
}

// resize learns how many blocks a node allows at once, which may be few for a
// contract that logs much.
func (l *look) resize(n uint32, size uint64, good bool) {
	span := l.span(n)
	switch {
	case !good:
		span = min(span, size/2)
	case size == span:
		span = min(span+span/8+1, maxSpan)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pace(l.net.Name).spans[n] = span
}

// vanished returns the blocks of which events were told and that are in the range
// of a scan, but not in the chain any more.
func (l *look) vanished(t *task, r *chains.Scanned) (gone [][]byte, err error) {
	has := map[string]bool{}
	for i := range r.Events {
		has[r.Events[i].Block.Hash] = true
	}
	var suspects []ledger.Mark
	var numbers []uint64
	for _, m := range t.sub.Marks {
		if m.Number >= t.scan.From && m.Number <= t.scan.To && !has[hex.EncodeToString(m.Hash)] {
			suspects, numbers = append(suspects, m), append(numbers, m.Number)
		}
	}
	if len(suspects) == 0 {
		return nil, nil
	}
	slices.Sort(numbers)
	now, err := l.chain.Horizon(l.ctx, slices.Compact(numbers), false)
	if err != nil {
		return nil, err
	}
	for _, m := range suspects {
		b, ok := now.Blocks[m.Number]
		if !ok || b.Hash == hex.EncodeToString(m.Hash) {
			return nil, fmt.Errorf("block %d has lost its events: %w", m.Number, chains.ErrDisagree)
		}
		gone = append(gone, m.Hash)
	}
	return gone, nil
}

// crowded says whether there are so many marks that events of another block have
// to wait until some are final: all are in one record of a snapshot. Where hosts
// make room for one event at a time a block can have as many marks as events.
func crowded(sub *ledger.Subscription, hash []byte) bool {
	return len(sub.Marks) >= maxMarks && !slices.ContainsFunc(sub.Marks, func(m ledger.Mark) bool { return string(m.Hash) == string(hash) })
}

// schedule sets when the network is looked at again: at once while there is more
// to look through, soon after something happened, and then ever more seldom.
func (l *look) schedule() {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, now := l.pace(l.net.Name), l.cfg.Now()
	if l.found {
		p.active = now
	}
	p.due = now
	if !l.behind {
		p.due = now.Add(max(waitMin, min(waitMax, now.Sub(p.active)/8)))
	}
}
