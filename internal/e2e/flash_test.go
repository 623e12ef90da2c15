//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// flashFailed is the code of a durable write that failed.
const flashFailed = 23

// A medium is a file system of its own for a state directory.
type medium struct {
	t   *testing.T
	dir string
	img string
}

// newMedium makes a small ext4 file system in a file. It needs root, as CI has.
func newMedium(t *testing.T) *medium {
	t.Helper()
	m := &medium{t: t, dir: shortDir(t)}
	m.img = filepath.Join(shortDir(t), "img")
	if err := os.WriteFile(m.img, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(m.img, 8<<20); err != nil {
		t.Fatal(err)
	}
	m.run("mkfs.ext4", "-q", "-F", "-m", "0", m.img)
	m.mount()
	t.Cleanup(func() { _ = exec.Command("umount", m.dir).Run() }) // it may be unmounted
	return m
}

func (m *medium) run(name string, args ...string) {
	m.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func (m *medium) mount()   { m.run("mount", "-o", "loop", m.img, m.dir) }
func (m *medium) unmount() { m.run("umount", m.dir) }

// fill takes all space that is left.
func (m *medium) fill() {
	m.t.Helper()
	f, err := os.Create(filepath.Join(m.dir, "ballast"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 512} {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		err = nil
	}
}

func (m *medium) free() {
	m.t.Helper()
	if err := os.Remove(filepath.Join(m.dir, "ballast")); err != nil {
		m.t.Fatal(err)
	}
}

// shutdown is FS_IOC_SHUTDOWN, _IOR('X', 125, __u32): from then on every write
// of the file system fails, as on flash that has died.
const shutdown = 0x8004587d

func (m *medium) fail() {
	m.t.Helper()
	f, err := os.Open(m.dir)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, 2); err != nil { // 2: without a last sync
		m.t.Fatalf("shutting the file system down: %v", err)
	}
}

// stuff orders calls with the same data until one fails, and returns the ids.
func (b *bench) stuff(contract, ref, data string) (ids []uint64) {
	b.t.Helper()
	for i := range 400 {
		line := fmt.Sprintf(`AT+BOATCALL="w","%s-%d","%s","%s"`, ref, i, contract, data)
		r, err := b.do(line)
		if err != nil {
			b.t.Fatalf("%s: %v", line, err)
		}
		if r.code != 0 {
			if r.code != flashFailed {
				b.t.Fatalf("%s: code %d, want %d", line, r.code, flashFailed)
			}
			return ids
		}
		ids = append(ids, number(b.t, r.lines[0]))
	}
	b.t.Fatal("no order failed on a medium that takes no more")
	return nil
}

// TestE2EFlashFull fills the medium of the journal, and TestE2EFlashDead lets it
// die: the command that needs the write fails with 23 and nothing of it is
// there, everything else goes on, and what was acknowledged is there afterwards.
func TestE2EFlashFull(t *testing.T) {
	t.Parallel()
	m := newMedium(t)
	b, p, contract := newFlashBench(t, m)
	m.fill()
	ids := b.stuff(contract, "large", "@0")
	small := b.stuff(contract, "small", "x:") // nor is there room for anything else
	failed := fmt.Sprintf("small-%d", len(small))
	ids = append(ids, small...)
	b.fails(7020, `AT+BOATTXREF="w","%s"`, failed)
	b.shows(ids[0], accepted, unreachable) // reading goes on
	b.ok("AT+BOATSTAT")
	for range 4 {
		b.boatd.restart(true)
		b.reconnect()
		b.shows(ids[len(ids)-1], accepted, unreachable)
		b.fails(7020, `AT+BOATTXREF="w","%s"`, failed)
	}
	m.free()
	ids = append(ids, b.id(`AT+BOATCALL="w","%s","%s","x:"`, failed, contract))
	b.finish(p, ids)
}

// TestE2EFlashDead: see TestE2EFlashFull.
func TestE2EFlashDead(t *testing.T) {
	t.Parallel()
	m := newMedium(t)
	b, p, contract := newFlashBench(t, m)
	ids := []uint64{b.callData("w", "before", contract, word(1))}
	m.fail()
	b.fails(flashFailed, `AT+BOATCALL="w","dead-0","%s","x:"`, contract)
	b.fails(flashFailed, `AT+BOATPEERADD="p","net","%s"`, contract)
	b.shows(ids[0], accepted, unreachable)
	b.ok("AT+BOATSTAT")
	b.boatd.kill()
	m.unmount()
	m.mount()
	b.boatd.start()
	b.reconnect()
	b.fails(7020, `AT+BOATTXREF="w","dead-0"`)
	if got := b.ok("AT+BOATPEERLST?"); len(got) != 0 {
		t.Errorf("what failed is there: %q", got)
	}
	b.finish(p, ids)
}

// newFlashBench keeps its state on m, can hold much, and has no network. Slot 0
// has 8 KiB.
func newFlashBench(t *testing.T, m *medium) (b *bench, p *proxy, contract string) {
	n := ticking(t)
	p = newProxy(t, n)
	b = newBench(t, n, 1, setup{state: filepath.Join(m.dir, "state"), journal: "queue_max = 4096",
		networks: []network{{endpoints: []string{p.url}, depth: 1}}})
	b.ok(`AT+BOATBAL="w"`)
	contract = n.deploy(t, initCode(sink))
	for at := 0; at < 8192; at += 512 {
		b.ok(`AT+BOATDATAHX=0,%d,"%s"`, at, strings.Repeat(fmt.Sprintf("%04x", at), 256))
	}
	p.set(fault{instead: (*exchange).drop})
	return b, p, contract
}

// finish lets everything happen that was acknowledged, and nothing else.
func (b *bench) finish(p *proxy, ids []uint64) {
	b.t.Helper()
	p.heal()
	for _, id := range ids {
		b.ends(id, confirmed, noReason)
	}
	if c := b.chain.nonce(b.t, b.address); c != uint64(len(ids)) {
		b.t.Errorf("%d orders were acknowledged, the account's nonce is %d", len(ids), c)
	}
}
