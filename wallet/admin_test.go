package wallet_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

var ctx = context.Background()

// file returns the bytes of a file of the device.
func (w *world) file(name string) []byte {
	w.t.Helper()
	f, err := w.fs.Open(name)
	must(w.t, err)
	defer f.Close()
	size, err := f.Size()
	must(w.t, err)
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		w.t.Fatal(err)
	}
	return b
}

func refused(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestKeys(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	k, err := w.m.Keys.Generate(ctx, keys.Request{Name: "k0"})
	must(t, err)
	if k.Curve != keystore.Secp256k1 || k.Store != "soft" || k.Usage != "t" || k.State != ledger.Active || len(k.Public) != 33 {
		t.Errorf("made %+v", k)
	}
	for _, q := range []keys.Request{{Name: "k0"}, {Name: "k0", Curve: keystore.Secp256k1, Store: "soft", Usage: "t"}} {
		again, err := w.m.Keys.Generate(ctx, q)
		if err != nil || !bytes.Equal(again.Public, k.Public) {
			t.Errorf("the same again: %v, another key: %v", err, !bytes.Equal(again.Public, k.Public))
		}
	}
	for _, q := range []keys.Request{{Name: "k0", Curve: keystore.Secp256r1}, {Name: "k0", Store: "tpm"}, {Name: "k0", Usage: "tm"}} {
		_, err := w.m.Keys.Generate(ctx, q)
		refused(t, fmt.Sprint(q), err, refusal.ErrExists)
	}
	_, err = w.m.Keys.Generate(ctx, keys.Request{Name: "k1", Store: "tpm"})
	refused(t, "a store that is not there", err, refusal.ErrNoStore)
	_, err = w.m.Keys.Generate(ctx, keys.Request{Name: "k1", Usage: "tx"})
	refused(t, "an exportable key", err, refusal.ErrNotAllowed)
	_, err = w.m.Keys.Generate(ctx, keys.Request{Name: "k1", Usage: "tq"})
	refused(t, "a letter that means nothing", err, refusal.ErrBadValue)
	p, err := w.m.Keys.Generate(ctx, keys.Request{Name: "p", Curve: keystore.Secp256r1, Usage: "tit"})
	must(t, err)
	if p.Usage != "it" {
		t.Errorf("usage %q, want it sorted and once each", p.Usage)
	}
	w.restart()
	if got := w.m.Keys.List(); len(got) != 2 || got[0].Name != "k0" || got[1].Name != "p" {
		t.Errorf("listed %v", got)
	}
	must(t, w.m.ProbeStores(ctx))

	for _, step := range []struct {
		to   ledger.KeyState
		want error
	}{{ledger.Suspended, nil}, {ledger.Active, nil}, {ledger.Active, nil}, {ledger.Suspended, nil}, {ledger.Retired, nil}, {ledger.Retired, nil},
		{ledger.Active, refusal.ErrWrongState}, {ledger.Compromised, refusal.ErrWrongState}, {5, refusal.ErrBadValue}} {
		if err := w.m.Keys.SetState("k0", step.to); !errors.Is(err, step.want) {
			t.Errorf("to state %d: %v, want %v", step.to, err, step.want)
		}
	}
	refused(t, "state of nothing", w.m.Keys.SetState("none", ledger.Active), refusal.ErrNoKey)
	must(t, w.m.Keys.Delete(ctx, "none"))
}

// TestKeyMinimum: nothing weaker than the minimum is ever chosen.
func TestKeyMinimum(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.tune = func(c *wallet.Config) { c.Minimum = "tpm" }
	w.mustOpen()
	_, err := w.m.Keys.Generate(ctx, keys.Request{Name: "k"})
	refused(t, "below the minimum", err, refusal.ErrNoStore)
	_, err = w.m.Keys.Generate(ctx, keys.Request{Name: "k", Store: "soft"})
	refused(t, "below the minimum, by name", err, refusal.ErrNoStore)
}

// TestKeyIsProven: a key that cannot be read back is not there.
func TestKeyIsProven(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	if _, err := w.m.Keys.Generate(ctx, keys.Request{Name: "before"}); err != nil {
		t.Fatal(err)
	}
	w.fs.FailReads(syscall.EIO)
	if k, err := w.m.Keys.Generate(ctx, keys.Request{Name: "k"}); err == nil {
		t.Fatalf("a key on flash that cannot be read: %+v", k)
	}
	w.fs.Heal()
	_, err := w.m.Keys.Get("k")
	refused(t, "the key given up", err, refusal.ErrNoKey)
}

// TestKeyMustOpen: nor is one that does not open again.
func TestKeyMustOpen(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.tune = func(c *wallet.Config) { c.Stores = []keystore.Store{forgetful{c.Stores[0]}} }
	w.mustOpen()
	if k, err := w.m.Keys.Generate(ctx, keys.Request{Name: "k"}); err == nil {
		t.Fatalf("a key that does not open: %+v", k)
	}
	_, err := w.m.Keys.Get("k")
	refused(t, "the key given up", err, refusal.ErrNoKey)
}

// forgetful is a store whose keys never open again.
type forgetful struct{ keystore.Store }

func (forgetful) Open(context.Context, *keystore.Key) ([]byte, error) { return nil, keystore.ErrBlob }

func TestKeyDelete(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	refused(t, "a wallet's key", w.m.Keys.Delete(ctx, "w0"), refusal.ErrInUse)
	chain.Down(true)
	id := w.submit(w.order("w0", "", 1))
	refused(t, "a wallet with an open transaction", w.m.DeleteWallet("w0"), refusal.ErrInUse)
	must(t, w.m.Life.Cancel(id))
	must(t, w.m.DeleteWallet("w0"))
	must(t, w.m.DeleteWallet("w0"))
	k, err := w.m.Keys.Get("w0")
	must(t, err)
	if !bytes.Contains(w.file("journal"), k.Blob) {
		t.Fatal("the test looks for the wrong bytes")
	}
	must(t, w.m.Keys.Delete(ctx, "w0"))
	if bytes.Contains(w.file("journal"), k.Blob) {
		t.Error("what was sealed of a deleted key is still on flash")
	}
}

func TestImport(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	secret := bytes.Repeat([]byte{0x11}, 32)
	imp := func(name string, secret []byte) error {
		_, err := w.m.Keys.Import(ctx, name, keystore.Secp256k1, secret, w.m.AccountsOf(keystore.Secp256k1))
		return err
	}
	must(t, imp("k", secret))
	must(t, imp("k", secret))
	refused(t, "another secret under the name", imp("k", bytes.Repeat([]byte{0x12}, 32)), refusal.ErrExists)
	refused(t, "a short one", imp("s", secret[1:]), refusal.ErrBadValue)
	refused(t, "zero", imp("z", make([]byte, 32)), refusal.ErrBadValue)
	if bytes.Contains(w.file("journal"), secret) || bytes.Contains(w.file("journal"), []byte(hex.EncodeToString(secret))) {
		t.Error("the secret is on flash")
	}
	address, err := w.m.AddWallet(ctx, "w0", net, "k")
	must(t, err)
	if address != "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A" {
		t.Errorf("address %s", address)
	}
	w.chain.Chain.Fund(address, ether(1))
	w.submit(w.order("w0", "a", 1))
	w.settle()

	// Deleted, used elsewhere, imported again: the chain knows its nonce better.
	must(t, w.m.DeleteWallet("w0"))
	must(t, w.m.Keys.Delete(ctx, "k"))
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Nonce: 5})
	must(t, imp("k", secret))
	if _, err := w.m.AddWallet(ctx, "w0", net, "k"); err != nil {
		t.Fatal(err)
	}
	id := w.submit(w.order("w0", "b", 2))
	w.sweeps(2)
	if got := w.police.byID[id]; got != 6 {
		t.Errorf("nonce %d, want the chain's 6", got)
	}
	w.tune = func(c *wallet.Config) { c.AllowImport = false }
	w.restart()
	refused(t, "where it is not configured", imp("q", secret), refusal.ErrNotAllowed)
}

