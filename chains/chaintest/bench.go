package chaintest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
)

// A bench is an open network with a funded account.
type bench struct {
	*Harness
	t       *testing.T
	net     chains.Network
	account chains.Account
	id      chains.Identity
	nonce   uint64
	told    []chains.Identity // by Deps.Quarantine
	mu      sync.Mutex
}

// Deps returns what a network of the suite is given: the bubble's clock, no
// sockets, and randomness that is the same in every run.
func (h *Harness) Deps() chains.Deps {
	return chains.Deps{Rand: &counter{}, Now: time.Now, TrustedTime: time.Now}
}

// A counter is a deterministic source of different bytes.
type counter struct {
	mu sync.Mutex
	n  uint64
}

func (c *counter) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; i < len(b); i += sha256.Size {
		c.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		copy(b[i:], sum[:])
	}
	return len(b), nil
}

func open(t *testing.T, h *Harness) *bench {
	t.Helper()
	b := &bench{Harness: h, t: t}
	b.net = b.reopen(h.Config)
	var err error
	if b.account, err = h.Signer.Account(b.net); err != nil {
		t.Fatalf("Address: %v", err)
	}
	h.Chain.Fund(b.account.Address, new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil))
	if b.id, err = b.net.Identify(t.Context()); err != nil {
		t.Fatalf("Identify: %v", err)
	}
	return b
}

func (b *bench) reopen(c chains.Config) chains.Network {
	b.t.Helper()
	deps := b.Deps()
	deps.Quarantine = func(_ string, got chains.Identity) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told = append(b.told, got)
	}
	net, err := b.Protocol.Open(c, deps)
	if err != nil {
		b.t.Fatalf("Open: %v", err)
	}
	return net
}

func (b *bench) job(in chains.Intent) *chains.Job {
	return &chains.Job{Intent: in, Account: b.account, Chain: b.id, Nonce: b.nonce, Committed: new(big.Int)}
}

// draft prepares a job up to the draft of its attempt and journals the steps
// on the way in the job, as the wallet does.
func (b *bench) draft(job *chains.Job) (*chains.Draft, error) {
	b.t.Helper()
	for range 5 {
		d, err := b.net.Prepare(b.t.Context(), job)
		if err != nil || !d.Interim {
			return d, err
		}
		job.Steps = append(job.Steps, b.assemble(job, d).Raw)
	}
	b.t.Fatal("more than five steps")
	return nil, nil
}

func (b *bench) sign(d *chains.Draft) []byte {
	b.t.Helper()
	sig, err := b.Signer.Sign(b.t.Context(), d.Digest)
	if err != nil {
		b.t.Fatalf("sign: %v", err)
	}
	return sig
}

func (b *bench) assemble(job *chains.Job, d *chains.Draft) *chains.Signed {
	b.t.Helper()
	s, err := b.net.Assemble(job, d, b.sign(d))
	if err != nil {
		b.t.Fatalf("Assemble: %v", err)
	}
	return s
}

// attempt carries an intent to the signed attempt; the account's next one has
// the next nonce.
func (b *bench) attempt(in chains.Intent) (*chains.Job, chains.Attempt) {
	b.t.Helper()
	job := b.job(in)
	d, err := b.draft(job)
	if err != nil {
		b.t.Fatalf("Prepare: %v", err)
	}
	s := b.assemble(job, d)
	b.nonce = d.Nonce + 1
	return job, chains.Attempt{Purpose: d.Purpose, Nonce: d.Nonce, Raw: s.Raw, Hash: s.Hash}
}

func (b *bench) send(a chains.Attempt) {
	b.t.Helper()
	if err := b.net.Send(b.t.Context(), chains.Signed{Raw: a.Raw, Hash: a.Hash}); err != nil {
		b.t.Fatalf("Send: %v", err)
	}
}

func (b *bench) watch(attempts ...chains.Attempt) chains.Watch {
	return chains.Watch{Account: b.account, Attempts: attempts}
}

func (b *bench) track(since chains.Head, watches ...chains.Watch) *chains.Sight {
	b.t.Helper()
	s, err := b.net.Track(b.t.Context(), since, watches)
	if err != nil {
		b.t.Fatalf("Track: %v", err)
	}
	if len(s.Evidence) != len(watches) {
		b.t.Fatalf("Track: evidence of %d watches, asked for %d", len(s.Evidence), len(watches))
	}
	return s
}

// look tracks one transaction.
func (b *bench) look(attempts ...chains.Attempt) chains.Evidence {
	b.t.Helper()
	return b.track(chains.Head{}, b.watch(attempts...)).Evidence[0]
}

func (b *bench) effects(in chains.Intent, want int) {
	b.t.Helper()
	if got := b.Chain.Effects(in.To); got != want {
		b.t.Errorf("the chain has %d effects, want %d", got, want)
	}
}

// wantErr fails unless err is an error of this room that wraps want.
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
