package line

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func newSplitter() *Splitter { return &Splitter{Terminator: '\r', Erase: '\b'} }

// trace splits input that comes in the given cuts, and tells all that was found.
func trace(s *Splitter, input []byte, cut func(left int) int) string {
	var b strings.Builder
	for len(input) > 0 {
		chunk := input[:cut(len(input))]
		input = input[len(chunk):]
		for len(chunk) > 0 {
			n, ev := s.Feed(chunk)
			chunk = chunk[n:]
			switch ev {
			case Ended:
				fmt.Fprintf(&b, "line %q\n", s.Line())
				if bytes.HasPrefix(s.line, []byte("data")) && len(s.line) < 10 {
					s.Expect(len(s.line))
				}
			case TooLong:
				b.WriteString("long\n")
			case Repeat:
				b.WriteString("repeat\n")
			case Complete:
				fmt.Fprintf(&b, "data %q\n", s.Data())
			}
		}
	}
	fmt.Fprintf(&b, "echo %q state %d", s.echo, s.state)
	return b.String()
}

func whole(left int) int { return left }

func TestSplitter(t *testing.T) {
	max := strings.Repeat("x", Max-2)
	for _, c := range []struct{ name, in, want string }{
		{"line", "AT\r", `line ""` + "\n" + `echo "AT\r" state 0`},
		{"lower case", "at+x\r", `line "+x"` + "\n" + `echo "at+x\r" state 0`},
		{"lf after cr", "AT\r\nATE\r\n", `line ""` + "\n" + `line "E"` + "\n" + `echo "AT\rATE\r" state 0`},
		{"noise", "\x00hello T A b\r\n\xff/AT1\r", `line "1"` + "\n" + `echo "AT1\r" state 0`},
		{"aaat", "AAAT2\r", `line "2"` + "\n" + `echo "AT2\r" state 0`},
		{"aat", "AAT2\r", `line "2"` + "\n" + `echo "AT2\r" state 0`},
		{"repeat", "a/A/\r", "repeat\nrepeat\n" + `echo "a/A/" state 0`},
		{"a and cr", "A\rT\r", `echo "" state 0`},
		{"unfinished", "AT+X", `echo "AT+X" state 2`},
		{"an a", "A", `echo "" state 1`},
		{"erase", "ATab\b\bc\r", `line "c"` + "\n" + `echo "ATab\b \b\b \bc\r" state 0`},
		{"erase below the start", "AT\b\b\bI\r", `line "I"` + "\n" + `echo "ATI\r" state 0`},
		{"control characters", "AT\n+\x1bX\x00\x7f=1\r", `line "+X=1"` + "\n" + `echo "AT+X=1\r" state 0`},
		{"high bytes stay", "AT\xc3\xa9\r", `line "` + "\u00e9" + `"` + "\n" + `echo "AT` + "\u00e9" + `\r" state 0`},
		{"longest", "AT" + max + "\r", fmt.Sprintf("line %q\necho %q state 0", max, "AT"+max+"\r")},
		{"too long", "AT" + max + "y\r\nATI\r", fmt.Sprintf("long\nline \"I\"\necho %q state 0", "AT"+max+"ATI\r")},
		{"at inside too long", "AT" + max + "yAT\rAT\r", fmt.Sprintf("long\nline \"\"\necho %q state 0", "AT"+max+"AT\r")},
		{"data", "ATdata\rAT\rxATI\r", "line \"data\"\ndata \"AT\\rx\"\nline \"I\"\n" + `echo "ATdata\rATI\r" state 0`},
	} {
		if got := trace(newSplitter(), []byte(c.in), whole); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestSplitterOtherCharacters(t *testing.T) {
	s := &Splitter{Terminator: ';', Erase: '#'}
	if got, want := trace(s, []byte("ATab#\r\b;"), whole), "line \"a\"\n"+`echo "ATab\b \b;" state 0`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestSplitterForgets(t *testing.T) {
	s := newSplitter()
	trace(s, []byte("AT+BOATPIN=\"1234\""), whole)
	if !s.Open() {
		t.Error("a line has begun and Open denies it")
	}
	s.Wipe()
	if bytes.ContainsAny(s.line[:cap(s.line)], "1234") {
		t.Errorf("line keeps %q", s.line[:cap(s.line)])
	}
	s.Reset()
	if s.Open() {
		t.Error("open after reset")
	}
}

// Memory is bounded whatever comes.
func TestSplitterBounded(t *testing.T) {
	s := newSplitter()
	trace(s, []byte("AT"+strings.Repeat("z", 1<<20)), func(int) int { return 1 })
	if len(s.line) > Max || len(s.echo) > Max {
		t.Errorf("keeps %d bytes of a line and %d of echo", len(s.line), len(s.echo))
	}
}

// However input is cut, the splitter finds the same.
func FuzzSplitter(f *testing.F) {
	for _, s := range []string{
		"AT\r", "AT+BOATINFO\r\nA/", "ATdata\r1234AT\r", "AT\b\x7fA/\rAAT;;\r", "\xffAT\x1b\r",
		"AT" + strings.Repeat("9", Max+9) + "\rAT\r", "ATdatax\rATdataAT\r",
	} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		want := trace(newSplitter(), input, whole)
		rng := rand.New(rand.NewPCG(seed, 0))
		got := trace(newSplitter(), input, func(left int) int { return 1 + rng.IntN(min(left, 7)) })
		if got != want {
			t.Errorf("cut input gives\n%s\nwhole input gives\n%s", got, want)
		}
	})
}