func TestWalletsAndPeers(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	a := w.wallet("w0")
	again, err := w.m.AddWallet(ctx, "w0", net, "")
	if err != nil || again != a {
		t.Errorf("the same wallet again: %s, %v", again, err)
	}
	_, err = w.m.AddWallet(ctx, "w0", net, "other")
	refused(t, "with another key", err, refusal.ErrExists)
	_, err = w.m.AddWallet(ctx, net, net, "")
	refused(t, "named as a network", err, refusal.ErrExists)
	_, err = w.m.AddWallet(ctx, "w1", "nowhere", "")
	refused(t, "on no network", err, refusal.ErrNoNetwork)
	_, err = w.m.AddWallet(ctx, "w1", net, "nokey")
	refused(t, "without key", err, refusal.ErrNoKey)
	_, err = w.m.Keys.Generate(ctx, keys.Request{Name: "msg", Usage: "m"})
	must(t, err)
	_, err = w.m.AddWallet(ctx, "w1", net, "msg")
	refused(t, "with a key for messages", err, refusal.ErrCannot)
	_, err = w.m.Keys.Generate(ctx, keys.Request{Name: "p256", Curve: keystore.Secp256r1})
	must(t, err)
	_, err = w.m.AddWallet(ctx, "w1", net, "p256")
	refused(t, "with a key of another curve", err, refusal.ErrCannot)
	_, err = w.m.Address("none")
	refused(t, "address of nothing", err, refusal.ErrNoWallet)

	six := uint8(6)
	must(t, w.m.AddPeer("bob", net, strings.ToLower(a), nil))
	must(t, w.m.AddPeer("bob", net, a, nil))
	refused(t, "the peer with decimals", w.m.AddPeer("bob", net, a, &six), refusal.ErrExists)
	refused(t, "the peer elsewhere", w.m.AddPeer("bob", net, target(1), nil), refusal.ErrExists)
	refused(t, "no address", w.m.AddPeer("eve", net, "0x12", nil), chains.ErrAddress)
	refused(t, "a wrong checksum", w.m.AddPeer("eve", net, wrongCase(a), nil), chains.ErrChecksum)
	w.restart()
	if p := w.m.Peers(); len(p) != 1 || p[0].Address != a {
		t.Errorf("peers %+v", p)
	}
	o := w.order("w0", "to bob", 0)
	o.To = "bob"
	id := w.submit(o)
	must(t, w.m.DeletePeer("bob"))
	must(t, w.m.DeletePeer("bob"))
	must(t, w.m.AddPeer("bob", net, target(9), nil))
	_, _, err = w.m.Life.Submit(o)
	refused(t, "the same reference to a peer that is somebody else now", err, refusal.ErrExists)
	if got, err := w.m.Life.ByReference("w0", "to bob"); err != nil || got != id {
		t.Errorf("reference is %d, %v", got, err)
	}
}

