package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"

	"github.com/boatd/boatd/internal/config"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger returns the daemon's logger as it is configured. The rooms log with
// log/slog; zap writes.
func newLogger(c config.Log, stderr io.Writer) (*slog.Logger, func() error, error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, nil, fmt.Errorf("log level: %w", err)
	}
	sink := zapcore.AddSync(stderr)
	if c.Target == "syslog" {
		w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, "boatd")
		if err != nil {
			return nil, nil, fmt.Errorf("opening syslog: %w", err)
		}
		sink = zapcore.AddSync(w)
	}
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339TimeEncoder
	encoder := zapcore.NewConsoleEncoder(enc)
	if c.Format == "json" {
		encoder = zapcore.NewJSONEncoder(enc)
	}
	core := zapcore.NewCore(encoder, zapcore.Lock(sink), level)
	return slog.New(&zapHandler{core: core}), core.Sync, nil
}

// zapHandler is a slog.Handler that writes with zap.
type zapHandler struct {
	core  zapcore.Core
	group string // prefix of the names of attributes
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
func (h *zapHandler) Enabled(_ context.Context, l slog.Level) bool {
	return h.core.Enabled(zapLevel(l))
}

// Handle implements slog.Handler.
func (h *zapHandler) Handle(_ context.Context, r slog.Record) error {
	fields := make([]zapcore.Field, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		fields = append(fields, h.field(a))
		return true
	})
	return h.core.Write(zapcore.Entry{Level: zapLevel(r.Level), Time: r.Time, Message: r.Message}, fields)
}

// WithAttrs implements slog.Handler.
func (h *zapHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := make([]zapcore.Field, len(attrs))
	for i, a := range attrs {
		fields[i] = h.field(a)
	}
	return &zapHandler{core: h.core.With(fields), group: h.group}
}

// WithGroup implements slog.Handler.
func (h *zapHandler) WithGroup(name string) slog.Handler {
	return &zapHandler{core: h.core, group: h.group + name + "."}
}

// field makes a zap field of an attribute. Errors are written as their text and
// nothing more: what they hold may be asked to print itself otherwise.
func (h *zapHandler) field(a slog.Attr) zapcore.Field {
	v := a.Value.Resolve()
	if err, ok := v.Any().(error); ok {
		return zap.String(h.group+a.Key, err.Error())
	}
	return zap.Any(h.group+a.Key, v.Any())
}
