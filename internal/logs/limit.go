package logs

import (
	"log/slog"
	"sync"
	"time"

	"github.com/boatd/boatd/internal/budget"
)

// The bounds. A day of nothing but floods costs each level at most
// levelBurst + 24 h/levelEvery lines, and 24 h/reportEvery more that tell of it.
const (
	kindBurst   = 20
	kindEvery   = 10 * time.Minute
	levelBurst  = 300
	levelEvery  = 30 * time.Second
	reportEvery = 10 * time.Minute

	// maxKinds is how many kinds of line are told apart; what comes above shares
	// one budget a level.
	maxKinds = 256
)

// A Kind is what makes two lines the same but for their numbers.
type Kind struct {
	Level            slog.Level
	Message, Subject string
}

// A Limiter says which lines are written. Its methods may be called from several
// goroutines at once.
type Limiter struct {
	// Report is told, at most once in ten minutes and only after lines were left
	// out of which no line has told since: how many, of how many kinds, and the
	// message of the most frequent.
	Report func(lines uint64, kinds int, most string)

	mu     sync.Mutex
	kinds  map[Kind]*tally
	levels map[slog.Level]*budget.Budget
	left   uint64 // lines left out since the start
	armed  bool   // Report will be called
}

// A tally is what is known of one kind.
type tally struct {
	budget budget.Budget
	last   time.Time
	left   uint64 // lines left out and not told of
}

// Take says whether a line of that kind is written now, and of how many that
// were left out before it this one tells.
func (l *Limiter) Take(k Kind) (write bool, before uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	t := l.tally(k, now)
	t.last = now
	if t.budget.Take(now) && l.level(k.Level).Take(now) {
		before, t.left = t.left, 0
		return true, before
	}
	t.left++
	l.left++
	if !l.armed {
		l.armed = true
		time.AfterFunc(reportEvery, l.report)
	}
	return false, 0
}

// tally returns the tally of a kind, or where there are too many kinds the one
// that the rest of a level shares.
func (l *Limiter) tally(k Kind, now time.Time) *tally {
	if t := l.kinds[k]; t != nil {
		return t
	}
	if len(l.kinds) >= maxKinds {
		l.tidy(now)
	}
	if len(l.kinds) >= maxKinds {
		k = Kind{Level: k.Level}
		if t := l.kinds[k]; t != nil {
			return t
		}
	}
	t := &tally{budget: budget.Budget{Burst: kindBurst, Every: kindEvery}}
	if l.kinds == nil {
		l.kinds = map[Kind]*tally{}
	}
	l.kinds[k] = t
	return t
}

// tidy forgets the kinds that have been silent for long and owe nothing.
func (l *Limiter) tidy(now time.Time) {
	for k, t := range l.kinds {
		if t.left == 0 && now.Sub(t.last) >= kindEvery {
			delete(l.kinds, k)
		}
	}
}

// level returns the budget that all kinds of a level share.
func (l *Limiter) level(level slog.Level) *budget.Budget {
	b := l.levels[level]
	if b == nil {
		b = &budget.Budget{Burst: levelBurst, Every: levelEvery}
		if l.levels == nil {
			l.levels = map[slog.Level]*budget.Budget{}
		}
		l.levels[level] = b
	}
	return b
}

// report tells of what no line has told of.
func (l *Limiter) report() {
	lines, kinds, most := l.settle()
	if lines > 0 && l.Report != nil {
		l.Report(lines, kinds, most)
	}
}

func (l *Limiter) settle() (lines uint64, kinds int, most string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	highest := uint64(0)
	for k, t := range l.kinds {
		if t.left == 0 {
			continue
		}
		lines += t.left
		kinds++
		if t.left > highest {
			highest, most = t.left, k.Message
		}
		t.left = 0
	}
	return lines, kinds, most
}

// LeftOut counts the lines that were left out since the start.
func (l *Limiter) LeftOut() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}
