package atcmd

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// urcBench is a bubble with a session that wants events of the mask 1.
func urcBench(t *testing.T, f func(t *testing.T, b *bench, h *host)) {
	t.Helper()
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"urc\",1\r")
		h.take()
		time.Sleep(time.Second)
		f(t, b, h)
	})
}

func urc(seq, id int) string { return info(fmt.Sprintf(`+BOATURC: %d,"tx",%d,4,0`, seq, id)) }

func (h *host) expect(want string) {
	h.t.Helper()
	if got := h.take(); got != want {
		h.t.Errorf("session wrote\n     %q\nwant %q", got, want)
	}
}

func TestNoEventsByDefault(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		b.feed.log(tx(1))
		time.Sleep(time.Minute)
		h.silence()
		h.send("AT+BOATCFG=\"urc\",1\r")
		h.take()
		time.Sleep(time.Minute)
		h.silence() // what was before is read with commands
		b.feed.log(tx(2))
		h.expect(urc(2, 2))
	})
}

func TestSessionStartsNow(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		b.feed.log(tx(1))
		late := b.open()
		time.Sleep(time.Minute)
		late.silence()
		b.feed.log(tx(2))
		late.expect(urc(2, 2))
		h.expect(urc(1, 1) + urc(2, 2))
		late.close()
	})
}

func TestEventMask(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		b.feed.log(URC{Mask: 2, Name: "event", Fields: []any{1}})
		b.feed.log(URC{Mask: 1, Name: "tx", Fields: []any{uint32(5), "x"}})
		h.expect(info(`+BOATURC: 2,"tx",5,"x"`))
		h.send("AT+BOATCFG=\"urc\",66\r")
		h.take()
		b.feed.log(tx(3))
		b.feed.log(URC{Mask: 64, Name: "alarm", Fields: []any{30, "modem"}})
		time.Sleep(urcPause)
		h.expect(info(`+BOATURC: 4,"alarm",30,"modem"`))
	})
}

func TestEventHash(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"urchash\",1\r")
		h.take()
		u := tx(2147483647)
		b.feed.last = 4294967294
		b.feed.log(u)
		time.Sleep(urcPause)
		want := info(`+BOATURC: 4294967295,"tx",2147483647,4,0,"` + u.Hash + `"`)
		if len(want) > infoMax {
			t.Errorf("longest code has %d bytes", len(want))
		}
		h.expect(want)
		b.feed.last = 0
	})
}

func TestEventsWaitForTheLine(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+CM")
		b.feed.log(tx(1))
		time.Sleep(time.Second)
		h.silence()
		h.say("EE?\r", info("+CMEE: 0")+ok)
		time.Sleep(urcPause - time.Millisecond)
		h.silence()
		time.Sleep(time.Millisecond)
		h.expect(urc(1, 1))

		h.send("AT+CM")
		b.feed.log(tx(2))
		time.Sleep(lineIdle)
		h.expect(urc(2, 2))
	})
}

func TestEventsWaitForTheCommand(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATHANG\r")
		b.feed.log(tx(1))
		time.Sleep(time.Second)
		h.silence()
		b.release <- struct{}{}
		h.expect(ok)
		time.Sleep(urcPause)
		h.expect(urc(1, 1))
	})
}

// After a final result the host has 20 ms, however often it asks.
func TestEventsWaitAfterEveryFinal(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		b.feed.log(tx(1))
		h.expect(urc(1, 1))
		h.say("AT\r", ok)
		b.feed.log(tx(2))
		for range 5 {
			time.Sleep(urcPause - time.Millisecond)
			h.say("AT\r", ok)
		}
		time.Sleep(urcPause)
		h.expect(urc(2, 2))
	})
}

func TestEventsWaitForAnA(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("A")
		b.feed.log(tx(1))
		time.Sleep(prefixMax - time.Millisecond)
		h.silence()
		time.Sleep(time.Millisecond)
		h.expect(urc(1, 1))
		h.say("T\r", ok)
		time.Sleep(urcPause)

		h.send("A")
		b.feed.log(tx(2))
		h.say("x", urc(2, 2)) // the A was nothing
	})
}

func TestHoldEvents(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"hold\",1\r")
		h.take()
		b.feed.log(tx(1))
		b.feed.log(tx(2))
		time.Sleep(time.Minute)
		h.silence()
		h.say("AT+BOATCFG=\"hold\",0\r", info(`+BOATCFG: "hold",0`)+ok)
		time.Sleep(urcPause)
		h.expect(urc(1, 1) + urc(2, 2))
	})
}

// Sessions of one channel share the setting, and the other one lets go too.
func TestHoldIsOfTheChannel(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"hold\",1\r")
		other := b.open()
		other.send("ATE0\r")
		b.feed.log(tx(1))
		time.Sleep(time.Minute)
		h.take()
		other.take()
		h.say("AT+BOATCFG=\"hold\",0\r", info(`+BOATCFG: "hold",0`)+ok)
		other.expect(urc(1, 1))
		time.Sleep(urcPause)
		h.expect(urc(1, 1))
		other.close()
	})
}

