package logs

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// fieldMax is how many bytes of a text a line shows: most of a stack.
const fieldMax = 4096

// A Log is the daemon's log.
type Log struct {
	*slog.Logger
	limiter Limiter
	recent  ring
	errors  ring
	written [4]atomic.Uint64 // by severity
}

// New returns a log of the lines from a level on, encoded as "console" or "json"
// and written to sink.
func New(level zapcore.Level, format string, sink zapcore.WriteSyncer) *Log {
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339TimeEncoder
	encoder := zapcore.NewConsoleEncoder(enc)
	if format == "json" {
		encoder = zapcore.NewJSONEncoder(enc)
	}
	l := &Log{}
	h := &handler{log: l, least: level, encoder: encoder, sink: zapcore.Lock(sink)}
	l.Logger = slog.New(h)
	l.limiter.Report = func(lines uint64, kinds int, most string) {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were left out", 0)
		r.AddAttrs(slog.Uint64("lines", lines), slog.Int("kinds", kinds), slog.String("most", most))
		_ = h.write(r, 0) // a log that cannot be written has nobody to tell
	}
	return l
}

// Recent returns the newest lines, oldest first.
func (l *Log) Recent() []Line { return l.recent.list() }

// Errors returns the newest lines of warnings and errors, oldest first.
func (l *Log) Errors() []Line { return l.errors.list() }

// Severities are the names by which Written counts, lowest first.
var Severities = [4]string{"debug", "info", "warn", "error"}

// Written counts the lines that were written, in the order of [Severities], and
// those that were left out.
func (l *Log) Written() (written [4]uint64, leftOut uint64) {
	for i := range written {
		written[i] = l.written[i].Load()
	}
	return written, l.limiter.LeftOut()
}

// handler is a slog.Handler that encodes with zap.
type handler struct {
	log     *Log
	least   zapcore.Level
	encoder zapcore.Encoder
	sink    zapcore.WriteSyncer
	group   string // prefix of the names of attributes
	subject string // of the limiter's kind
}

func zapLevel(l slog.Level) zapcore.Level {
	switch {
	case l >= slog.LevelError:
		return zapcore.ErrorLevel
	case l >= slog.LevelWarn:
		return zapcore.WarnLevel
	case l >= slog.LevelInfo:
		return zapcore.InfoLevel
	default:
		return zapcore.DebugLevel
	}
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	return h.least.Enabled(zapLevel(l))
}

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	subject := h.subject
	r.Attrs(func(a slog.Attr) bool {
		subject += subjectOf(a)
		return true
	})
	write, before := h.log.limiter.Take(Kind{r.Level, r.Message, subject})
	if !write {
		return nil
	}
	return h.write(r, before)
}

// subjectOf returns what an attribute says about whom a line is. Their values are
// names that boatd's own rules bound; numbers would make every line a new kind.
func subjectOf(a slog.Attr) string {
	switch a.Key {
	case "channel", "net", "key", "item":
		return a.Key + "=" + a.Value.String() + " "
	}
	return ""
}

// write writes a line that tells of others that were left out before it.
func (h *handler) write(r slog.Record, before uint64) error {
	fields := make([]zapcore.Field, 0, r.NumAttrs()+1)
	r.Attrs(func(a slog.Attr) bool {
		fields = append(fields, h.field(a))
		return true
	})
	if before > 0 {
		fields = append(fields, zap.Uint64("left_out", before))
	}
	level := zapLevel(r.Level)
	line, err := h.encoder.EncodeEntry(zapcore.Entry{Level: level, Time: r.Time, Message: r.Message}, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	h.log.keep(r, line.String())
	if _, err = h.sink.Write(line.Bytes()); err == nil {
		h.log.written[level-zapcore.DebugLevel].Add(1)
	}
	return err
}

func (l *Log) keep(r slog.Record, text string) {
	text = strings.TrimRight(text, "\n")
	if len(text) > keptBytes { // at the end of a word: half of one would not be known for what it is
		text = text[:max(0, strings.LastIndexAny(text[:keptBytes], " \t"))]
	}
	line := Line{r.Time, r.Level, text}
	l.recent.add(keptLines, line)
	if r.Level >= slog.LevelWarn {
		l.errors.add(keptErrors, line)
	}
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.encoder = h.encoder.Clone()
	for _, a := range attrs {
		h.field(a).AddTo(next.encoder)
		next.subject += subjectOf(a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.group += name + "."
	return &next
}

// field makes a zap field of an attribute. Errors are written as their text and
// nothing more: what they hold may be asked to print itself otherwise.
func (h *handler) field(a slog.Attr) zapcore.Field {
	v := a.Value.Resolve().Any()
	switch t := v.(type) {
	case error:
		v = cut(t.Error())
	case string:
		v = cut(t)
	}
	return zap.Any(h.group+a.Key, v)
}

// cut bounds a text from wherever it comes.
func cut(s string) string {
	if len(s) <= fieldMax {
		return s
	}
	return strings.ToValidUTF8(s[:fieldMax], "") + "..."
}
