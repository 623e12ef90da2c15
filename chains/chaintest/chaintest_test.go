package chaintest_test

import (
	"context"
	"errors"
	"math/big"
	"os"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
)

func TestRandomNonce(t *testing.T) {
	chaintest.Run(t, func(*testing.T) *chaintest.Harness {
		return chaintest.NewRandomNonce(chaintest.Options{}).Harness()
	})
}

func TestMultiSign(t *testing.T) {
	chaintest.Run(t, func(*testing.T) *chaintest.Harness {
		return chaintest.NewMultiSign(chaintest.Options{}).Harness()
	})
}

func TestCheap(t *testing.T) {
	for _, h := range []func() *chaintest.Harness{
		chaintest.NewRandomNonce(chaintest.Options{Cheap: true}).Harness, chaintest.NewMultiSign(chaintest.Options{Cheap: true}).Harness,
	} {
		t.Run(h().Protocol.Name, func(t *testing.T) {
			chaintest.Run(t, func(*testing.T) *chaintest.Harness {
				fresh := h()
				fresh.Chain.Reset("")
				return fresh
			})
		})
	}
}

// Two signatures for one intent are two effects: the chain does not protect a
// wallet that signs twice.
func TestRandomNonceDoubles(t *testing.T) {
	h := chaintest.NewRandomNonce(chaintest.Options{}).Harness()
	net, err := h.Protocol.Open(h.Config, h.Deps())
	if err != nil {
		t.Fatal(err)
	}
	account, err := h.Signer.Account(net)
	if err != nil {
		t.Fatal(err)
	}
	h.Chain.Fund(account.Address, big.NewInt(1e9))
	id, err := net.Identify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		job := &chains.Job{Intent: h.Good, Account: account, Chain: id}
		d, err := net.Prepare(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := h.Signer.Sign(t.Context(), d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		s, err := net.Assemble(job, d, sig)
		if err != nil {
			t.Fatal(err)
		}
		if err := net.Send(t.Context(), *s); err != nil {
			t.Fatal(err)
		}
	}
	h.Chain.Mine(1)
	if n := h.Chain.Effects(h.Good.To); n != 2 {
		t.Errorf("%d effects", n)
	}
}

// A broken is a network with one thing wrong.
type broken struct {
	chains.Network
	assemble func(*chains.Job, *chains.Draft, []byte) (*chains.Signed, error)
	send     func(context.Context, chains.Signed) error
	judge    func(chains.Intent) (*big.Int, error)
	evidence func(*chains.Evidence)
	sight    func(*chains.Sight)
	prepare  func(context.Context, *chains.Job, *chains.Draft, error) (*chains.Draft, error)
	parse    func(string) (string, error)
}

func (b *broken) Assemble(j *chains.Job, d *chains.Draft, sig []byte) (*chains.Signed, error) {
	if b.assemble != nil {
		return b.assemble(j, d, sig)
	}
	return b.Network.Assemble(j, d, sig)
}

func (b *broken) Send(ctx context.Context, s chains.Signed) error {
	if b.send != nil {
		return b.send(ctx, s)
	}
	return b.Network.Send(ctx, s)
}

func (b *broken) Judge(in chains.Intent) (*big.Int, error) {
	if b.judge != nil {
		return b.judge(in)
	}
	return b.Network.Judge(in)
}

func (b *broken) ParseAddress(text string) (string, error) {
	if b.parse != nil {
		return b.parse(text)
	}
	return b.Network.ParseAddress(text)
}

func (b *broken) Prepare(ctx context.Context, j *chains.Job) (*chains.Draft, error) {
	d, err := b.Network.Prepare(ctx, j)
	if b.prepare != nil {
		return b.prepare(ctx, j, d, err)
	}
	return d, err
}

func (b *broken) Track(ctx context.Context, since chains.Head, watches []chains.Watch) (*chains.Sight, error) {
	s, err := b.Network.Track(ctx, since, watches)
	if err == nil && b.sight != nil {
		b.sight(s)
	}
	if err == nil && b.evidence != nil {
		for i := range s.Evidence {
			b.evidence(&s.Evidence[i])
		}
	}
	return s, err
}

// The suite finds what is wrong: each of these networks fails it.
func TestSuiteFinds(t *testing.T) {
	sent := map[string]bool{}
	sabotage := map[string]func(*broken){
		"nothing": nil,
		"Assemble takes everything": func(b *broken) {
			b.assemble = func(j *chains.Job, d *chains.Draft, sig []byte) (*chains.Signed, error) {
				s, err := b.Network.Assemble(j, d, sig)
				if err != nil {
					s = &chains.Signed{Raw: d.Body, Hash: "00"}
				}
				return s, nil
			}
		},
		"Assemble says another error": func(b *broken) {
			b.assemble = func(j *chains.Job, d *chains.Draft, sig []byte) (*chains.Signed, error) {
				s, err := b.Network.Assemble(j, d, sig)
				if err != nil {
					err = errors.New("no")
				}
				return s, err
			}
		},
		"Send only once": func(b *broken) {
			b.send = func(ctx context.Context, s chains.Signed) error {
				if sent[s.Hash] {
					return chains.ErrRefused
				}
				sent[s.Hash] = true
				return b.Network.Send(ctx, s)
			}
		},
		"Send loses": func(b *broken) {
			b.send = func(ctx context.Context, s chains.Signed) error { return ctx.Err() }
		},
		"Judge refuses":     func(b *broken) { b.judge = func(chains.Intent) (*big.Int, error) { return nil, chains.ErrCeiling } },
		"Judge allows":      func(b *broken) { b.judge = func(chains.Intent) (*big.Int, error) { return big.NewInt(1 << 60), nil } },
		"any address":       func(b *broken) { b.parse = func(s string) (string, error) { return s, nil } },
		"settled too early": func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Settled = true } },
		"never settled":     func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Settled = false } },
		"never absent":      func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Absent = false } },
		"always known":      func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Known = true } },
		"consumed":          func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Consumed = true } },
		"reverts are success": func(b *broken) {
			b.evidence = func(e *chains.Evidence) { e.Outcome = min(e.Outcome, chains.Succeeded) }
		},
		"no reason":           func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Err = nil } },
		"no confirmations":    func(b *broken) { b.evidence = func(e *chains.Evidence) { e.Confirmations = 0 } },
		"evidence is missing": func(b *broken) { b.sight = func(s *chains.Sight) { s.Evidence = nil } },
		"replaced":            func(b *broken) { b.sight = func(s *chains.Sight) { s.Replaced = true } },
		"no final block":      func(b *broken) { b.sight = func(s *chains.Sight) { s.Final = chains.Head{} } },
		"Prepare ignores the context": func(b *broken) {
			b.prepare = func(_ context.Context, _ *chains.Job, d *chains.Draft, err error) (*chains.Draft, error) {
				if errors.Is(err, context.Canceled) {
					return &chains.Draft{}, nil
				}
				return d, err
			}
		},
		"Prepare hides what is refused": func(b *broken) {
			b.prepare = func(_ context.Context, _ *chains.Job, d *chains.Draft, err error) (*chains.Draft, error) {
				if errors.Is(err, chains.ErrReverts) {
					err = chains.ErrRefused
				}
				return d, err
			}
		},
		"Prepare hides the other chain": func(b *broken) {
			b.prepare = func(_ context.Context, _ *chains.Job, d *chains.Draft, err error) (*chains.Draft, error) {
				if errors.Is(err, chains.ErrOtherChain) {
					err = chains.ErrRefused
				}
				return d, err
			}
		},
		"Prepare costs more than was said": func(b *broken) {
			b.prepare = func(_ context.Context, _ *chains.Job, d *chains.Draft, err error) (*chains.Draft, error) {
				if d != nil {
					d.Cost = big.NewInt(1 << 60)
				}
				return d, err
			}
		},
	}
	for name, change := range sabotage {
		run := func(t *testing.T) {
			chaintest.Run(t, func(*testing.T) *chaintest.Harness {
				h := chaintest.NewRandomNonce(chaintest.Options{Cheap: true}).Harness()
				open := h.Protocol.Open
				h.Protocol.Open = func(c chains.Config, d chains.Deps) (chains.Network, error) {
					n, err := open(c, d)
					b := &broken{Network: n}
					if change != nil {
						change(b)
					}
					return b, err
				}
				return h
			})
		}
		if passed := quietly(t, run); passed != (change == nil) {
			t.Errorf("%s: passed is %v", name, passed)
		}
	}
}

