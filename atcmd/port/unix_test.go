package port

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/boatd/boatd/atcmd"
)

func startUnix(t *testing.T, server *atcmd.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "at.sock")
	u, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("socket after the end: %v", err)
		}
	})
	start(t, func(ctx context.Context) error {
		return u.Run(ctx, func(ctx context.Context, p atcmd.Port) error {
			return server.Serve(ctx, p, atcmd.ChannelInfo{Name: "local"})
		}, quiet())
	})
	return path
}

func dialUnix(t *testing.T, path string) *client {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{t, c}
}

func TestUnixSessions(t *testing.T) {
	path := startUnix(t, newServer(t))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket has mode %v, %v", info.Mode(), err)
	}
	a, b := dialUnix(t, path), dialUnix(t, path)
	a.say("ATE0+BOATOPEN\r", "ATE0+BOATOPEN\r"+ok)
	b.say("AT+BOATASK\r", "AT+BOATASK\r\r\n+BOATASK: 0\r\n"+ok)
	a.say("AT+BOATASK\r", "\r\n+BOATASK: 1\r\n"+ok)
	a.hangUp()
	b.say("AT\r", "AT\r"+ok)
}

// A host that closes its half after the line gets its answer.
func TestUnixHalfClose(t *testing.T) {
	c := dialUnix(t, startUnix(t, newServer(t)))
	c.send("ATE0\rAT+CFUN?\r")
	if err := c.io.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c.io)
	if want := "ATE0\r" + ok + "\r\n+CFUN: 1\r\n" + ok; err != nil || string(got) != want {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
}

func TestUnixLimit(t *testing.T) {
	path := startUnix(t, newServer(t))
	var all []*client
	for range unixMax {
		c := dialUnix(t, path)
		c.say("AT\r", "AT\r"+ok)
		all = append(all, c)
	}
	for range spareMax { // whoever looks after the daemon is answered, for a while
		c := dialUnix(t, path)
		c.say("AT\r", "AT\r"+ok)
		all = append(all, c)
	}
	refused := dialUnix(t, path)
	refused.io.(net.Conn).SetReadDeadline(time.Now().Add(patience))
	if n, err := refused.io.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection too many reads %d, %v", n, err)
	}
	all[0].hangUp()
	for end := time.Now().Add(patience); ; {
		c := dialUnix(t, path) // as soon as the place is free
		io.WriteString(c.io, "AT\r")
		got := make([]byte, 3)
		if _, err := io.ReadFull(c.io, got); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("place is not given back")
		}
	}
}

// A host that does not read does not keep the daemon from stopping.
func TestUnixStuckHost(t *testing.T) {
	path := startUnix(t, newServer(t))
	stuck, c := dialUnix(t, path), dialUnix(t, path)
	stuck.send("ATE0\rAT+BOATFLOOD\r")
	stuck.read("ATE0\r" + ok + "\r\n+BOATFLOOD: 0\r\n")
	c.say("AT\r", "AT\r"+ok)
}

func TestUnixStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "at.sock")
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if u, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second listener: %v, %v", u, err)
	}
	first.listener.Close() // as after a crash: the socket is left
	second, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket of another was removed: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if u, err := Listen(path); err == nil {
		u.Close()
		t.Error("a file was replaced")
	}
	if b, _ := os.ReadFile(path); string(b) != "mine" {
		t.Errorf("file holds %q", b)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestUnixListenerFails(t *testing.T) {
	u, err := Listen(filepath.Join(t.TempDir(), "at.sock"))
	if err != nil {
		t.Fatal(err)
	}
	u.Close()
	if err := u.Run(t.Context(), nil, quiet()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("run on a closed listener: %v", err)
	}
}
