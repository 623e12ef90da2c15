package transcript

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"testing"
)

// A slotStage is a channel that takes data as boatd does, and notes it.
type slotStage struct {
	data chan string
	sum  uint32 // is added to the checksums that it answers
}

func (s *slotStage) Do(context.Context, []string) error { return nil }

func (s *slotStage) Dial(string) (io.ReadWriteCloser, error) {
	host, boatd := net.Pipe()
	go s.serve(boatd)
	return host, nil
}

func (s *slotStage) serve(boatd net.Conn) {
	in := bufio.NewReader(boatd)
	for {
		line, err := in.ReadString('\r')
		if err != nil {
			return
		}
		var slot, n int
		if _, err := fmt.Sscanf(line, "AT+BOATDATAWR=%d,%d\r", &slot, &n); err != nil {
			io.WriteString(boatd, line+"\r\nOK\r\n")
			continue
		}
		fmt.Fprintf(boatd, "\r\n+BOATDATAWR: %d,%d\r\n> ", slot, n)
		data := make([]byte, n)
		if _, err := io.ReadFull(in, data); err != nil {
			return
		}
		s.data <- string(data)
		fmt.Fprintf(boatd, "\r\n+BOATDATAWR: %d,%d,\"%08x\"\r\n\r\nOK\r\n", slot, n, crc32.ChecksumIEEE(data)+s.sum)
	}
}

// TestSlot: a section goes into a slot with its names replaced, a contract as its
// code, and what boatd answers is compared.
func TestSlot(t *testing.T) {
	const script = "-- script --\n#: example Two\n! slot 2 x.json\n! slot 3 Account\n-- file x.json --\n{\"a\": \"{00*2}\"}\n"
	tr, err := Parse("x", script)
	if err != nil {
		t.Fatal(err)
	}
	s := &slotStage{data: make(chan string, 2)}
	if err := new(Player).Play(t.Context(), tr, s); err != nil {
		t.Fatal(err)
	}
	if got := <-s.data; got != `{"a": "0000"}` {
		t.Errorf("the section came as %q", got)
	}
	if got := <-s.data; len(got) != 809 {
		t.Errorf("the code has %d bytes", len(got))
	}
	want := `AT+BOATDATAWR=2,<n>|+BOATDATAWR: 2,<n>|> |{"a": "0000"}|+BOATDATAWR: 2,<n>,"<crc32>"|OK|` +
		`AT+BOATDATAWR=3,809|+BOATDATAWR: 3,809|> |(what deploys Account)|+BOATDATAWR: 3,809,"<crc32>"|OK`
	if e := tr.Excerpts(); len(e) != 1 || strings.Join(e[0].Lines, "|") != want {
		t.Errorf("the manual has %q", e)
	}
	s.sum = 1
	if err := new(Player).Play(t.Context(), tr, s); err == nil {
		t.Error("a wrong checksum was not seen")
	}
	for _, bad := range []string{"slot 2 nothing", "slot 2", "slot 2 x.json x"} {
		if tr, err = Parse("x", "-- script --\n! "+bad+"\n-- file x.json --\n"); err != nil {
			t.Fatal(err)
		}
		if err := new(Player).Play(t.Context(), tr, &slotStage{data: make(chan string, 2)}); err == nil {
			t.Errorf("%q was done", bad)
		}
	}
}