// wrongCase changes the case of an address's first letter.
func wrongCase(a string) string {
	i := strings.IndexFunc(a[2:], func(r rune) bool { return r > '9' }) + 2
	c := a[i] ^ 0x20
	return a[:i] + string(c) + a[i+1:]
}

func TestNetworks(t *testing.T) {
	w, _ := ethereumWorld(t, chains.Options{"max_tip": "5gwei", "confirmations": "2", "at_may_set": "bump_after,bump_percent", "agree": "1"})
	w.mustOpen()
	nets := w.m.Nets
	for _, c := range []struct {
		option, value string
		want          error
	}{
		{"max_tip", "4gwei", nil}, {"max_tip", "4gwei", nil}, {"max_tip", "5gwei", refusal.ErrNotAllowed},
		{"confirmations", "3", nil}, {"confirmations", "2", refusal.ErrNotAllowed},
		{"max_gas", "100000", nil}, {"max_gas", "100001", refusal.ErrNotAllowed},
		{"bump_after", "60", nil}, {"bump_after", "30", nil}, {"bump_percent", "20", nil}, {"low_balance", "1ether", refusal.ErrNotAllowed},
		{"external_use", "true", refusal.ErrNotAllowed}, {"insecure_http", "true", refusal.ErrNotAllowed},
		{"at_may_set", "external_use", refusal.ErrNotAllowed}, {"ca_file", "/etc/passwd", refusal.ErrNotAllowed},
		{"endpoints", "https://evil.example", refusal.ErrNotAllowed}, {"chain_id", "5", refusal.ErrNotAllowed},
		{"daily_bytes", "10", refusal.ErrNotAllowed}, {"max_tip", "much", refusal.ErrBadValue}, {"max_tip", "-1", refusal.ErrBadValue},
		{"name", "x", refusal.ErrNoOption}, {"", "", refusal.ErrNoOption},
	} {
		if err := nets.Set(net, c.option, c.value); !errors.Is(err, c.want) {
			t.Errorf("set %s to %q: %v, want %v", c.option, c.value, err, c.want)
		}
	}
	refused(t, "option of nothing", nets.Set("none", "max_tip", "1"), refusal.ErrNoNetwork)
	w.restart()
	all, err := w.m.Nets.Settings(net)
	must(t, err)
	for _, want := range []string{"{max_tip 4gwei}", "{confirmations 3}", "{max_gas 100000}", "{bump_after 30}"} {
		if !strings.Contains(fmt.Sprint(all), want) {
			t.Errorf("after a restart %s is not among %v", want, all)
		}
	}
	refused(t, "adding where it is not allowed", w.m.Nets.Add("more", "ethereum", "https://b.example", ""), refusal.ErrNotAllowed)
	refused(t, "deleting one of the file", w.m.Nets.Delete(net), refusal.ErrNotAllowed)
	must(t, w.m.Nets.Delete("none"))
}

