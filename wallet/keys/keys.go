// Package keys keeps the keys: it asks a store for each, writes what the store
// gives into the ledger, and proves that it can be read back and opened before
// anybody is told that the key exists.
package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/tee"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// MaxKeys is how many keys there can be.
const MaxKeys = 64

// Usage letters (at-commands.md, section 4).
const (
	UseTransactions = 't'
	UseMessages     = 'm'
	UseDigests      = 'd'
	UseIdentity     = 'i'
	UseExport       = 'x'
)

// Strength orders the stores, weakest first.
var Strength = []string{"soft", "tpm", "pkcs11", "tee"}

// A Config is what a Ring is made of.
type Config struct {
	Book        *book.Book
	Stores      []keystore.Store
	Minimum     string // weakest store that is chosen or named; "" is "soft"
	AllowImport bool
	AllowExport bool
	Files       map[uint32]File // by the numbers of the AT interface
	Log         *slog.Logger
}

// A Ring is all keys of a device.
type Ring struct {
	cfg      Config
	stores   []keystore.Store // strongest first
	deriving sync.Mutex       // one key of a passphrase at a time
	making   sync.Mutex       // one key at a time: who asks for the same one meanwhile finds it
}

// New returns the ring of the keys in the book.
func New(cfg Config) *Ring {
	r := &Ring{cfg: cfg, stores: slices.Clone(cfg.Stores)}
	slices.SortStableFunc(r.stores, func(a, b keystore.Store) int { return strength(b.Name()) - strength(a.Name()) })
	return r
}

func strength(store string) int { return slices.Index(Strength, store) }

// Stores returns the stores, strongest first.
func (r *Ring) Stores() []keystore.Store { return r.stores }

// A Request says what key is wanted; an empty field is one that was omitted and
// matches anything when the key exists.
type Request struct {
	Name, Curve, Store, Usage string
}

// Generate makes a key, or answers with the one that is there when it is as
// requested.
func (r *Ring) Generate(ctx context.Context, q Request) (*ledger.Key, error) {
	usage, err := normalUsage(q.Usage)
	if err != nil {
		return nil, err
	}
	if q.Usage != "" {
		q.Usage = usage
	}
	r.making.Lock()
	defer r.making.Unlock()
	if k := r.find(q.Name); k != nil {
		if err := q.matches(k); err != nil {
			return nil, err
		}
		return k, r.cfg.Book.Durable()
	}
	if strings.ContainsRune(usage, UseExport) && !r.cfg.AllowExport {
		return nil, fmt.Errorf("exportable key %s: at.allow_key_export is false: %w", q.Name, refusal.ErrNotAllowed)
	}
	if q.Curve == "" {
		q.Curve = keystore.Secp256k1
	}
	store, err := r.choose(q.Store, func(s keystore.Store) bool { return slices.Contains(s.Curves(), q.Curve) })
	if err != nil {
		return nil, fmt.Errorf("key %s on curve %s: %w", q.Name, q.Curve, err)
	}
	return r.keep(ctx, store, false, func(spec keystore.Spec) (*keystore.Key, error) { return store.Generate(ctx, spec) },
		keystore.Spec{Name: q.Name, Curve: q.Curve, Usage: usage, Exportable: strings.ContainsRune(usage, UseExport)})
}

// matches says whether k is what q asked for.
func (q Request) matches(k *ledger.Key) error {
	for _, f := range [][2]string{{q.Curve, k.Curve}, {q.Store, k.Store}, {q.Usage, k.Usage}} {
		if f[0] != "" && f[0] != f[1] {
			return fmt.Errorf("key %q is there with %q, not %q: %w", k.Name, f[1], f[0], refusal.ErrExists)
		}
	}
	return nil
}

