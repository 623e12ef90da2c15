package jsonrpc

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// echo answers one question with "of <method>" without looking at it much.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, _, _ := strings.Cut(strings.SplitAfter(string(body), `"id":`)[1], ",")
	io.WriteString(w, `{"jsonrpc":"2.0","id":`+id+`,"result":"of a"}`)
}

// serve starts a TLS server and returns what trusts it.
func serve(t *testing.T, h http.HandlerFunc, h2 bool) (*httptest.Server, TLSOptions) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = h2
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, TLSOptions{CAFile: ca}
}

func over(t *testing.T, address string, trust TLSOptions, o DialOptions, maxBody int64) *Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if o.TLS, err = trust.Config(); err != nil {
		t.Fatal(err)
	}
	if o.TLS.ClientSessionCache == nil {
		o.TLS = Remembering(o.TLS, "a server", nil)
	}
	if o.Traffic == nil {
		o.Traffic = new(Traffic)
	}
	c := New(Options{URL: u, Connect: Connector(u, o), MaxBody: maxBody, Timeout: 5 * time.Second})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestHTTPS(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		var proto atomic.Value
		var conns atomic.Int32
		s, trust := serve(t, func(w http.ResponseWriter, r *http.Request) {
			proto.Store(r.Proto)
			if r.Header.Get("User-Agent") != "boatd" || r.Header.Get("Content-Type") != "application/json" || len(r.Cookies()) > 0 {
				t.Errorf("header %v", r.Header)
			}
			http.SetCookie(w, &http.Cookie{Name: "c", Value: "v"})
			echo(w, r)
		}, h2)
		var traffic Traffic
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conns.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		var counted atomic.Int64
		count := func(n int) { counted.Add(int64(n)) }
		c := over(t, s.URL, trust, DialOptions{Traffic: &traffic, Dial: dial, Count: count}, 1000)
		for range 5 {
			calls := ask("a")
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if err := c.Do(ctx, calls...); err != nil {
				t.Fatal(err)
			}
			cancel() // must not end the connection
			check(t, calls)
		}
		if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; proto.Load() != want {
			t.Errorf("spoke %v, want %s", proto.Load(), want)
		}
		if conns.Load() != 1 {
			t.Errorf("%d connections for five requests", conns.Load())
		}
		if sent, got := traffic.Sent.Load(), traffic.Received.Load(); sent < 500 || got < 1000 {
			t.Errorf("%d bytes sent and %d received are less than a handshake", sent, got)
		} else if n := counted.Load(); n < int64(sent+got) {
			t.Errorf("%d bytes counted of %d", n, sent+got)
		}
	}
}

