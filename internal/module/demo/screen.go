package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A screen shows what happens at several places, in the order in which it does.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

func newScreen(out io.Writer) *screen { return &screen{out: out, start: time.Now()} }

// Where the columns begin: the log, the UART, the chain.
const (
	hostColumn  = 0
	uartColumn  = 34
	chainColumn = 50
)

func (s *screen) line(column int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%6.1f s  %s%s\n", time.Since(s.start).Seconds(), strings.Repeat(" ", column), text)
}

func (s *screen) note(format string, args ...any) {
	s.line(hostColumn, "-- "+fmt.Sprintf(format, args...))
}
func (s *screen) host(text string) { s.line(hostColumn, "host  "+text) }
func (s *screen) uart(direction, text string) {
	s.line(uartColumn, direction+" "+text)
}
func (s *screen) chain(format string, args ...any) {
	s.line(chainColumn, "chain  "+fmt.Sprintf(format, args...))
}

// A liner hands on whole lines of what is written to it.
type liner struct {
	part []byte
	line func(string)
}

func (l *liner) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != '\r' && b != '\n' {
			l.part = append(l.part, b)
			continue
		}
		if len(l.part) > 0 {
			l.line(string(l.part))
		}
		l.part = l.part[:0]
	}
	return len(p), nil
}
