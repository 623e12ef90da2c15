//go:build e2e

package e2e

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A tap is a listener that counts what goes over its sockets, both ways, and
// the connections.
type tap struct {
	net.Listener
	bytes, conns atomic.Int64
}

func (l *tap) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.conns.Add(1)
	return &tapped{c, l}, nil
}

type tapped struct {
	net.Conn
	tap *tap
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tap.bytes.Add(int64(n))
	return n, err
}

func (c *tapped) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.tap.bytes.Add(int64(n))
	return n, err
}

// zipped compresses answers where the client asks for it, as public servers do.
func zipped(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		h.ServeHTTP(zipWriter{w, z}, r)
	})
}

type zipWriter struct {
	http.ResponseWriter
	zip io.Writer
}

func (w zipWriter) Write(b []byte) (int, error) { return w.zip.Write(b) }

// A metered is a proxy over TLS with an ordinary chain of certificates (a leaf
// and one intermediate, P-256) that counts bytes on its sockets and resumed
// handshakes.
type metered struct {
	*proxy
	tap     *tap
	ca      string // line of configuration
	chain   int    // bytes of certificates
	resumed atomic.Int64
}

func newMetered(t testing.TB, n *node) *metered {
	t.Helper()
	root := newAuthority(t)
	m := &metered{proxy: &proxy{node: n}, ca: "ca_file = " + strconv.Quote(root.file)}
	secure := ordinary(t, root)
	for _, der := range secure.Certificates[0].Certificate {
		m.chain += len(der)
	}
	secure.VerifyConnection = func(s tls.ConnectionState) error {
		if s.DidResume {
			m.resumed.Add(1)
		}
		return nil
	}
	s := httptest.NewUnstartedServer(zipped(m.proxy))
	m.tap = &tap{Listener: s.Listener}
	s.Listener, s.TLS, s.EnableHTTP2 = m.tap, secure, true
	s.StartTLS()
	m.proxy.server, m.proxy.url = s, s.URL
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return m
}

// ordinary is a server's configuration with a chain as public authorities issue
// it: leaf and intermediate, with the extensions that make up most of their size.
func ordinary(t testing.TB, root *authority) *tls.Config {
	t.Helper()
	sign := func(template *x509.Certificate, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour)
	serial := new(big.Int).Lsh(big.NewInt(0x5a5a), 120)
	policy := []x509.OID{}
	if oid, err := x509.ParseOID("2.23.140.1.2.1"); err == nil {
		policy = append(policy, oid)
	}
	middle := newKey(t)
	issuer := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{Country: []string{"US"}, Organization: []string{"Example Trust Services"}, CommonName: "E1"},
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IssuingCertificateURL: []string{"http://x1.i.example.org/"}, CRLDistributionPoints: []string{"http://x1.c.example.org/"}, Policies: policy}
	issuerDER := sign(issuer, root.cert, middle, root.key.(*ecdsa.PrivateKey))
	parsed, err := x509.ParseCertificate(issuerDER)
	if err != nil {
		t.Fatal(err)
	}
	stamps := make([]byte, 242) // two signed certificate timestamps
	rand.Read(stamps)
	key := newKey(t)
	leaf := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "rpc.example.org"}, DNSNames: []string{"rpc.example.org"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: from, NotAfter: to, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IssuingCertificateURL: []string{"http://e1.i.example.org/"}, CRLDistributionPoints: []string{"http://e1.c.example.org/14.crl"}, Policies: policy,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: stamps}}}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{sign(leaf, parsed, key, middle), issuerDER}, PrivateKey: key}}}
}

// What a payment may cost on the air, in bytes, from the order to its inclusion
// in a block: the first one after a start, and one right behind another.
const (
	coldMost = 6 << 10
	warmMost = 3 << 10

	// inTime is how many requests a payment takes whose block is there at the first
	// look. A machine that is busy makes its blocks late: each look before one
	// takes two more requests, and so many bytes.
	inTime   = 3
	lookMost = 1400
)

// A payment is what one cost.
type payment struct {
	bytes   int64
	before  int // requests before the transaction left
	all     int // requests
	resumed bool
}

// within says whether a payment cost at most so much, but for looks at a chain
// that was late.
func (p payment) within(most int64) bool {
	return p.bytes <= most+int64(max(0, p.all-inTime)/2*lookMost)
}

