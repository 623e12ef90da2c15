package atcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A memPort is a port in memory. A test is its host.
type memPort struct {
	in     chan []byte // closed: the host has gone
	rest   []byte
	buf    []byte // that Read was last given
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	out  bytes.Buffer
	gate chan struct{} // not nil: Write waits until it is closed, or the port is
	all  int           // bytes ever written
}

func newMemPort() *memPort {
	return &memPort{in: make(chan []byte), closed: make(chan struct{})}
}

func (p *memPort) Read(b []byte) (int, error) {
	p.buf = b
	if len(p.rest) == 0 {
		select {
		case rest, ok := <-p.in:
			if !ok {
				return 0, io.EOF
			}
			p.rest = rest
		case <-p.closed:
			return 0, io.ErrClosedPipe
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *memPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-p.closed:
		}
	}
	select {
	case <-p.closed:
		return 0, io.ErrClosedPipe
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all += len(b)
	return p.out.Write(b)
}

func (p *memPort) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// stick makes the host stop reading until the returned function is called.
func (p *memPort) stick() (free func()) {
	gate := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate = gate
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.gate = nil
		close(gate)
	}
}

// memSettings are settings in memory.
type memSettings struct {
	mu    sync.Mutex
	blobs map[string][]byte
	saves int
	err   error
}

func (m *memSettings) Load(channel string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blobs[channel], m.err
}

func (m *memSettings) Save(channel string, blob []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.saves++
	m.blobs[channel] = slices.Clone(blob)
	return nil
}

// memFeed is a log of unsolicited codes in memory.
type memFeed struct {
	mu    sync.Mutex
	last  uint32
	codes []URC
	subs  map[chan<- struct{}]bool
}

func newMemFeed() *memFeed { return &memFeed{subs: make(map[chan<- struct{}]bool)} }

func (f *memFeed) Last() uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *memFeed) After(seq uint32, max int) []URC {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.codes, func(u URC) bool { return u.Seq > seq })
	if i < 0 {
		return nil
	}
	return slices.Clone(f.codes[i:min(len(f.codes), i+max)])
}

func (f *memFeed) Subscribe(wake chan<- struct{}) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subs[wake] = true
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subs, wake)
	}
}

