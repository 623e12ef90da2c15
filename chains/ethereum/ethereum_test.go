package ethereum_test

import (
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// A world is a chain with some nodes, and a network that reaches them.
type world struct {
	t       *testing.T
	chain   *fakenode.Chain
	nodes   []*fakenode.Node
	config  chains.Config
	net     chains.Network
	signer  *chaintest.Signer
	account chains.Account
	id      chains.Identity
	mu      sync.Mutex
	now     time.Time
	told    []string
	gauge   chains.Gauge
}

type source struct{ *rand.ChaCha8 }

var urls = []string{"https://a.example", "https://b.example", "https://c.example"}

func newWorld(t *testing.T, o fakenode.Options, options chains.Options, nodes int) *world {
	t.Helper()
	w := &world{t: t, chain: fakenode.New(o), signer: chaintest.NewSigner("secp256k1", 1), now: time.Unix(1_700_000_000, 0)}
	for _, u := range urls[:nodes] {
		w.nodes = append(w.nodes, w.chain.Node(u))
	}
	w.config = chains.Config{Name: "test", Protocol: "ethereum", Options: chains.Options{"endpoints": strings.Join(urls[:nodes], ",")}}
	for k, v := range options {
		w.config.Options[k] = v
	}
	w.open()
	var err error
	if w.account, err = w.signer.Account(w.net); err != nil {
		t.Fatal(err)
	}
	w.chain.Fund(w.account.Address, ether(1))
	if w.id, err = w.net.Identify(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) open() {
	w.t.Helper()
	net, err := ethereum.ProtocolOver(w.chain.Connect).Open(w.config, w.deps())
	if err != nil {
		w.t.Fatal(err)
	}
	w.net = net
	w.t.Cleanup(func() { net.(io.Closer).Close() })
}

func (w *world) deps() chains.Deps {
	return chains.Deps{
		Gauge: w.gauge,
		Rand:  source{rand.NewChaCha8([32]byte{})},
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.now
		},
		Quarantine: func(endpoint string, _ chains.Identity) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, endpoint)
		},
	}
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

func gwei(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e9)) }

func call(to string) chains.Intent {
	return chains.Intent{Kind: chains.Call, To: to, Value: new(big.Int), Data: []byte{0, 1}}
}

func transfer(value *big.Int) chains.Intent {
	return chains.Intent{Kind: chains.Transfer, To: "0x0000000000000000000000000000000000001234", Value: value}
}

func (w *world) job(in chains.Intent, nonce uint64) *chains.Job {
	return &chains.Job{Intent: in, Account: w.account, Chain: w.id, Nonce: nonce, Committed: new(big.Int)}
}

func (w *world) prepare(job *chains.Job) *chains.Draft {
	w.t.Helper()
	d, err := w.net.Prepare(w.t.Context(), job)
	if err != nil {
		w.t.Fatalf("Prepare: %v", err)
	}
	return d
}

func (w *world) refused(what string, job *chains.Job, want error) error {
	w.t.Helper()
	_, err := w.net.Prepare(w.t.Context(), job)
	if !errors.Is(err, want) {
		w.t.Errorf("%s: %v, want %v", what, err, want)
	}
	return err
}

func (w *world) sign(job *chains.Job, d *chains.Draft) chains.Attempt {
	w.t.Helper()
	sig, err := w.signer.Sign(w.t.Context(), d.Digest)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.net.Assemble(job, d, sig)
	if err != nil {
		w.t.Fatalf("Assemble: %v", err)
	}
	return chains.Attempt{Purpose: d.Purpose, Nonce: d.Nonce, Raw: s.Raw, Hash: s.Hash}
}

// attempt prepares and signs an intent.
func (w *world) attempt(in chains.Intent, nonce uint64) (*chains.Job, chains.Attempt) {
	w.t.Helper()
	job := w.job(in, nonce)
	job.Ahead = nonce > 0
	return job, w.sign(job, w.prepare(job))
}

func (w *world) send(a chains.Attempt) error {
	return w.net.Send(w.t.Context(), chains.Signed{Raw: a.Raw, Hash: a.Hash})
}

func (w *world) mustSend(a chains.Attempt) {
	w.t.Helper()
	if err := w.send(a); err != nil {
		w.t.Fatalf("Send: %v", err)
	}
}

func (w *world) look(attempts ...chains.Attempt) (chains.Evidence, *chains.Sight) {
	w.t.Helper()
	s, err := w.net.Track(w.t.Context(), chains.Head{}, []chains.Watch{{Account: w.account, Attempts: attempts}})
	if err != nil {
		w.t.Fatalf("Track: %v", err)
	}
	return s.Evidence[0], s
}

func decode(t *testing.T, raw []byte) *types.Transaction {
	t.Helper()
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	return tx
}

// fail makes a node answer a method with an error.
func fail(method, message string, code int64) fakenode.Faults {
	return fakenode.Faults{Errors: map[string]*jsonrpc.Error{method: {Code: code, Message: message}}}
}

// BenchmarkTransaction is one transfer from intent to final over the fake
// node, with real signatures.
func BenchmarkTransaction(b *testing.B) {
	chain, h := harness(fakenode.Options{}, nil)
	net, err := h.Protocol.Open(h.Config, h.Deps())
	if err != nil {
		b.Fatal(err)
	}
	account, err := h.Signer.Account(net)
	if err != nil {
		b.Fatal(err)
	}
	chain.Fund(account.Address, new(big.Int).Mul(ether(1), ether(1)))
	id, err := net.Identify(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	nonce := uint64(0)
	for b.Loop() {
		job := &chains.Job{Intent: transfer(big.NewInt(1)), Account: account, Chain: id, Nonce: nonce}
		d, err := net.Prepare(b.Context(), job)
		if err != nil {
			b.Fatal(err)
		}
		sig, err := h.Signer.Sign(b.Context(), d.Digest)
		if err != nil {
			b.Fatal(err)
		}
		s, err := net.Assemble(job, d, sig)
		if err != nil {
			b.Fatal(err)
		}
		if err := net.Send(b.Context(), *s); err != nil {
			b.Fatal(err)
		}
		chain.Mine(3)
		watch := chains.Watch{Account: account, Attempts: []chains.Attempt{{Nonce: nonce, Raw: s.Raw, Hash: s.Hash}}}
		sight, err := net.Track(b.Context(), chains.Head{}, []chains.Watch{watch})
		if err != nil || !sight.Evidence[0].Settled {
			b.Fatalf("%+v, %v", sight, err)
		}
		nonce++
	}
}
