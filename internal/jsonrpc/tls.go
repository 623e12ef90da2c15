package jsonrpc

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"
)

// TLSOptions say whom an https connection trusts.
type TLSOptions struct {
	CAFile     string   // PEM certificates trusted instead of the system's; "" for the system's
	Pins       []string // SHA-256 of public keys (SubjectPublicKeyInfo), hex; one must be in the chain
	ClientCert string   // PEM files for mutual TLS, both or none
	ClientKey  string
	Time       func() time.Time // when certificates are judged; nil for the system's clock
	Hybrid     bool             // offer the post-quantum key share, 1.2 KB a handshake
}

// Config reads the files and returns a client configuration that verifies the
// server. There is no option that turns that off.
func (o TLSOptions) Config() (*tls.Config, error) {
	c := &tls.Config{
		MinVersion:       tls.VersionTLS12,
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
		Time:             o.Time,
	}
	if o.Hybrid {
		c.CurvePreferences = append([]tls.CurveID{tls.X25519MLKEM768}, c.CurvePreferences...)
	}
	var err error
	if o.CAFile != "" {
		if c.RootCAs, err = ReadCAs(o.CAFile); err != nil {
			return nil, err
		}
	}
	if o.ClientCert != "" || o.ClientKey != "" {
		pair, err := tls.LoadX509KeyPair(o.ClientCert, o.ClientKey)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if len(o.Pins) > 0 {
		pins, err := parsePins(o.Pins)
		if err != nil {
			return nil, err
		}
		c.VerifyConnection = func(s tls.ConnectionState) error { return checkPins(s, pins) }
	}
	return c, nil
}

// ReadCAs reads a file of PEM certificates.
func ReadCAs(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificates: no PEM certificate in %q", file)
	}
	return pool, nil
}

func parsePins(texts []string) ([][]byte, error) {
	pins := make([][]byte, len(texts))
	for i, text := range texts {
		pin, err := hex.DecodeString(text)
		if err != nil || len(pin) != sha256.Size {
			return nil, fmt.Errorf("%q is not a SHA-256 in hex", text)
		}
		pins[i] = pin
	}
	return pins, nil
}

var errPin = errors.New("the server shows none of the pinned keys")

// checkPins looks for a pinned key in the chains that were verified, not in
// what the server sent beside them. It runs for resumed sessions, too.
func checkPins(s tls.ConnectionState, pins [][]byte) error {
	for _, chain := range s.VerifiedChains {
		for _, cert := range chain {
			sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
			for _, pin := range pins {
				if bytes.Equal(pin, sum[:]) {
					return nil
				}
			}
		}
	}
	return errPin
}