func TestVerification(t *testing.T) {
	s, trust := serve(t, echo, false)
	sum := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	pin := hex.EncodeToString(sum[:])
	leaf := s.Certificate()
	for name, c := range map[string]struct {
		url   string
		trust TLSOptions
		ok    bool
	}{
		"trusted":      {s.URL, trust, true},
		"unknown":      {s.URL, TLSOptions{}, false},
		"other name":   {strings.Replace(s.URL, "127.0.0.1", "localhost", 1), trust, false},
		"pinned":       {s.URL, TLSOptions{CAFile: trust.CAFile, Pins: []string{strings.Repeat("00", 32), pin}}, true},
		"other pin":    {s.URL, TLSOptions{CAFile: trust.CAFile, Pins: []string{strings.Repeat("00", 32)}}, false},
		"pin is no CA": {s.URL, TLSOptions{Pins: []string{pin}}, false},
		"too early":    {s.URL, TLSOptions{CAFile: trust.CAFile, Time: func() time.Time { return leaf.NotBefore.Add(-time.Hour) }}, false},
		"in time":      {s.URL, TLSOptions{CAFile: trust.CAFile, Time: func() time.Time { return leaf.NotBefore.Add(time.Hour) }}, true},
		"expired":      {s.URL, TLSOptions{CAFile: trust.CAFile, Time: func() time.Time { return leaf.NotAfter.Add(time.Hour) }}, false},
		"hybrid":       {s.URL, TLSOptions{CAFile: trust.CAFile, Hybrid: true}, true},
	} {
		if err := over(t, c.url, c.trust, DialOptions{}, 1000).Do(t.Context(), ask("a")...); (err == nil) != c.ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A pin holds for a resumed session, too.
func TestPinAfterResumption(t *testing.T) {
	var resumed atomic.Bool
	s, trust := serve(t, func(w http.ResponseWriter, r *http.Request) {
		resumed.Store(r.TLS.DidResume)
		w.Header().Set("Connection", "close")
		echo(w, r)
	}, false)
	sum := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	trust.Pins = []string{hex.EncodeToString(sum[:])}
	c := over(t, s.URL, trust, DialOptions{}, 1000)
	for range 3 {
		if err := c.Do(t.Context(), ask("a")...); err != nil {
			t.Fatal(err)
		}
	}
	if !resumed.Load() {
		t.Error("the session was not resumed")
	}
}

func TestKeyShares(t *testing.T) {
	for _, hybrid := range []bool{false, true} {
		var groups atomic.Value
		s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			groups.Store(h.SupportedCurves)
			if h.SupportedVersions[len(h.SupportedVersions)-1] < tls.VersionTLS12 {
				t.Errorf("offered versions %v", h.SupportedVersions)
			}
			return nil, nil
		}}
		s.StartTLS()
		over(t, s.URL, TLSOptions{Hybrid: hybrid}, DialOptions{}, 1000).Do(t.Context(), ask("a")...)
		s.Close()
		got := groups.Load().([]tls.CurveID)
		if slices.Contains(got, tls.X25519MLKEM768) != hybrid || (got[0] == tls.X25519MLKEM768) != hybrid || len(got) > 3 {
			t.Errorf("hybrid %v: offered %v", hybrid, got)
		}
	}
}

func TestOldTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600)
	if err := over(t, s.URL, TLSOptions{CAFile: ca}, DialOptions{}, 1000).Do(t.Context(), ask("a")...); err == nil {
		t.Error("TLS 1.1 was taken")
	}
}

func TestMutualTLS(t *testing.T) {
	s, trust := serve(t, echo, false)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAnyClientCert, pool
	if err := over(t, s.URL, trust, DialOptions{}, 1000).Do(t.Context(), ask("a")...); err == nil {
		t.Error("served without a certificate")
	}
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	trust.ClientCert, trust.ClientKey = trust.CAFile, filepath.Join(t.TempDir(), "key.pem")
	os.WriteFile(trust.ClientKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)
	if err := over(t, s.URL, trust, DialOptions{}, 1000).Do(t.Context(), ask("a")...); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(empty, nil, 0o600)
	for _, o := range []TLSOptions{
		{CAFile: "/nowhere"}, {CAFile: empty}, {ClientCert: empty, ClientKey: empty}, {ClientCert: empty},
		{Pins: []string{"00"}}, {Pins: []string{strings.Repeat("zz", 32)}},
	} {
		if _, err := o.Config(); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// Redirects are answers that are no answer.
func TestRedirect(t *testing.T) {
	var hits atomic.Int32
	s, trust := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
	}, false)
	err := over(t, s.URL, trust, DialOptions{}, 1000).Do(t.Context(), ask("a")...)
	var status StatusError
	if !errors.As(err, &status) || status != 308 || hits.Load() != 1 {
		t.Errorf("error %v after %d requests", err, hits.Load())
	}
}

// The bound is on what is unpacked, not on what comes over the wire.
func TestDecompression(t *testing.T) {
	size := 100
	s, trust := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("compression is not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		body := `{"jsonrpc":"2.0","id":` + map[int]string{100: "1", 10 << 20: "2"}[size] + `,"result":"of a"}`
		io.WriteString(z, body+strings.Repeat(" ", size))
		z.Close()
	}, false)
	c := over(t, s.URL, trust, DialOptions{}, 1000)
	calls := ask("a")
	if err := c.Do(t.Context(), calls...); err != nil {
		t.Fatal(err)
	}
	check(t, calls)
	size = 10 << 20
	if err := c.Do(t.Context(), ask("a")...); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a bomb: %v", err)
	}
}

func TestEnvironmentProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("NO_PROXY", "")
	plain := httptest.NewServer(http.HandlerFunc(echo))
	defer plain.Close()
	if err := over(t, plain.URL, TLSOptions{}, DialOptions{}, 1000).Do(t.Context(), ask("a")...); err != nil {
		t.Errorf("a proxy of the environment was used: %v", err)
	}
}

// User information of a URL becomes a header and never part of an error.
func TestUserInformation(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "se cret" {
			t.Errorf("user %q, password %q", user, password)
		}
		echo(w, r)
	}))
	c := over(t, strings.Replace(s.URL, "http://", "http://me:se%20cret@", 1)+"/path-key", TLSOptions{}, DialOptions{}, 1000)
	if err := c.Do(t.Context(), ask("a")...); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := c.Do(t.Context(), ask("a")...); err == nil || strings.Contains(err.Error(), "cret") || strings.Contains(err.Error(), "key") {
		t.Errorf("error %v", err)
	}
}

func TestOutward(t *testing.T) {
	judge := Outward([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")})
	for text, ok := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "64:ff9b::5db8:d822": true, "2002:5db8:d822::1": true,
		"::ffff:93.184.216.34": true, "10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::a01:203": true, "fd00:1::1": true,

		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false,
		"0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "fd00:2::1": false, "fc00::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
		"100.64.0.1": false, "100.127.255.255": false, "192.0.0.8": false, "198.18.0.1": false,
		"224.0.0.1": false, "239.1.1.1": false, "ff02::1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::ffff:192.168.1.1": false, "::ffff:100.64.0.1": false, "64:ff9b::c0a8:101": false, "64:ff9b::7f00:1": false,
		"64:ff9b:1::1": false, "2002:7f00:1::": false, "2002:a00:1::": false, "2001::1": false,
	} {
		if err := judge(netip.MustParseAddr(text)); (err == nil) != ok || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", text, err)
		}
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && judge(p.Addr()) == nil {
			t.Errorf("own address %s is allowed", p.Addr())
		}
	}
}

// The address is judged where the connection goes, whatever the name was, and
// before a single byte.
func TestJudgedDial(t *testing.T) {
	var touched atomic.Bool
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ConnState = func(net.Conn, http.ConnState) { touched.Store(true) }
	s.Start()
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	system := func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		err := over(t, "http://"+host+":"+port, TLSOptions{}, DialOptions{Allow: Outward(nil)}, 1000).Do(t.Context(), ask("a")...)
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if touched.Load() {
		t.Error("the server was touched")
	}
	err := over(t, "http://far.example:"+port, TLSOptions{}, DialOptions{Allow: Outward(nil), Dial: system}, 1000).Do(t.Context(), ask("a")...)
	if !errors.Is(err, ErrAddress) {
		t.Errorf("over a dialler of the caller's: %v", err)
	}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if err := over(t, "http://127.0.0.1:"+port, TLSOptions{}, DialOptions{Allow: Outward(loopback)}, 1000).Do(t.Context(), ask("a")...); err != nil {
		t.Errorf("inside an allowed prefix: %v", err)
	}
}

func TestPorts(t *testing.T) {
	for address, want := range map[string]string{
		"https://far.example/": "far.example:443", "http://far.example": "far.example:80",
		"https://far.example:8545": "far.example:8545", "https://[2001:db8::1]/": "[2001:db8::1]:443",
	} {
		got := ""
		stop := errors.New("stop")
		o := DialOptions{Dial: func(_ context.Context, _, address string) (net.Conn, error) { got = address; return nil, stop }}
		if err := over(t, address, TLSOptions{}, o, 1000).Do(t.Context(), ask("a")...); !errors.Is(err, stop) || got != want {
			t.Errorf("%s: dialled %q (%v), want %q", address, got, err, want)
		}
	}
}
