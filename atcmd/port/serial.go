package port

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
)

// What opening a port can fail with.
var (
	ErrInUse = errors.New("in use by another process")
	ErrFlow  = errors.New("no RTS/CTS flow control on this line")
)

// A Serial is a serial line: 8 data bits, no parity, 1 stop bit.
type Serial struct {
	Device string
	Baud   int
	RTSCTS bool
}

// closeDrain is how long a closing line may still send: the OK of a command
// that announced the end.
const closeDrain = 200 * time.Millisecond

// lineDrain is how long a change of speed waits for what was written before.
const lineDrain = time.Second

// Open opens the line and locks it: [ErrInUse] if another process has it
// locked, [ErrFlow] if it shall have RTS/CTS and cannot. Without that at high
// speed a host loses bytes, and nobody sees why.
func (s *Serial) Open(context.Context) (atcmd.Port, error) {
	p, err := s.open()
	if err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", s.Device, err)
	}
	return p, nil
}

// open takes two descriptors of the line. The library's is for reading; it
// knows neither flow control nor a write that can be given up, so there is one
// beside it. That comes first: the library forbids further ones.
func (s *Serial) open() (*serialPort, error) {
	fd, err := unix.Open(s.Device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) { // TIOCEXCL, as the library sets it
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	beside := os.NewFile(uintptr(fd), s.Device)
	if err := lock(beside); err != nil {
		beside.Close()
		return nil, err
	}
	lib, err := serial.Open(s.Device, mode(s.Baud))
	if err != nil {
		beside.Close()
		return nil, err
	}
	p := &serialPort{lib: lib, beside: beside}
	if err := p.set(atcmd.LineState{Baud: s.Baud, RTSCTS: s.RTSCTS}); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// lock holds the line against whoever asks; TIOCEXCL, which the library sets,
// does not stop root.
func lock(f *os.File) error {
	err := control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

func mode(baud int) *serial.Mode {
	return &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit}
}

type serialPort struct {
	lib    serial.Port // reads; nothing is known about its descriptor after Close
	beside *os.File    // writes, flow control, lock

	mu     sync.Mutex
	state  atcmd.LineState
	closed bool
}

func (p *serialPort) Read(b []byte) (int, error)  { return p.lib.Read(b) }
func (p *serialPort) Write(b []byte) (int, error) { return p.beside.Write(b) }

// Line is [atcmd.Liner].
func (p *serialPort) Line(set *atcmd.LineState) (atcmd.LineState, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if set == nil || *set == p.state {
		return p.state, nil
	}
	if p.closed {
		return p.state, os.ErrClosed
	}
	if err := control(p.beside, func(fd int) error { return drain(fd, lineDrain) }); err != nil {
		return p.state, fmt.Errorf("wait for the line to be idle: %w", err)
	}
	if err := p.lib.SetMode(mode(set.Baud)); err != nil {
		return p.state, fmt.Errorf("set %d baud: %w", set.Baud, err)
	}
	return p.state, p.set(*set)
}

// set sets flow control, which the library does not know, and remembers both.
func (p *serialPort) set(s atcmd.LineState) error {
	p.state.Baud = s.Baud
	return control(p.beside, func(fd int) error {
		on, err := setFlow(fd, s.RTSCTS)
		p.state.RTSCTS = on
		if err == nil && on != s.RTSCTS {
			err = ErrFlow
		}
		return err
	})
}

// Close gives what was written a moment to leave and drops the rest: closing
// a terminal with output that flow control holds would take 30 s.
func (p *serialPort) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	_ = p.beside.SetWriteDeadline(past)
	_ = control(p.beside, func(fd int) error { // a device that has gone can do neither
		_ = drain(fd, closeDrain)
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
	})
	return errors.Join(p.lib.Close(), p.beside.Close())
}
