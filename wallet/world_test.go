package wallet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/soft"
	"github.com/boatd/boatd/tee/device"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
)

// A world is a device, the chain that it talks to, and everything that a real
// one gets from outside: a file system that loses power, a clock that only
// moves when told, and randomness from a seed. The same seed is the same run.
type world struct {
	t     testing.TB
	seed  uint64
	rng   *rand.Rand
	fs    *crashfs.FS
	now   time.Time
	chain *chaintest.Harness
	cheap bool
	tune  func(*wallet.Config) // changes what the device is opened with

	m      *wallet.Manager
	police *police
	opens  int
}

const net = "net"

// newWorld makes a world that has not been opened.
func newWorld(t testing.TB, h *chaintest.Harness, cheap bool, seed uint64) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), fs: crashfs.New(),
		now: time.Unix(1_800_000_000, 0), chain: h, cheap: cheap}
	w.police = newPolice(w)
	return w
}

// bytesOf makes a reader of a source of random numbers.
type bytesOf struct{ *rand.Rand }

func (b bytesOf) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b.Uint32())
	}
	return len(p), nil
}

var quiet = slog.New(slog.DiscardHandler)

// open starts boatd on what is on flash.
func (w *world) open() error {
	w.opens++
	random := bytesOf{rand.New(rand.NewPCG(w.seed, uint64(100+w.opens)))}
	sealer := device.New(device.Options{FS: w.fs, Rand: random, IDs: []string{"/serial"},
		ReadID: func(string) ([]byte, error) { return []byte("4711"), nil }})
	var store keystore.Store = soft.New(sealer, random)
	if w.cheap {
		store = &cheapStore{random}
	}
	options := chains.Options{}
	for k, v := range w.chain.Config.Options {
		options[k] = v
	}
	cfg := wallet.Config{
		FS: w.fs, Rand: random, Now: func() time.Time { return w.now }, Jitter: func() float64 { return 0.5 }, Log: quiet,
		BuildDate: time.Unix(1_700_000_000, 0),
		Journal:   journal.Options{Chunk: 4096, RotateAt: 16 << 10},
		Protocols: chains.NewRegistry(w.police.protocol(w.chain.Protocol)),
		Networks:  []chains.Config{{Name: net, Protocol: w.chain.Config.Protocol, Options: options}},
		Stores:    []keystore.Store{store}, Sealer: sealer, AllowImport: true,
		PINCost: access.MinimalCost(), KeepEnded: 50, QueueMax: 64, Schemes: schemes(), AllowDigests: true,
	}
	if w.tune != nil {
		w.tune(&cfg)
	}
	var err error
	w.m, err = wallet.Open(context.Background(), cfg)
	return err
}

// schemes sign the hash of a source.
func schemes() map[uint32]wallet.Scheme {
	digest := func(_ string, source []byte) ([]byte, []byte, error) {
		d := sha256.Sum256(source)
		return d[:], d[:], nil
	}
	finish := func(_ string, _, signature []byte) ([]byte, error) { return signature, nil }
	return map[uint32]wallet.Scheme{
		0: {Usage: keys.UseMessages, Digest: digest, Finish: finish},
		1: {Usage: keys.UseMessages, Bound: true, Digest: digest, Finish: finish},
		3: {Usage: keys.UseDigests, Bare: true, Digest: digest, Finish: finish},
	}
}

// mustOpen is open where nothing can go wrong.
func (w *world) mustOpen() *world {
	w.t.Helper()
	if err := w.open(); err != nil {
		w.t.Fatalf("seed %d: opening: %v", w.seed, err)
	}
	return w
}

// restart is a clean stop and start.
func (w *world) restart() {
	w.t.Helper()
	if err := w.m.Close(); err != nil {
		w.t.Fatalf("closing: %v", err)
	}
	w.mustOpen()
}

// wallet makes a wallet with coin.
func (w *world) wallet(name string) string {
	w.t.Helper()
	a, err := w.m.AddWallet(context.Background(), name, net, "")
	if err != nil {
		w.t.Fatalf("wallet %s: %v", name, err)
	}
	w.chain.Chain.Fund(a, ether(10))
	return a
}

func ether(n int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18))
}

