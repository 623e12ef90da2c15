//go:build e2e

package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/module"
)

// A nandBox is a module whose data partition is UBIFS on simulated NAND flash
// (nandsim). The flash is in the kernel's memory, so the box goes on while the
// partition has its power cuts: from one moment to the next the file system
// takes no write any more, what it still had in memory is lost with the mount,
// and the next mount recovers from what is on the flash.
type nandBox struct {
	t   *testing.T
	box *module.Box

	mu   sync.Mutex
	life int  // how many
	dead bool // the one that runs last
	wire port // to it
}

// run runs a command in the box.
func (b *nandBox) run(command string) {
	b.t.Helper()
	if out, err := b.box.Run(b.t.Context(), "set -e; "+command, nil); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
}

// format makes the flash: 64 MiB with pages of 2 KiB, and a volume over all of it.
func (b *nandBox) format() {
	b.t.Helper()
	b.run(`cd /usr/lib/box/modules; for m in $(cat order); do
		a=; case $m in nandsim.ko) a="first_id_byte=0x20 second_id_byte=0xa2 third_id_byte=0x00 fourth_id_byte=0x15";; esac
		insmod $m $a 2>/dev/null || grep -q "^${m%.ko} " /proc/modules
	done; mount -t debugfs debug /sys/kernel/debug; ubiattach -m 0 >/dev/null; ubimkvol /dev/ubi0 -N data -m >/dev/null; ubidetach -m 0`)
}

func (b *nandBox) start() {
	b.t.Helper()
	b.run(`ubiattach -m 0 >/dev/null; mount -t ubifs -o noatime ubi0:data /data; /etc/init.d/boatd start >/dev/null`)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.life++
	b.dead = false
}

func (b *nandBox) running() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.dead
}

// kill cuts the partition's power, if it has not been, and then ends boatd.
func (b *nandBox) kill() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(b.life)
}

// end is kill for one life only. mu is held.
func (b *nandBox) end(life int) {
	b.t.Helper()
	if b.dead || life != b.life {
		return
	}
	b.dead = true
	if b.wire != nil {
		b.wire.Close() // the host does not hear what boatd says of a flash that fails
	}
	b.run(`echo 1 > /sys/kernel/debug/ubifs/ubi0_0/ro_error
		kill -9 $(cat /run/boatd-supervisor.pid) $(cat /run/boatd.pid) || true
		tries=0; until umount /data 2>/dev/null; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
		ubidetach -m 0`)
}

func (b *nandBox) killAfter(delay time.Duration) {
	b.mu.Lock()
	life := b.life
	b.mu.Unlock()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	<-timer.C
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(life)
}

func (b *nandBox) dial() port {
	b.t.Helper()
	c, err := b.box.UART()
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wire = c
	return c
}

// note forgets: what was on the flash is looked at by the boatd that starts next.
func (b *nandBox) note(fact) {}

// TestE2EModuleUBIFS is the storm of TestE2EKill on the file system that modules have.
func TestE2EModuleUBIFS(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	var b *nandBox
	s := newStormOn(t, n, func(s *storm) victim {
		s.slow, s.boot = 15, 2*time.Second
		url := []string{"http://10.0.2.100"}
		c := setup{pin: true, durable: true, state: "/data/boatd", tables: uartChannel, networks: []network{{endpoints: url, depth: 2}, {name: "other", endpoints: url, depth: 2}}}
		root := installed(t, module.Small, c.toml("/run/boatd"))
		box, err := module.Boot(t.Context(), shortDir(t), module.Options{Images: moduleImages, Root: root, Node: strings.TrimPrefix(s.proxy.url, "http://"),
			Append: []string{"log_buf_len=4M"}}) // for what the kernel says of each mount
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(box.Kill)
		b = &nandBox{t: t, box: box}
		// The init has started boatd on a read-only root.
		b.run(`/etc/init.d/boatd stop`)
		b.format()
		b.start()
		return b
	})
	cuts := 2 * powerCuts(t)
	s.blow(cuts)
	out, err := b.box.Run(t.Context(), "dmesg | grep -c 'UBIFS.*recovery needed'", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := number(t, strings.TrimSpace(out)); n < uint64(cuts) {
		t.Errorf("%d cuts, and the file system had to recover %d times", cuts, n)
	}
}
