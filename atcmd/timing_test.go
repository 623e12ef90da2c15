package atcmd

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
)

const escape = "\x1b"

func TestUnfinishedLineIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, _ *bench, h *host) {
		h.send("AT+CM")
		time.Sleep(lineIdle - time.Millisecond)
		h.say("EE?\r", info("+CMEE: 0")+ok)

		h.send("AT+CM")
		time.Sleep(lineIdle - time.Millisecond)
		h.send("E")
		time.Sleep(lineIdle)
		h.silence()
		h.say("E?\r", "")
		h.say("AT\r", ok)

		h.send("AT" + strings.Repeat("x", line.Max))
		time.Sleep(lineIdle)
		h.say("\r", "")
		h.say("AT\r", ok)
	})
}

func TestAbort(t *testing.T) {
	for _, c := range []struct {
		name    string
		setup   string
		at      time.Duration
		send    string
		aborted bool
		then    string // answered after the command
	}{
		{"escape", "", abortFree, escape, true, ""},
		{"escape in the first 125 ms", "", abortFree - time.Millisecond, escape, false, ""},
		{"another byte", "", time.Second, "x", false, ""},
		{"the next line", "", time.Second, "AT+CMEE?\r", false, info("+CMEE: 1") + ok},
		{"a line and escape", "", time.Second, "AT+CMEE?\r" + escape, true, info("+CMEE: 1") + ok},
		{"escape in a line", "", time.Second, "AT+CM" + escape + "EE?\r", true, info("+CMEE: 1") + ok},
		{"lf and nul, any character", "AT+BOATCFG=\"abort\",1\r", time.Second, "\n\x00", false, ""},
		{"a character, any character", "AT+BOATCFG=\"abort\",1\r", time.Second, "\n\x00x", true, ""},
		{"a line, any character", "AT+BOATCFG=\"abort\",1\r", time.Second, "xAT\r", true, ok},
		{"any character in the first 125 ms", "AT+BOATCFG=\"abort\",1\r", abortFree - time.Millisecond, "AT\r", false, ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, _ *bench, h *host) {
				h.send("AT+CMEE=1\r" + c.setup)
				h.take()
				h.say("AT+BOATNET\r", "")
				began := time.Now()
				time.Sleep(c.at)
				h.send(c.send)
				want := info("+BOATNET: 1") + cme(codeAborted) + c.then
				if !c.aborted {
					h.silence()
					time.Sleep(time.Minute - time.Since(began))
					want = info("+BOATNET: 1") + cme(codeTimeout) + c.then
				}
				if got := h.take(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// Only rows that say so are aborted.
func TestAbortSteady(t *testing.T) {
	bubble(t, func(t *testing.T, _ *bench, h *host) {
		h.send("AT+CMEE=1;+BOATCFG=\"abort\",1;+BOATSTEADY\r")
		h.take()
		time.Sleep(time.Second)
		h.send(escape + "x")
		time.Sleep(28 * time.Second)
		h.silence()
		time.Sleep(time.Second)
		if got, want := h.take(), cme(codeTimeout); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestClassTimes(t *testing.T) {
	for _, c := range []struct {
		setup, line string
		want        time.Duration
	}{
		{"", "AT+BOATSTEADY\r", 30 * time.Second},
		{"", "AT+BOATNET\r", time.Minute},
		{"AT+BOATCFG=\"nettimeout\",5\r", "AT+BOATNET\r", 5 * time.Second},
		{"", "AT+BOATOWN=150\r", 150 * time.Second},
	} {
		bubble(t, func(t *testing.T, _ *bench, h *host) {
			h.send("AT+CMEE=1\r" + c.setup)
			h.take()
			h.send(c.line)
			time.Sleep(c.want - time.Millisecond)
			h.silence()
			time.Sleep(time.Millisecond)
			if got := h.take(); !strings.HasSuffix(got, cme(codeTimeout)) {
				t.Errorf("%q after %v: %q", c.line, c.want, got)
			}
		})
	}
}

// What comes while a command runs is echoed and run after its final result.
func TestHeldLines(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("ATE1\r", ok)
		h.say("AT+BOATHANG\r\nAT+CM", "AT+BOATHANG\r")
		h.say("EE?\rAT", "")
		b.release <- struct{}{}
		if got, want := h.take(), ok+"AT+CMEE?\r"+info("+CMEE: 0")+ok+"AT"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// More than a line is left to the port, and nothing of it is lost.
func TestHeldIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATHANG\r")
		go func() {
			for range 1000 {
				h.port.in <- []byte("AT+CMEE?\r")
			}
		}()
		synctest.Wait()
		if n := len(b.server.all()[0].held); n < line.Max-readSize || n > line.Max+readSize {
			t.Errorf("%d bytes are held", n)
		}
		b.release <- struct{}{}
		if got, want := h.take(), ok+strings.Repeat(info("+CMEE: 0")+ok, 1000); got != want {
			t.Errorf("%d bytes of answers, want %d", len(got), len(want))
		}
	})
}

func TestAutoLock(t *testing.T) {
	bubble(t, func(t *testing.T, _ *bench, h *host) {
		h.send("AT+BOATPIN=\"1234\"\rAT+BOATCFG=\"autolock\",10\rAT+BOATDATAHX=0,0,\"00\"\r")
		h.take()
		time.Sleep(9999 * time.Millisecond)
		h.say("AT+BOATPRIVATE\r", ok)
		time.Sleep(9999 * time.Millisecond)
		h.say("AT+BOATPRIVATE\r", ok)
		time.Sleep(10 * time.Second)
		h.say("AT+BOATPRIVATE\r", bad)
		h.say("AT+BOATPIN=\"1234\";+BOATDATALST?\r", ok)
		h.say("AT+BOATCFG=\"autolock\",0\r", info(`+BOATCFG: "autolock",0`)+ok)
		time.Sleep(time.Hour)
		h.say("AT+BOATPRIVATE\r", ok)
	})
}

// A host that hangs up aborts what can be aborted; the rest runs to its end.
func TestHangUpWhileRunning(t *testing.T) {
	for _, c := range []struct {
		line string
		want time.Duration
	}{{"AT+BOATNET\r", 0}, {"AT+BOATSTEADY\r", 30 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			h := newBench(t).open()
			h.send(c.line)
			began := time.Now()
			if err := h.close(); err != nil || time.Since(began) != c.want {
				t.Errorf("%q: session ended after %v with %v", c.line, time.Since(began), err)
			}
		})
	}
}

// When the daemon stops, every command's context ends, and nothing of its
// line runs after.
func TestStopWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		h.send("AT+BOATSTEADY\r")
		began := time.Now()
		h.stop()
		if err := <-h.done; !errors.Is(err, context.Canceled) || time.Since(began) != 0 {
			t.Errorf("session ended after %v with %v", time.Since(began), err)
		}

		h = b.open()
		h.send("AT+BOATHANG;+BOATAFTER\r")
		h.stop()
		b.release <- struct{}{}
		<-h.done
		if len(b.after) != 0 {
			t.Error("the rest of the line was run")
		}
	})
}

// An event about an id comes after the OK that returned the id, on any channel.
func TestAfterFinal(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"urc\",1\r")
		h.take()
		other := b.openOn("other", newMemPort(), nil)
		other.send("ATE0;+BOATCFG=\"urc\",1\r")
		time.Sleep(time.Second)
		other.take()

		h.send("AT+BOATAFTER;+BOATHANG\r")
		other.silence()
		if len(b.after) != 0 {
			t.Error("called before the final result of the line")
		}
		b.release <- struct{}{}
		if got, want := h.take(), info("+BOATAFTER: 7")+ok; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := other.take(), info(`+BOATURC: 1,"tx",7,4,0`); got != want {
			t.Errorf("other channel: got %q, want %q", got, want)
		}
		time.Sleep(urcPause)
		if got, want := h.take(), info(`+BOATURC: 1,"tx",7,4,0`); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		other.close()
	})
}

