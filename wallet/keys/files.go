package keys

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// A File is a format in which private keys are kept outside. Its errors are
// refusals; a key is 32 bytes, which the caller wipes.
type File struct {
	// Parse reads a key and says on which curve it is. passphrase and path are
	// empty where the host gave none.
	Parse func(file, passphrase []byte, path string) (curve string, key []byte, err error)
	// Encode writes a key under a passphrase; nil where a format is only read.
	Encode func(curve string, key, passphrase []byte) ([]byte, error)
}

// ImportFile is Import of a key in one of Config.Files.
func (r *Ring) ImportFile(ctx context.Context, name string, format uint32, file, passphrase []byte, path string, adopt func(curve string) func(public []byte) []ledger.AccountID) (*ledger.Key, error) {
	if !r.cfg.AllowImport {
		return nil, fmt.Errorf("importing key %s: at.allow_key_import is false: %w", name, refusal.ErrNotAllowed)
	}
	f, ok := r.cfg.Files[format]
	if !ok {
		return nil, fmt.Errorf("importing key %s: format %d: %w", name, format, refusal.ErrNotBuilt)
	}
	curve, secret, err := r.parse(f, file, passphrase, path)
	if err != nil {
		return nil, fmt.Errorf("importing key %s: %w", name, err)
	}
	defer clear(secret)
	return r.Import(ctx, name, curve, secret, adopt(curve))
}

// parse reads a file. Deriving a key from a passphrase takes time and memory: one
// at a time, and the memory goes back.
func (r *Ring) parse(f File, file, passphrase []byte, path string) (string, []byte, error) {
	r.deriving.Lock()
	defer r.deriving.Unlock()
	defer debug.FreeOSMemory()
	return f.Parse(file, passphrase, path)
}

// Export writes a key that was made exportable in one of Config.Files, under a
// passphrase.
func (r *Ring) Export(ctx context.Context, name string, format uint32, passphrase []byte) ([]byte, error) {
	if !r.cfg.AllowExport {
		return nil, fmt.Errorf("exporting key %s: at.allow_key_export is false: %w", name, refusal.ErrNotAllowed)
	}
	k, err := r.Get(name)
	if err != nil {
		return nil, err
	}
	f, ok := r.cfg.Files[format]
	switch {
	case !ok || f.Encode == nil:
		return nil, fmt.Errorf("exporting key %s: format %d: %w", name, format, refusal.ErrNotBuilt)
	case !k.Exportable:
		return nil, fmt.Errorf("exporting key %s: it was not made exportable: %w", name, refusal.ErrNotAllowed)
	case k.State == ledger.Compromised:
		return nil, fmt.Errorf("exporting key %s: %w", name, refusal.ErrKeyInactive)
	}
	store, err := r.store(k.Store)
	if err != nil {
		return nil, err
	}
	e, ok := store.(keystore.Exporter)
	if !ok {
		return nil, fmt.Errorf("exporting key %s from store %s: %w", name, k.Store, refusal.ErrCannot)
	}
	secret, err := e.Export(ctx, storeKey(k))
	if err != nil {
		return nil, fmt.Errorf("exporting key %s: %w", name, storeError(err))
	}
	defer clear(secret)
	r.deriving.Lock()
	defer r.deriving.Unlock()
	defer debug.FreeOSMemory()
	file, err := f.Encode(k.Curve, secret, passphrase)
	if err != nil {
		return nil, fmt.Errorf("exporting key %s: %w", name, err)
	}
	r.cfg.Log.Warn("key exported", "key", name, "format", format)
	return file, nil
}
