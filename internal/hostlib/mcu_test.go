//go:build e2e

package hostlib

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A wire joins a microcontroller's UART to boatd's terminal. The terminal stays
// open when the microcontroller goes, as a line does.
type wire struct {
	mu   sync.Mutex
	tty  *os.File
	mcu  net.Conn
	sent bytes.Buffer // by the microcontroller, in this life
	cut  func(sent []byte) bool
	gone chan struct{} // closed when cut said so
}

// run joins the wire to a terminal and carries what boatd says, until that ends.
func (w *wire) run(tty *os.File) {
	w.mu.Lock()
	w.tty = tty
	w.mu.Unlock()
	buf := make([]byte, 512)
	for {
		n, err := tty.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		if w.mcu != nil {
			_, _ = w.mcu.Write(buf[:n]) // one that has gone hears nothing
		}
		w.mu.Unlock()
	}
}

// connect carries what the microcontroller says, until it ends or is cut off.
func (w *wire) connect(c net.Conn) {
	w.mu.Lock()
	w.mcu = c
	w.sent.Reset()
	w.mu.Unlock()
	defer c.Close()
	buf := make([]byte, 1)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		w.mu.Lock()
		w.sent.Write(buf)
		over := w.cut != nil && w.cut(w.sent.Bytes())
		_, _ = w.tty.Write(buf) // a boatd that is away hears nothing
		if over {
			w.mcu = nil
			close(w.gone)
		}
		w.mu.Unlock()
		if over {
			return
		}
	}
}

// An mcu is an emulated microcontroller, one life after another, on a box.
type mcu struct {
	*box
	wire   *wire
	listen *net.UnixListener
	log    string // file of its second UART, of this life
	cmd    *exec.Cmd
	lives  int
}

func newMCU(t *testing.T, b *box) *mcu {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: b.path("u.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m := &mcu{box: b, wire: &wire{}, listen: l}
	go m.wire.run(b.open())
	t.Cleanup(func() {
		m.off()
		if t.Failed() {
			t.Logf("the microcontroller's log ends with:\n%s", m.said())
		}
	})
	return m
}

// on switches the microcontroller on, with the number of its order where it
// keeps that. With cut it is cut off when that says so of what it has sent.
func (m *mcu) on(order uint32, cut func(sent []byte) bool) {
	m.t.Helper()
	m.lives++
	m.log = m.path(fmt.Sprintf("mcu%d.log", m.lives))
	m.wire.mu.Lock()
	m.wire.cut, m.wire.gone = cut, make(chan struct{})
	m.wire.mu.Unlock()
	m.cmd = exec.Command("qemu-system-arm", "-M", "mps2-an385", "-nographic", "-monitor", "none",
		"-kernel", program(m.t, "host/mcu.elf"),
		"-chardev", "socket,id=u0,path="+m.path("u.sock"), "-serial", "chardev:u0", "-serial", "file:"+m.log,
		"-device", fmt.Sprintf("loader,addr=0x21000000,data=%d,data-len=4", order))
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		m.t.Fatalf("%v; make e2e installs it", err)
	}
	if err := m.listen.SetDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	c, err := m.listen.Accept()
	if err != nil {
		m.t.Fatalf("the microcontroller does not start: %v", err)
	}
	go m.wire.connect(c)
}

// off takes the power away.
func (m *mcu) off() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill() // it may have ended by itself
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

func (m *mcu) said() string {
	text, err := os.ReadFile(m.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return string(text)
}

// hears waits until the log has a line of the pattern and returns its groups.
func (m *mcu) hears(pattern string) []string {
	m.t.Helper()
	re := regexp.MustCompile(`(?m)` + pattern + `\r$`)
	var found []string
	m.eventually("the microcontroller says "+pattern, func() bool {
		said := m.said()
		if strings.Contains(said, "FAIL") {
			m.t.Fatalf("the microcontroller fails")
		}
		found = re.FindStringSubmatch(said)
		return found != nil
	})
	return found
}

const (
	payee = "0x000000000000000000000000000000000000b0a7"
	pay   = 1e16 // wei, 0.01ether
)

// TestE2EMCU: a microcontroller sets the PIN, makes a wallet, pays and sees it
// confirmed, over its UART.
func TestE2EMCU(t *testing.T) {
	t.Parallel()
	m := newMCU(t, newBox(t))
	m.on(0, nil)
	address := m.hears(`wallet (0x[0-9a-fA-F]{40})`)[1]
	m.fund(address)
	pass := m.hears(`^PASS (\d+) ([0-9a-f]{64})`)
	m.succeeded(pass[2])
	m.paid(address, payee, pay)
}

// atByte cuts off behind byte n.
func atByte(n int) func([]byte) bool {
	return func(sent []byte) bool { return len(sent) >= n }
}

// inOrder cuts off n bytes behind the beginning of an order.
func inOrder(n int) func([]byte) bool {
	return func(sent []byte) bool {
		_, after, found := bytes.Cut(sent, []byte("AT+BOATSEND"))
		return found && len(after) >= n
	}
}

// TestE2EMCUReset: a microcontroller is reset at any byte of what it sends, a
// dozen times for each order, and every order is carried out once.
func TestE2EMCUReset(t *testing.T) {
	t.Parallel()
	m := newMCU(t, newBox(t))
	m.on(0, nil)
	address := m.hears(`wallet (0x[0-9a-fA-F]{40})`)[1]
	m.fund(address)
	m.hears(`^PASS (\d+) ([0-9a-f]{64})`)
	m.off()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const lives = 12
	for i := range lives {
		cut := atByte(1 + random.IntN(330))
		if i%2 == 1 {
			cut = inOrder(random.IntN(100)) // the line has 88 bytes behind its name; then it waits
		}
		m.on(1, cut)
		m.eventually("the microcontroller is cut off", func() bool {
			select {
			case <-m.wire.gone:
				return true
			default:
				return strings.Contains(m.said(), "PASS") // the order was done before
			}
		})
		m.off()
	}
	m.on(1, nil)
	pass := m.hears(`^PASS (\d+) ([0-9a-f]{64})`)
	m.succeeded(pass[2])
	m.paid(address, payee, pay, pay)
}

// TestE2EMCURestart: boatd is killed as soon as it has an order, and once more
// while the microcontroller waits for its end. It unlocks the new boatd, gives
// the order again and pays once.
func TestE2EMCURestart(t *testing.T) {
	t.Parallel()
	m := newMCU(t, newBox(t))
	ordered := make(chan struct{}, 1)
	m.on(7, func(sent []byte) bool {
		if bytes.HasSuffix(sent, []byte("ether\"")) {
			select {
			case ordered <- struct{}{}:
			default:
			}
		}
		return false
	})
	address := m.hears(`wallet (0x[0-9a-fA-F]{40})`)[1]
	m.fund(address)
	select {
	case <-ordered:
	case <-time.After(patience):
		t.Fatalf("no order within %v", patience)
	}
	for i := range 2 {
		if err := m.boatd.Kill(); err != nil {
			t.Fatal(err)
		}
		m.start()
		go m.wire.run(m.open())
		m.eventually("the microcontroller sees that boatd was started anew", func() bool {
			return strings.Count(m.said(), "boatd answers again") > i
		})
	}
	m.succeeded(m.hears(`^PASS (\d+) ([0-9a-f]{64})`)[2])
	m.paid(address, payee, pay)
}