// normalUsage sorts usage letters; none is "t".
func normalUsage(usage string) (string, error) {
	if usage == "" {
		return string(UseTransactions), nil
	}
	letters := []byte(usage)
	slices.Sort(letters)
	letters = slices.Compact(letters)
	for _, c := range letters {
		if !strings.ContainsRune("tmdix", rune(c)) {
			return "", fmt.Errorf("usage letter %q: %w", c, refusal.ErrBadValue)
		}
	}
	return string(letters), nil
}

// choose returns the named store, or the strongest one that can; nothing below
// the minimum is ever chosen.
func (r *Ring) choose(name string, can func(keystore.Store) bool) (keystore.Store, error) {
	able := refusal.ErrNoStore
	for _, s := range r.stores {
		switch {
		case name != "" && s.Name() != name:
		case strength(s.Name()) < strength(r.cfg.Minimum):
		case !can(s):
			able = refusal.ErrCannot
		default:
			return s, nil
		}
	}
	return nil, fmt.Errorf("no store (asked for %q, minimum %q): %w", name, r.cfg.Minimum, able)
}

// Import makes a key of a secret from outside: usage t, never exportable. The
// same secret under the same name again is the same answer. It marks the
// accounts that the key may already have used elsewhere; adopt names them.
func (r *Ring) Import(ctx context.Context, name, curve string, secret []byte, adopt func(public []byte) []ledger.AccountID) (*ledger.Key, error) {
	if !r.cfg.AllowImport {
		return nil, fmt.Errorf("importing key %s: at.allow_key_import is false: %w", name, refusal.ErrNotAllowed)
	}
	store, err := r.choose("", func(s keystore.Store) bool {
		_, ok := s.(keystore.Importer)
		return ok && slices.Contains(s.Curves(), curve)
	})
	if err != nil {
		return nil, fmt.Errorf("importing key %s on curve %s: %w", name, curve, err)
	}
	r.making.Lock()
	defer r.making.Unlock()
	spec := keystore.Spec{Name: name, Curve: curve, Usage: string(UseTransactions)}
	fresh, err := store.(keystore.Importer).Import(ctx, spec, secret)
	if err != nil {
		return nil, fmt.Errorf("importing key %s: %w", name, storeError(err))
	}
	if k := r.find(name); k != nil {
		if err := store.Destroy(ctx, fresh); err != nil {
			return nil, fmt.Errorf("importing key %s: %w", name, storeError(err))
		}
		if k.Curve == curve && bytes.Equal(k.Public, fresh.Public) {
			return k, r.cfg.Book.Durable()
		}
		return nil, fmt.Errorf("key %q: %w", name, refusal.ErrExists)
	}
	var accounts []ledger.Record
	for _, id := range adopt(fresh.Public) {
		accounts = append(accounts, ledger.Account{ID: id})
	}
	return r.keep(ctx, store, true, func(keystore.Spec) (*keystore.Key, error) { return fresh, nil }, spec, accounts...)
}

// keep makes a key, writes it, reads it back and opens it. accounts are those
// whose nonces the chain knows better than the ledger.
func (r *Ring) keep(ctx context.Context, store keystore.Store, imported bool, make func(keystore.Spec) (*keystore.Key, error), spec keystore.Spec, accounts ...ledger.Record) (*ledger.Key, error) {
	k, err := make(spec)
	if err != nil {
		return nil, fmt.Errorf("making key %s in store %s: %w", spec.Name, store.Name(), storeError(err))
	}
	rec := ledger.Key{Name: spec.Name, Store: store.Name(), Curve: spec.Curve, Usage: spec.Usage, Exportable: spec.Exportable,
		State: ledger.Active, Public: k.Public, Blob: k.Blob, Imported: imported}
	batch, err := r.cfg.Book.UpdateProven(func(u *book.Update) error {
		switch st := u.State(); {
		case st.Keys[spec.Name] != nil:
			return fmt.Errorf("key %q: %w", spec.Name, refusal.ErrExists)
		case len(st.Keys) >= MaxKeys:
			return fmt.Errorf("key %s: there are %d keys: %w", spec.Name, MaxKeys, refusal.ErrStoreFull)
		case st.Meta.Renewing:
			return fmt.Errorf("key %s: the factory reset is not finished: %w", spec.Name, refusal.ErrNoStore)
		}
		u.Add(rec)
		for _, a := range accounts {
			acc := a.(ledger.Account)
			if old := u.State().Accounts[acc.ID]; old != nil {
				acc = *old
			}
			acc.Adopt = true
			u.Add(acc)
		}
		return nil
	})
	if err == nil {
		err = r.prove(ctx, store, rec, batch)
	}
	if err != nil {
		r.abandon(ctx, store, rec, err)
		return nil, fmt.Errorf("keeping key %s: %w", spec.Name, err)
	}
	r.cfg.Log.Info("key made", "key", spec.Name, "curve", spec.Curve, "store", store.Name(), "imported", imported)
	return &rec, nil
}

