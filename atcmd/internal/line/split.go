// Package line reads what a host sends: a [Splitter] turns bytes into command
// lines and raw data, a [Parser] a line into commands and their parameters as
// they were written (ITU-T V.250, clause 5). Both are pure: no input or output,
// no clock, bounded memory, and they know no command.
package line

// Max is the length of the longest line, with its AT and without its terminator.
const Max = 2048

// An Event is what a splitter found.
type Event uint8

// The events.

const (
	None     Event = iota // every byte is taken, nothing is complete
	Ended                 // a line, which Line returns
	TooLong               // a line of more than Max bytes has ended
	Repeat                // A/
	Complete              // the expected data, which Data returns
)

type splitState uint8

const (
	outside splitState = iota // bytes here start no line
	sawA                      // after an A that may become AT or A/
	inLine
	inLong // in a line that is too long, up to its terminator
	inData
)

// A Splitter turns the host's bytes into lines and data (V.250, 5.2). It does
// nothing else: no output, no clock, and of the input it keeps one line. What
// it finds does not depend on how the bytes were cut on their way.
type Splitter struct {
	Terminator byte // S3
	Erase      byte // S5

	state splitState
	line  []byte // what followed AT
	echo  []byte
	data  []byte
	want  int // length of data when it is complete
}

// Feed takes bytes of p until something is complete or p ends, and returns
// how many it took.
func (s *Splitter) Feed(p []byte) (int, Event) {
	if s.state == inData {
		return s.feedData(p)
	}
	for i, b := range p {
		if ev := s.take(b); ev != None {
			return i + 1, ev
		}
	}
	return len(p), None
}

func (s *Splitter) take(b byte) Event {
	switch s.state {
	case inLine:
		return s.lineByte(b)
	case inLong:
		if b == s.Terminator {
			s.state = outside
			return TooLong
		}
	case sawA:
		return s.afterA(b)
	default:
		if upper(b) == 'A' {
			s.start(b)
		}
	}
	return None
}

func (s *Splitter) start(b byte) {
	s.state = sawA
	s.line = append(s.line[:0], b) // kept for the echo of the whole prefix
}

// afterA decides what the A was. It is echoed only now: noise is not echoed.
func (s *Splitter) afterA(b byte) Event {
	a := s.line[0]
	switch upper(b) {
	case 'T':
		s.state = inLine
		s.line = s.line[:0]
		s.echo = append(s.echo, a, b)
	case '/':
		s.state = outside
		s.echo = append(s.echo, a, b)
		return Repeat
	case 'A':
		s.start(b)
	default:
		s.state = outside
	}
	return None
}

func (s *Splitter) lineByte(b byte) Event {
	switch {
	case b == s.Terminator:
		s.state = outside
		s.echo = append(s.echo, b)
		return Ended
	case b == s.Erase:
		// The AT stays: a backspace never reaches below the start.
		if n := len(s.line); n > 0 {
			s.line = s.line[:n-1]
			s.echo = append(s.echo, "\b \b"...)
		}
	case b < ' ' || b == 0x7f: // V.250, 5.2.1: other control characters are ignored
	case len(s.line)+len("AT") == Max:
		s.state = inLong
	default:
		s.line = append(s.line, b)
		s.echo = append(s.echo, b)
	}
	return None
}

func (s *Splitter) feedData(p []byte) (int, Event) {
	n := min(len(p), s.want-len(s.data))
	s.data = append(s.data, p[:n]...)
	if len(s.data) < s.want {
		return n, None
	}
	s.state = outside
	return n, Complete
}

// Line returns what followed the AT of the line that has ended, until the next Feed.
func (s *Splitter) Line() []byte { return s.line }

// Echo returns what is to be echoed, if echo is on, and has not been returned
// before. It is valid until the next Feed; the owner may clear it.
func (s *Splitter) Echo() []byte {
	echo := s.echo
	s.echo = s.echo[:0]
	return echo
}

// Expect makes the next n bytes data.
func (s *Splitter) Expect(n int) {
	s.state = inData
	s.data = make([]byte, 0, n)
	s.want = n
}

// Data returns the data that is complete, and keeps nothing of it.
func (s *Splitter) Data() []byte {
	data := s.data
	s.data = nil
	return data
}

// Reset forgets an unfinished line, and wipes unfinished data.
func (s *Splitter) Reset() {
	s.state = outside
	clear(s.data)
	s.data = nil
}

// Open says whether a line has begun and not ended.
func (s *Splitter) Open() bool { return s.state == inLine || s.state == inLong }

// Prefix says whether the last byte was an A that may become AT.
func (s *Splitter) Prefix() bool { return s.state == sawA }

// Wipe clears the last line from memory.
func (s *Splitter) Wipe() { clear(s.line[:cap(s.line)]) }
