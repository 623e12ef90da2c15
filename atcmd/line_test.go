package atcmd

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A linePort is a port with a line.
type linePort struct {
	*memPort
	state LineState
	err   error
}

func (p *linePort) Line(set *LineState) (LineState, error) {
	if set != nil && p.err == nil {
		p.mu.Lock()
		p.out.WriteString("<line changes>")
		p.mu.Unlock()
		p.state = *set
	}
	return p.state, p.err
}

// The line changes when the final result has left in the old way.
func TestLineSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		port := &linePort{memPort: newMemPort(), state: LineState{Baud: 115200}}
		h := b.openOn("uart", port.memPort, port)
		h.say("ATE0\r", "ATE0\r"+ok)
		h.say("AT+IPR?;+IFC?\r", info("+IPR: 115200", "+IFC: 0,0")+ok)
		h.say("AT+IPR=921600\r", ok+"<line changes>")
		h.say("AT+IFC=2,2\r", ok+"<line changes>")
		h.say("AT+IPR?;+IFC?\r", info("+IPR: 921600", "+IFC: 2,2")+ok)
		h.say("AT+IFC=1,1\r", bad)
		h.say("AT+IFC=2,0\r", bad)
		h.say("AT+IFC=0\r", ok+"<line changes>")
		h.say("AT+IPR=1200\r", bad)
		if want := (LineState{Baud: 921600}); port.state != want {
			t.Errorf("line is %+v, want %+v", port.state, want)
		}
		port.err = errors.New("no line any more")
		h.say("AT+CMEE=1;+IPR=9600\r", cme(codeUnknown))
		h.close()
	})
}

// Reading a line that has gone is a failure, not an answer.
func TestLineGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		port := &linePort{memPort: newMemPort(), err: errors.New("gone")}
		h := b.openOn("uart", port.memPort, port)
		h.say("ATE0\r", "ATE0\r"+ok)
		h.say("AT+IPR?\r", bad)
		h.say("AT+IFC?\r", bad)
		h.close()
	})
}

// An echo port answers each read at once; it measures the session alone.
type echoPort struct {
	*memPort
	final chan struct{}
}

func (p *echoPort) Write(b []byte) (int, error) {
	if n := len(b); n >= 4 && string(b[n-4:]) == "OK\r\n" {
		p.final <- struct{}{}
	}
	return len(b), nil
}

// ask returns a function that sends a line and waits for its OK.
func ask(tb testing.TB, line string) func() {
	b := newBench(tb)
	port := &echoPort{memPort: newMemPort(), final: make(chan struct{})}
	go b.server.Serve(tb.Context(), port, ChannelInfo{Name: "uart"})
	send := []byte(line)
	return func() {
		port.in <- send
		<-port.final
	}
}

// From the line to its answer is at most 30 allocations: on a module with
// 256 MB the collector should have nothing to do while hosts poll.
func TestAllocations(t *testing.T) {
	for _, line := range []string{"AT\r", "AT+BOATNUMBER=17,3,\"left\"\r", "AT+BOATCFG?\r", "AT+BOATSOURCE=\"x:00112233445566778899\"\r"} {
		f := ask(t, line)
		n := testing.AllocsPerRun(100, f)
		t.Logf("%q: %v allocations", line, n)
		if n > 30 {
			t.Errorf("%q: %v allocations", line, n)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	for _, line := range []string{"AT\r", "AT+BOATNUMBER=17,3,\"left\"\r"} {
		b.Run(line[:len(line)-1], func(b *testing.B) {
			f := ask(b, line)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

func TestEarliest(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct{ a, b, want time.Time }{
		{time.Time{}, time.Time{}, time.Time{}},
		{now, time.Time{}, now},
		{time.Time{}, now, now},
		{now, now.Add(1), now},
		{now.Add(1), now, now},
	} {
		if got := earliest(c.a, c.b); !got.Equal(c.want) {
			t.Errorf("earliest(%v, %v) = %v", c.a, c.b, got)
		}
	}
}
