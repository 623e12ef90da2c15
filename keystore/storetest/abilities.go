package storetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/boatd/boatd/keystore"
)

// imports checks a store that is a keystore.Importer; to others nothing applies.
func imports(t *testing.T, h Harness, curve string) {
	im, ok := h.Store.(keystore.Importer)
	if !ok {
		return
	}
	if _, err := im.Import(t.Context(), spec("ed25519"), scalar(1)); !errors.Is(err, keystore.ErrCurve) {
		t.Errorf("Import on another curve: %v, want ErrCurve", err)
	}
	for _, good := range pairs(curve) {
		in := bytes.Clone(good.secret)
		k, err := im.Import(t.Context(), spec(curve), in)
		if err != nil {
			t.Errorf("Import of %x: %v", good.secret, err)
			continue
		}
		if !bytes.Equal(in, good.secret) {
			t.Error("Import changed the caller's secret")
		}
		clear(in)
		if k.Spec != spec(curve) || !bytes.Equal(k.Public, good.public) {
			t.Errorf("Import of %x: %+v, public key %x, want %x", good.secret, k.Spec, k.Public, good.public)
		}
		sig, err := h.Reopen().Sign(t.Context(), k, digest("x"))
		if err != nil {
			t.Errorf("Sign with the imported %x: %v", good.secret, err)
		} else if err := judge(k, digest("x"), sig); err != nil {
			t.Error(err)
		}
	}
	n := order(curve)
	bad := [][]byte{
		nil, {1}, scalar(1)[1:], append([]byte{0}, scalar(1)...), scalar(0),
		n.FillBytes(make([]byte, 32)), bytes.Repeat([]byte{0xff}, 32),
	}
	for _, secret := range bad {
		if _, err := im.Import(t.Context(), spec(curve), secret); !errors.Is(err, keystore.ErrSecret) {
			t.Errorf("Import of %x: %v, want ErrSecret", secret, err)
		}
	}
}

// exports checks a store that is a keystore.Exporter; to others nothing applies.
func exports(t *testing.T, h Harness, curve string) {
	ex, ok := h.Store.(keystore.Exporter)
	if !ok {
		return
	}
	fixed := newKey(t, h.Store, spec(curve))
	if out, err := ex.Export(t.Context(), fixed); !errors.Is(err, keystore.ErrCannot) {
		t.Errorf("Export of a key that is not exportable: %d bytes, %v, want ErrCannot", len(out), err)
	}
	lie := clone(fixed)
	lie.Exportable = true
	if out, err := ex.Export(t.Context(), lie); !errors.Is(err, keystore.ErrBlob) {
		t.Errorf("Export of a key that was made exportable beside its blob: %d bytes, %v, want ErrBlob", len(out), err)
	}
	sp := spec(curve)
	sp.Exportable, sp.Usage = true, "tx"
	k := newKey(t, h.Store, sp)
	out, err := ex.Export(t.Context(), k)
	if err != nil {
		t.Fatalf("Export: %v", err)
	}
	if got := publicOf(curve, out); !bytes.Equal(got, k.Public) {
		t.Errorf("Export gave the secret of %x, want %x", got, k.Public)
	}
	clear(out)
	if _, err := h.Store.Open(t.Context(), k); err != nil {
		t.Errorf("Open after the caller wiped the export: %v", err)
	}
}
