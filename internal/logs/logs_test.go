package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
)

// newTest returns a log of everything and what it writes to.
func newTest(format string) (*Log, *output) {
	b := &output{}
	return New(zapcore.DebugLevel, format, b), b
}

// An output is what was written so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) Sync() error { return nil }

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Len()
}

// TestFlood: a day in which everything that can complain complains at full speed,
// about names that change all the time, is a few MB of log; one complaint
// repeated all day is less than 100 kB. How many were left out is told.
func TestFlood(t *testing.T) {
	const lines = 20_000
	for _, c := range []struct {
		name string
		log  func(*Log, int)
		most int // bytes a day
	}{
		{"one kind", func(l *Log, i int) { l.Warn("network work failed", "net", "dev", "failures", i) }, 100_000},
		{"bound attributes", func(l *Log, i int) { l.With("channel", "uart").Info("trying again", "n", i) }, 100_000},
		{"names that change", func(l *Log, i int) {
			l.Warn("command failed", "channel", fmt.Sprint("c", i), "err", errors.New(strings.Repeat("x", 60)))
		}, 1_000_000},
		{"messages that change, at all levels", func(l *Log, i int) {
			l.Log(t.Context(), []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}[i%4], fmt.Sprint("message ", i), "err", strings.Repeat("x", 60))
		}, 3_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, b := newTest("console")
				for i := range lines {
					c.log(l, i)
					time.Sleep(24 * time.Hour / lines)
				}
				synctest.Wait()
				written, left := l.Written()
				sum := written[0] + written[1] + written[2] + written[3]
				t.Logf("%d lines, %d bytes, %d left out", sum, b.Len(), left)
				if b.Len() > c.most {
					t.Errorf("%d bytes in a day, at most %d are allowed", b.Len(), c.most)
				}
				if n := uint64(strings.Count(b.String(), "\n")); n != sum {
					t.Errorf("%d lines written, %d counted", n, sum)
				}
				reports := uint64(strings.Count(b.String(), "log lines were left out"))
				if left == 0 || sum-reports+left != lines || reports == 0 {
					t.Errorf("%d written of which %d tell of others, %d left out: that is not %d", sum, reports, left, lines)
				}
				if n := len(l.limiter.kinds); n > maxKinds+4 {
					t.Errorf("%d kinds are kept", n)
				}
			})
		})
	}
}

// TestNothingIsLostInSilence: what is left out is told of, by the next line of its
// kind or by one that sums up, and each line once.
func TestNothingIsLostInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, b := newTest("json")
		for range kindBurst + 7 {
			l.Error("journal write failed", "err", errors.New("EIO"))
		}
		if n := strings.Count(b.String(), "\n"); n != kindBurst {
			t.Fatalf("%d lines", n)
		}
		time.Sleep(reportEvery)
		synctest.Wait()
		told := func() (sum float64) {
			for line := range strings.Lines(b.String()) {
				var fields map[string]any
				if err := json.Unmarshal([]byte(line), &fields); err != nil {
					t.Fatal(err)
				}
				for _, key := range []string{"lines", "left_out"} {
					n, _ := fields[key].(float64)
					sum += n
				}
			}
			return sum
		}
		if told() != 7 || !strings.Contains(b.String(), `"most":"journal write failed"`) {
			t.Errorf("told of %v:\n%s", told(), b)
		}
		time.Sleep(kindEvery)
		synctest.Wait()
		l.Error("journal write failed")
		for range 40 {
			l.Error("journal write failed")
		}
		time.Sleep(kindEvery)
		synctest.Wait()
		l.Error("journal write failed")
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, left := l.Written(); told() != float64(left) {
			t.Errorf("%v told of, %d left out:\n%s", told(), left, b)
		}
	})
}

// TestIdleLogSleeps: nothing runs while nothing was left out.
func TestIdleLogSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, b := newTest("console")
		l.Info("one")
		start := time.Now()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if time.Since(start) != 24*time.Hour || strings.Count(b.String(), "\n") != 1 || l.limiter.armed {
			t.Errorf("%q", b)
		}
	})
}

// TestLine: what a line looks like, and that errors are their text and no more.
func TestLine(t *testing.T) {
	l, b := newTest("json")
	l.With("channel", "uart").WithGroup("g").Info("hello", "n", 1, "err", fmt.Errorf("wrapped: %w", io.EOF), "long", strings.Repeat("y", 9000))
	var fields map[string]any
	if err := json.Unmarshal([]byte(b.String()), &fields); err != nil {
		t.Fatal(err)
	}
	if fields["msg"] != "hello" || fields["channel"] != "uart" || fields["g.n"] != 1.0 || fields["g.err"] != "wrapped: EOF" || fields["level"] != "info" {
		t.Errorf("%v", fields)
	}
	if s, _ := fields["g.long"].(string); len(s) > fieldMax+3 || len(s) < fieldMax {
		t.Errorf("a field has %d bytes", len(s))
	}
}

// TestLevel: what is below the level is neither written nor counted.
func TestLevel(t *testing.T) {
	var b bytes.Buffer
	l := New(zapcore.WarnLevel, "console", zapcore.AddSync(&b))
	l.Info("no")
	l.Warn("yes")
	if written, _ := l.Written(); b.Len() == 0 || strings.Contains(b.String(), "no") || written != [4]uint64{0, 0, 1, 0} {
		t.Errorf("%q, %v", b.String(), written)
	}
}

// TestKept: the newest lines stay, in order and cut; warnings longer than others.
func TestKept(t *testing.T) {
	l, _ := newTest("console")
	l.Warn("first", "text", strings.Repeat("word ", 500))
	for i := range 2*keptLines + 3 {
		l.Info(fmt.Sprint("line ", i))
	}
	recent, errs := l.Recent(), l.Errors()
	if len(recent) != keptLines || !strings.HasSuffix(recent[keptLines-1].Text, fmt.Sprint("line ", 2*keptLines+2)) || !strings.HasSuffix(recent[0].Text, fmt.Sprint("line ", keptLines+3)) {
		t.Errorf("%d lines from %q to %q", len(recent), recent[0].Text, recent[len(recent)-1].Text)
	}
	if len(errs) != 1 || errs[0].Level != slog.LevelWarn || len(errs[0].Text) > keptBytes || !strings.HasSuffix(errs[0].Text, "word") {
		t.Errorf("%v", errs)
	}
}

func BenchmarkLeftOut(b *testing.B) {
	l := New(zapcore.InfoLevel, "console", zapcore.AddSync(io.Discard))
	b.ReportAllocs()
	for b.Loop() {
		l.Warn("network work failed", "net", "dev")
	}
}
