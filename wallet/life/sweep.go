package life

import (
	"context"
	"math/big"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
)

// Sweep does for a network all that can be done now, and returns how long until
// something is due again by itself: Forever when nothing is.
func (e *Engine) Sweep(ctx context.Context, name string) time.Duration {
	n, err := e.cfg.Nets.Get(name)
	if err != nil || e.off.Load() {
		return Forever
	}
	s := &sweep{Engine: e, ctx: ctx, net: n}
	e.mu.Lock()
	s.line = e.line(name)
	e.mu.Unlock()
	s.line.occupied()
	defer s.line.busy.Store(0)
	before := e.cfg.Book.Commits()
	err = s.run()
	if err == nil {
		err = s.follow()
	}
	if err != nil {
		s.failed(err)
	}
	if e.cfg.Book.Commits() != before {
		e.nudgeParked()
	}
	return s.wait()
}

// A sweep is one pass over one network.
type sweep struct {
	*Engine
	ctx    context.Context
	net    *nets.Net
	line   *line
	talked bool // the network has answered
}

func (s *sweep) run() error {
	if err := s.endEarly(); err != nil {
		return err
	}
	open := s.open()
	if len(open) == 0 {
		return nil
	}
	if !s.cfg.Bearer(s.net) {
		s.setReason(ledger.NoBearer)
		return nil
	}
	if s.cfg.Nets.Exhausted(s.net.Name) > 0 {
		s.setReason(ledger.BudgetUsed)
		return nil
	}
	if s.cfg.Now().Before(s.resumeAt()) {
		return nil
	}
	if err := s.cfg.Book.Sound(); err != nil {
		return err
	}
	if err := s.identify(); err != nil {
		return err
	}
	for _, step := range []func() error{s.track, s.sendAll, s.replaceAll, s.advanceAll} {
		if err := step(); err != nil {
			return err
		}
	}
	s.succeeded()
	return nil
}

// converse bounds one conversation with the network, and says so to the
// watchdog.
func (s *sweep) converse() (context.Context, context.CancelFunc) {
	s.line.occupied()
	return context.WithTimeout(s.ctx, stepTimeout)
}

// open returns copies of the network's open transactions, by rising id.
func (s *sweep) open() []*ledger.Tx {
	var open []*ledger.Tx
	s.cfg.Book.View(func(st *ledger.State) {
		for _, t := range st.Open {
			if t.Net == s.net.Name {
				c := *t
				open = append(open, &c)
			}
		}
	})
	return open
}

// identify makes the first contact.
func (s *sweep) identify() error {
	if s.net.Known() {
		return nil
	}
	ctx, cancel := s.converse()
	defer cancel()
	n, err := s.cfg.Nets.Identify(ctx, s.net)
	if err == nil {
		s.net = n
	}
	return err
}

// endEarly ends what ends without the network's help: expired, dependent on a
// failure, its key gone for ever. What is signed already is asked to be
// cancelled instead, where that can be.
func (s *sweep) endEarly() error {
	due := false
	s.cfg.Book.View(func(st *ledger.State) {
		for _, t := range st.Open {
			if t.Net == s.net.Name {
				end, _, cancel := s.early(st, t)
				due = due || end || cancel
			}
		}
	})
	if !due {
		return nil
	}
	return s.inSteps(func(u *book.Update, t *ledger.Tx) bool {
		if t.Net != s.net.Name {
			return false
		}
		end, how, cancel := s.early(u.State(), t)
		switch {
		case end:
			endNow(u, t, how)
		case cancel:
			u.Add(ledger.Requested{ID: t.ID, Cancel: true})
		}
		return end || cancel
	})
}

// stepMax is how many transactions change in one durable step at most: together
// they must fit a frame of the journal.
const stepMax = 256

