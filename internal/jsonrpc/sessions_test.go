package jsonrpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// flash is a session store that lasts.
type flash struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (f *flash) Load(key string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept[key]
}

func (f *flash) Keep(key string, b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept[key] = b
}

// A device asks a server as a program does that has just started.
type device struct {
	t       *testing.T
	server  *httptest.Server
	flash   *flash
	resumed atomic.Bool
}

func newDevice(t *testing.T, versions uint16) (*device, TLSOptions) {
	d := &device{t: t, flash: &flash{kept: map[string][]byte{}}}
	s, trust := serve(t, func(w http.ResponseWriter, r *http.Request) {
		d.resumed.Store(r.TLS.DidResume)
		echo(w, r)
	}, true)
	s.TLS.MaxVersion = versions
	d.server = s
	return d, trust
}

// start asks once, over a new connection, with nothing but what was kept.
func (d *device) start(trust TLSOptions) (resumed bool, err error) {
	d.t.Helper()
	u, err := url.Parse(d.server.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := trust.Config()
	if err != nil {
		d.t.Fatal(err)
	}
	key, err := trust.SessionKey()
	if err != nil {
		d.t.Fatal(err)
	}
	c = Remembering(c, key, d.flash)
	client := New(Options{URL: u, MaxBody: 1000, Timeout: 5 * time.Second, Connect: Connector(u, DialOptions{TLS: c, Traffic: new(Traffic)})})
	defer client.Close()
	d.resumed.Store(false)
	err = client.Do(context.Background(), ask("a")...)
	return d.resumed.Load(), err
}

func (d *device) want(what string, trust TLSOptions, resumed bool) {
	d.t.Helper()
	if got, err := d.start(trust); err != nil || got != resumed {
		d.t.Errorf("%s: resumed %v, want %v: %v", what, got, resumed, err)
	}
}

func pinOf(s *httptest.Server) string {
	sum := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// TestSessionsLast: the first handshake after a restart is a short one, as long as
// the server is trusted by the same rules.
func TestSessionsLast(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		d, trust := newDevice(t, version)
		d.want("the first start", trust, false)
		d.want("the second", trust, true)
		d.want("the third", trust, true)
		// Other rules, other sessions.
		pinned := trust
		pinned.Pins = []string{pinOf(d.server)}
		d.want("with a pin", pinned, false)
		d.want("with a pin, again", pinned, true)
		other := pinned
		other.Pins = []string{hex.EncodeToString(make([]byte, 32)), pinned.Pins[0]}
		d.want("with another pin beside it", other, false)
		pem, err := os.ReadFile(trust.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		moved := trust
		moved.CAFile = filepath.Join(t.TempDir(), "moved.pem")
		if err := os.WriteFile(moved.CAFile, pem, 0o600); err != nil {
			t.Fatal(err)
		}
		d.want("the same authorities in another file", moved, true)
		if err := os.WriteFile(moved.CAFile, append([]byte("\n"), pem...), 0o600); err != nil {
			t.Fatal(err)
		}
		d.want("another file of authorities", moved, false)
	}
}

// TestSessionsJudged: a kept session helps nobody past what crypto/tls judges
// again: the time, the authorities and the pins, even where its key is right.
func TestSessionsJudged(t *testing.T) {
	d, trust := newDevice(t, tls.VersionTLS13)
	d.want("the first start", trust, false)
	good := bytes.Clone(d.flash.kept[only(t, d.flash)])
	late := trust
	late.Time = func() time.Time { return d.server.Certificate().NotAfter.Add(time.Hour) }
	if resumed, err := d.start(late); err == nil || resumed {
		t.Errorf("an expired certificate: resumed %v, %v", resumed, err)
	}
	// The same bytes under the key of other rules, as nobody could put them there.
	stranger := trust
	stranger.Pins = []string{hex.EncodeToString(make([]byte, 32))}
	key, err := stranger.SessionKey()
	if err != nil {
		t.Fatal(err)
	}
	d.flash.Keep(key, good)
	if resumed, err := d.start(stranger); err == nil || resumed {
		t.Errorf("a pin that nothing has: resumed %v, %v", resumed, err)
	}
	system := TLSOptions{}
	if key, err = system.SessionKey(); err != nil {
		t.Fatal(err)
	}
	d.flash.Keep(key, good)
	if resumed, err := d.start(system); err == nil || resumed {
		t.Errorf("authorities that do not know the server: resumed %v, %v", resumed, err)
	}
}

// only returns the only key of a store.
func only(t *testing.T, f *flash) string {
	t.Helper()
	if len(f.kept) != 1 {
		t.Fatalf("%d sessions", len(f.kept))
	}
	for key := range f.kept {
		return key
	}
	return ""
}

// TestSessionsDamaged: what is kept may be anything; the handshake is a full one
// then, and works.
func TestSessionsDamaged(t *testing.T) {
	d, trust := newDevice(t, tls.VersionTLS13)
	d.want("the first start", trust, false)
	key := only(t, d.flash)
	good := bytes.Clone(d.flash.kept[key])
	for _, n := range []int{0, 1, 2, 3, 100, len(good) / 2, len(good) - 1} {
		d.flash.Keep(key, good[:n])
		d.want("cut short", trust, false)
	}
	d.flash.Keep(key, append([]byte{0, 0}, good[2+int(good[0])<<8+int(good[1]):]...))
	d.want("without a ticket", trust, false)
	ticket := bytes.Clone(good)
	ticket[20] ^= 1
	d.flash.Keep(key, ticket)
	d.want("a ticket that the server does not know", trust, false)
	broken := 0
	for i := range 40 {
		b := bytes.Clone(good)
		b[i*len(b)/40] ^= 0x55
		d.flash.Keep(key, b)
		// The server may break off when the secret is not the ticket's; then the
		// session is gone, and the next handshake is a full one.
		if _, err := d.start(trust); err != nil {
			broken++
			d.want("and once more", trust, false)
		}
		d.want("and the time after", trust, true)
	}
	if broken == 0 {
		t.Error("no change of a byte had the server break off")
	}
}

// TestNoEarlyData: a session that says that it may carry early data is not used
// for it over TCP.
func TestNoEarlyData(t *testing.T) {
	d, trust := newDevice(t, tls.VersionTLS13)
	d.want("the first start", trust, false)
	s := readSession(d.flash.kept[only(t, d.flash)])
	_, state, err := s.ResumptionState()
	if err != nil || state.EarlyData {
		t.Errorf("early data %v, %v", state.EarlyData, err)
	}
}

func FuzzSession(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 7, 3, 4, 2, 0x13, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := readSession(b); s != nil && readSession(writeSession(s)) == nil {
			t.Error("what was read cannot be written and read again")
		}
	})
}
