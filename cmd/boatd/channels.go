package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/atcmd/port"
	"github.com/boatd/boatd/internal/config"
)

// openChannels opens every configured channel and serves it in the background
// until ctx is done. One that cannot be made at all is an error now; a serial
// line that is not there is waited for.
func (d *daemon) openChannels(ctx context.Context, fail context.CancelFunc) error {
	for _, c := range d.cfg.Channels {
		serve := func(ctx context.Context, p atcmd.Port) error {
			return d.server.Serve(ctx, p, atcmd.ChannelInfo{Name: c.Name})
		}
		run, err := d.openChannel(c, serve)
		if err != nil {
			fail()
			return fmt.Errorf("channel %s: %w", c.Name, err)
		}
		d.wg.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				d.log.Error("channel ended", "channel", c.Name, "err", err)
			}
		})
	}
	return nil
}

// openChannel makes one channel and returns what runs it.
func (d *daemon) openChannel(c config.Channel, serve func(context.Context, atcmd.Port) error) (func(context.Context) error, error) {
	log := d.log.With("channel", c.Name)
	switch c.Type {
	case "serial":
		s := &port.Serial{Device: c.Device, Baud: c.Baud, RTSCTS: c.Flow == "rtscts"}
		return func(ctx context.Context) error { return port.Run(ctx, s, serve, log) }, nil
	case "pty":
		p, err := port.OpenPTY(c.Link)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			defer p.Close()
			return port.Run(ctx, p, serve, log)
		}, nil
	case "unix":
		u, err := port.Listen(c.Path)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			defer u.Close()
			return u.Run(ctx, serve, log)
		}, nil
	}
	return nil, fmt.Errorf("type %q is not in this build", c.Type)
}
