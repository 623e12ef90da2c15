package atcmd

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// dataBench is a bubble with an unlocked session that answers with numbers.
func dataBench(t *testing.T, f func(t *testing.T, b *bench, h *host)) {
	t.Helper()
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("AT+CMEE=1;+BOATPIN=\"1234\"\r", ok)
		f(t, b, h)
	})
}

func prompt(slot, length int) string {
	return info(fmt.Sprintf("+BOATDATAWR: %d,%d", slot, length)) + "> "
}

func dataDone(slot int, data string) string {
	return info(fmt.Sprintf("+BOATDATAWR: %d,%d,\"%08x\"", slot, len(data), crc32.ChecksumIEEE([]byte(data)))) + ok
}

func TestDataMode(t *testing.T) {
	every := ""
	for i := range 256 {
		every += string([]byte{byte(i)})
	}
	for _, c := range []struct{ name, data string }{
		{"one byte", "x"},
		{"text", "hello"},
		{"every byte", every},
		{"line ends", "\r\n\r\nAT\r\n"},
		{"lf first", "\nabc"},
		{"escape, erase, substitute", "\x1b\b\x1a+++"},
		{"largest", strings.Repeat(every, 256)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dataBench(t, func(t *testing.T, b *bench, h *host) {
				n := len(c.data)
				h.say(fmt.Sprintf("ATE1+BOATDATAWR=3,%d\r", n), "")
				time.Sleep(lineFeedGap)
				if got := h.take(); got != prompt(3, n) {
					t.Fatalf("prompt is %q", got)
				}
				h.say(c.data+"ATE0\r", dataDone(3, c.data)+"ATE0\r"+ok)
				if got := b.server.all()[0].Slot(3); string(got) != c.data {
					t.Errorf("slot holds %d bytes %.20q", len(got), got)
				}
			})
		})
	}
}

// The LF of a host that ends its lines with CR LF is no data.
func TestDataModeLineFeed(t *testing.T) {
	dataBench(t, func(t *testing.T, _ *bench, h *host) {
		h.say("AT+BOATDATAWR=0,3\r\n", prompt(0, 3))
		h.say("abc", dataDone(0, "abc"))

		h.say("AT+BOATDATAWR=0,3\r", "")
		time.Sleep(lineFeedGap / 2)
		h.say("\n", prompt(0, 3))
		h.say("\n\n\n", dataDone(0, "\n\n\n"))

		h.say("AT+BOATDATAWR=0,3\rabcAT\r", prompt(0, 3)+dataDone(0, "abc")+ok)

		h.say("ATV0\r", "0\r")
		h.say("AT+BOATDATAWR=0,1\r\n", "+BOATDATAWR: 0,1\r\n> ")
		h.say("a", "+BOATDATAWR: 0,1,\"e8b7be43\"\r\n0\r")
	})
}

func TestDataModeGap(t *testing.T) {
	for _, sent := range []string{"", "abcd"} {
		dataBench(t, func(t *testing.T, _ *bench, h *host) {
			h.say("AT+BOATDATAWR=0,5\r\nfirst", prompt(0, 5)+dataDone(0, "first"))
			h.say("AT+BOATDATAWR=0,5\r\n", prompt(0, 5))
			h.say(sent, "")
			time.Sleep(dataGap - time.Millisecond)
			h.silence()
			time.Sleep(time.Millisecond)
			if got := h.take(); got != cme(7060) {
				t.Errorf("after %q: %q", sent, got)
			}
			h.say("AT+BOATDATALST?\r", ok)
		})
	}
}

// Every byte starts the gap anew.
func TestDataModeSlow(t *testing.T) {
	dataBench(t, func(t *testing.T, _ *bench, h *host) {
		h.say("AT+BOATDATAWR=0,5\r\n", prompt(0, 5))
		for _, b := range "1234" {
			time.Sleep(dataGap - time.Millisecond)
			h.say(string(b), "")
		}
		h.say("5", dataDone(0, "12345"))
	})
}

