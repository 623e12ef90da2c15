package port

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
)

// A wire is a terminal whose slave stands in for a serial line: it has no
// modem lines, but keeps what termios says.
func wire(t *testing.T) (master *os.File, device string) {
	t.Helper()
	p := &PTY{}
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { master.Close() })
	if err := control(master, p.unlock); err != nil {
		t.Fatal(err)
	}
	return master, p.slave
}

func openSerial(t *testing.T, s *Serial) *serialPort {
	t.Helper()
	p, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p.(*serialPort)
}

// termios of the line as another process sees it.
func flowOf(t *testing.T, p *serialPort) (on bool) {
	t.Helper()
	err := control(p.beside, func(fd int) (err error) {
		on, err = getFlow(fd)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return on
}

func TestSerialFlow(t *testing.T) {
	_, device := wire(t)
	for _, flow := range []bool{true, false, true} {
		p := openSerial(t, &Serial{Device: device, Baud: 921600, RTSCTS: flow})
		if got := flowOf(t, p); got != flow {
			t.Errorf("RTS/CTS is %v, want %v", got, flow)
		}
		if got, err := p.Line(nil); err != nil || got != (atcmd.LineState{Baud: 921600, RTSCTS: flow}) {
			t.Errorf("line is %+v, %v", got, err)
		}
		// The library's way to set a speed must not lose it.
		want := atcmd.LineState{Baud: 115200, RTSCTS: flow}
		if got, err := p.Line(&want); err != nil || got != want || flowOf(t, p) != flow {
			t.Errorf("line is %+v, %v, RTS/CTS %v", got, err, flowOf(t, p))
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Line(&atcmd.LineState{Baud: 9600}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("line of a closed port: %v", err)
		}
	}
}

func TestSerialSpeed(t *testing.T) {
	master, device := wire(t)
	p := openSerial(t, &Serial{Device: device, Baud: 115200})
	speed := func() (baud uint32) {
		err := control(master, func(fd int) error {
			tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
			if err == nil {
				baud = tio.Cflag & unix.CBAUD
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return baud
	}
	if got := speed(); got != unix.B115200 {
		t.Errorf("speed %#x", got)
	}
	// Above 460800 qemu-user, which runs this test on ARM, knows no speed.
	if _, err := p.Line(&atcmd.LineState{Baud: 460800}); err != nil || speed() != unix.B460800 {
		t.Errorf("speed %#x, %v", speed(), err)
	}
}

func TestSerialLock(t *testing.T) {
	_, device := wire(t)
	p := openSerial(t, &Serial{Device: device, Baud: 115200})
	if q, err := (&Serial{Device: device, Baud: 115200}).Open(t.Context()); !errors.Is(err, ErrInUse) {
		t.Errorf("second opening: %v, %v", q, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	openSerial(t, &Serial{Device: device, Baud: 115200})
}

func TestSerialRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{file, "/dev/null", filepath.Join(t.TempDir(), "none")} {
		if p, err := (&Serial{Device: device, Baud: 115200}).Open(t.Context()); err == nil {
			p.Close()
			t.Errorf("%s was opened", device)
		}
	}
}

// Close frees a reader, and a writer that the host does not read from, without
// waiting for the host.
func TestSerialClose(t *testing.T) {
	master, device := wire(t)
	p := openSerial(t, &Serial{Device: device, Baud: 115200})
	read, write := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := p.Read(make([]byte, 10))
		read <- err
	}()
	go func() {
		_, err := p.Write(make([]byte, 1<<20)) // more than a terminal holds
		write <- err
	}()
	err := control(master, func(fd int) error { // until it has begun
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
		if n == 0 && err == nil {
			err = errors.New("nothing is written")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]chan error{"read": read, "write": write} {
		select {
		case err := <-c:
			if err == nil {
				t.Errorf("%s succeeds on a closed port", name)
			}
		case <-time.After(patience):
			t.Fatalf("%s hangs after close", name)
		}
	}
	if d := time.Since(began); d > patience/2 {
		t.Errorf("close took %v", d)
	}
	if err := p.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// A line that goes away ends the session with an error and is opened again.
func TestSerialSession(t *testing.T) {
	master, device := wire(t)
	server := newServer(t)
	link := filepath.Join(t.TempDir(), "tty")
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	start(t, func(ctx context.Context) error {
		return Run(ctx, &Serial{Device: link, Baud: 115200, RTSCTS: true}, func(ctx context.Context, p atcmd.Port) error {
			return server.Serve(ctx, p, atcmd.ChannelInfo{Name: "uart"})
		}, quiet())
	})
	c := &client{t, master}
	c.untilAnswered()
	c.say("ATE0+BOATOPEN\r", "ATE0+BOATOPEN\r"+ok)
	c.say("AT+IPR?;+IFC?\r", "\r\n+IPR: 115200\r\n\r\n+IFC: 2,2\r\n"+ok)
	c.say("AT+IPR=9600\r", ok)
	c.say("AT+IPR?\r", "\r\n+IPR: 9600\r\n"+ok)

	again, device := wire(t)
	if err := replaceLink(device, link); err != nil {
		t.Fatal(err)
	}
	master.Close()
	c = &client{t, again}
	c.untilAnswered()
	c.say("AT+BOATASK\r", "AT+BOATASK\r\r\n+BOATASK: 0\r\n"+ok)
}

// untilAnswered sends AT as a host does that does not know whether a modem is
// there, until one answers. Before the line is raw the terminal echoes, too.
func (c *client) untilAnswered() {
	c.t.Helper()
	f := c.io.(*os.File)
	buf := make([]byte, 4096)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		c.send("AT\r")
		f.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		got := ""
		for {
			n, err := f.Read(buf)
			if got += string(buf[:n]); err != nil {
				break
			}
		}
		if len(got) > len(ok) && got[len(got)-len(ok):] == ok {
			c.send("AT+CFUN?\r") // behind the answers that are late
			c.until("\r\n+CFUN: 1\r\n" + ok)
			return
		}
	}
	c.t.Fatal("no answer")
}