func TestAddedNetworks(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.tune = func(c *wallet.Config) {
		c.AllowAdd = true
		c.Deps.AllowedHosts = []string{"a.example", "b.example"}
	}
	w.mustOpen()
	add := func(name, url, id string) error { return w.m.Nets.Add(name, "ethereum", url, id) }
	must(t, add("more", nodeURL, "1337"))
	must(t, add("more", nodeURL, "1337"))
	must(t, add("more", nodeURL, ""))
	refused(t, "elsewhere", add("more", "https://b.example", "1337"), refusal.ErrExists)
	refused(t, "another chain", add("more", nodeURL, "1"), refusal.ErrExists)
	for _, url := range []string{"http://a.example", "https://u:p@a.example", "ftp://a.example", "a.example", "", "https://a.example,https://b.example"} {
		refused(t, url, add("bad", url, ""), refusal.ErrBadValue)
	}
	refused(t, "a host that is not allowed", add("bad", "https://c.example", ""), refusal.ErrNotAllowed)
	refused(t, "no such protocol", w.m.Nets.Add("bad", "bitcoin", nodeURL, ""), refusal.ErrNoOption)
	refused(t, "a chain id that is none", add("bad", nodeURL, "0x1"), refusal.ErrBadValue)
	w.wallet("w0")
	refused(t, "named as a wallet", add("w0", nodeURL, ""), refusal.ErrExists)
	must(t, w.m.AddPeer("p", "more", target(1), nil))
	if _, err := w.m.AddWallet(ctx, "w1", "more", ""); err != nil {
		t.Fatal(err)
	}
	refused(t, "deleting what a wallet uses", w.m.Nets.Delete("more"), refusal.ErrInUse)
	w.restart()
	must(t, w.m.DeleteWallet("w1"))
	must(t, w.m.Nets.Delete("more"))
	must(t, w.m.Nets.Delete("more"))
	if len(w.m.Peers()) != 0 {
		t.Error("the peers of a deleted network are left")
	}
	w.restart()
	_, err := w.m.Nets.Get("more")
	refused(t, "after a restart", err, refusal.ErrNoNetwork)
}