// TestE2EBytes counts what payments cost on the air, handshakes included, on a
// chain with a block a second: over the first connection ever, warm, and after a
// restart. BOATSTAT counts the same.
func TestE2EBytes(t *testing.T) {
	t.Parallel()
	for _, resumed := range []bool{true, false} {
		t.Run(map[bool]string{true: "kept session", false: "full handshake"}[resumed], func(t *testing.T) {
			t.Parallel()
			testBytes(t, resumed)
		})
	}
}

func testBytes(t *testing.T, resumed bool) {
	m := newMetered(t, ownGeth(t, gethOptions{period: 1}))
	b := newBench(t, m.node, 0, setup{networks: []network{{endpoints: []string{m.url}, lines: m.ca}}})
	var left atomic.Int64 // requests when the transaction left
	m.set(fault{before: func(q *question) {
		if q.Method == "eth_sendRawTransaction" {
			left.Store(int64(m.requests()))
		}
	}})
	var last uint64
	pay := func(ref string) payment {
		t.Helper()
		bytes, asked, resumed := m.tap.bytes.Load(), m.requests(), m.resumed.Load()
		last = b.send("w", ref, nobody(t, 1), "7")
		b.wait(last, included)
		p := payment{m.tap.bytes.Load() - bytes, int(left.Load()) - asked - 1, m.requests() - asked, m.resumed.Load() > resumed}
		t.Logf("%s: %d bytes, %d requests before it left, %d in all, resumed %v", ref, p.bytes, p.before, p.all, p.resumed)
		return p
	}
	t.Logf("the server's certificates have %d bytes", m.chain)
	pay("contact")
	if p := pay("warm"); !p.within(warmMost) || p.before > 2 {
		t.Errorf("warm: %+v, at most %d bytes and 2 requests", p, warmMost)
	}
	f := fields(b.ok(`AT+BOATSTAT="net"`)[0])
	told, on := int64(number(t, f[4])+number(t, f[5]))*1000, m.tap.bytes.Load()
	if told > on || told < on-2000 { // each is rounded down
		t.Errorf("BOATSTAT tells %d bytes, the sockets %d", told, on)
	}
	for id := range last {
		b.ends(id+1, confirmed, noReason)
	}
	if !resumed {
		m.server.TLS.SetSessionTicketKeys([][32]byte{{1}})
	}
	idle := m.requests()
	b.boatd.restart(false)
	b.reconnect()
	if n := m.requests() - idle; n != 0 {
		t.Errorf("%d requests at a start, with nothing open", n)
	}
	if p := pay("cold"); !p.within(coldMost) || p.resumed != resumed {
		t.Errorf("cold: %+v, at most %d bytes", p, coldMost)
	}
	if n := m.tap.conns.Load(); n != 2 {
		t.Errorf("%d connections in two starts", n)
	}
}

// eventMost is what a look for events may cost that finds none, in bytes: how far
// the chain is, and what was logged since.
const eventMost = 2300

// TestE2EEventBytes counts what it costs to follow a contract that is silent, on
// a chain with a block a second.
func TestE2EEventBytes(t *testing.T) {
	t.Parallel()
	m := newMetered(t, ownGeth(t, gethOptions{period: 1}))
	b := newBench(t, m.node, 0, setup{networks: []network{{endpoints: []string{m.url}, lines: m.ca}}})
	var looks atomic.Int64
	m.set(fault{before: func(q *question) {
		if q.Method == "eth_getLogs" {
			looks.Add(1)
		}
	}})
	b.ok(`AT+BOATSUBADD="net","%s","Ping(uint256)"`, nobody(t, 1))
	eventually(t, "the first looks", func() bool { return looks.Load() >= 2 })
	from, bytes, asked := looks.Load(), m.tap.bytes.Load(), m.requests()
	eventually(t, "more looks", func() bool { return looks.Load() >= from+5 })
	n := looks.Load() - from
	each := (m.tap.bytes.Load() - bytes) / n
	t.Logf("%d bytes and %.1f requests a look", each, float64(m.requests()-asked)/float64(n))
	if each > eventMost {
		t.Errorf("%d bytes a look, at most %d", each, eventMost)
	}
}
