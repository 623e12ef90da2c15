package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A host speaks AT over a terminal.
type host struct {
	f    *os.File
	in   *bufio.Reader
	show func(direction, line string)
	stop func() bool // ends the watch over the context

	unread []string // unsolicited codes
}

// newHost returns a host whose reads end when ctx does.
func newHost(ctx context.Context, f *os.File, show func(direction, line string)) *host {
	h := &host{f: f, in: bufio.NewReader(f), show: show}
	h.stop = context.AfterFunc(ctx, func() { _ = f.SetDeadline(time.Unix(1, 0)) })
	return h
}

func (h *host) close() {
	h.stop()
	h.f.Close()
}

// errRefused is a final result other than OK.
var errRefused = errors.New("boatd refused")

// do types a line and returns its information lines. What comes unasked is kept
// for await.
func (h *host) do(line string) ([]string, error) {
	h.show(">", line)
	if _, err := io.WriteString(h.f, line+"\r"); err != nil {
		return nil, fmt.Errorf("typing %s: %w", line, err)
	}
	var lines []string
	for {
		got, err := h.line()
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading the answer to %s: %w", line, err)
		case got == line: // the echo
		case got == "OK":
			return lines, nil
		case got == "ERROR" || strings.HasPrefix(got, "+CME ERROR:"):
			return nil, fmt.Errorf("%w %s: %s", errRefused, line, got)
		case strings.HasPrefix(got, "+BOATURC:"):
			h.unread = append(h.unread, got)
		default:
			lines = append(lines, got)
		}
	}
}

// one types a line whose answer is one line with this name, and returns its
// fields.
func (h *host) one(line, name string) (string, error) {
	lines, err := h.do(line)
	if err != nil {
		return "", err
	}
	if len(lines) == 1 {
		if fields, ok := strings.CutPrefix(lines[0], name+": "); ok {
			return fields, nil
		}
	}
	return "", fmt.Errorf("the answer to %s is %q", line, lines)
}

// line returns the next line that is not empty, and shows it.
func (h *host) line() (string, error) {
	for {
		text, err := h.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if text = strings.Trim(text, "\r\n"); text != "" {
			h.show("<", text)
			return text, nil
		}
	}
}

// await waits for the unsolicited code that a transaction has come to a state.
func (h *host) await(id, state int) error {
	for {
		for len(h.unread) > 0 {
			var seq, n, s, reason int
			_, err := fmt.Sscanf(h.unread[0], `+BOATURC: %d,"tx",%d,%d,%d`, &seq, &n, &s, &reason)
			h.unread = h.unread[1:]
			switch {
			case err != nil || n != id || s < state:
			case s == state:
				return nil
			default:
				return fmt.Errorf("transaction %d came to state %d, reason %d", id, s, reason)
			}
		}
		got, err := h.line()
		if err != nil {
			return fmt.Errorf("waiting for transaction %d: %w", id, err)
		}
		h.unread = append(h.unread, got)
	}
}
