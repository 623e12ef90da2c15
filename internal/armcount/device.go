package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/boatd/boatd/internal/transcript"
	"github.com/boatd/boatd/internal/transcript/rig"
)

// A device is boatd on an emulated Cortex-A7 over a chain in memory, with an open
// channel to type into.
type device struct {
	*rig.Stage
	conn net.Conn
	in   *bufio.Reader
}

// start starts boatd as command runs it, and returns when it is ready.
func start(ctx context.Context, command []string) (*device, error) {
	t, err := transcript.Parse("armcount", "-- config --\n[log]\nlevel = \"info\"\n-- script --\n")
	if err != nil {
		return nil, err
	}
	stage, err := rig.NewStage(ctx, t, command, "")
	if err != nil {
		return nil, err
	}
	conn, err := rig.DialUnix(stage.Path("local"))
	if err != nil {
		return nil, errors.Join(err, stage.Close())
	}
	d := &device{stage, conn, bufio.NewReader(conn)}
	if _, err := d.say("ATE0+CMEE=1"); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close ends boatd and removes what it has written.
func (d *device) Close() error { return errors.Join(d.conn.Close(), d.Stage.Close()) }

// say types a line and returns its information lines. Anything but OK is an error.
func (d *device) say(line string) (info []string, err error) {
	if _, err := fmt.Fprintf(d.conn, "%s\r", line); err != nil {
		return nil, err
	}
	for {
		got, err := d.in.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", line, err, d.Log())
		}
		switch got = strings.TrimSpace(got); {
		case got == "OK":
			return info, nil
		case got == "ERROR" || strings.HasPrefix(got, "+CME ERROR"):
			return nil, fmt.Errorf("%s: %s", line, got)
		case got != "":
			info = append(info, got)
		}
	}
}

// wallets gives the device a PIN and so many wallets with coin: w0, w1 and so on.
func (d *device) wallets(ctx context.Context, n int) error {
	if _, err := d.say(`AT+BOATPWD="","2580","13572468"`); err != nil {
		return err
	}
	for i := range n {
		info, err := d.say(fmt.Sprintf(`AT+BOATWALADD="w%d","dev"`, i))
		if err != nil {
			return err
		}
		address := strings.Split(info[0], `"`)[3]
		if err := d.Do(ctx, []string{"fund", address, "1000ether"}); err != nil {
			return err
		}
	}
	return nil
}

// order has a wallet pay, and returns the payment's number.
func (d *device) order(wallet int) (id string, err error) {
	info, err := d.say(fmt.Sprintf(`AT+BOATSEND="w%d","","0x0000000000000000000000000000000000009001","1gwei"`, wallet))
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(info[0], "+BOATSEND: "), nil
}

// sent waits until a payment has left.
func (d *device) sent(id string) error {
	_, err := d.say("AT+BOATTXWAI=" + id + ",2,120")
	return err
}

// mine makes the blocks that a payment needs to be final.
func (d *device) mine(ctx context.Context) error { return d.Do(ctx, []string{"mine", "3"}) }

// confirmed waits until a payment is.
func (d *device) confirmed(id string) error {
	info, err := d.say("AT+BOATTXWAI=" + id + ",4,120")
	if err == nil && !strings.HasPrefix(info[0], "+BOATTXWAI: "+id+",4,0,") {
		err = fmt.Errorf("a payment ended as %s", info[0])
	}
	return err
}

// inFlight is how many payments of a wallet leave before one must be included.
const inFlight = 16

// payments makes so many rounds of as many payments as may be on their way, of
// several wallets at once, and waits for the last ones.
func (d *device) payments(ctx context.Context, rounds, wallets int) error {
	last := make([]string, wallets)
	for range rounds {
		for range inFlight {
			for w := range wallets {
				id, err := d.order(w)
				if err != nil {
					return err
				}
				last[w] = id
			}
		}
		for _, id := range last {
			if err := d.sent(id); err != nil {
				return err
			}
		}
		if err := d.mine(ctx); err != nil {
			return err
		}
	}
	for _, id := range last {
		if err := d.confirmed(id); err != nil {
			return err
		}
	}
	return nil
}
