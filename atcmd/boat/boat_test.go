package boat_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"testing"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/atcmd/boat"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/soft"
	"github.com/boatd/boatd/tee/device"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
)

// A line is a port that a test types into and that keeps the last answer.
type line struct {
	in     chan []byte
	answer []byte
	final  chan struct{}
}

func (l *line) Read(b []byte) (int, error) {
	typed, ok := <-l.in
	if !ok {
		return 0, io.EOF
	}
	return copy(b, typed), nil
}

func (l *line) Write(b []byte) (int, error) {
	l.answer = append(l.answer, b...)
	if bytes.HasSuffix(b, []byte("\r\nOK\r\n")) || bytes.HasSuffix(b, []byte("ERROR\r\n")) {
		l.final <- struct{}{}
	}
	return len(b), nil
}

func (l *line) Close() error { return nil }

// settings are kept by the wallet, as the daemon does it.
type settings struct{ host *boat.Host }

func (s settings) Load(channel string) ([]byte, error)   { return s.host.ChannelSettings(channel), nil }
func (s settings) Save(channel string, set []byte) error { return s.host.SaveChannel(channel, set) }

// newLine is a session with a device in memory that has a key, a peer, a wallet
// with coin and a transaction that waits.
func newLine(t testing.TB) *line {
	t.Helper()
	chain := chaintest.NewRandomNonce(chaintest.Options{})
	h := chain.Harness()
	disk := crashfs.New()
	quiet := slog.New(slog.DiscardHandler)
	sealer := device.New(device.Options{FS: disk, Rand: rand.Reader, IDs: []string{"/serial"},
		ReadID: func(string) ([]byte, error) { return []byte("4711"), nil }})
	m, err := wallet.Open(t.Context(), wallet.Config{
		FS: disk, Rand: rand.Reader, Now: time.Now, Log: quiet, Protocols: chains.NewRegistry(h.Protocol),
		Networks: []chains.Config{{Name: "net", Protocol: h.Config.Protocol, Options: h.Config.Options}},
		Stores:   []keystore.Store{soft.New(sealer, rand.Reader)}, Sealer: sealer,
		PINCost: access.MinimalCost(), KeepEnded: 50, QueueMax: 64,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	host := &boat.Host{Start: time.Now(), Items: map[string]string{"version": "1"}, Bearer: func() bool { return true }, LockAll: func() {}, Reload: func() {}, Log: quiet}
	table, err := atcmd.NewTable(atcmd.StandardRows(), atcmd.ChannelRows(), host.Rows())
	if err != nil {
		t.Fatal(err)
	}
	server, err := atcmd.NewServer(atcmd.Config{Table: table, Settings: settings{host}, Feed: boat.NewFeed(host), Locked: host.Locked, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	host.SetManager(m, true)
	l := &line{in: make(chan []byte), final: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(ctx, l, atcmd.ChannelInfo{Name: "uart"})
	}()
	t.Cleanup(func() { cancel(); close(l.in); <-served })
	l.ok(t, `ATE0+CMEE=1`)
	l.ok(t, `AT+BOATWALADD="w0","net"`)
	address, err := m.Address("w0")
	if err != nil {
		t.Fatal(err)
	}
	chain.Fund(address, big.NewInt(1e18))
	to, err := m.AddWallet(t.Context(), "w1", "net", "")
	if err != nil {
		t.Fatal(err)
	}
	l.ok(t, fmt.Sprintf(`AT+BOATPEERADD="p0","net","%s"`, to))
	l.ok(t, `AT+BOATSEND="w0","order-1","p0","1"`)
	return l
}

// say types a line and returns what comes, up to the final result.
func (l *line) say(typed []byte) []byte {
	l.answer = l.answer[:0]
	l.in <- typed
	<-l.final
	return l.answer
}

func (l *line) ok(t testing.TB, typed string) {
	t.Helper()
	if got := l.say([]byte(typed + "\r")); !bytes.HasSuffix(got, []byte("\r\nOK\r\n")) {
		t.Fatalf("%s: %q", typed, got)
	}
}

// polls are what hosts ask again and again.
var polls = []string{
	`AT+BOATREADY?`, `AT+BOATIDLE?`, `AT+BOATPIN?`, `AT+BOATERR?`, `AT+BOATTIME?`, `AT+BOATSTAT="net"`, `AT+BOATINFO="version"`,
	`AT+BOATTXGET=1`, `AT+BOATTXTRY=1`, `AT+BOATTXREF="w0","order-1"`, `AT+BOATTXLST?`, `AT+BOATEVTLST?`,
	`AT+BOATWALLST?`, `AT+BOATPEERLST?`, `AT+BOATKEYLST?`, `AT+BOATKEYGET="w0"`, `AT+BOATKEYPUB="w0"`, `AT+BOATADDR="w0"`, `AT+BOATNETLST?`,
}

// TestAllocations: from the line to its answer, through the wallet and back, a
// poll is at most 30 allocations: on a module with 256 MB the collector should
// have nothing to do while hosts ask.
func TestAllocations(t *testing.T) {
	l := newLine(t)
	for _, poll := range polls {
		l.ok(t, poll)
		typed := []byte(poll + "\r")
		if n := testing.AllocsPerRun(50, func() { l.say(typed) }); n > 30 {
			t.Errorf("%s: %v allocations", poll, n)
		} else {
			t.Logf("%s: %v allocations", poll, n)
		}
	}
}

// BenchmarkPoll is the time from a line to its answer.
func BenchmarkPoll(b *testing.B) {
	l := newLine(b)
	for _, poll := range polls {
		b.Run(poll[2:], func(b *testing.B) {
			typed := []byte(poll + "\r")
			b.ReportAllocs()
			for b.Loop() {
				l.say(typed)
			}
		})
	}
}
