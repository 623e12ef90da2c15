// Package sessions keeps the TLS sessions of networks in the journal, sealed, so
// that a handshake after a restart is a short one. It is a cache: whatever goes
// wrong with it costs a full handshake and nothing else.
package sessions

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/tee"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
)

// A session on flash is sealed, version 1:
//
//	1 byte    the version
//	24 bytes  nonce, random
//	the rest  XChaCha20-Poly1305 of the session, its key as associated data
//
// The cipher's key is HKDF-SHA-256(KEK, no salt, kekInfo).
const (
	sealVersion = 1
	nonceEnd    = 1 + chacha20poly1305.NonceSizeX

	kekInfo = "boatd tls session, version 1"
)

// every is how often a session that is renewed all the time is written, in
// seconds of running time: servers take one for a day or more.
const every = 6 * 60 * 60

// A Config is what a Store is made of.
type Config struct {
	Book   *book.Book
	Sealer tee.Sealer
	Rand   io.Reader
	Log    *slog.Logger
}

// A Store is the sessions of a device. It is a chains.Sessions.
type Store struct {
	cfg Config

	mu    sync.Mutex
	fresh map[string]session // of this boot
}

type session struct {
	plain   []byte // nil: forgotten
	changed bool   // not on flash as it is
	tried   bool   // to write it
	written uint64 // running time then
}

// New returns a store of what is in the book.
func New(cfg Config) *Store { return &Store{cfg: cfg, fresh: map[string]session{}} }

// Load returns the session under a key, nil for none. One that cannot be opened
// is forgotten.
func (s *Store) Load(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.fresh[key]; ok {
		return f.plain
	}
	var kept *ledger.Session
	s.cfg.Book.View(func(st *ledger.State) { kept = st.Sessions[key] })
	if kept == nil {
		return nil
	}
	plain, err := s.open(key, kept.Blob)
	if err != nil {
		s.cfg.Log.Info("a kept TLS session is of no use", "err", err)
	}
	s.fresh[key] = session{plain: plain, changed: plain == nil, tried: plain != nil, written: kept.Written}
	return plain
}

// Keep takes a session in memory, in the place of the one before; nil, or one
// that is too large, forgets it. Write brings it to flash.
func (s *Store) Keep(key string, plain []byte) {
	if len(plain) > ledger.MaxSession-nonceEnd-chacha20poly1305.Overhead {
		plain = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.fresh[key]
	if !ok {
		if len(s.fresh) >= ledger.MaxSessions {
			return
		}
		s.cfg.Book.View(func(st *ledger.State) {
			if kept := st.Sessions[key]; kept != nil {
				f.tried, f.written = true, kept.Written
			}
		})
	}
	f.plain, f.changed = plain, true
	s.fresh[key] = f
}

// Forget drops all sessions in memory, after the ledger has.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.fresh)
}

// Write brings to flash what is due: the first session under a key at once, what
// changes it after some hours, and at an orderly stop all. A failure is tried
// again when the next one is due.
func (s *Store) Write(ctx context.Context, stop bool) {
	for key, plain := range s.due(stop) {
		if err := s.write(ctx, key, plain); err != nil {
			s.cfg.Log.Warn("a TLS session was not kept", "err", err)
			s.postpone(key)
		}
	}
}

// postpone has a session that was not written tried again when it is due.
func (s *Store) postpone(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.fresh[key]; ok {
		f.changed = true
		s.fresh[key] = f
	}
}

// due takes out what is to be written now, by its keys.
func (s *Store) due(stop bool) map[string][]byte {
	now := s.cfg.Book.Running()
	s.mu.Lock()
	defer s.mu.Unlock()
	due := map[string][]byte{}
	for key, f := range s.fresh {
		if f.changed && (stop || !f.tried || now >= f.written+every) {
			due[key] = f.plain
			f.changed, f.written, f.tried = false, now, true
			s.fresh[key] = f
		}
	}
	return due
}

// write writes one session, or that it is forgotten.
func (s *Store) write(ctx context.Context, key string, plain []byte) error {
	rec := ledger.Session{Key: key, Written: s.cfg.Book.Running()}
	if plain != nil {
		aead, err := s.aead(ctx)
		if err != nil {
			return err
		}
		blob := make([]byte, nonceEnd, nonceEnd+len(plain)+aead.Overhead())
		blob[0] = sealVersion
		if _, err := io.ReadFull(s.cfg.Rand, blob[1:]); err != nil {
			return fmt.Errorf("reading random bytes for a nonce: %w", err)
		}
		rec.Blob = aead.Seal(blob, blob[1:nonceEnd], plain, []byte(key))
	}
	return s.cfg.Book.Update(func(u *book.Update) error {
		old := u.State().Sessions[key]
		if rec.Blob == nil && old == nil {
			return nil
		}
		if old == nil {
			s.makeRoom(u)
		}
		u.Add(rec)
		return nil
	})
}

// makeRoom drops one that this boot has not used, if there are too many.
func (s *Store) makeRoom(u *book.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range u.State().Sessions {
		if _, used := s.fresh[key]; !used && len(u.State().Sessions) >= ledger.MaxSessions {
			u.Add(ledger.Session{Key: key})
			return
		}
	}
}

// open returns what is inside a blob.
func (s *Store) open(key string, blob []byte) ([]byte, error) {
	if len(blob) < nonceEnd || blob[0] != sealVersion {
		return nil, fmt.Errorf("opening a TLS session: not one of version %d", sealVersion)
	}
	aead, err := s.aead(context.Background())
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, blob[1:nonceEnd], blob[nonceEnd:], []byte(key))
	if err != nil {
		return nil, fmt.Errorf("opening a TLS session: %w", err)
	}
	return plain, nil
}

// aead returns the cipher of this device's sessions.
func (s *Store) aead(ctx context.Context) (cipher.AEAD, error) {
	kek, err := s.cfg.Sealer.KEK(ctx)
	if err != nil {
		return nil, fmt.Errorf("sealing TLS sessions: %w", err)
	}
	defer secret.Wipe(kek)
	key, err := hkdf.Key(sha256.New, kek, nil, kekInfo, chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("sealing TLS sessions: %w", err)
	}
	defer secret.Wipe(key)
	return chacha20poly1305.NewX(key)
}
