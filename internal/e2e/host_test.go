//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A host is the far side of an AT channel. It believes nothing: every byte must
// be part of a line in its frame, every line must belong to the command that is
// running or be an unsolicited code at a moment when one may come.
type host struct {
	t    testing.TB
	port port

	replies chan reply // of the command that is running
	gone    chan struct{}
	err     error // why the stream ended; after gone

	mu      sync.Mutex
	pending string   // the command that is running; "" none
	lines   []string // of it so far
	codes   []urc
	news    chan struct{} // closed at the next code
	lastSeq uint32
}

// A port is a socket or a terminal.
type port interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
}

// A reply is the answer to a command line.
type reply struct {
	lines []string
	code  int // 0 OK, the number of +CME ERROR, or plainError
	codes int // unsolicited codes before it, in this session
}

// plainError stands for ERROR.
const plainError = -1

// A urc is an unsolicited code.
type urc struct {
	seq    uint32
	event  string
	fields []string // after the event
}

// errGone: boatd has ended, or the line has.
var errGone = errors.New("the channel is gone")

// newHost makes a host on an open port, with echo off and numeric errors.
func newHost(t testing.TB, p port) *host {
	h := &host{t: t, port: p, replies: make(chan reply, 1), gone: make(chan struct{}), news: make(chan struct{})}
	t.Cleanup(func() { h.close() })
	in := bufio.NewReader(p)
	if err := h.silence(in); err != nil {
		h.err = err
		close(h.gone)
		return h
	}
	go h.read(in)
	_, _ = h.do("AT+CMEE=1") // where that fails, the next command tells
	return h
}

// silence turns echo off, which may still be echoed itself. A line that boatd
// has not opened yet may lose what is written: then it is said again, as hosts
// do, until there is one answer, and nothing for a while.
func (h *host) silence(in *bufio.Reader) error {
	defer h.port.SetReadDeadline(time.Time{})
	var err error
	for tries := 1; time.Duration(tries)*time.Second < patience; tries++ {
		if _, err = io.WriteString(h.port, "ATE0\r"); err != nil {
			return err
		}
		if err = h.readUntil(in, "\r\nOK\r\n"); errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		for err == nil && tries > 1 {
			err = h.readUntil(in, "\r\nOK\r\n")
		}
		if tries > 1 && errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		return err
	}
	return err
}

// readUntil reads for at most a second.
func (h *host) readUntil(in *bufio.Reader, end string) error {
	if err := h.port.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	var got []byte
	for !bytes.HasSuffix(got, []byte(end)) {
		b, err := in.ReadByte()
		if err != nil {
			return err
		}
		got = append(got, b)
	}
	return nil
}

// close hangs up.
func (h *host) close() {
	h.port.Close()
	<-h.gone
}

// read takes the stream apart until it ends.
func (h *host) read(in *bufio.Reader) {
	defer close(h.gone)
	for {
		line, err := readFrame(in)
		if err == nil {
			err = h.take(line)
		}
		if err != nil {
			h.err = err
			if errors.Is(err, errFraming) {
				h.t.Errorf("the AT stream is broken: %v", err)
			}
			return
		}
	}
}

var errFraming = errors.New("not as V.250 frames it")

// lineMax is the longest line, with both line ends.
const lineMax = 120

// readFrame reads <CR><LF>text<CR><LF>.
func readFrame(in *bufio.Reader) (string, error) {
	var frame []byte
	for {
		b, err := in.ReadByte()
		if err != nil {
			return "", err
		}
		frame = append(frame, b)
		n := len(frame)
		switch {
		case n == 1 && b != '\r', n == 2 && b != '\n', n > lineMax:
			return "", fmt.Errorf("%w: %q", errFraming, frame)
		case n > 4 && b == '\n':
			if frame[n-2] != '\r' {
				return "", fmt.Errorf("%w: %q", errFraming, frame)
			}
			return string(frame[2 : n-2]), nil
		case n > 2 && b != '\r' && (b < ' ' || b > '~'):
			return "", fmt.Errorf("%w: %q", errFraming, frame)
		}
	}
}

var (
	infoLine  = regexp.MustCompile(`^(\+[A-Z]+): (.*)$`)
	failLine  = regexp.MustCompile(`^\+CME ERROR: (\d+)$`)
	resultsIn = regexp.MustCompile(`OK|ERROR|BUSY|RING|CONNECT|NO CARRIER|NO ANSWER|NO DIALTONE`)
)