// log adds a code and wakes the sessions.
func (f *memFeed) log(u URC) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	u.Seq = f.last
	f.codes = append(f.codes, u)
	for wake := range f.subs {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

func tx(id int) URC {
	return URC{Mask: 1, Name: "tx", Fields: []any{id, 4, 0}, Hash: strings.Repeat("ab", 32)}
}

// A bench is a server whose commands a test can look into.
type bench struct {
	t        testing.TB
	server   *Server
	settings *memSettings
	feed     *memFeed
	log      *bytes.Buffer
	locked   error         // what a locked channel answers
	release  chan struct{} // lets +BOATHANG return
	after    chan string   // what AfterFinal called
}

func newBench(t testing.TB) *bench {
	b := &bench{
		t:        t,
		settings: &memSettings{blobs: make(map[string][]byte)},
		feed:     newMemFeed(),
		log:      new(bytes.Buffer),
		locked:   fail(codeLocked, ""),
		release:  make(chan struct{}),
		after:    make(chan string, 16),
	}
	table, err := NewTable(StandardRows(), ChannelRows(), b.rows())
	if err != nil {
		t.Fatal(err)
	}
	b.server, err = NewServer(Config{
		Table: table, Settings: b.settings, Feed: b.feed,
		Identity: Identity{Manufacturer: "boatd", Model: "bench", Revision: "1.2.3", Serial: "0042"},
		Locked:   func() error { return b.locked },
		Now:      func() time.Time { return time.Date(2026, 11, 22, 13, 4, 5, 0, time.UTC) },
		Log:      slog.New(slog.NewTextHandler(&lockedWriter{w: b.log}, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// rows are commands that do what tests need.
func (b *bench) rows() []Command {
	run := func(f func(c *Call) error) func(context.Context, *Call) error {
		return func(_ context.Context, c *Call) error { return f(c) }
	}
	text := Param{Name: "text", Kind: String, Optional: true, Repeat: true}
	return []Command{
		{Name: "+BOATSHOW", Summary: "shows a name and strings", Forms: Set, Class: ClassA,
			Params: []Param{{Name: "name", Kind: Name}, text}, Run: run(func(c *Call) error {
				fields := []any{c.NArgs()}
				for i := range c.NArgs() {
					fields = append(fields, fmt.Sprintf("%x", c.Text(i)))
				}
				c.Info(fields...)
				return nil
			})},
		{Name: "+BOATSOURCE", Summary: "shows bytes", Forms: Set, Class: ClassA,
			Params: []Param{{Name: "source", Kind: Source, Max: 100}}, Run: run(func(c *Call) error {
				c.Info(c.SlotOf(0))
				c.Hex(c.Bytes(0))
				return nil
			})},
		{Name: "+BOATNUMBER", Summary: "shows numbers", Forms: Set | Read | Exec, Class: ClassA,
			Params: []Param{
				{Name: "a", Kind: Number, Min: 1, Max: 4294967295},
				{Name: "b", Kind: Number, Max: 9, Optional: true},
				{Name: "choice", Kind: String, Values: []string{"left", "right"}, Optional: true},
			}, Run: run(func(c *Call) error {
				c.Info(c.Number(0), c.Omitted(1), c.Number(1), c.Text(2))
				return nil
			})},
		{Name: "+BOATPIN", Summary: "unlocks", Forms: Set | Read, Class: ClassB, Once: true,
			Params: []Param{{Name: "pin", Kind: Secret, Min: 4, Max: 32}}, Run: run(func(c *Call) error {
				if c.Form == Read {
					return nil
				}
				if c.Text(0) != "1234" && c.Text(0) != "@0@@" {
					return fail(16, "")
				}
				c.Session().Unlock()
				return nil
			})},
		{Name: "+BOATBURN", Summary: "takes a slot away", Forms: Set, Class: ClassA, Burn: true, Params: []Param{
			{Name: "source", Kind: Source}, {Name: "n", Kind: Number, Max: 1},
		}, Run: run(func(c *Call) error {
			if c.Session().Slot(c.SlotOf(0)) != nil {
				return fail(codeInternal, "the slot can still be read")
			}
			c.Hex(c.Bytes(0))
			return nil
		})},
		{Name: "+BOATPRIVATE", Summary: "needs the pin", Forms: Exec | Read, Class: ClassA, PIN: true,
			Run: run(func(c *Call) error { return nil })},
		{Name: "+BOATNET", Summary: "waits for the network", Forms: Exec, Class: ClassN, Abort: true,
			Run: func(ctx context.Context, c *Call) error {
				c.Info(1)
				<-ctx.Done()
				return fmt.Errorf("ask the network: %w", ctx.Err())
			}},
		{Name: "+BOATSTEADY", Summary: "waits and cannot be aborted", Forms: Exec, Class: ClassC,
			Run: func(ctx context.Context, c *Call) error {
				<-ctx.Done()
				return ctx.Err()
			}},
		{Name: "+BOATOWN", Summary: "has a time of its own", Forms: Set, Class: ClassN,
			Params: []Param{{Name: "seconds", Kind: Number, Min: 1, Max: 180}},
			Within: func(c *Call) time.Duration { return time.Duration(c.Number(0)) * time.Second },
			Run: func(ctx context.Context, c *Call) error {
				<-ctx.Done()
				return ctx.Err()
			}},
		{Name: "+BOATHANG", Summary: "returns when the test lets it", Forms: Exec, Class: ClassA,
			Run: run(func(c *Call) error { <-b.release; return nil })},
		{Name: "+BOATPANIC", Summary: "panics", Forms: Exec, Class: ClassA,
			Run: run(func(c *Call) error { panic("boom") })},
		{Name: "+BOATBAD", Summary: "breaks a rule of output", Forms: Set, Class: ClassA,
			Params: []Param{{Name: "which", Kind: Number, Max: 9}}, Run: run(badLine)},
		{Name: "+BOATFAIL", Summary: "fails", Forms: Set, Class: ClassA,
			Params: []Param{
				{Name: "code", Kind: Number, Max: 9999},
				{Name: "argument", Kind: Number, Optional: true, Max: 9},
			}, Run: run(func(c *Call) error {
				if c.Number(0) == 1 {
					return errors.New("node said \"OK\"\r\n")
				}
				i := -1
				if !c.Omitted(1) {
					i = int(c.Number(1))
				}
				return FailArg(int(c.Number(0)), i, errors.New("because"))
			})},
		{Name: "+BOATMANY", Summary: "writes many lines", Forms: Set, Class: ClassA,
			Params: []Param{{Name: "lines", Kind: Number, Max: 100000}}, Run: run(func(c *Call) error {
				for i := range c.Number(0) {
					c.Info(i)
				}
				return nil
			})},
		{Name: "+BOATAFTER", Summary: "logs an event after the final result", Forms: Exec, Class: ClassB,
			Run: run(func(c *Call) error {
				c.AfterFinal(func() {
					b.feed.log(tx(7))
					b.after <- "called"
				})
				c.Info(7)
				return nil
			})},
	}
}

func badLine(c *Call) error {
	switch c.Number(0) {
	case 0:
		c.Info("BUSY")
	case 1:
		c.Info("a\"b")
	case 2:
		c.Info("a\rb")
	case 3:
		c.Info(strings.Repeat("x", 110))
	case 4:
		c.Info(1, 2, 3, 4, 5, 6, 7, 8, 9)
	case 5:
		c.Info(1.5)
	case 6:
		c.Info(1)
		c.Line("NO CARRIER")
		c.Info(2)
	case 7:
		c.Info("\xff")
	}
	return nil
}

// A host is a session of a bench and what the test does at its other end.
// Its methods are for the test's goroutine, in a synctest bubble.
type host struct {
	t    testing.TB
	port *memPort
	done chan error
	stop context.CancelFunc
}

// open begins a session on the channel "uart".
func (b *bench) open() *host { return b.openOn("uart", newMemPort(), nil) }

// openOn begins a session on a port; wrapped is that port with more abilities.
func (b *bench) openOn(name string, port *memPort, wrapped Port) *host {
	if wrapped == nil {
		wrapped = port
	}
	ctx, stop := context.WithCancel(b.t.Context())
	h := &host{t: b.t, port: port, done: make(chan error, 1), stop: stop}
	go func() { h.done <- b.server.Serve(ctx, wrapped, ChannelInfo{Name: name}) }()
	synctest.Wait()
	return h
}

// send sends bytes; it returns when the session has taken them.
func (h *host) send(s string) {
	h.t.Helper()
	h.port.in <- []byte(s)
	synctest.Wait()
}

// take returns what the session has written since the last time.
func (h *host) take() string {
	synctest.Wait()
	h.port.mu.Lock()
	defer h.port.mu.Unlock()
	s := h.port.out.String()
	h.port.out.Reset()
	return s
}

// say sends bytes and compares all that is answered at once.
func (h *host) say(send, want string) {
	h.t.Helper()
	h.send(send)
	if got := h.take(); got != want {
		h.t.Errorf("to %q the session answered\n     %q\nwant %q", send, got, want)
	}
}

// silence checks that nothing was written.
func (h *host) silence() {
	h.t.Helper()
	if got := h.take(); got != "" {
		h.t.Errorf("session wrote %q", got)
	}
}

// close hangs up and waits for the end of the session.
func (h *host) close() error {
	close(h.port.in)
	err := <-h.done
	h.stop()
	return err
}

// bubble runs a test with its own clock, a bench and a session without echo.
func bubble(t *testing.T, f func(t *testing.T, b *bench, h *host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		h.say("ATE0\r", "ATE0\r\r\nOK\r\n")
		f(t, b, h)
		if err := h.close(); err != nil {
			t.Errorf("session ended with %v", err)
		}
	})
}

// info is an information line as V1 frames it.
func info(lines ...string) string {
	s := ""
	for _, l := range lines {
		s += "\r\n" + l + "\r\n"
	}
	return s
}

const (
	ok  = "\r\nOK\r\n"
	bad = "\r\nERROR\r\n"
)

func cme(code int) string { return fmt.Sprintf("\r\n+CME ERROR: %d\r\n", code) }
