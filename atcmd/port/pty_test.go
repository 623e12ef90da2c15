package port

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
)

// A terminal is a PTY with an AT server on it.
type terminal struct {
	t    *testing.T
	link string
	gone chan struct{} // one for each session that has ended
}

func startPTY(t *testing.T, server *atcmd.Server, change ...func(*PTY)) *terminal {
	t.Helper()
	term := &terminal{t, filepath.Join(t.TempDir(), "at"), make(chan struct{}, 100)}
	p, err := OpenPTY(term.link)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(p)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(term.link); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("link after the end: %v", err)
		}
	})
	start(t, func(ctx context.Context) error {
		return Run(ctx, p, func(ctx context.Context, port atcmd.Port) error {
			defer func() { term.gone <- struct{}{} }()
			return server.Serve(ctx, port, atcmd.ChannelInfo{Name: "bench"})
		}, quiet())
	})
	return term
}

func (term *terminal) dial() *client {
	term.t.Helper()
	return dialTTY(term.t, term.link)
}

// hangUp closes the host's end and waits until boatd has noticed.
func (term *terminal) hangUp(c *client) {
	term.t.Helper()
	c.hangUp()
	select {
	case <-term.gone:
	case <-time.After(patience):
		term.t.Fatal("session does not end")
	}
}

// Each opening of the terminal is a session of its own: echo is on again, the
// lock too, and nothing of the last one is left.
func TestPTYSessions(t *testing.T) {
	term := startPTY(t, newServer(t))
	for range 5 {
		c := term.dial()
		c.say("AT+BOATASK\r", "AT+BOATASK\r\r\n+BOATASK: 0\r\n"+ok)
		c.say("ATE0\r", "ATE0\r"+ok)
		c.say("AT+BOATOPEN;+BOATASK\r", "\r\n+BOATASK: 1\r\n"+ok)
		c.send("AT+CLAC\rAT+CM") // an answer that is not read, and half a line
		term.hangUp(c)
	}
}

