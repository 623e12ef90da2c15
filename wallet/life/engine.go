// Package life is the life of a transaction, written once for every chain.
//
// An order becomes an intent when it is journaled. From then on a sweep of its
// network carries it forward: each sweep rebuilds what is to be done from the
// ledger, asks the network, and writes what was learned before it acts on it.
// Nothing that matters is kept anywhere else, so a sweep after a power cut is
// the same as any other. What the sweeps remember in memory (when to try again,
// which bytes went out in this boot, why something waits) may be lost at any
// time and costs a repeated question.
//
// The order of a sweep is the order of the files: early ends (sweep.go), what
// the chain says (track.go), bytes that must go out (send.go), replacements
// (replace.go), and the next signatures (advance.go). Then contract events are
// looked for (follow.go). What hosts are told of it is in status.go, reasons.go
// and low.go; limits.go judges what may be spent.
package life

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
)

// Bounds.
const (
	// MaxInFlight is how many transactions of an account may be signed and not
	// included at once.
	MaxInFlight = 16
	// MaxPayload is how many bytes of call data and signed transactions may be
	// open at once.
	MaxPayload = 8 << 20
	// Forever is how long a sweep waits that has nothing to wait for.
	Forever = time.Duration(1<<63 - 1)

	// stepTimeout bounds one conversation with a network.
	stepTimeout = 60 * time.Second
	minWait     = 250 * time.Millisecond
)

// A Config is what an Engine is made of.
type Config struct {
	Book       *book.Book
	Nets       *nets.Set
	Keys       *keys.Ring
	Limits     []Limit
	QueueMax   int    // open transactions of a wallet
	RequireRef bool   // refuse orders without a reference
	NotBefore  uint64 // Unix seconds: no time is before this (the build date)
	Now        func() time.Time
	Jitter     func() float64 // random, 0 to 1
	// Bearer says whether a network's endpoints can be reached at all.
	Bearer   func(*nets.Net) bool
	Follower Follower // nil: no contract events are followed
	Log      *slog.Logger
}

// A Follower follows contract events; package subs has it.
type Follower interface {
	// Due returns when a network should be looked at, the zero time for not at all.
	Due(net string) time.Time
	// Look looks at a network whose chain is known.
	Look(ctx context.Context, n *nets.Net) error
}

// An Engine carries all transactions.
type Engine struct {
	cfg Config
	off atomic.Bool

	mu      sync.Mutex
	lines   map[string]*line
	alarmed map[ledger.AccountID]uint64 // chain nonce of the last alarm
	tokens  map[tokenID]int             // decimals
	low     map[string]bool             // wallets whose low balance was told
	spawn   func(*line)                 // starts a line's loop while running
	cancel  context.CancelFunc          // ends Run
	ended   chan struct{}               // closed when Run has ended
}

// A line is what is remembered of one network between its sweeps.
type line struct {
	name string
	wake chan struct{}
	ping chan chan struct{}
	busy atomic.Int64 // Unix nanoseconds until which the loop may be busy; 0: it waits

	// Guarded by Engine.mu.
	work    map[uint32]*work
	fails   int       // failed conversations in a row
	resume  time.Time // no conversation before it
	reason  ledger.Reason
	reach   reach
	head    chains.Head // newest seen in this boot
	headAt  time.Time
	final   chains.Head
	finalAt time.Time
	pace    time.Duration // a quarter of the time between two blocks; 0 not known
	next    time.Time     // when the network is needed next; zero: not by itself

	misses    int       // failed looks for events in a row, with the network well otherwise
	lookAfter time.Time // no look for events before it
}

// A work is what is remembered of one open transaction between sweeps.
type work struct {
	fails         int
	resume        time.Time
	parked        bool // waits for another transaction or the host
	reason        ledger.Reason
	told          ledger.Reason // the last reason that hosts were told of
	sent          int           // attempts that went out in this boot
	missing       bool          // no node holds an attempt: send again
	since         time.Time     // of the last signature or the first sweep that saw it
	poll          time.Time     // when the chain is asked for it again
	included      time.Time
	confirmations uint64
	absent        chains.Head // final block when all nodes first said null
	bumped        *big.Int    // fee of a bump that is done
}

// New returns an engine; nothing moves until Run or Sweep is called.
func New(cfg Config) *Engine {
	e := &Engine{cfg: cfg, lines: map[string]*line{}, alarmed: map[ledger.AccountID]uint64{}, tokens: map[tokenID]int{}, low: map[string]bool{}}
	if e.cfg.Bearer == nil {
		e.cfg.Bearer = func(*nets.Net) bool { return true }
	}
	return e
}

