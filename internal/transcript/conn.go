package transcript

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A conn is one channel as the host has it. It reads no further ahead than one
// read, so that a channel that the script does not speak of fills up like that
// of a host that does not read.
type conn struct {
	rw   io.ReadWriteCloser
	got  chan []byte
	done chan struct{}
	err  error // why reading ended; set before got is closed

	pending []byte // came and was not expected yet
	taken   []byte // was expected, since mark
}

func newConn(rw io.ReadWriteCloser) *conn {
	c := &conn{rw: rw, got: make(chan []byte), done: make(chan struct{})}
	go c.read()
	return c
}

func (c *conn) read() {
	defer close(c.got)
	buf := make([]byte, 4096)
	for {
		n, err := c.rw.Read(buf)
		if n > 0 {
			select {
			case c.got <- append([]byte(nil), buf[:n]...):
			case <-c.done:
				return
			}
		}
		if err != nil {
			c.err = err
			return
		}
	}
}

func (c *conn) close() error {
	close(c.done)
	return c.rw.Close()
}

// ErrSilent is why a play failed in which nothing more came in time.
var ErrSilent = errors.New("nothing came")

// more waits for bytes until the deadline.
func (c *conn) more(deadline <-chan time.Time) error {
	select {
	case b, ok := <-c.got:
		if !ok {
			return fmt.Errorf("the channel has ended: %w", c.err)
		}
		c.pending = append(c.pending, b...)
		return nil
	case <-deadline:
		return ErrSilent
	}
}

// come takes what has come by now.
func (c *conn) come() {
	for {
		select {
		case b, ok := <-c.got:
			if !ok {
				return
			}
			c.pending = append(c.pending, b...)
		default:
			return
		}
	}
}

const crlf = "\r\n"

// peekLine returns the next line, without its CR LF on both sides, and how
// many bytes it takes. Complete is false while more must come to tell.
func peekLine(b []byte) (line string, size int, complete bool, err error) {
	text := string(b)
	if n := min(len(text), len(crlf)); text[:n] != crlf[:n] {
		return "", 0, false, errFraming
	} else if n < len(crlf) {
		return "", 0, false, nil
	}
	end := strings.Index(text[len(crlf):], crlf)
	if end < 0 {
		return "", 0, false, nil
	}
	return text[len(crlf) : len(crlf)+end], end + 2*len(crlf), true, nil
}

var errFraming = errors.New("what came does not begin a line")

// line waits for the next line.
func (c *conn) line(patience time.Duration) (string, error) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		line, size, complete, err := peekLine(c.pending)
		if err != nil || complete {
			c.take(size)
			return line, err
		}
		if err := c.more(deadline.C); err != nil {
			return "", err
		}
	}
}

// bytes waits until as many bytes have come as text has, or one that differs.
func (c *conn) bytes(text string, patience time.Duration) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		n := min(len(c.pending), len(text))
		if string(c.pending[:n]) != text[:n] {
			return errOther
		}
		if n == len(text) {
			c.take(n)
			return nil
		}
		if err := c.more(deadline.C); err != nil {
			return err
		}
	}
}

var errOther = errors.New("other bytes came")

// mark forgets what was taken.
func (c *conn) mark() { c.taken = nil }

func (c *conn) take(n int) {
	c.taken = append(c.taken, c.pending[:n]...)
	c.pending = c.pending[n:]
}

// settle takes all that comes until the channel is silent for a time.
func (c *conn) settle(silence time.Duration) {
	for {
		timer := time.NewTimer(silence)
		err := c.more(timer.C)
		timer.Stop()
		if err != nil {
			return
		}
	}
}
