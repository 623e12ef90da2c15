// Package device is the seal of a module without secure hardware: a random
// number in a file, mixed with what the board tells about itself.
//
//	KEK = HKDF-SHA-256(32 random bytes of device.key,
//	                   salt = the contents of the device id files,
//	                          each with its length, 4 bytes big-endian, before it,
//	                   info = "boatd device seal, version 1")
//
// A file that does not exist counts as an empty one. The KEK makes keys useless
// on another board; it protects nothing against somebody who has a copy of the
// flash and of the board's ids. Nothing of it stays in memory between two calls.
//
// # Never losing a key that sealed something
//
// A new device.key is written under another name, synced, renamed and the
// directory synced before its KEK is given out for the first time; and since a
// daemon that was killed may have left the last step undone, the first KEK
// after a start syncs the directory again. Renew first overwrites the random
// bytes in place with a mark that says so, then makes a new file: after a power
// cut in between the mark is found, and what is missing is made up for. Any
// other file that does not read whole is ErrDamaged and left alone.
package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/tee"
)

const (
	liveName = "device.key"
	tempName = "device.key.new"
)

// errAbsent: there is no device.key, or one that Renew has destroyed.
var errAbsent = errors.New("there is no device key")

// Options are what a Sealer needs.
type Options struct {
	FS vfs.FS // the state directory
	// IDs are the paths of the device id files, in the order of the configuration.
	IDs []string
	// ReadID reads such a file; fs.ErrNotExist without one. See [ReadID].
	ReadID func(path string) ([]byte, error)
	Rand   io.Reader // a cryptographic source
}

// A Sealer is the device-bound tee.Sealer. It is safe for concurrent use.
type Sealer struct {
	o Options

	mu      sync.Mutex
	settled bool // the name of the file is known to be durable
}

var _ tee.Sealer = (*Sealer)(nil)

// New returns a sealer. It reads and writes nothing: the file is made with the
// first KEK.
func New(o Options) *Sealer { return &Sealer{o: o} }

// Label is "device", or "device-unbound" when there was nothing in any device
// id file as the key was made, and also when that cannot be told.
func (s *Sealer) Label() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.load()
	defer f.root.Wipe()
	bound := err == nil && f.bound()
	if errors.Is(err, errAbsent) {
		ids, err := s.readIDs()
		bound = err == nil && anyContent(ids)
	}
	if bound {
		return "device"
	}
	return "device-unbound"
}

// KEK makes the device key if there is none yet. ErrBinding names what differs
// from when the key was made; it is good again as soon as that is.
func (s *Sealer) KEK(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ids, err := s.readIDs()
	if err != nil {
		return nil, err
	}
	f, err := s.load()
	if errors.Is(err, errAbsent) {
		f, err = s.create(ids)
	}
	defer f.root.Wipe()
	if err != nil {
		return nil, err
	}
	if err := f.check(ids); err != nil {
		return nil, err
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	return f.kek(ids)
}

// Renew makes a new key, bound to the device ids as they are now. From the call
// on the old one may be gone: the caller has journaled that it wants this, and
// asks again until it is done. The random bytes of the old key are overwritten
// in place; whether the flash still holds them in a page that it has put aside
// is not in boatd's hands.
func (s *Sealer) Renew(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	ids, err := s.readIDs()
	if err != nil {
		return err
	}
	f, err := newKeyFile(s.o.Rand, ids) // before anything is destroyed
	if err != nil {
		return err
	}
	defer f.root.Wipe()
	if err := s.overwrite(); err != nil {
		return fmt.Errorf("%w: destroying the old device key: %w", tee.ErrUnavailable, err)
	}
	if err := s.replace(f); err != nil {
		return err
	}
	return s.settle()
}

// load reads the file; errAbsent if there is no key in it.
func (s *Sealer) load() (keyFile, error) {
	b, err := s.readFile()
	defer secret.Wipe(b)
	if errors.Is(err, fs.ErrNotExist) {
		return keyFile{}, errAbsent
	}
	if err != nil {
		return keyFile{}, fmt.Errorf("%w: reading %s: %w", tee.ErrUnavailable, liveName, err)
	}
	return parse(b)
}

func (s *Sealer) readFile() ([]byte, error) {
	f, err := s.o.FS.Open(liveName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	// One byte more than any good file shows that it is too long.
	b := make([]byte, min(size, int64(maxFile)+1))
	_, err = io.ReadFull(io.NewSectionReader(f, 0, size), b)
	return b, err
}

// create makes a new key where there is none. It is to be settled.
func (s *Sealer) create(ids []id) (keyFile, error) {
	f, err := newKeyFile(s.o.Rand, ids)
	if err != nil {
		return keyFile{}, err
	}
	return f, s.replace(f)
}

// replace puts f in the place of whatever is there. It is to be settled.
func (s *Sealer) replace(f keyFile) error {
	b := f.encode()
	defer secret.Wipe(b)
	s.settled = false
	err := s.write(tempName, b)
	if err == nil {
		err = s.o.FS.Rename(tempName, liveName)
	}
	if err != nil {
		return fmt.Errorf("%w: making a device key: %w", tee.ErrUnavailable, err)
	}
	return nil
}

func (s *Sealer) write(name string, b []byte) error {
	w, err := s.o.FS.Create(name)
	if err != nil {
		return err
	}
	_, err = w.WriteAt(b, 0)
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// settle makes the name of the file durable, if that is not known yet.
func (s *Sealer) settle() error {
	if s.settled {
		return nil
	}
	if err := s.o.FS.SyncDir(); err != nil {
		return fmt.Errorf("%w: making %s durable: %w", tee.ErrUnavailable, liveName, err)
	}
	s.settled = true
	return nil
}

// overwrite puts the mark of a destroyed key over the random bytes. Both are in
// the first sector of the file.
func (s *Sealer) overwrite() error {
	f, err := s.o.FS.Open(liveName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(destroyed, 0)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