// prove opens the key as it was read back from flash.
func (r *Ring) prove(ctx context.Context, store keystore.Store, want ledger.Key, batch ledger.Batch) error {
	for _, rec := range batch.Records {
		k, ok := rec.(ledger.Key)
		if !ok {
			continue
		}
		public, err := store.Open(ctx, storeKey(&k))
		if err != nil {
			return fmt.Errorf("opening it again: %w", storeError(err))
		}
		if !bytes.Equal(public, want.Public) {
			return fmt.Errorf("it opens to another key: %w", book.ErrFlash)
		}
		return nil
	}
	return fmt.Errorf("it is not in what was read back: %w", book.ErrFlash)
}

// abandon takes back a key that nobody was told of.
func (r *Ring) abandon(ctx context.Context, store keystore.Store, k ledger.Key, why error) {
	err := r.cfg.Book.Update(func(u *book.Update) error {
		if old := u.State().Keys[k.Name]; old != nil && bytes.Equal(old.Blob, k.Blob) {
			u.Add(ledger.KeyGone{Name: k.Name})
		}
		return nil
	})
	if !errors.Is(why, refusal.ErrExists) {
		r.cfg.Log.Error("key given up", "key", k.Name, "err", why, "removing", err)
	}
	if err := store.Destroy(ctx, storeKey(&k)); err != nil {
		r.cfg.Log.Error("given up key not destroyed", "key", k.Name, "err", err)
	}
}

// Get returns a key.
func (r *Ring) Get(name string) (*ledger.Key, error) {
	if k := r.find(name); k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("key %q: %w", name, refusal.ErrNoKey)
}

// find returns a copy of a key, or nil.
func (r *Ring) find(name string) *ledger.Key {
	var found *ledger.Key
	r.cfg.Book.View(func(st *ledger.State) {
		if k := st.Keys[name]; k != nil {
			c := *k
			found = &c
		}
	})
	return found
}

