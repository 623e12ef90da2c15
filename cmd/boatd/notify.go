package main

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// A notifier talks to the service manager (sd_notify(3)). Without one it does
// nothing.
type notifier struct {
	socket string
	period time.Duration // between two pings of the watchdog; 0: none wanted
	log    *slog.Logger
}

// watchdogMin is the shortest time between two pings: an idle module is not
// woken more often than that.
const watchdogMin = 30 * time.Second

// newNotifier reads NOTIFY_SOCKET and WATCHDOG_USEC.
func newNotifier(getenv func(string) string, log *slog.Logger) *notifier {
	n := &notifier{socket: getenv("NOTIFY_SOCKET"), log: log}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err == nil && usec > 0 {
		n.period = time.Duration(usec) * time.Microsecond / 2
		if n.period < watchdogMin {
			log.Warn("the service manager's watchdog is shorter than a minute; boatd pings every 30 s", "watchdog", 2*n.period)
			n.period = watchdogMin
		}
	}
	return n
}

func (n *notifier) ready()    { n.send("READY=1") }
func (n *notifier) stopping() { n.send("STOPPING=1") }

func (n *notifier) send(state string) {
	if n.socket == "" {
		return
	}
	name := n.socket
	if name[0] == '@' {
		name = "\x00" + name[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		n.log.Warn("the service manager cannot be told", "state", state, "err", err)
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		n.log.Warn("the service manager cannot be told", "state", state, "err", err)
	}
}

// watch feeds the watchdog until ctx is done, but only while every loop of the
// daemon answers.
func (n *notifier) watch(ctx context.Context, alive func(context.Context) error) {
	if n.period == 0 || n.socket == "" {
		return
	}
	tick := time.NewTicker(n.period)
	defer tick.Stop()
	for {
		if err := n.asked(ctx, alive); err != nil {
			n.log.Error("the watchdog is not fed", "err", err)
		} else {
			n.send("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n *notifier) asked(ctx context.Context, alive func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, n.period/2)
	defer cancel()
	return alive(ctx)
}