func TestAfterFinalStuck(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		free := h.port.stick()
		h.send("AT+BOATAFTER\r")
		time.Sleep(stuckTime - time.Millisecond)
		synctest.Wait()
		if len(b.after) != 0 {
			t.Error("called although the output may still leave")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if len(b.after) != 1 {
			t.Error("not called although the output is stuck")
		}
		free()
		if got := h.take(); got != info("+BOATAFTER: 7")+ok {
			t.Errorf("got %q", got)
		}
	})
}

func TestAfterFinalDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		s := b.server.all()[0]
		h.port.stick()
		h.send("AT+BOATAFTER\r")
		h.stop()
		<-h.done
		if len(b.after) != 1 {
			t.Error("not called although the channel has died")
		}
		called := false
		s.after.add(func() { called = true })
		if !called {
			t.Error("not called at once after the end")
		}
	})
}

// A host that does not read blocks its own session and nothing else, and
// closing its port does not wait for it.
func TestStuckHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stuck, h := b.open(), b.open()
		stuck.port.stick()
		stuck.send("AT+BOATMANY=100000\r")
		h.say("ATE0\r", "ATE0\r"+ok)
		h.say("AT+CMEE?\r", info("+CMEE: 0")+ok)
		if err := b.server.Alive(t.Context()); err != nil {
			t.Errorf("a stuck host is not alive: %v", err)
		}
		stuck.stop()
		if err := <-stuck.done; !errors.Is(err, context.Canceled) {
			t.Errorf("session ended with %v", err)
		}
		h.close()
	})
}

