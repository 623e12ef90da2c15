package logs

import (
	"log/slog"
	"sync"
	"time"
)

// Bounds of what is kept in memory: 96 KiB at most.
const (
	keptLines  = 128
	keptErrors = 32
	keptBytes  = 600
)

// A Line is one line of the log without its end, cut after 600 bytes at most.
type Line struct {
	Time  time.Time
	Level slog.Level
	Text  string // as it was written
}

// A ring keeps the newest lines.
type ring struct {
	mu    sync.Mutex
	lines []Line
	next  int // where the next one goes once it is full
}

func (r *ring) add(size int, l Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < size {
		r.lines = append(r.lines, l)
		return
	}
	r.lines[r.next] = l
	r.next = (r.next + 1) % size
}

// list returns the lines, oldest first.
func (r *ring) list() []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Line, 0, len(r.lines))
	all = append(all, r.lines[r.next:]...)
	return append(all, r.lines[:r.next]...)
}
