package atcmd

import (
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// The times of data mode.
const (
	dataGap     = 2 * time.Second
	dataTotal   = 10 * time.Second // and length/500 s
	dataRate    = 500              // bytes a second that a host reaches at least
	dataSilence = 200 * time.Millisecond
	lineFeedGap = 20 * time.Millisecond
)

// A dataRequest asks the loop for raw bytes, after a prompt.
type dataRequest struct {
	out  []byte // what has to leave before the prompt
	size int
}

// Data writes what is ready and the prompt "> ", and returns exactly size raw
// bytes from the host, which are not echoed; the caller wipes them. Code 7060
// when they did not come: a gap of 2 s, or 10 s + size/500 s in all. Code 4 on
// a port that carries no raw bytes. Only for a command that is the last in
// its line.
func (c *Call) Data(size int) ([]byte, error) {
	if !hasDataMode(c.session.port) {
		return nil, fail(codeNotSupported, "no data mode on this channel")
	}
	limit := dataTotal + time.Duration(size)*time.Second/dataRate
	c.session.overdue.Store(time.Now().Add(2*limit + hungTime).UnixNano())
	c.session.want <- dataRequest{c.out, size}
	b := <-c.session.data
	c.out = c.out[:0]
	if b == nil {
		return nil, fail(codeDataTimeout, "")
	}
	return b, nil
}

// receive is data mode; nil when the data did not come.
func (s *Session) receive(want dataRequest) []byte {
	s.skipLineFeed()
	s.out = append(append(s.out, want.out...), "> "...)
	s.flush()
	s.split.Expect(want.size)
	begin := time.Now()
	total := begin.Add(dataTotal + time.Duration(want.size)*time.Second/dataRate)
	gap := begin.Add(dataGap)
	for {
		n, ev := s.split.Feed(s.held)
		s.drop(n)
		now := time.Now()
		switch {
		case ev == line.Complete:
			return s.split.Data()
		case s.eof || s.broken != nil || !now.Before(gap):
			s.split.Reset()
			return nil
		case !now.Before(total):
			s.split.Reset()
			s.discard()
			return nil
		}
		s.wait(earliest(gap, total))
		if s.lastIn.After(begin) {
			gap = s.lastIn.Add(dataGap)
		}
	}
}

// skipLineFeed takes the LF of hosts that end lines with CR LF. It comes
// before the prompt could be seen, so it is no data; at 9600 baud that is
// 1 ms after the CR.
func (s *Session) skipLineFeed() {
	until := time.Now().Add(lineFeedGap)
	for len(s.held) == 0 && !s.eof && time.Now().Before(until) {
		s.wait(until)
	}
	if len(s.held) > 0 && s.held[0] == '\n' {
		s.drop(1)
	}
}

// discard drops what a host too slow for its data still sends, so that it is
// not taken for commands: until it is silent, or 10 s.
func (s *Session) discard() {
	now := time.Now()
	end, quiet := now.Add(dataTotal), now.Add(dataSilence)
	for !s.eof && now.Before(end) && now.Before(quiet) {
		s.drop(len(s.held))
		s.wait(quiet)
		now = time.Now()
		if len(s.held) > 0 {
			quiet = now.Add(dataSilence)
		}
	}
	s.drop(len(s.held))
}