// A port whose reader fails frees a session that is stuck in writing to it.
func TestStuckPortFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		port := &failingPort{newMemPort(), make(chan error)}
		h := b.openOn("uart", port.memPort, port)
		port.stick()
		h.send("AT+BOATMANY=1000\r")
		port.fail <- io.ErrUnexpectedEOF
		if err := <-h.done; !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("session ended with %v", err)
		}
	})
}

// A failingPort fails to read when it is told to.
type failingPort struct {
	*memPort
	fail chan error
}

func (p *failingPort) Read(b []byte) (int, error) {
	select {
	case line := <-p.in:
		return copy(b, line), nil
	case err := <-p.fail:
		return 0, err
	}
}

// Long answers leave while the command runs, in order and whole.
func TestManyLines(t *testing.T) {
	bubble(t, func(t *testing.T, _ *bench, h *host) {
		h.send("AT+BOATMANY=100000\r")
		got := h.take()
		if n := strings.Count(got, "\r\n+BOATMANY: "); n != 100000 || !strings.HasSuffix(got, info("+BOATMANY: 99999")+ok) {
			t.Errorf("%d lines, end %q", n, got[max(0, len(got)-40):])
		}
	})
}

func TestAlive(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		check := func(want error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := b.server.Alive(ctx); !errors.Is(err, want) {
				t.Errorf("alive: %v, want %v", err, want)
			}
		}
		check(nil)
		h.send("AT+BOATHANG\r")
		check(nil)
		time.Sleep(ClassTimes[ClassA] + hungTime)
		check(nil)
		time.Sleep(time.Nanosecond)
		check(errHung)
		b.release <- struct{}{}
		h.take()
		check(nil)

		h.send("AT+BOATPIN=\"1234\";+BOATDATAWR=0,100\r")
		check(nil)
		time.Sleep(time.Minute)
		check(nil)
		h.take()
	})
}

// A session whose loop hangs is found out.
func TestAliveSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		release := make(chan struct{})
		b.feed.log(tx(1))
		h := b.open()
		h.send("ATE0\r")
		s := b.server.all()[0]
		s.after.add(func() { <-release }) // what AfterFinal must not be given
		h.send("AT\r")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := b.server.Alive(ctx); !errors.Is(err, errSilent) {
			t.Errorf("alive: %v", err)
		}
		close(release)
		h.close()
	})
}

// A session that waits for its host does not wake up.
func TestIdleSessionSleeps(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("AT+BOATPIN=\"1234\"\r", ok)
		s := b.server.all()[0]
		if at := s.expiry(); !at.IsZero() {
			t.Errorf("wakes up at %v", at)
		}
		if next, _ := s.deliver(time.Now()); !next.IsZero() {
			t.Errorf("wakes up for events at %v", next)
		}
	})
}
