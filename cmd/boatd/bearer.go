package main

import (
	"context"
	"log/slog"
	"net"
	"net/url"

	"github.com/boatd/boatd/internal/route"
	"github.com/boatd/boatd/wallet/nets"
)

// A bearer says whether networks can be reached. Without a modem channel that
// is whether there is a default route.
type bearer struct{ watch *route.Watch }

// openBearer begins to watch; on a kernel that does not tell, the bearer counts
// as up and networks find out for themselves.
func openBearer(log *slog.Logger) *bearer {
	w, err := route.Open()
	if err != nil {
		log.Warn("the default route cannot be watched; the bearer counts as up", "err", err)
	}
	return &bearer{w}
}

func (b *bearer) up() bool { return b.watch == nil || b.watch.Up() }

// reaches says whether a network's endpoints can be reached at all: those on
// this machine always can.
func (b *bearer) reaches(n *nets.Net) bool {
	if b.up() {
		return true
	}
	for _, endpoint := range n.Options.List("endpoints") {
		if u, err := url.Parse(endpoint); err == nil && isLoopback(u.Hostname()) {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// run calls changed whenever the bearer comes or goes, until ctx is done.
func (b *bearer) run(ctx context.Context, changed func(up bool)) {
	if b.watch != nil {
		b.watch.Run(ctx, changed)
	}
}