// quietly runs a test that may fail, without failing with it, and says whether
// it passed. What it prints is thrown away: failing is what it is for.
func quietly(t *testing.T, f func(*testing.T)) bool {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	stdout := os.Stdout
	os.Stdout = null
	defer func() { os.Stdout = stdout }()
	all := func(string, string) (bool, error) { return true, nil }
	return testing.RunTests(all, []testing.InternalTest{{Name: "broken", F: f}})
}

// BenchmarkTransaction is one transaction from intent to final, with cheap
// signatures, as simulations run it.
func BenchmarkTransaction(b *testing.B) {
	for b.Loop() {
		h := chaintest.NewRandomNonce(chaintest.Options{Cheap: true}).Harness()
		net, err := h.Protocol.Open(h.Config, h.Deps())
		if err != nil {
			b.Fatal(err)
		}
		account, err := h.Signer.Account(net)
		if err != nil {
			b.Fatal(err)
		}
		h.Chain.Fund(account.Address, big.NewInt(1e9))
		id, _ := net.Identify(b.Context())
		job := &chains.Job{Intent: h.Good, Account: account, Chain: id}
		d, err := net.Prepare(b.Context(), job)
		if err != nil {
			b.Fatal(err)
		}
		sig, _ := h.Signer.Sign(b.Context(), d.Digest)
		s, err := net.Assemble(job, d, sig)
		if err != nil {
			b.Fatal(err)
		}
		if err := net.Send(b.Context(), *s); err != nil {
			b.Fatal(err)
		}
		h.Chain.Mine(1)
		watch := chains.Watch{Account: account, Attempts: []chains.Attempt{{Nonce: d.Nonce, Raw: s.Raw, Hash: s.Hash}}}
		sight, err := net.Track(b.Context(), chains.Head{}, []chains.Watch{watch})
		if err != nil || !sight.Evidence[0].Settled {
			b.Fatalf("%+v, %v", sight, err)
		}
	}
}