func TestPIN(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	right, puk, wrong := []byte("2468x"), []byte("13579135x"), []byte("0000x")
	asked := func(want access.Condition, tries int) {
		t.Helper()
		if c, left := w.m.PIN(); c != want || left != tries {
			t.Fatalf("asked for %s with %d tries, want %s with %d", c, left, want, tries)
		}
	}
	asked(access.None, 10)
	refused(t, "the first PIN without a PUK", w.m.ChangePIN(nil, right, nil), refusal.ErrBadValue)
	refused(t, "a run", w.m.ChangePIN(nil, []byte("1234"), puk), refusal.ErrBadValue)
	must(t, w.m.ChangePIN(nil, right, puk))
	asked(access.PIN, 10)
	for range 20 { // right ones cost nothing
		must(t, w.m.Unlock(right))
	}
	asked(access.PIN, 10)
	refused(t, "malformed", w.m.Unlock([]byte("a b")), refusal.ErrBadValue)
	asked(access.PIN, 10)
	for n := range 10 {
		refused(t, "wrong", w.m.Unlock(wrong), refusal.ErrWrongPIN)
		if n == 4 {
			w.restart()
			asked(access.PIN, 5)
		}
	}
	asked(access.PUK, 10)
	refused(t, "the PIN now", w.m.Unlock(right), refusal.ErrPINBlocked)
	refused(t, "changing now", w.m.ChangePIN(right, wrong, nil), refusal.ErrPINBlocked)
	refused(t, "a wrong PUK", w.m.Unblock([]byte("99999999y"), right), refusal.ErrWrongPIN)
	asked(access.PUK, 9)
	must(t, w.m.Unblock(puk, []byte("8642y")))
	asked(access.PIN, 10)
	refused(t, "unblocking what is not blocked", w.m.Unblock(puk, right), refusal.ErrNotNow)
	must(t, w.m.ChangePIN([]byte("8642y"), right, nil))
	for range 10 {
		refused(t, "wrong", w.m.Unlock(wrong), refusal.ErrWrongPIN)
	}
	for range 10 {
		refused(t, "wrong PUK", w.m.Unblock([]byte("99999999y"), right), refusal.ErrWrongPIN)
	}
	asked(access.Blocked, 0)
	refused(t, "the right PUK now", w.m.Unblock(puk, right), refusal.ErrNotNow)
	must(t, w.m.FactoryReset(ctx, nil, false)) // the way out, and the keys are gone
	asked(access.None, 10)
	refused(t, "the PUK stays: a wrong one", w.m.ChangePIN(nil, right, []byte("99999999y")), refusal.ErrWrongPIN)
	must(t, w.m.ChangePIN(nil, right, nil))
	if bytes.Contains(w.file("journal"), right) || bytes.Contains(w.file("journal"), puk) {
		t.Error("a code is on flash")
	}
}

func TestFactoryReset(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	must(t, w.m.ChangePIN(nil, []byte("2468x"), []byte("13579135x")))
	w.wallet("w0")
	must(t, w.m.SetChannel("uart", []byte{1}))
	w.submit(w.order("w0", "a", 1))
	w.sweep()
	key, seal, instance := w.journalKey("w0"), w.file("device.key"), w.instance()

	refused(t, "without PIN", w.m.FactoryReset(ctx, nil, true), refusal.ErrBadValue)
	refused(t, "with a wrong one", w.m.FactoryReset(ctx, []byte("0000x"), true), refusal.ErrWrongPIN)
	var open *wallet.OpenError
	if err := w.m.FactoryReset(ctx, []byte("2468x"), false); !errors.As(err, &open) || !slices.Equal(open.IDs, []uint32{1}) {
		t.Errorf("with a signed transaction: %v", err)
	}
	must(t, w.m.FactoryReset(ctx, []byte("2468x"), true))
	if bytes.Contains(w.file("journal"), key) {
		t.Error("what was sealed of a key is still on flash")
	}
	if bytes.Equal(w.file("device.key"), seal) {
		t.Error("the seal is the old one")
	}
	if w.instance() == instance {
		t.Error("the instance is the old one")
	}
	if len(w.m.Keys.List())+len(w.m.Wallets())+len(w.m.Life.List()) != 0 || w.m.Channel("uart") != nil || len(w.m.Book.Retained(0, 99)) != 0 {
		t.Error("something is left")
	}
	must(t, w.m.FactoryReset(ctx, nil, false))
	w.restart()
	chain.Drop()
	w.wallet("w0")
	if id := w.submit(w.order("w0", "a", 2)); id != 2 {
		t.Errorf("id %d: ids must go on", id)
	}
	w.settle()
	w.effects(2, 1)
}

