package jsonrpc

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
)

// A SessionStore keeps TLS sessions, which are secrets, over restarts.
type SessionStore interface {
	// Load returns what was last kept under a key, nil for nothing.
	Load(key string) []byte
	// Keep keeps a session in the place of the one before; nil forgets it. It
	// does not wait for storage, and what it keeps may be lost.
	Keep(key string, session []byte)
}

// sessions is the newest TLS session with one server under one set of rules whom
// to trust: a tls.ClientSessionCache that outlives the process. What crypto/tls
// does with a session it gets is what makes that safe: the certificates of the
// chain that was verified are judged again, by the present time and the present
// authorities, the host's name is compared, and VerifyConnection, which holds the
// pins, runs. There is no early data (0-RTT): crypto/tls knows it for QUIC only.
type sessions struct {
	key   string
	store SessionStore // nil for none

	mu     sync.Mutex
	loaded bool
	newest *tls.ClientSessionState
}

// Get implements tls.ClientSessionCache.
func (s *sessions) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loaded && s.store != nil {
		if b := s.store.Load(s.key); b != nil {
			s.newest = readSession(b)
		}
	}
	s.loaded = true
	return s.newest, s.newest != nil
}

// Put implements tls.ClientSessionCache. A session that was offered in a handshake
// that failed is put as nil: it is forgotten.
func (s *sessions) Put(_ string, session *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest, s.loaded = session, true
	if s.store != nil {
		s.store.Keep(s.key, writeSession(session))
	}
}

// writeSession encodes a session: the length of the ticket, the ticket, the state.
// It is nil for none, and for one that cannot be encoded.
func writeSession(session *tls.ClientSessionState) []byte {
	if session == nil {
		return nil
	}
	ticket, state, err := session.ResumptionState()
	if err != nil || state == nil || len(ticket) > 1<<16-1 {
		return nil
	}
	b, err := state.Bytes()
	if err != nil {
		return nil
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(ticket)))
	return append(append(out, ticket...), b...)
}

// readSession is nil for anything that writeSession has not written: the
// handshake is a full one then.
func readSession(b []byte) *tls.ClientSessionState {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return nil
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	state, err := tls.ParseSessionState(b[n:])
	if err != nil || n == 2 {
		return nil
	}
	session, err := tls.NewResumptionState(b[2:n:n], state)
	if err != nil {
		return nil
	}
	return session
}

// SessionKey names the rules by which servers are trusted: under other ones a
// session means nothing. A server's name makes it the key of that server's.
func (o TLSOptions) SessionKey() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", o.Pins)
	for _, file := range []string{o.CAFile, o.ClientCert} {
		var content []byte
		if file != "" {
			var err error
			if content, err = os.ReadFile(file); err != nil {
				return "", fmt.Errorf("read certificates: %w", err)
			}
		}
		fmt.Fprintf(h, "%q\n", content)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// Remembering returns a copy of a configuration whose sessions are those under a
// key; store may be nil.
func Remembering(c *tls.Config, key string, store SessionStore) *tls.Config {
	c = c.Clone()
	c.ClientSessionCache = &sessions{key: key, store: store}
	return c
}