// List returns all keys in the order of their names.
func (r *Ring) List() []ledger.Key {
	var all []ledger.Key
	r.cfg.Book.View(func(st *ledger.State) {
		for _, k := range st.Keys {
			all = append(all, *k)
		}
	})
	slices.SortFunc(all, func(a, b ledger.Key) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// SetState changes what a key may still do: active and suspended alternate,
// retired and compromised are for ever.
func (r *Ring) SetState(name string, s ledger.KeyState) error {
	return r.cfg.Book.Update(func(u *book.Update) error {
		k := u.State().Keys[name]
		switch {
		case k == nil:
			return fmt.Errorf("key %q: %w", name, refusal.ErrNoKey)
		case s < ledger.Active || s > ledger.Compromised:
			return fmt.Errorf("key state %d: %w", s, refusal.ErrBadValue)
		case k.State == s:
			return nil
		case k.State == ledger.Compromised || k.State == ledger.Retired:
			return fmt.Errorf("key %q is in state %d for ever: %w", name, k.State, refusal.ErrWrongState)
		}
		changed := *k
		changed.State = s
		u.Add(changed)
		return nil
	})
}

// Delete destroys a key that nothing uses, and removes what is sealed of it
// from the journal. One that is not there is no error.
func (r *Ring) Delete(ctx context.Context, name string) error {
	k := r.find(name)
	if k == nil {
		return nil
	}
	store, err := r.store(k.Store)
	if err != nil {
		return fmt.Errorf("deleting key %s: %w", name, err)
	}
	err = r.cfg.Book.Update(func(u *book.Update) error {
		for _, w := range u.State().Wallets {
			if w.Key == name {
				return fmt.Errorf("key %q is the key of wallet %q: %w", name, w.Name, refusal.ErrInUse)
			}
		}
		for _, t := range u.State().Open {
			if t.Key == name {
				return fmt.Errorf("key %q signs transaction %d: %w", name, t.ID, refusal.ErrInUse)
			}
		}
		u.Add(ledger.KeyGone{Name: name})
		return nil
	})
	if err != nil {
		return err
	}
	if err := store.Destroy(ctx, storeKey(k)); err != nil {
		r.cfg.Log.Error("deleted key not destroyed in its store", "key", name, "err", err)
	}
	r.cfg.Log.Info("key deleted", "key", name)
	return r.cfg.Book.Compact(true)
}

// Sign signs a digest with a key. What the key may be used for is the caller's
// to judge.
func (r *Ring) Sign(ctx context.Context, k *ledger.Key, digest []byte) ([]byte, error) {
	store, err := r.store(k.Store)
	if err != nil {
		return nil, err
	}
	sig, err := store.Sign(ctx, storeKey(k), digest)
	if err != nil {
		return nil, fmt.Errorf("signing with key %s in store %s: %w", k.Name, k.Store, storeError(err))
	}
	return sig, nil
}

// Probe opens a key of each store that has any, and returns why one does not
// open.
func (r *Ring) Probe(ctx context.Context) error {
	seen := map[string]bool{}
	for _, k := range r.List() {
		if seen[k.Store] {
			continue
		}
		seen[k.Store] = true
		store, err := r.store(k.Store)
		if err != nil {
			return fmt.Errorf("key %s: %w", k.Name, err)
		}
		if _, err := store.Open(ctx, storeKey(&k)); err != nil {
			return fmt.Errorf("opening key %s: %w", k.Name, storeError(err))
		}
	}
	return nil
}

func (r *Ring) store(name string) (keystore.Store, error) {
	for _, s := range r.stores {
		if s.Name() == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("store %q: %w", name, refusal.ErrNoStore)
}

func storeKey(k *ledger.Key) *keystore.Key {
	return &keystore.Key{Spec: keystore.Spec{Name: k.Name, Curve: k.Curve, Usage: k.Usage, Exportable: k.Exportable},
		Public: k.Public, Blob: k.Blob}
}

// storeError adds the refusal that a store's error amounts to.
func storeError(err error) error {
	switch {
	case errors.Is(err, keystore.ErrCurve), errors.Is(err, keystore.ErrCannot):
		return fmt.Errorf("%w: %w", err, refusal.ErrCannot)
	case errors.Is(err, keystore.ErrFull):
		return fmt.Errorf("%w: %w", err, refusal.ErrStoreFull)
	case errors.Is(err, keystore.ErrSecret):
		return fmt.Errorf("%w: %w", err, refusal.ErrBadValue)
	case errors.Is(err, keystore.ErrUnavailable), errors.Is(err, keystore.ErrBlob), errors.Is(err, keystore.ErrPIN),
		errors.Is(err, tee.ErrBinding), errors.Is(err, tee.ErrUnavailable), errors.Is(err, tee.ErrDamaged):
		return fmt.Errorf("%w: %w", err, refusal.ErrNoStore)
	default:
		return err
	}
}
