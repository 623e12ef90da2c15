package main

import (
	"fmt"
	"io"
	"log/syslog"

	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/internal/logs"
	"go.uber.org/zap/zapcore"
)

// newLogger returns the daemon's log as it is configured.
func newLogger(c config.Log, stderr io.Writer) (*logs.Log, error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	if c.Target != "syslog" {
		return logs.New(level, c.Format, zapcore.AddSync(stderr)), nil
	}
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, "boatd")
	if err != nil {
		return nil, fmt.Errorf("opening syslog: %w", err)
	}
	return logs.New(level, c.Format, zapcore.AddSync(w)), nil
}
