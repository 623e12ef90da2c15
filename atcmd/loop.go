package atcmd

import (
	"errors"
	"io"
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// The times of a session.
const (
	lineIdle  = 30 * time.Second      // an unfinished line is dropped
	prefixMax = time.Second           // how long an A may be the beginning of AT
	urcPause  = 20 * time.Millisecond // after a final result
	stuckTime = 5 * time.Second       // of output, until nothing waits for it any more
	hungTime  = 30 * time.Second      // above its class, until a command counts as hung
)

// readSize is the most that is read at once. 512 bytes are 5 ms at 921600 baud.
const readSize = 512

// read carries bytes from the port to the loop until the port ends.
func (s *Session) read(in chan<- []byte) {
	defer close(in)
	buf := make([]byte, readSize)
	for empty := 0; ; {
		n, err := s.port.Read(buf)
		if n > 0 {
			empty = 0
			if !s.hand(in, buf[:n]) {
				return
			}
			clear(buf[:n]) // it may have been a PIN
		} else if empty++; err == nil && empty == 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			s.readErr = err
			if !errors.Is(err, io.EOF) {
				s.port.Close() // frees a loop that is stuck in Write
			}
			return
		}
	}
}

// hand gives bytes to the loop and waits until it has copied them.
func (s *Session) hand(in chan<- []byte, b []byte) bool {
	select {
	case in <- b:
	case <-s.ended:
		return false
	}
	select {
	case <-s.took:
		return true
	case <-s.ended:
		return false
	}
}

// take copies what came from the reader.
func (s *Session) take(b []byte, ok bool) {
	if !ok {
		s.in = nil
		s.eof = true
		if !errors.Is(s.readErr, io.EOF) {
			s.broken = s.readErr
		}
		return
	}
	s.held = append(s.held, b...)
	s.lastIn = time.Now()
	s.took <- struct{}{}
}

// drop removes n bytes that were looked at.
func (s *Session) drop(n int) {
	rest := copy(s.held, s.held[n:])
	clear(s.held[rest:])
	s.held = s.held[:rest]
}

// loop is the session: all of its output leaves through here.
func (s *Session) loop() error {
	for {
		s.expire(time.Now()) // before what came too late: the timer may have come later still
		s.consume()
		s.expire(time.Now())
		s.flush()
		switch {
		case s.broken != nil:
			return s.broken
		case s.eof:
			return nil
		}
		select { // input goes before unsolicited codes
		case b, ok := <-s.in:
			s.take(b, ok)
			continue
		default:
		}
		next, delivered := s.deliver(time.Now())
		if delivered {
			continue
		}
		s.wait(earliest(next, s.expiry()))
	}
}

// wait sleeps until there is input, an event, or it is time; zero: no time.
func (s *Session) wait(until time.Time) {
	if !until.IsZero() {
		s.timer.Reset(time.Until(until))
		defer s.timer.Stop()
	}
	select {
	case b, ok := <-s.in:
		s.take(b, ok)
	case <-s.wake:
		s.urc.pending = true
	case <-s.ping:
	case <-s.timer.C:
	}
}

// consume does everything that was received.
func (s *Session) consume() {
	if s.shedding {
		s.skip(0)
	}
	for len(s.held) > 0 && s.broken == nil {
		s.split.Terminator, s.split.Erase = s.regs[regS3], s.regs[regS5]
		n, ev := s.split.Feed(s.held)
		s.drop(n)
		s.echo()
		switch ev {
		case line.Ended:
			s.runLine(s.split.Line())
		case line.Repeat:
			s.runRepeat()
		case line.TooLong:
			s.forget()
			s.finish(&lineFailure{plain: true, err: fail(codeUnknown, "line is too long"), pos: line.Max})
		}
	}
	if s.lost && !s.shedding && s.broken == nil {
		s.lost = false
		s.forget()
		s.finish(&lineFailure{plain: true, err: fail(codeUnknown, "too much was typed ahead"), pos: line.Max})
	}
}

func (s *Session) echo() {
	echo := s.split.Echo()
	if s.regs[regE] != 0 {
		s.out = append(s.out, echo...)
	}
	clear(echo) // it may have been a PIN
}

// flush writes what is ready to leave.
func (s *Session) flush() {
	if len(s.out) == 0 {
		return
	}
	if s.broken == nil {
		s.stuck.Reset(stuckTime)
		s.writing.Store(true)
		_, err := s.port.Write(s.out)
		s.writing.Store(false)
		s.stuck.Stop()
		s.broken = err
	}
	clear(s.out) // an echo may have been a PIN
	s.out = s.out[:0]
}

// expire does what is due without input.
func (s *Session) expire(now time.Time) {
	if s.split.Open() && !now.Before(s.lastIn.Add(lineIdle)) {
		s.split.Reset()
		s.split.Wipe()
	}
	if at := s.lockAt(); !at.IsZero() && !now.Before(at) {
		s.Lock()
	}
}

// expiry returns when expire has something to do; zero: never.
func (s *Session) expiry() time.Time {
	var idle time.Time
	if s.split.Open() {
		idle = s.lastIn.Add(lineIdle)
	}
	return earliest(idle, s.lockAt())
}

// lockAt returns when the session locks by itself; zero: it does not.
func (s *Session) lockAt() time.Time {
	seconds := s.channel.settings()[setAutoLock]
	if seconds == 0 || !s.Unlocked() {
		return time.Time{}
	}
	return s.active.Add(time.Duration(seconds) * time.Second)
}