// journalKey returns the sealed blob of a key, of which the test made sure that
// it is on flash.
func (w *world) journalKey(name string) []byte {
	w.t.Helper()
	k, err := w.m.Keys.Get(name)
	must(w.t, err)
	if !bytes.Contains(w.file("journal"), k.Blob) {
		w.t.Fatal("the test looks for the wrong bytes")
	}
	return k.Blob
}

func (w *world) instance() (id string) {
	w.m.Book.View(func(st *ledger.State) { id = string(st.Meta.Instance) })
	return id
}

func TestTime(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	build := time.Unix(1_700_000_000, 0)
	w.now = time.Unix(100, 0) // no clock
	w.tune = func(c *wallet.Config) { c.BuildDate = build }
	w.mustOpen()
	if _, source := w.m.Time(); source != wallet.NoTime {
		t.Errorf("source %d without any", source)
	}
	if got := w.m.TrustedTime(); !got.Equal(build) {
		t.Errorf("certificates are judged at %v", got)
	}
	refused(t, "before the build", w.m.SetTime(build.Unix()-1), refusal.ErrBadValue)
	refused(t, "far ahead", w.m.SetTime(1<<32-1), refusal.ErrBadValue)
	must(t, w.m.SetTime(build.Unix()+1000))
	w.now = w.now.Add(10 * time.Second)
	if now, source := w.m.Time(); source != wallet.HostTime || now.Unix() != build.Unix()+1010 {
		t.Errorf("time %d of source %d", now.Unix(), source)
	}
	refused(t, "back", w.m.SetTime(build.Unix()+999), refusal.ErrBadValue)
	w.now = time.Unix(50, 0)
	w.restart()
	if got := w.m.TrustedTime(); got.Unix() != build.Unix()+1000 {
		t.Errorf("after a restart certificates are judged at %d", got.Unix())
	}
	refused(t, "back after a restart", w.m.SetTime(build.Unix()+999), refusal.ErrBadValue)
}

// TestChainTime: final blocks tell the time, but never one before the build.
func TestChainTime(t *testing.T) {
	for _, late := range []bool{false, true} {
		w, _ := ethereumWorld(t, nil)
		if late {
			w.tune = func(c *wallet.Config) { c.BuildDate = time.Unix(1_790_000_000, 0) }
		}
		w.mustOpen()
		w.wallet("w0")
		w.submit(w.order("w0", "a", 1))
		w.settle()
		now, source := w.m.Time()
		if late && source != wallet.NoTime {
			t.Errorf("a chain before the build date tells the time %v", now)
		}
		if !late && (source != wallet.ChainTime || now.Unix() < 1_700_000_000 || now.Unix() > 1_700_010_000) {
			t.Errorf("time %v of source %d", now, source)
		}
	}
}

func TestDiagnose(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	bad := func() (items []string) {
		for _, c := range w.m.Diagnose(ctx) {
			if c.Err != nil {
				items = append(items, c.Item)
			}
		}
		return items
	}
	if b := bad(); len(b) != 0 {
		t.Errorf("bad on a good device: %v", b)
	}
	w.fs.Inject(crashfs.Fault{At: 1, Err: syscall.EIO})
	if b := bad(); !slices.Equal(b, []string{"journal"}) {
		t.Errorf("bad with a sick flash: %v", b)
	}
	w.fs.Heal()
	w.tune = func(c *wallet.Config) { c.Rand = stuck{} }
	w.restart()
	if b := bad(); !slices.Contains(b, "random") {
		t.Errorf("bad with a stuck random source: %v", b)
	}
}