// order is a harness's good intent to a recipient of one's own, so that the
// chain can be asked how often it happened.
func (w *world) order(from, ref string, n int) life.Order {
	in := w.chain.Good
	o := life.Order{Command: in.Kind, Wallet: from, Ref: ref, To: target(n), Input: life.Input{Data: in.Data}, Options: map[string]string{}}
	switch {
	case in.Kind == chains.Transfer:
		o.Amount = "7"
	case in.Value.Sign() > 0:
		o.Options["value"] = "7"
	}
	return o
}

// target is the address of the n-th recipient.
func target(n int) string { return fmt.Sprintf("0x%040d", 10_000+n) }

// submit hands an order over and gives its id to the host.
func (w *world) submit(o life.Order) uint32 {
	w.t.Helper()
	id, release, err := w.m.Life.Submit(o)
	if err != nil {
		w.t.Fatalf("seed %d: order %q: %v", w.seed, o.Ref, err)
	}
	release()
	return id
}

// sweep sweeps the network once, however long it would have waited.
func (w *world) sweep() {
	wait := w.m.Life.Sweep(context.Background(), net)
	if wait != life.Forever {
		w.now = w.now.Add(wait)
	}
}

// sweeps sweeps n times.
func (w *world) sweeps(n int) {
	for range n {
		w.sweep()
	}
}

// settle mines and sweeps until nothing is open.
func (w *world) settle() {
	w.t.Helper()
	for range 60 {
		if w.m.Life.Idle().Open == 0 {
			return
		}
		w.sweep()
		w.chain.Chain.Mine(1)
	}
	for _, s := range w.m.Life.List() {
		w.t.Logf("transaction %+v", s)
	}
	w.t.Fatalf("seed %d: transactions stay open", w.seed)
}

// state checks where a transaction is.
func (w *world) state(id uint32, want ledger.TxState, why ledger.Reason) life.Status {
	w.t.Helper()
	s, err := w.m.Life.Status(id)
	if err != nil {
		w.t.Fatalf("status of %d: %v", id, err)
	}
	if s.State != want || s.Reason != why {
		w.t.Fatalf("transaction %d is in state %d with reason %d, want %d with %d", id, s.State, s.Reason, want, why)
	}
	return s
}

// effects checks how often the n-th recipient got something.
func (w *world) effects(n, want int) {
	w.t.Helper()
	if got := w.chain.Chain.Effects(target(n)); got != want {
		w.t.Fatalf("seed %d: recipient %d got something %d times, want %d", w.seed, n, got, want)
	}
}

// The police look at every transaction that leaves the device, over all its
// starts: what is sent must be in the journal, durably; no nonce may serve two
// intents, and no intent may have two nonces; where nonces are not counted, an
// intent is signed once.
type police struct {
	w       *world
	byNonce map[string]uint32 // account and nonce -> intent
	byID    map[uint32]uint64 // intent -> nonce
	byHash  map[uint32]string // intent -> newest hash
	sent    int
	// preparing is called when a signature is about to be prepared.
	preparing func()
	mu        sync.Mutex
	// dirty: what is not synced need not be what is sent, because the flash
	// fails or others write meanwhile.
	dirty  bool
	crimes []string
}

func newPolice(w *world) *police {
	return &police{w: w, byNonce: map[string]uint32{}, byID: map[uint32]uint64{}, byHash: map[uint32]string{}}
}

// protocol puts the police into a protocol.
func (p *police) protocol(proto chains.Protocol) chains.Protocol {
	open := proto.Open
	proto.Open = func(c chains.Config, d chains.Deps) (chains.Network, error) {
		n, err := open(c, d)
		if err != nil {
			return nil, err
		}
		if r, ok := n.(chains.Replacer); ok {
			return &policedReplacer{policed{n, p}, r}, nil
		}
		return &policed{n, p}, nil
	}
	return proto
}

type policed struct {
	chains.Network
	p *police
}

type policedReplacer struct {
	policed
	chains.Replacer
}

// Balance and Token pass the abilities on that the tests use.
func (n *policed) Balance(ctx context.Context, address string) (*big.Int, error) {
	return n.Network.(chains.Balancer).Balance(ctx, address)
}

func (n *policed) Token(ctx context.Context, account, contract string) (*chains.Token, error) {
	return n.Network.(chains.Tokener).Token(ctx, account, contract)
}

func (n *policed) Send(ctx context.Context, s chains.Signed) error {
	n.p.inspect(s)
	return n.Network.Send(ctx, s)
}

