package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
)

// patience is how long a test waits for what must happen; never for what must not.
const patience = 30 * time.Second

// newServer returns an AT server with the rows of its own package, and rows to
// unlock a session, to ask whether it is, and to write without end.
func newServer(t *testing.T) *atcmd.Server {
	t.Helper()
	run := func(f func(c *atcmd.Call) error) func(context.Context, *atcmd.Call) error {
		return func(_ context.Context, c *atcmd.Call) error { return f(c) }
	}
	table, err := atcmd.NewTable(atcmd.StandardRows(), atcmd.ChannelRows(), []atcmd.Command{
		{Name: "+BOATOPEN", Summary: "unlocks", Forms: atcmd.Exec, Class: atcmd.ClassA,
			Run: run(func(c *atcmd.Call) error { c.Session().Unlock(); return nil })},
		{Name: "+BOATASK", Summary: "says whether it is unlocked", Forms: atcmd.Exec, Class: atcmd.ClassA,
			Run: run(func(c *atcmd.Call) error { c.Info(c.Session().Unlocked()); return nil })},
		{Name: "+BOATFLOOD", Summary: "writes more than a terminal holds", Forms: atcmd.Exec, Class: atcmd.ClassA,
			Run: run(func(c *atcmd.Call) error {
				for i := range 100000 {
					c.Info(i)
				}
				return nil
			})},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := atcmd.NewServer(atcmd.Config{Table: table, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// start runs a channel until the test ends, and checks that it ends.
func start(t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("channel ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("channel does not end")
		}
	})
}

// A client is the host's end of a port.
type client struct {
	t  *testing.T
	io io.ReadWriteCloser
}

// dialTTY opens a terminal as a host does.
func dialTTY(t *testing.T, path string) *client {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &client{t, f}
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.io, s); err != nil {
		c.t.Fatalf("send %q: %v", s, err)
	}
}

// read reads exactly want, or fails.
func (c *client) read(want string) {
	c.t.Helper()
	c.io.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.io, got)
	if err != nil || string(got) != want {
		c.t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}
}

func (c *client) say(send, want string) {
	c.t.Helper()
	c.send(send)
	c.read(want)
}

// until reads until the end of what was read is want.
func (c *client) until(want string) {
	c.t.Helper()
	c.io.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Now().Add(patience))
	var got bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.HasSuffix(got.String(), want) {
		n, err := c.io.Read(buf)
		if err != nil {
			c.t.Fatalf("read %d bytes, %v; want %q", got.Len(), err, want)
		}
		got.Write(buf[:n])
	}
}

func (c *client) hangUp() {
	c.t.Helper()
	if err := c.io.Close(); err != nil {
		c.t.Fatal(err)
	}
}

const ok = "\r\nOK\r\n"

// A fakeOpener opens what it is told, in turn, and writes down when.
type fakeOpener struct {
	mu     sync.Mutex
	fails  int // so many times
	opened []time.Duration
	start  time.Time
}

var errFake = errors.New("no such device")

func (o *fakeOpener) Open(context.Context) (atcmd.Port, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = append(o.opened, time.Since(o.start))
	if o.fails--; o.fails >= 0 {
		return nil, errFake
	}
	return fakePort{}, nil
}

type fakePort struct{}

func (fakePort) Read([]byte) (int, error)    { return 0, io.EOF }
func (fakePort) Write(b []byte) (int, error) { return len(b), nil }
func (fakePort) Close() error                { return nil }

func TestRunPauses(t *testing.T) {
	type life struct {
		d   time.Duration
		err error
	}
	for _, c := range []struct {
		name  string
		fails int
		lives []life
		want  []string
	}{
		{"twice as long each time", 9, []life{{}}, []string{"0s", "100ms", "300ms", "700ms", "1.5s", "3.1s", "6.3s", "12.7s", "22.7s", "32.7s"}},
		{"a short life is a failure", 1, []life{{time.Second, errFake}, {time.Second, errFake}}, []string{"0s", "100ms", "1.3s", "2.7s"}},
		{"a long life is none", 3, []life{{lifeGood, errFake}, {0, errFake}}, []string{"0s", "100ms", "300ms", "700ms", "30.8s", "31s"}},
		{"a host that has gone is none", 3, []life{{time.Second, nil}, {time.Second, errFake}}, []string{"0s", "100ms", "300ms", "700ms", "1.7s", "2.8s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				o := &fakeOpener{fails: c.fails, start: time.Now()}
				err := Run(ctx, o, func(context.Context, atcmd.Port) error {
					if len(c.lives) == 0 {
						stop()
						return nil
					}
					l := c.lives[0]
					c.lives = c.lives[1:]
					if l == (life{}) {
						stop()
						return nil
					}
					time.Sleep(l.d)
					return l.err
				}, quiet())
				if !errors.Is(err, context.Canceled) {
					t.Errorf("ended with %v", err)
				}
				var got []string
				for _, d := range o.opened {
					got = append(got, d.String())
				}
				if strings.Join(got, " ") != strings.Join(c.want, " ") {
					t.Errorf("opened after %v, want %v", got, c.want)
				}
			})
		})
	}
}

// A failure that goes on is in the log once, and the end does not wait for a pause.
func TestRunLogsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), time.Hour+time.Second)
		defer stop()
		began := time.Now()
		o := &fakeOpener{fails: 1 << 30}
		err := Run(ctx, o, nil, slog.New(slog.NewTextHandler(&log, nil)))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Hour+time.Second {
			t.Errorf("ended after %v with %v", time.Since(began), err)
		}
		if n := strings.Count(log.String(), errFake.Error()); n != 1 {
			t.Errorf("%d log lines", n)
		}
	})
}