func TestEventFraming(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.say("ATV0\r", "0\r")
		time.Sleep(urcPause)
		b.feed.log(tx(1))
		h.expect(`+BOATURC: 1,"tx",1,4,0` + "\r")
		h.say("ATV1Q1\r", "")
		time.Sleep(urcPause)
		b.feed.log(tx(2))
		h.silence()
		h.say("ATQ0\r", ok)
		time.Sleep(urcPause)
		h.silence()
		b.feed.log(tx(3))
		h.expect(urc(3, 3))
	})
}

// A code that breaks a rule shows as an alarm, not as it is.
func TestBadEvent(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		for i, u := range []URC{
			{Mask: 1, Name: "tx", Fields: []any{"NO CARRIER"}},
			{Mask: 1, Name: "tx", Fields: []any{"a\r\nOK\r\n"}},
			{Mask: 1, Name: "tx", Fields: []any{"\"x"}},
			{Mask: 1, Name: "tx", Fields: []any{strings.Repeat("x", 100)}},
			{Mask: 1, Name: "tx", Fields: []any{1, 2, 3, 4, 5, 6, 7}},
		} {
			b.feed.log(u)
			h.expect(info(fmt.Sprintf(`+BOATURC: %d,"alarm",7099,""`, i+1)))
		}
		if n := strings.Count(b.log.String(), "unsolicited code breaks a rule"); n != 5 {
			t.Errorf("%d log lines", n)
		}
	})
}

// A host that does not read loses nothing and delays nobody.
func TestEventsToAStuckHost(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		other := b.open()
		free := h.port.stick()
		for i := range 300 {
			b.feed.log(tx(i))
		}
		other.take()
		time.Sleep(time.Second)
		b.feed.log(tx(999))
		other.expect(urc(301, 999))
		free()
		got := h.take()
		if n := strings.Count(got, "+BOATURC"); n != 301 {
			t.Errorf("%d events after the host reads again", n)
		}
		other.close()
	})
}

// Input that comes amid a burst is answered before the rest of the burst.
func TestInputAmidABurst(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		free := h.port.stick()
		b.feed.log(tx(1))
		synctest.Wait() // in the middle of the first
		for i := 2; i <= 5; i++ {
			b.feed.log(tx(i))
		}
		h.send("AT\r")
		free()
		h.expect(urc(1, 1) + ok)
		time.Sleep(urcPause)
		h.expect(urc(2, 2) + urc(3, 3) + urc(4, 4) + urc(5, 5))
	})
}

// A ringPort has a ring indicator.
type ringPort struct {
	*memPort
	rings []string
	start time.Time
}

func (p *ringPort) Ring(on bool) error {
	p.rings = append(p.rings, fmt.Sprintf("%v %v", on, time.Since(p.start)))
	return nil
}

func TestRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		port := &ringPort{memPort: newMemPort()}
		h := b.openOn("uart", port.memPort, port)
		h.send("ATE0;+BOATCFG=\"urc\",1;+BOATCFG=\"ri\",120;+BOATCFG=\"wake\",500\r")
		h.take()
		time.Sleep(time.Second)
		rings := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if fmt.Sprint(port.rings) != fmt.Sprint(want) {
				t.Errorf("rings %v, want %v", port.rings, want)
			}
			port.rings, port.start = nil, time.Now()
		}

		port.start = time.Now()
		b.feed.log(tx(1))
		b.feed.log(tx(2))
		time.Sleep(620*time.Millisecond - time.Nanosecond)
		h.silence()
		time.Sleep(time.Nanosecond)
		h.expect(urc(1, 1) + urc(2, 2))
		rings("true 0s", "false 120ms")

		// What is suppressed does not ring.
		h.say("ATQ1\r", "")
		time.Sleep(time.Second)
		b.feed.log(tx(0))
		time.Sleep(time.Second)
		h.say("ATQ0\r", ok)
		rings()
		b.feed.codes, b.feed.last = nil, 2
		b.server.all()[0].urc.cursor = 2

		// A host that talks is awake.
		b.feed.log(tx(3))
		time.Sleep(50 * time.Millisecond)
		h.say("AT\r", ok)
		time.Sleep(urcPause)
		h.expect(urc(3, 3))
		rings("true 0s", "false 50ms")

		// Hold in the middle of a pulse ends it.
		b.feed.log(tx(4))
		time.Sleep(50 * time.Millisecond)
		h.send("AT+BOATCFG=\"hold\",1\r")
		h.take()
		time.Sleep(time.Second)
		h.silence()
		rings("true 0s", "false 50ms")

		// So does the end of the session.
		h.send("AT+BOATCFG=\"hold\",0\r")
		time.Sleep(time.Second)
		h.take()
		rings("true 0s", "false 120ms")
		b.feed.log(tx(5))
		time.Sleep(50 * time.Millisecond)
		h.close()
		rings("true 0s", "false 50ms")
	})
}

// Without a ring indicator the pause alone happens.
func TestWakeWithoutRing(t *testing.T) {
	urcBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"ri\",120;+BOATCFG=\"wake\",500\r")
		h.take()
		time.Sleep(time.Second)
		b.feed.log(tx(1))
		time.Sleep(500*time.Millisecond - time.Nanosecond)
		h.silence()
		time.Sleep(time.Nanosecond)
		h.expect(urc(1, 1))
	})
}