// line returns what is remembered of a network. e.mu is held.
func (e *Engine) line(name string) *line {
	l := e.lines[name]
	if l == nil {
		l = &line{name: name, wake: make(chan struct{}, 1), ping: make(chan chan struct{}), work: map[uint32]*work{}}
		e.lines[name] = l
		if e.spawn != nil {
			e.spawn(l)
		}
	}
	return l
}

// item returns what is remembered of a transaction. e.mu is held.
func (e *Engine) item(l *line, id uint32) *work {
	w := l.work[id]
	if w == nil {
		w = &work{since: e.cfg.Now()}
		l.work[id] = w
	}
	return w
}

// Kick has a network swept soon, and all that waits there tried again.
func (e *Engine) Kick(name string) {
	e.mu.Lock()
	l := e.line(name)
	for _, w := range l.work {
		w.resume = time.Time{}
	}
	soon := e.cfg.Now().Add(time.Second)
	if l.fails > 0 && l.resume.After(soon) {
		l.resume = soon
	}
	if l.lookAfter.After(soon) {
		l.lookAfter = soon
	}
	e.mu.Unlock()
	l.nudge()
}

// KickAll kicks every network.
func (e *Engine) KickAll() {
	for _, n := range e.cfg.Nets.List() {
		e.Kick(n.Name)
	}
}

func (l *line) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run sweeps every network until ctx is done or Stop is called, then lets the
// sweeps that are under way end, and returns.
func (e *Engine) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	ended := make(chan struct{})
	defer close(ended)
	e.mu.Lock()
	e.cancel, e.ended = cancel, ended
	e.spawn = func(l *line) { wg.Go(func() { e.loop(ctx, l) }) }
	for _, l := range e.lines {
		e.spawn(l)
	}
	e.mu.Unlock()
	e.cfg.Nets.OnChange(e.Kick)
	e.KickAll()
	<-ctx.Done()
	e.mu.Lock()
	e.spawn = nil
	e.mu.Unlock()
	wg.Wait()
}

// loop sweeps one network whenever it is due or kicked.
func (e *Engine) loop(ctx context.Context, l *line) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-l.ping:
			close(c)
			continue
		case <-l.wake:
		case <-timer.C:
		}
		wait := e.Sweep(ctx, l.name)
		if _, err := e.cfg.Nets.Get(l.name); err != nil {
			e.forget(l)
			return
		}
		if wait == Forever {
			timer.Stop()
		} else {
			timer.Reset(max(wait, minWait))
		}
	}
}

// occupied says that the loop may be busy for as long as a conversation and what
// follows from it can take.
func (l *line) occupied() { l.busy.Store(time.Now().Add(2 * stepTimeout).UnixNano()) }

// forget drops the line of a network that is gone.
func (e *Engine) forget(l *line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lines[l.name] == l {
		delete(e.lines, l.name)
	}
}

// Alive asks every loop to answer. A loop that is in a conversation with its
// network counts as alive for as long as that may take.
func (e *Engine) Alive(ctx context.Context) error {
	e.mu.Lock()
	var all []*line
	for _, l := range e.lines {
		all = append(all, l)
	}
	running := e.spawn != nil
	e.mu.Unlock()
	if !running {
		return nil
	}
	for _, l := range all {
		if until := l.busy.Load(); until != 0 {
			if time.Now().UnixNano() > until {
				return errors.New("the sweep of network " + l.name + " hangs")
			}
			continue
		}
		c := make(chan struct{})
		select {
		case l.ping <- c:
		case <-time.After(10 * time.Second):
			if l.busy.Load() == 0 {
				return errors.New("the loop of network " + l.name + " does not answer")
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// Stop ends all network work for good: the power may be cut when it returns.
// It returns early, with ctx's error, when a sweep does not end in time; then
// the power may still be cut, as at any other moment.
func (e *Engine) Stop(ctx context.Context) error {
	e.off.Store(true)
	e.mu.Lock()
	cancel, ended := e.cancel, e.ended
	e.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stopped says whether Stop was called.
func (e *Engine) Stopped() bool { return e.off.Load() }

// backoff returns how long to wait after so many failures in a row: full
// jitter under a bound that doubles from one second to five minutes.
func (e *Engine) backoff(fails int) time.Duration {
	bound := min(time.Second<<min(fails, 10), 5*time.Minute)
	return max(minWait, time.Duration(e.cfg.Jitter()*float64(bound)))
}
