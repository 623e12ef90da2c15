package main

import (
	"context"
	"errors"
	"time"

	"github.com/boatd/boatd/atcmd/port"
	"github.com/boatd/boatd/internal/ops"
)

// serveMetrics answers on metrics.socket until ctx is done. That it cannot is no
// reason to keep a wallet from its hosts.
func (d *daemon) serveMetrics(ctx context.Context) error {
	path := d.cfg.Metrics.Socket
	if path == "" {
		return nil
	}
	u, err := port.Listen(path)
	if err != nil {
		return err
	}
	source := &ops.Source{Version: version, Build: buildTime().UTC().Format(time.DateOnly), Seal: d.sealer.Label(), StateDir: d.cfg.StateDir,
		Start: d.start, Ready: d.host.Ready, Channels: d.server.Channels, Manager: d.manager, Log: d.lines}
	d.wg.Go(func() {
		defer u.Close()
		if err := u.Run(ctx, source.Serve, d.log); err != nil && !errors.Is(err, context.Canceled) {
			d.log.Error("metrics are served no more", "err", err)
		}
	})
	return nil
}
