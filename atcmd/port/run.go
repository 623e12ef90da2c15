package port

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/boatd/boatd/atcmd"
)

// An Opener opens a port, and again after that has ended.
type Opener interface {
	// Open blocks until there is a port. It is called again when that is closed.
	Open(ctx context.Context) (atcmd.Port, error)
}

// The pauses of Run after a failure.
const (
	pauseMin = 100 * time.Millisecond
	pauseMax = 10 * time.Second
	lifeGood = 30 * time.Second // a port that lived so long was no failure
)

// Run opens a port, serves it, and begins again when serve has returned, until
// ctx ends, whose error it returns. After a failure it pauses: 100 ms, then
// twice as long each time up to 10 s; a host that has only gone (serve returned
// nil) is no failure. A failure that repeats is logged once.
func Run(ctx context.Context, o Opener, serve func(context.Context, atcmd.Port) error, log *slog.Logger) error {
	pause, last := pauseMin, ""
	for ctx.Err() == nil {
		life, err := once(ctx, o, serve)
		if err == nil || life >= lifeGood {
			pause, last = pauseMin, ""
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		if text := err.Error(); text != last {
			log.Warn("channel has no port, trying again", "err", err)
			last = text
		}
		sleep(ctx, pause)
		pause = min(2*pause, pauseMax)
	}
	return ctx.Err()
}

// once returns how long the port lived.
func once(ctx context.Context, o Opener, serve func(context.Context, atcmd.Port) error) (time.Duration, error) {
	p, err := o.Open(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = serve(ctx, p)
	if e := p.Close(); err == nil && e != nil {
		err = fmt.Errorf("close port: %w", e)
	}
	return time.Since(began), err
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
