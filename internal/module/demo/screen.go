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
