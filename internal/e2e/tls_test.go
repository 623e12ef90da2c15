//go:build e2e

package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// An authority signs certificates for loopback servers.
type authority struct {
	key  crypto.Signer
	cert *x509.Certificate
	file string // of its certificate
}

// A certificate is what makes one unlike another.
type certificate struct {
	host     string // default 127.0.0.1
	from, to time.Time
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newAuthority makes an authority that is good for a century.
func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: newKey(t), file: filepath.Join(shortDir(t), "ca.pem")}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(100, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// serve returns the configuration of a server with a new certificate.
func (a *authority) serve(t testing.TB, c certificate) *tls.Config {
	t.Helper()
	if c.from.IsZero() {
		c.from, c.to = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: c.from, NotAfter: c.to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if c.host == "" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		template.DNSNames = []string{c.host}
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}}
}

// pin is what pin_sha256 wants of a server.
func pin(c *tls.Config) string {
	sum := sha256.Sum256(c.Certificates[0].Leaf.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// TestE2ECertificates shows boatd servers that are not whom they say they are.
// Nothing is sent to them, the reason is shown, and a good one is used at once.
func TestE2ECertificates(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	a, stranger := newAuthority(t), newAuthority(t)
	good := a.serve(t, certificate{})
	ca := "ca_file = " + strconv.Quote(a.file)
	rows := []struct {
		name  string
		serve *tls.Config
		lines string
		works bool
	}{
		{"good", good, ca, true},
		{"good and pinned", good, ca + "\npin_sha256 = [\"" + pin(good) + `"]`, true},
		{"hybrid", good, ca, true},
		{"another pin", good, ca + "\npin_sha256 = [\"" + pin(stranger.serve(t, certificate{})) + `"]`, false},
		{"another authority", stranger.serve(t, certificate{}), ca, false},
		{"not by the system's authorities", good, "", false},
		{"expired", a.serve(t, certificate{from: time.Now().Add(-48 * time.Hour), to: time.Now().Add(-time.Hour)}), ca, false},
		{"not yet valid", a.serve(t, certificate{from: time.Now().Add(24 * time.Hour), to: time.Now().Add(48 * time.Hour)}), ca, false},
		{"wrong host", a.serve(t, certificate{host: "rpc.example.org"}), ca, false},
		{"old protocol", &tls.Config{Certificates: good.Certificates, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, ca, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, n, row.serve)
			s := setup{networks: []network{{endpoints: []string{p.url}, depth: 1, lines: row.lines}}}
			if row.name == "hybrid" {
				s.tables = "[net]\nkey_exchange = \"hybrid\"\n"
			}
			b := newBench(t, n, 1, s)
			id := b.send("w", "tls", nobody(t, 1), "7")
			if !row.works {
				b.shows(id, accepted, unreachable)
				b.fails(unreachable, `AT+BOATBAL="w"`)
				if p.requests() != 0 {
					t.Errorf("%d requests went to a server that was not to be trusted", p.requests())
				}
				s.networks[0] = network{endpoints: []string{startProxy(t, n, good).url}, depth: 1, lines: ca}
				b.boatd.configure(s)
				b.boatd.restart(true)
				b.reconnect()
			}
			b.one(0, b.ends(id, confirmed, noReason).hash)
		})
	}
}