// Prepare and PrepareReplacement are where a host can change its mind.

func (n *policed) Prepare(ctx context.Context, job *chains.Job) (*chains.Draft, error) {
	d, err := n.Network.Prepare(ctx, job)
	n.p.hook()
	return d, err
}

func (n *policedReplacer) PrepareReplacement(ctx context.Context, job *chains.Job, prior []chains.Attempt, p chains.Purpose, fee *big.Int) (*chains.Draft, error) {
	d, err := n.Replacer.PrepareReplacement(ctx, job, prior, p, fee)
	n.p.hook()
	return d, err
}

func (p *police) hook() {
	if p.preparing != nil {
		p.preparing()
	}
}

func (p *police) crime(format string, args ...any) {
	p.crimes = append(p.crimes, fmt.Sprintf(format, args...))
}

func (p *police) inspect(s chains.Signed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent++
	if !p.dirty {
		if n := p.w.fs.Pending(); n != 0 {
			p.crime("bytes of %s leave while %d pieces are not synced", s.Hash, n)
		}
	}
	var tx ledger.Tx
	var attempt chains.Attempt
	p.w.m.Book.View(func(st *ledger.State) {
		for _, t := range st.Open {
			for _, a := range t.Attempts {
				if bytes.Equal(a.Raw, s.Raw) {
					tx, attempt = *t, a
				}
			}
		}
	})
	if tx.ID == 0 {
		p.crime("bytes of %s leave that are not in the journal", s.Hash)
		return
	}
	if hash, ok := p.byHash[tx.ID]; ok && hash != s.Hash && !p.w.chain.Protocol.Sequential {
		p.crime("transaction %d is signed twice", tx.ID)
	}
	p.byHash[tx.ID] = s.Hash
	if !p.w.chain.Protocol.Sequential {
		return
	}
	key := fmt.Sprint(tx.Address, attempt.Nonce)
	if id, ok := p.byNonce[key]; ok && id != tx.ID {
		p.crime("nonce %d serves transactions %d and %d", attempt.Nonce, id, tx.ID)
	}
	if nonce, ok := p.byID[tx.ID]; ok && nonce != attempt.Nonce {
		p.crime("transaction %d has nonces %d and %d", tx.ID, nonce, attempt.Nonce)
	}
	p.byNonce[key], p.byID[tx.ID] = tx.ID, attempt.Nonce
}

// report fails the test with what was seen.
func (p *police) report() {
	p.w.t.Helper()
	for _, c := range p.crimes {
		p.w.t.Errorf("seed %d: %s", p.w.seed, c)
	}
}

// A cheapStore has keys that anybody can use: a simulation of hundreds of
// thousands of runs has no time for real ones.
type cheapStore struct{ random io.Reader }

func (s *cheapStore) Name() string     { return "soft" }
func (s *cheapStore) Curves() []string { return []string{keystore.Secp256k1, keystore.Secp256r1} }

func (s *cheapStore) Generate(_ context.Context, spec keystore.Spec) (*keystore.Key, error) {
	blob := make([]byte, 16)
	if _, err := io.ReadFull(s.random, blob); err != nil {
		return nil, err
	}
	return &keystore.Key{Spec: spec, Public: cheapPublic(blob), Blob: blob}, nil
}

func (s *cheapStore) Import(_ context.Context, spec keystore.Spec, secret []byte) (*keystore.Key, error) {
	return &keystore.Key{Spec: spec, Public: cheapPublic(secret), Blob: bytes.Clone(secret)}, nil
}

func cheapPublic(blob []byte) []byte {
	x := sha256.Sum256(blob)
	return append([]byte{2}, x[:]...)
}

func (s *cheapStore) Open(_ context.Context, k *keystore.Key) ([]byte, error) {
	if pub := cheapPublic(k.Blob); bytes.Equal(pub, k.Public) {
		return pub, nil
	}
	return nil, keystore.ErrBlob
}

func (s *cheapStore) Sign(_ context.Context, k *keystore.Key, digest []byte) ([]byte, error) {
	if len(digest) != 32 {
		return nil, errors.New("no digest")
	}
	return chaintest.CheapSignature(k.Curve, k.Public, digest), nil
}

func (s *cheapStore) Destroy(context.Context, *keystore.Key) error { return nil }