// inSteps runs change with every open transaction, as often as there is one that
// it changes, in steps of at most stepMax changes.
func (e *Engine) inSteps(change func(*book.Update, *ledger.Tx) bool) error {
	for more := true; more; {
		err := e.cfg.Book.Update(func(u *book.Update) error {
			n := 0
			for _, t := range u.State().Open {
				if change(u, t) {
					n++
				}
				if n == stepMax {
					return nil
				}
			}
			more = false
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type ending struct {
	state  ledger.TxState
	reason ledger.Reason
}

// early says whether t ends now, and how, or is to be cancelled.
func (s *sweep) early(st *ledger.State, t *ledger.Tx) (end bool, how ending, cancel bool) {
	if ofOldChain(st, t) {
		return true, ending{ledger.Refused, ledger.OtherChain}, false
	}
	expired := t.Expire != 0 && s.age(t) >= t.Expire
	if t.Signed() {
		return false, ending{}, expired && s.canExpire(t)
	}
	key := st.Keys[t.Key]
	switch {
	case expired:
		return true, ending{ledger.Expired, ledger.NoReason}, false
	case key == nil || key.State == ledger.Retired || key.State == ledger.Compromised:
		return true, ending{ledger.Refused, ledger.KeyInactive}, false
	case t.After != 0 && dependency(st, t.After) == broken:
		return true, ending{ledger.Refused, ledger.BehindAnother}, false
	}
	return false, ending{}, false
}

// ofOldChain says whether t was accepted before its network became another
// chain.
func ofOldChain(st *ledger.State, t *ledger.Tx) bool {
	n := st.Networks[t.Net]
	return n != nil && t.ID < n.Since
}

// endNow ends a transaction without the chain's word. Of one that is signed the
// bytes may still be valid somewhere, so its reservation stays.
func endNow(u *book.Update, t *ledger.Tx, how ending) {
	end := ledger.Ended{ID: t.ID, State: how.state, Reason: how.reason}
	if !t.Signed() {
		end.Spent = new(big.Int)
	}
	end.Event = u.Emit(book.TxEvent(t.ID, end.State, end.Reason, t.Hash()))
	u.Add(end)
}

// endUnsigned ends a transaction of which nothing was signed.
func endUnsigned(u *book.Update, t *ledger.Tx, state ledger.TxState, why ledger.Reason) {
	endNow(u, t, ending{state, why})
}

// canExpire says whether the end of t's time would change anything.
func (s *sweep) canExpire(t *ledger.Tx) bool {
	_, replaceable := s.net.Network.(chains.Replacer)
	return !t.Signed() || (replaceable && !t.Cancel && t.State != ledger.Included)
}

type standing uint8

const (
	undecided standing = iota
	kept
	broken
)

// dependency says what became of the transaction that another one waits for.
func dependency(st *ledger.State, id uint32) standing {
	if st.Tx(id) != nil {
		return undecided
	}
	state := ledger.Refused
	if p := st.Ended(id); p != nil {
		state = p.State
	} else if r := st.Forgotten(id); r != nil {
		state = r.State
	}
	if state == ledger.Confirmed {
		return kept
	}
	return broken
}

// age returns the seconds since t was accepted, by running time or by the
// chain's, whichever says more.
func (s *sweep) age(t *ledger.Tx) uint64 {
	age := s.cfg.Book.Running() - min(t.Running, s.cfg.Book.Running())
	if now := s.chainTime(s.net.Name); t.Time != 0 && now > t.Time {
		age = max(age, now-t.Time)
	}
	return age
}

// chainTime returns the chain's time now, as the newest block seen in this boot
// tells, 0 when none was seen.
func (e *Engine) chainTime(net string) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.line(net)
	if l.head.Time == 0 {
		return 0
	}
	return l.head.Time + uint64(max(0, e.cfg.Now().Sub(l.headAt))/time.Second)
}

// FinalTime returns the latest time now that final blocks of any network prove,
// the zero time when none was seen in this boot.
func (e *Engine) FinalTime() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	var newest time.Time
	for _, l := range e.lines {
		if l.final.Time == 0 {
			continue
		}
		t := time.Unix(int64(l.final.Time), 0).Add(max(0, e.cfg.Now().Sub(l.finalAt)))
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}

// sawHead notes a block that the network showed in answer to a question.
func (s *sweep) sawHead(h chains.Head) {
	s.talked = true
	if h.Time == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.paceFrom(h)
	s.line.head, s.line.headAt = h, s.cfg.Now()
}

// paceFrom notes how fast blocks come: a quarter of the time between two.
func (l *line) paceFrom(h chains.Head) {
	if old := l.head; old.Time != 0 && h.Number > old.Number && h.Time >= old.Time {
		between := time.Duration(min((h.Time-old.Time)/(h.Number-old.Number), 30)) * time.Second
		l.pace = between / 4
	}
}

// due says whether a transaction may be tried now.
func (s *sweep) due(id uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.cfg.Now().Before(s.item(s.line, id).resume)
}

// wait returns how long until the network needs a sweep, and forgets what is
// remembered of transactions that have ended.
func (s *sweep) wait() time.Duration {
	open, look := s.open(), s.lookDue()
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := make(map[uint32]*work, len(open))
	now := s.cfg.Now()
	var next, end time.Time // when the network is needed, when something ends; zero: never
	sooner := func(at *time.Time, t time.Time) {
		if t.Before(now) {
			t = now
		}
		if at.IsZero() || t.Before(*at) {
			*at = t
		}
	}
	bearer, held := s.cfg.Bearer(s.net), s.cfg.Nets.Exhausted(s.net.Name)
	switch {
	case !bearer || look.IsZero():
	case held > 0:
		sooner(&next, now.Add(held))
	default:
		sooner(&next, later(look, s.line.lookAfter))
	}
	for _, t := range open {
		w := s.item(s.line, t.ID)
		keep[t.ID] = w
		if t.Expire != 0 && s.canExpire(t) {
			left := t.Expire - min(t.Expire, s.cfg.Book.Running()-min(t.Running, s.cfg.Book.Running()))
			sooner(&end, now.Add(time.Duration(left)*time.Second))
		}
		switch {
		case !bearer:
		case !t.Signed() && w.parked:
		case held > 0:
			sooner(&next, now.Add(held))
		case t.Signed():
			sooner(&next, w.poll)
		default:
			sooner(&next, w.resume)
		}
	}
	s.line.work = keep
	if !next.IsZero() && next.Before(s.line.resume) {
		next = s.line.resume
	}
	if !end.IsZero() {
		sooner(&next, end)
	}
	s.line.next = next
	if next.IsZero() {
		return Forever
	}
	return max(0, next.Sub(now))
}

// nudgeParked wakes the networks on which a transaction waits for another one.
func (e *Engine) nudgeParked() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lines {
		for _, w := range l.work {
			if w.parked {
				l.nudge()
				break
			}
		}
	}
}

// park notes that a transaction waits for another one or for the host, not for
// a time.
func (s *sweep) park(t *ledger.Tx, why ledger.Reason) {
	s.mu.Lock()
	w := s.item(s.line, t.ID)
	w.parked, w.reason = true, why
	s.mu.Unlock()
	s.tell(t, why)
}