// take judges one line.
func (h *host) take(line string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if line == "OK" {
		return h.finish(0)
	}
	if line == "ERROR" {
		return h.finish(plainError)
	}
	if m := failLine.FindStringSubmatch(line); m != nil {
		code, err := strconv.Atoi(m[1])
		if err != nil {
			return fmt.Errorf("%w: %q", errFraming, line)
		}
		return h.finish(code)
	}
	m := infoLine.FindStringSubmatch(line)
	switch {
	case m == nil || resultsIn.MatchString(line):
		return fmt.Errorf("%w: %q is foreign", errFraming, line)
	case m[1] == "+BOATURC":
		return h.code(line, fields(m[2]))
	case !strings.Contains(strings.ToUpper(h.pending), m[1]):
		return fmt.Errorf("%w: %q while %q runs", errFraming, line, h.pending)
	}
	h.lines = append(h.lines, m[2])
	return nil
}

// finish ends the command that is running. h.mu is held.
func (h *host) finish(code int) error {
	if h.pending == "" {
		return fmt.Errorf("%w: a result without a command", errFraming)
	}
	h.replies <- reply{h.lines, code, len(h.codes)}
	h.pending, h.lines = "", nil
	return nil
}

// code takes an unsolicited code in. h.mu is held.
func (h *host) code(line string, f []string) error {
	if len(f) < 2 {
		return fmt.Errorf("%w: %q", errFraming, line)
	}
	seq, err := strconv.ParseUint(f[0], 10, 32)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %q", errFraming, line)
	case uint32(seq) <= h.lastSeq:
		return fmt.Errorf("%w: %q after code %d", errFraming, line, h.lastSeq)
	case h.lines != nil:
		return fmt.Errorf("%w: %q inside the answer to %q", errFraming, line, h.pending)
	}
	h.lastSeq = uint32(seq)
	h.codes = append(h.codes, urc{uint32(seq), f[1], f[2:]})
	close(h.news)
	h.news = make(chan struct{})
	return nil
}

// fields takes the fields of an information line apart.
func fields(text string) []string {
	var out []string
	for text != "" {
		if text[0] == '"' {
			value, rest, _ := strings.Cut(text[1:], `"`)
			out, text = append(out, value), strings.TrimPrefix(rest, ",")
			continue
		}
		value, rest, _ := strings.Cut(text, ",")
		out, text = append(out, value), rest
	}
	return out
}

// longest is the longest that any command may take.
const longest = 200 * time.Second

// do runs one command line. errGone when the channel ends before its result.
func (h *host) do(line string) (reply, error) {
	if err := h.begin(line); err != nil {
		return reply{}, err
	}
	return h.end(line)
}

// begin sends a command line and does not wait for its result.
func (h *host) begin(line string) error {
	h.mu.Lock()
	h.pending, h.lines = line, nil
	h.mu.Unlock()
	if _, err := io.WriteString(h.port, line+"\r"); err != nil {
		return errGone
	}
	return nil
}

// end waits for the result of what begin sent.
func (h *host) end(line string) (reply, error) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case r := <-h.replies:
		return r, nil
	case <-h.gone:
	case <-timer.C:
		h.t.Errorf("%s: no result within %v", line, longest)
	}
	select {
	case r := <-h.replies: // its result came before the end
		return r, nil
	default:
		return reply{}, errGone
	}
}

// ok runs a command that must succeed and returns its lines.
func (h *host) ok(format string, args ...any) []string {
	h.t.Helper()
	line := fmt.Sprintf(format, args...)
	r, err := h.do(line)
	if err != nil || r.code != 0 {
		h.t.Fatalf("%s: code %d, %v", line, r.code, err)
	}
	return r.lines
}

// fails runs a command that must end with a code.
func (h *host) fails(code int, format string, args ...any) {
	h.t.Helper()
	line := fmt.Sprintf(format, args...)
	if r, err := h.do(line); err != nil || r.code != code {
		h.t.Fatalf("%s: code %d, %v; want code %d", line, r.code, err, code)
	}
}

// awaitReady waits until boatd has its journal and its keys.
func (h *host) awaitReady() {
	h.t.Helper()
	eventually(h.t, "boatd is ready", func() bool {
		r, err := h.do("AT+BOATREADY?")
		if err != nil {
			h.t.Fatalf("AT+BOATREADY?: %v (%v)", err, h.err)
		}
		return r.code == 0 && number(h.t, fields(r.lines[0])[0])&3 == 3
	})
}

func number(t testing.TB, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%q is no number", text)
	}
	return n
}
