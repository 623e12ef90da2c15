package atcmd

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// A Session is one host's conversation with boatd, from the opening of a port
// to its end. Its exported methods may be called from any goroutine.
type Session struct {
	server  *Server
	channel *channel
	port    Port
	ctx     context.Context // ends with Serve's
	slots   slots
	after   afterFinal

	unlocked atomic.Bool
	writing  atomic.Bool  // in port.Write
	overdue  atomic.Int64 // when a running command is hung, Unix ns; 0: none runs

	// Between the goroutines of a session: reader, loop and running command.
	in      <-chan []byte // from the reader; nil when it has ended
	took    chan struct{} // the loop has copied what it got
	readErr error         // why the reader ended; set before in is closed
	output  chan []byte   // lines of a running command
	written chan struct{} // the loop has written them
	want    chan dataRequest
	data    chan []byte // nil: it did not come
	done    chan error  // the running command's result
	wake    chan struct{}
	ping    chan struct{}
	ended   chan struct{}

	// What follows is the loop's, and while the loop waits for a running
	// command, regs, line and failure are the command's.
	regs    registers
	line    lineMemory
	failure lastFailure

	split  line.Splitter
	parse  line.Parser
	held   []byte    // input that was not looked at
	lastIn time.Time // when input last came
	eof    bool      // the host has gone; held is still to be done
	broken error     // the port has failed

	lost     bool // input was dropped and not answered
	shedding bool // up to the end of its line

	repeat   []byte // the last line, for A/
	noRepeat bool   // A/ is refused

	out     []byte // output that has not left
	finalAt time.Time
	active  time.Time // end of the last line, for autolock
	urc     delivery
	timer   *time.Timer
	stuck   *time.Timer
}

// lineMemory is what AT+IPR, AT+ICF and AT+IFC remember on a port that has no
// line.
type lineMemory struct {
	baud   uint32
	parity uint32
	flow   [2]uint32
}

// lastFailure is what AT+BOATERR tells.
type lastFailure struct {
	code, position int
	detail         string
}

func newSession(ctx context.Context, srv *Server, ch *channel, port Port) *Session {
	s := &Session{
		server: srv, channel: ch, port: port, ctx: ctx,
		took:    make(chan struct{}, 1),
		output:  make(chan []byte),
		written: make(chan struct{}),
		want:    make(chan dataRequest),
		data:    make(chan []byte),
		done:    make(chan error, 1),
		wake:    make(chan struct{}, 1),
		ping:    make(chan struct{}),
		ended:   make(chan struct{}),
		regs:    factoryRegisters(),
		line:    lineMemory{baud: 115200, parity: 3},
		active:  time.Now(),
		timer:   time.NewTimer(time.Hour),
	}
	s.timer.Stop()
	s.stuck = time.AfterFunc(stuckTime, s.after.release)
	s.stuck.Stop()
	s.urc.begin(srv.config.Feed, s.wake)
	return s
}

// close ends the session: locked, slots wiped, nothing can be stored again.
func (s *Session) close() {
	s.urc.end()
	s.unlocked.Store(false)
	s.slots.close()
	s.after.end()
	s.split.Reset()
	s.split.Wipe()
	clear(s.repeat)
}

// Channel returns the configured name of the channel.
func (s *Session) Channel() string { return s.channel.name }

// Unlocked says whether commands that need the PIN may run.
func (s *Session) Unlocked() bool { return s.unlocked.Load() }

// Unlock lets commands that need the PIN run, until [Session.Lock], the
// channel's autolock time without a command, or the end of the session.
func (s *Session) Unlock() { s.unlocked.Store(true) }

// Lock locks the session and wipes its slots.
func (s *Session) Lock() {
	s.unlocked.Store(false)
	s.slots.wipe()
}

// Slot returns a copy of data slot n, 0 to 7; nil if it is empty.
func (s *Session) Slot(n int) []byte { return s.slots.get(n) }

// SetSlot stores a copy of b in data slot n, 0 to 7: code 7062 above 64 KiB.
func (s *Session) SetSlot(n int, b []byte) error { return s.slots.put(n, b) }

// WipeSlot wipes data slot n, 0 to 7.
func (s *Session) WipeSlot(n int) { _ = s.slots.put(n, nil) }

// poke makes the loop look at events and settings.
func (s *Session) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

var (
	errSilent = errors.New("session does not answer")
	errHung   = errors.New("command has outlived its class")
)

func (s *Session) alive(ctx context.Context) error {
	if at := s.overdue.Load(); at != 0 && time.Now().UnixNano() > at {
		return errHung
	}
	if s.writing.Load() {
		return nil
	}
	select {
	case s.ping <- struct{}{}:
	case <-s.ended:
	case <-ctx.Done():
		if !s.writing.Load() {
			return errSilent
		}
	}
	return nil
}

// afterFinal holds what waits for the final result of a line.
type afterFinal struct {
	mu    sync.Mutex
	wait  []func()
	ended bool
}

func (a *afterFinal) add(f func()) {
	a.mu.Lock()
	ended := a.ended
	if !ended {
		a.wait = append(a.wait, f)
	}
	a.mu.Unlock()
	if ended {
		f()
	}
}

// release calls what waits.
func (a *afterFinal) release() {
	a.mu.Lock()
	wait := a.wait
	a.wait = nil
	a.mu.Unlock()
	for _, f := range wait {
		f()
	}
}

// end releases, and lets nothing wait any more.
func (a *afterFinal) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.release()
}