// A host too slow for the total time is not taken for one that sends commands.
func TestDataModeTotal(t *testing.T) {
	dataBench(t, func(t *testing.T, _ *bench, h *host) {
		h.say("AT+BOATDATAWR=0,500\r\n", prompt(0, 500))
		began := time.Now()
		for time.Since(began) < 11*time.Second {
			h.say("AT\r", "")
			time.Sleep(100 * time.Millisecond)
		}
		for range 5 {
			h.say("AT+NOTHING\r", "") // still sending: still no commands
			time.Sleep(dataSilence - time.Millisecond)
		}
		h.silence()
		time.Sleep(time.Millisecond)
		if got := h.take(); got != cme(7060) {
			t.Errorf("got %q", got)
		}
		h.say("AT+BOATDATALST?\r", ok)
	})
}

// A host that never stops sending gets its answer all the same.
func TestDataModeEndless(t *testing.T) {
	dataBench(t, func(t *testing.T, _ *bench, h *host) {
		h.say("AT+BOATDATAWR=0,65536\r\n", prompt(0, 65536))
		limit := dataTotal + 65536*time.Second/dataRate
		for began := time.Now(); time.Since(began) < limit+dataTotal-time.Millisecond; {
			h.send("x")
			time.Sleep(100 * time.Millisecond)
		}
		h.say("x", cme(7060))
		h.say("AT\r", ok)
	})
}

func TestDataModeRefused(t *testing.T) {
	dataBench(t, func(t *testing.T, _ *bench, h *host) {
		h.say("AT+BOATDATAWR=0,5\r\nfirst", prompt(0, 5)+dataDone(0, "first"))
		h.say("AT+BOATDATAWR=0,5;+CMEE?\r", cme(3))
		h.say("AT+BOATDATAWR=0,5;\r", cme(3))
		h.say("AT+BOATDATAWR=0,0\r", cme(50))
		h.say("AT+BOATDATAWR=0,65537\r", cme(50))
		h.say("AT+BOATDATAWR=8,1\r", cme(50))
		h.say("AT+BOATDATALST?\r", info(`+BOATDATALST: 0,5,"`+fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte("first")))+`"`)+ok)
		h.say("AT+CMEE?;+BOATDATAWR=0,1\r\nx", info("+CMEE: 1")+prompt(0, 1)+dataDone(0, "x"))
	})
}

// A textPort carries no raw bytes.
type textPort struct{ *memPort }

func (textPort) HasDataMode() bool { return false }

func TestNoDataMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		port := newMemPort()
		h := b.openOn("qmi", port, textPort{port})
		h.send("ATE0+CMEE=1;+BOATPIN=\"1234\"\r")
		h.take()
		h.say("AT+BOATDATAWR=0,5\r", cme(4))
		h.say("AT+BOATDATAHX=0,0,\"00\"\r", info(`+BOATDATAHX: 0,1,"d202ef8d"`)+ok)
		h.close()
	})
}

func TestDataModeHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		h.send("ATE0;+BOATPIN=\"1234\"\rAT+BOATDATAWR=0,5\r\nabc")
		began := time.Now()
		if err := h.close(); err != nil || time.Since(began) != 0 {
			t.Errorf("session ended after %v with %v", time.Since(began), err)
		}
	})
}

// No event is written in data mode.
func TestDataModeIsQuiet(t *testing.T) {
	dataBench(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+BOATCFG=\"urc\",1\r")
		h.take()
		h.say("AT+BOATDATAWR=0,2\r\n", prompt(0, 2))
		b.feed.log(tx(1))
		time.Sleep(time.Second)
		h.say("a", "")
		h.say("b", dataDone(0, "ab"))
		time.Sleep(urcPause)
		if got := h.take(); got != info(`+BOATURC: 1,"tx",1,4,0`) {
			t.Errorf("got %q", got)
		}
	})
}

// What was sent is wiped from the session's own memory when it is in the slot.
func TestDataModeWipes(t *testing.T) {
	dataBench(t, func(t *testing.T, b *bench, h *host) {
		s := b.server.all()[0]
		h.say("AT+BOATDATAWR=0,6\r\nsecret", prompt(0, 6)+dataDone(0, "secret"))
		if data := s.split.Data(); data != nil || bytes.Contains(s.held[:cap(s.held)], []byte("secret")) {
			t.Errorf("session keeps %q %q", data, s.held[:cap(s.held)])
		}
	})
}
