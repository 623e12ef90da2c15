//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A cable is a pair of terminals that socat joins: boatd has one end as its
// serial line, a host the other. There is no real line here: speeds are set and
// have no effect.
type cable struct {
	t         *testing.T
	near, far string
	log       string
	*process
}

func newCable(t *testing.T) *cable {
	t.Helper()
	need(t, "socat", "socat")
	dir := shortDir(t)
	c := &cable{t: t, near: filepath.Join(dir, "near"), far: filepath.Join(dir, "far"), log: filepath.Join(dir, "log")}
	t.Cleanup(func() { c.unplug() })
	return c
}

// plug joins the ends.
func (c *cable) plug() {
	c.t.Helper()
	var err error
	if c.process, err = launch(c.log, "socat", "pty,rawer,link="+c.near, "pty,rawer,link="+c.far); err != nil {
		c.t.Fatalf("starting socat: %v", err)
	}
	eventually(c.t, "socat has made both terminals", func() bool {
		_, near := os.Stat(c.near)
		_, far := os.Stat(c.far)
		return near == nil && far == nil
	})
}

// unplug has both terminals vanish. Their names go first: another program's
// terminal may get their numbers at once.
func (c *cable) unplug() {
	if c.process != nil {
		os.Remove(c.near)
		os.Remove(c.far)
		c.kill()
	}
}

// host opens the far end and waits until boatd answers there.
func (c *cable) host() *host {
	c.t.Helper()
	h := openTTY(c.t, c.far)
	h.awaitReady()
	return h
}

// speed returns the speed that is set at boatd's end.
func (c *cable) speed() uint32 {
	c.t.Helper()
	f, err := os.OpenFile(c.near, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		c.t.Fatalf("looking at the line, which takes root: %v", err)
	}
	defer f.Close()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		c.t.Fatal(err)
	}
	return state.Cflag & unix.CBAUD
}

// TestE2ESerial starts boatd before its line is there, plugs the line in, works,
// changes the speed, pulls it out in the middle of a transaction, and plugs it
// in again.
func TestE2ESerial(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	c := newCable(t)
	d := newDaemon(t, setup{networks: []network{{endpoints: []string{n.url}, depth: 3}},
		tables: fmt.Sprintf("[[channel]]\nname = \"uart\"\ntype = \"serial\"\ndevice = %q\nbaud = 57600\n", c.near)})
	local := d.host() // boatd serves others meanwhile
	c.plug()
	h := c.host()
	h.listen()
	if got := c.speed(); got != unix.B57600 {
		t.Errorf("the line's speed is %o, want that of the configuration, %o", got, unix.B57600)
	}
	h.ok("AT+IPR=9600")
	eventually(t, "the speed has changed", func() bool { return c.speed() == unix.B9600 })
	h.ok("AT+IPR=115200")
	n.fund(t, h.wallet("w", "net"), ether(1))
	id := h.send("w", "by-wire", nobody(t, 1), "45")
	h.wait(id, sent)
	c.unplug()
	<-h.gone
	local.ends(id, confirmed, noReason)
	c.plug()
	h = c.host()
	if again := h.send("w", "by-wire", nobody(t, 1), "45"); again != id {
		t.Errorf("the order is %d and, on the new line, %d", id, again)
	}
	h.ends(id, confirmed, noReason)
	next := h.send("w", "next", nobody(t, 1), "46")
	h.ends(next, confirmed, noReason)
	h.passed(next, signed, sent, included, confirmed)
	if got := n.balance(t, nobody(t, 1)); got.Int64() != 91 {
		t.Errorf("%d wei were paid, want 91", got)
	}
}