// stuck is a random source that always says the same.
type stuck struct{}

func (stuck) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0x42
	}
	return len(p), nil
}

func TestQueries(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	b, err := w.m.Balance(ctx, "w0", "")
	if err != nil || b.Units != ether(10).String() || b.Decimals != 18 || b.Symbol != "ETH" {
		t.Errorf("balance %+v, %v", b, err)
	}
	_, err = w.m.Balance(ctx, "none", "")
	refused(t, "balance of nothing", err, refusal.ErrNoWallet)
	chain.Down(true)
	w.now = w.now.Add(time.Minute)
	_, err = w.m.Balance(ctx, "w0", "")
	refused(t, "without a node", err, chains.ErrUnreachable)
	must(t, w.m.Off(ctx))
	_, err = w.m.Balance(ctx, "w0", "")
	refused(t, "after BOATOFF", err, refusal.ErrNotNow)
	_, _, err = w.m.Life.Submit(w.order("w0", "", 1))
	refused(t, "an order after BOATOFF", err, refusal.ErrNotNow)
}

// TestSigning: what is no transaction is signed under the rules of its scheme, and
// never before it is on flash that the key was used.
func TestSigning(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0") // usage t
	for name, usage := range map[string]string{"m": "m", "all": "tmd", "was": "tmd"} {
		_, err := w.m.Keys.Generate(ctx, keys.Request{Name: name, Usage: usage})
		must(t, err)
	}
	_, err := w.m.AddWallet(ctx, "w1", net, "all")
	must(t, err)
	_, err = w.m.AddWallet(ctx, "w2", net, "was") // a wallet that is gone
	must(t, err)
	must(t, w.m.DeleteWallet("w2"))
	w.restart()
	short, long := []byte("hello"), bytes.Repeat([]byte{1}, 32)
	for _, c := range []struct {
		key    string
		scheme uint32
		source []byte
		want   error
	}{
		{"m", 0, short, nil}, {"m", 1, short, nil}, {"m", 0, long, refusal.ErrCannot}, {"m", 3, long, refusal.ErrCannot},
		{"w0", 0, short, refusal.ErrCannot}, {"all", 0, short, nil}, {"all", 0, long, refusal.ErrNotAllowed},
		{"all", 1, short, refusal.ErrByPolicy}, {"all", 3, long, refusal.ErrNotAllowed},
		{"was", 1, short, refusal.ErrByPolicy}, {"was", 3, long, refusal.ErrNotAllowed},
		{"none", 0, short, refusal.ErrNoKey}, {"m", 7, short, refusal.ErrNotBuilt},
	} {
		signature, signed, err := w.m.Sign(ctx, c.key, c.scheme, c.source)
		if !errors.Is(err, c.want) || (err == nil) != (len(signature) == 65 && len(signed) == 32) {
			t.Errorf("%s, scheme %d, %q: %v, want %v", c.key, c.scheme, c.source, err, c.want)
		}
	}
	used := func() uint64 {
		k, err := w.m.Keys.Get("m")
		must(t, err)
		return k.Signatures
	}
	if used() != 2 {
		t.Errorf("%d signatures are counted", used())
	}
	w.restart()
	if used() != 2 {
		t.Errorf("%d signatures are counted after a restart", used())
	}
	w.fs.Inject(crashfs.Fault{At: 1, Err: syscall.ENOSPC})
	if signature, _, err := w.m.Sign(ctx, "m", 0, short); !errors.Is(err, book.ErrFlash) || signature != nil {
		t.Errorf("on flash that is full: %x, %v", signature, err)
	}
	w.fs.Heal()
	must(t, w.m.Keys.SetState("m", ledger.Suspended))
	_, _, err = w.m.Sign(ctx, "m", 0, short)
	refused(t, "with a suspended key", err, refusal.ErrKeyInactive)
}