// A host can write and close at once, as a shell does.
func TestPTYWriteAndClose(t *testing.T) {
	asked := make(chan bool, 1)
	table, err := atcmd.NewTable([]atcmd.Command{{Name: "+BOATSEEN", Summary: "seen", Forms: atcmd.Exec, Class: atcmd.ClassA,
		Run: func(context.Context, *atcmd.Call) error { asked <- true; return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := atcmd.NewServer(atcmd.Config{Table: table, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	term := startPTY(t, server)
	for range 3 {
		if err := os.WriteFile(term.link, []byte("AT+BOATSEEN\r"), 0); err != nil {
			t.Fatal(err)
		}
		select {
		case <-asked:
		case <-time.After(patience):
			t.Fatal("line was not executed")
		}
	}
}

// Without inotify it is the same, only later.
func TestPTYWithoutInotify(t *testing.T) {
	term := startPTY(t, newServer(t), func(p *PTY) {
		p.watch.Close()
		p.watch = nil
		p.again = 10 * time.Millisecond
	})
	term.dial().say("AT\r", "AT\r"+ok)
}

// A host that does not read blocks its own session only, and hanging up frees it.
func TestPTYStuckHost(t *testing.T) {
	server := newServer(t)
	stuck, free := startPTY(t, server), startPTY(t, server)
	s := stuck.dial()
	s.send("ATE0\rAT+BOATFLOOD\r")
	s.read("ATE0\r" + ok + "\r\n+BOATFLOOD: 0\r\n")
	c := free.dial()
	for range 10 {
		c.say("AT\r", "AT\r"+ok)
	}
	s.choke()
	stuck.hangUp(s)
	s = stuck.dial()
	s.say("AT\r", "AT\r"+ok) // nothing of the flood is left
}

// choke sends until boatd takes no more: then its reader does not see the end.
// On a machine too slow for that this tests less, but nothing wrong.
func (c *client) choke() {
	f := c.io.(*os.File)
	for {
		f.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := f.Write(make([]byte, 1000)); err != nil {
			return
		}
	}
}

// Two terminals at once keep their answers apart.
func TestPTYTwoChannels(t *testing.T) {
	server := newServer(t)
	a, b := startPTY(t, server).dial(), startPTY(t, server).dial()
	a.say("ATE0+CMEE=1\r", "ATE0+CMEE=1\r"+ok)
	for range 20 {
		a.send("AT+CMEE?\r")
		b.send("AT+CMEE?\r")
		b.read("AT+CMEE?\r\r\n+CMEE: 0\r\n" + ok)
		a.read("\r\n+CMEE: 1\r\n" + ok)
	}
}

// Raw bytes pass both ways, whatever the last host made of the terminal.
func TestPTYIsRaw(t *testing.T) {
	term := startPTY(t, newServer(t))
	c := term.dial()
	c.say("AT\r", "AT\r"+ok) // boatd knows that there is a host
	fd := c.io.(*os.File)
	err := control(fd, func(fd int) error {
		tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		if tio.Lflag != 0 || tio.Oflag != 0 || tio.Iflag != 0 {
			t.Errorf("terminal has modes %x %x %x", tio.Iflag, tio.Oflag, tio.Lflag)
		}
		tio.Lflag |= unix.ICANON | unix.ECHO
		tio.Oflag |= unix.OPOST | unix.ONLCR
		return unix.IoctlSetTermios(fd, unix.TCSETS, tio)
	})
	if err != nil {
		t.Fatal(err)
	}
	term.hangUp(c)
	c = term.dial()
	c.say("ATE0+BOATOPEN\r", "ATE0+BOATOPEN\r"+ok)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	c.say("AT+BOATDATAWR=0,256\r\n", "\r\n+BOATDATAWR: 0,256\r\n> ")
	c.say(string(every), "\r\n+BOATDATAWR: 0,256,\"29058c73\"\r\n"+ok)
}

func TestPTYLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "at")

	if err := os.WriteFile(link, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := OpenPTY(link); err == nil {
		p.Close()
		t.Error("a file was replaced")
	}
	if b, _ := os.ReadFile(link); string(b) != "mine" {
		t.Errorf("file holds %q", b)
	}
	os.Remove(link)

	if err := os.Symlink("/nowhere", link); err != nil { // what a crash leaves
		t.Fatal(err)
	}
	p, err := OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	if target, _ := os.Readlink(link); target != p.slave || !strings.HasPrefix(target, "/dev/pts/") {
		t.Errorf("link to %q", target)
	}
	q, err := OpenPTY(link) // another boatd takes over
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if target, _ := os.Readlink(link); target != q.slave {
		t.Errorf("the link of another terminal is gone: %q", target)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}

	if p, err := OpenPTY(filepath.Join(dir, "no", "dir")); err == nil {
		p.Close()
		t.Error("a link without a directory")
	}
}

// Nothing is written while no host has the terminal open, and what the host
// before did not read is not what the next one reads.
func TestPTYClean(t *testing.T) {
	p, err := OpenPTY(filepath.Join(t.TempDir(), "at"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if here, err := p.hostHere(); here || err != nil {
		t.Errorf("host before anyone opened: %v, %v", here, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("open with an ended context: %v", err)
	}

	c := dialTTY(t, p.link)
	port, err := p.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("not read")); err != nil {
		t.Fatal(err)
	}
	c.hangUp()
	if n, err := port.Read(make([]byte, 10)); n != 0 || err == nil || err.Error() != "EOF" {
		t.Errorf("read after the host has gone: %d, %v", n, err)
	}
	if _, err := port.Write([]byte("x")); err == nil {
		t.Error("write after the host has gone")
	}
	c = dialTTY(t, p.link)
	if b := c.waiting(); b != 0 {
		t.Errorf("%d bytes of the last session wait for the next host", b)
	}
	c.send("hello")
	if port, err = p.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := port.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if _, err := port.Write([]byte("old session")); err != nil {
		t.Fatal(err)
	}
	if err := port.Close(); err != nil { // and the host stays
		t.Fatal(err)
	}
	if port, err = p.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("fresh")); err != nil {
		t.Fatal(err)
	}
	c.read("fresh")
}

// waiting returns how many bytes a host has not read.
func (c *client) waiting() (n int) {
	c.t.Helper()
	err := control(c.io.(*os.File), func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// A host that came and went before boatd looked leaves no modes behind.
func TestPTYUnnoticedHost(t *testing.T) {
	p, err := OpenPTY(filepath.Join(t.TempDir(), "at"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	modes := func(change func(*unix.Termios)) {
		t.Helper()
		c := dialTTY(t, p.link)
		defer c.hangUp()
		err := control(c.io.(*os.File), func(fd int) error {
			tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
			if err != nil {
				return err
			}
			change(tio)
			return unix.IoctlSetTermios(fd, unix.TCSETS, tio)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	modes(func(tio *unix.Termios) { tio.Lflag |= unix.ICANON | unix.ECHO })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("open with an ended context: %v", err)
	}
	modes(func(tio *unix.Termios) {
		if tio.Lflag != 0 {
			t.Errorf("modes %#x are left", tio.Lflag)
		}
	})
}
