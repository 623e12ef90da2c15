package atcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"
)

// A Port is the way to one host. Read blocks until there is something, and
// returns io.EOF when the host has gone away. Write takes all or fails, and
// may block for as long as the host is there and does not read; io.EOF if it
// has gone away meanwhile. Close makes both return,
// may be called twice and beside them, and never blocks for long.
//
// What not every port can do are one-method interfaces: [Ringer], [Liner],
// [DataModer].
type Port interface {
	io.Reader
	io.Writer
	Close() error
}

// A Ringer is a port with a ring indicator to wake the host by.
type Ringer interface {
	// Ring sets the ring indicator on or off.
	Ring(on bool) error
}

// A HalfCloser is a port of which the host can end its input and still read.
type HalfCloser interface {
	// HalfClosed says, once the input has ended, whether somebody may still read.
	HalfClosed() bool
}

// A LineState is what AT+IPR and AT+IFC speak of.
type LineState struct {
	Baud   int
	RTSCTS bool // flow control in both directions
}

// A Liner is a port with a line speed and flow control.
type Liner interface {
	// Line returns what is set, and sets it when set is not nil, after what
	// was written has left.
	Line(set *LineState) (LineState, error)
}

// A DataModer is a port that may be unable to carry raw bytes. Ports that are
// none can.
type DataModer interface {
	HasDataMode() bool
}

// Identity is what a modem's own identification commands answer.
type Identity struct {
	Manufacturer string // AT+CGMI, AT+GMI
	Model        string // AT+CGMM, AT+GMM
	Revision     string // AT+CGMR, AT+GMR
	Serial       string // AT+CGSN, AT+GSN; empty: code 4
}

// Config is what a server is made of.
type Config struct {
	Table    *Table
	Settings Settings // nil: nothing is kept across sessions of the daemon
	Feed     Feed     // nil: no unsolicited codes
	Identity Identity
	// Locked is what a command that needs the PIN answers on a locked channel;
	// nil as an answer lets it run. Without it the answer is code 7001.
	Locked func() error
	Now    func() time.Time // for AT+CCLK; nil: time.Now
	Log    *slog.Logger     // nil: slog.Default()
}

// ChannelInfo says which channel a session belongs to.
type ChannelInfo struct {
	Name string // as configured; sessions of one name share their settings
}

// A Server runs AT sessions. There is one in a daemon.
type Server struct {
	config Config

	mu       sync.Mutex
	channels map[string]*channel
	sessions map[*Session]bool
}

// NewServer returns a server; [ErrConfig] without a table, or with an identity
// that no information line can carry.
func NewServer(config Config) (*Server, error) {
	if config.Table == nil {
		return nil, fmt.Errorf("%w: no command table", ErrConfig)
	}
	id := config.Identity
	for _, s := range []string{id.Manufacturer, id.Model, id.Revision, id.Serial} {
		if err := checkLine([]byte(s), infoMax); err != nil {
			return nil, fmt.Errorf("%w: identity %q: %w", ErrConfig, s, err)
		}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Server{
		config:   config,
		channels: make(map[string]*channel),
		sessions: make(map[*Session]bool),
	}, nil
}

// Serve runs one session on a port, and returns when the port has ended and
// the session's last command too; the port is closed then. It returns nil when
// the host has gone, the error of the port when that has failed, and ctx's when
// ctx has ended, which closes the port.
func (srv *Server) Serve(ctx context.Context, port Port, info ChannelInfo) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := srv.open(ctx, port, info.Name)
	defer srv.close(s)
	defer context.AfterFunc(ctx, func() { port.Close() })()
	in := make(chan []byte)
	s.in = in
	go s.read(in)
	err := s.loop()
	port.Close()
	close(s.ended)
	for range in { // until the reader has gone
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// open begins a session.
func (srv *Server) open(ctx context.Context, port Port, name string) *Session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	ch := srv.channels[name]
	if ch == nil {
		var err error
		ch, err = newChannel(name, srv.config.Settings)
		if err != nil {
			srv.config.Log.Error("channel starts with default settings", "channel", name, "err", err)
		}
		srv.channels[name] = ch
	}
	s := newSession(ctx, srv, ch, port)
	srv.sessions[s] = true
	return s
}

func (srv *Server) close(s *Session) {
	s.close()
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.sessions, s)
}

func (srv *Server) all() []*Session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	all := make([]*Session, 0, len(srv.sessions))
	for s := range srv.sessions {
		all = append(all, s)
	}
	return all
}

// Reload reads the settings of every channel again: for a store that was not
// there yet when the first sessions began.
func (srv *Server) Reload() {
	srv.mu.Lock()
	channels := slices.Collect(maps.Values(srv.channels))
	srv.mu.Unlock()
	for _, ch := range channels {
		if err := ch.load(); err != nil {
			srv.config.Log.Error("channel keeps default settings", "channel", ch.name, "err", err)
		}
		srv.changed(ch)
	}
}

// LockAll locks every session and wipes its slots: what a reset to the
// provisioned state and a blocked PIN need.
func (srv *Server) LockAll() {
	for _, s := range srv.all() {
		s.Lock()
	}
}

// Alive returns nil when every session answers, which is what a watchdog may
// ask. A session that waits for a host that does not read is alive; one
// that does not answer until ctx ends is not, nor is one whose command has
// outlived its class by 30 s.
func (srv *Server) Alive(ctx context.Context) error {
	for _, s := range srv.all() {
		if err := s.alive(ctx); err != nil {
			return fmt.Errorf("channel %q: %w", s.channel.name, err)
		}
	}
	return nil
}

// A ChannelCount is what went over one channel since the start.
type ChannelCount struct {
	Name     string
	Sessions int    // open now
	Lines    uint64 // command lines that had a final result
	Failures uint64 // of these, results other than OK
}

// Channels returns the counts of every channel that has had a session, by name.
func (srv *Server) Channels() []ChannelCount {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	counts := make([]ChannelCount, 0, len(srv.channels))
	for name, ch := range srv.channels {
		c := ChannelCount{Name: name, Lines: ch.lines.Load(), Failures: ch.failures.Load()}
		for s := range srv.sessions {
			if s.channel == ch {
				c.Sessions++
			}
		}
		counts = append(counts, c)
	}
	sort.Slice(counts, func(i, j int) bool { return counts[i].Name < counts[j].Name })
	return counts
}

// changed makes the sessions of a channel look at its settings again.
func (srv *Server) changed(ch *channel) {
	for _, s := range srv.all() {
		if s.channel == ch {
			s.poke()
		}
	}
}

// locked is the answer to a command that needs the PIN on a locked channel.
func (srv *Server) locked() error {
	if srv.config.Locked == nil {
		return fail(codeLocked, "")
	}
	return srv.config.Locked()
}

// hasDataMode says whether raw bytes pass through a port.
func hasDataMode(port Port) bool {
	d, ok := port.(DataModer)
	return !ok || d.HasDataMode()
}

// earliest returns the first of some times, of which zero ones are none.
func earliest(times ...time.Time) time.Time {
	return slices.MinFunc(times, func(a, b time.Time) int {
		switch {
		case a.IsZero() && b.IsZero():
			return 0
		case a.IsZero():
			return 1
		case b.IsZero():
			return -1
		}
		return a.Compare(b)
	})
}
