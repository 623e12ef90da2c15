package node

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/jsonrpc"
)

const (
	urlA = "https://a.example"
	urlB = "https://b.example"
	urlC = "https://c.example"
)

type bench struct {
	t       *testing.T
	chain   *fakenode.Chain
	a, b, c *fakenode.Node
	pool    *Pool
	mu      sync.Mutex
	told    map[string]chains.Identity
}

type seeded struct{ *rand.ChaCha8 }

func newBench(t *testing.T, o Options) *bench {
	b := &bench{t: t, chain: fakenode.New(fakenode.Options{}), told: make(map[string]chains.Identity)}
	b.a, b.b, b.c = b.chain.Node(urlA), b.chain.Node(urlB), b.chain.Node(urlC)
	if o.Endpoints == nil {
		for _, text := range []string{urlA, urlB, urlC} {
			o.Endpoints = append(o.Endpoints, parse(text))
		}
	}
	o.MaxBody = 64 << 10
	o.Deps = chains.Deps{Rand: seeded{rand.NewChaCha8([32]byte{})}, Now: time.Now, Quarantine: b.quarantined}
	o.Connect = func(u *url.URL) func(context.Context) (jsonrpc.Conn, error) {
		return func(ctx context.Context) (jsonrpc.Conn, error) { return b.chain.Connect(ctx, u) }
	}
	b.pool = New(o)
	return b
}

func parse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err) // a constant of this file
	}
	return u
}

func (b *bench) quarantined(endpoint string, got chains.Identity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, again := b.told[endpoint]; again {
		b.t.Errorf("quarantine of %s was told twice", endpoint)
	}
	b.told[endpoint] = got
}

// ask asks for the newest block and returns who answered.
func (b *bench) ask() (string, error) {
	host := ""
	err := b.pool.Try(b.t.Context(), "ask", func(e *Endpoint) error {
		host = e.Host()
		head := e.Header("latest")
		if err := e.Do(b.t.Context(), head); err != nil {
			return err
		}
		h, err := e.ReadHead(head)
		if err != nil {
			return err
		}
		return b.pool.Current(e, h.Head)
	})
	return host, err
}

func (b *bench) expect(what, host string) {
	b.t.Helper()
	if got, err := b.ask(); got != host || err != nil {
		b.t.Errorf("%s: %s answered (%v), want %s", what, got, err, host)
	}
}

func (b *bench) fails(what string, want error) {
	b.t.Helper()
	if got, err := b.ask(); !errors.Is(err, want) {
		b.t.Errorf("%s: %s answered, error %v, want %v", what, got, err, want)
	}
}

func bubble(t *testing.T, o Options, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, o)
		f(b)
		b.pool.Close()
	})
}

// The first good one is asked as long as it is good, and again when it is
// well.
func TestFailover(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		for range 5 {
			b.expect("all well", "a.example")
		}
		if b.b.Requests() != 0 {
			b.t.Error("the second endpoint was asked for nothing")
		}
		if s := b.pool.Status(); s.Requests != 5 || s.Failures != 0 {
			b.t.Errorf("%d requests, %d failed", s.Requests, s.Failures)
		}
		b.a.SetFaults(fakenode.Faults{Down: true})
		b.expect("the first is down", "b.example")
		if s := b.pool.Status(); s.Requests != 7 || s.Failures != 1 {
			b.t.Errorf("%d requests, %d failed", s.Requests, s.Failures)
		}
		b.b.SetFaults(fakenode.Faults{Body: "<html>"})
		b.expect("two are down", "c.example")
		b.c.SetFaults(fakenode.Faults{Status: 502})
		b.fails("all are down", chains.ErrUnreachable)
		if s := b.pool.Status(); s.Up != 2 || s.Err == nil || s.Answered == 0 {
			b.t.Errorf("status %+v", s)
		}
		b.a.SetFaults(fakenode.Faults{})
		time.Sleep(time.Second)
		b.expect("the first is back", "a.example")
		if s := b.pool.Status(); s.Up != 1 || s.Err != nil {
			b.t.Errorf("status %+v", s)
		}
	})
}

// Every kind of being unwell makes room for the next.
func TestUnwell(t *testing.T) {
	for name, f := range map[string]fakenode.Faults{
		"down": {Down: true}, "lose": {Lose: true}, "hang": {Hang: true}, "garbage": {Body: "\r\nOK\r\n"}, "huge": {Huge: 10 << 20},
		"redirect": {Status: 301}, "limited": {Status: 429}, "wrong ids": {WrongIDs: true}, "slow": {Slow: time.Minute},
		"busy":      {Errors: map[string]*jsonrpc.Error{"eth_getHeaderByNumber": {Code: -32005, Message: "limit exceeded"}}},
		"malformed": {Results: map[string]string{"eth_getHeaderByNumber": `{"hash":"0x"}`}},
		"null":      {Results: map[string]string{"eth_getHeaderByNumber": `null`}},
		"no id":     {Errors: map[string]*jsonrpc.Error{"eth_chainId": {Code: -32601, Message: "method not found"}}},
		"id 0":      {Results: map[string]string{"eth_chainId": `"0x0"`}},
		"bad id":    {Results: map[string]string{"eth_chainId": `1337`}},
		"refused":   {Errors: map[string]*jsonrpc.Error{"eth_getHeaderByNumber": {Code: -32000, Message: "missing trie node"}}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(b *bench) {
				b.a.SetFaults(f)
				b.expect(name, "b.example")
				if len(b.told) != 0 {
					b.t.Errorf("quarantined: %v", b.told)
				}
				n := b.a.Requests()
				b.expect(name, "b.example")
				if rests := b.a.Requests() == n; rests != (name != "refused") {
					b.t.Errorf("rests: %v", rests)
				}
				b.a.SetFaults(fakenode.Faults{})
				time.Sleep(restMax + restMin)
				b.expect("well again", "a.example")
			})
		})
	}
}

// A node that is behind comes after those that are not, and nobody believes
// for ever that there was more.
func TestBehind(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		b.chain.Mine(50)
		b.expect("all well", "a.example")
		b.a.SetFaults(fakenode.Faults{Lag: Tolerance})
		b.expect("a little behind", "a.example")
		b.a.SetFaults(fakenode.Faults{Lag: Tolerance + 1})
		b.expect("behind", "b.example")
		b.b.SetFaults(fakenode.Faults{Lag: 20})
		b.c.SetFaults(fakenode.Faults{Lag: 20})
		b.fails("all are behind", chains.ErrUnreachable)
		if s := b.pool.Status(); s.Up != 1 || s.Height != 50 {
			b.t.Errorf("status %+v", s)
		}
		time.Sleep(memory + time.Minute)
		b.a.SetFaults(fakenode.Faults{Lag: 20})
		b.expect("the chain is really shorter", "a.example")
		if s := b.pool.Status(); s.Height != 30 {
			b.t.Errorf("status %+v", s)
		}
	})
}

// An endpoint that fails rests longer each time, at random, and is never asked
// in a loop.
func TestBackoff(t *testing.T) {
	bubble(t, Options{Endpoints: []*url.URL{parse(urlA), parse(urlB)}}, func(b *bench) {
		b.a.SetFaults(fakenode.Faults{Status: 503})
		start, asked := time.Now(), 0
		var gaps []time.Duration
		last := start
		for time.Since(start) < 2*time.Hour {
			b.expect("the other one", "b.example")
			if n := b.a.Requests(); n > asked {
				asked = n
				gaps = append(gaps, time.Since(last))
				last = time.Now()
			}
			time.Sleep(500 * time.Millisecond)
		}
		if asked < 25 || asked > 120 {
			b.t.Errorf("asked %d times in two hours", asked)
		}
		same := true
		for _, g := range gaps[10:] {
			if g > restMax+restMin+time.Second {
				b.t.Errorf("rested %v", g)
			}
			same = same && g == gaps[10]
		}
		if same {
			b.t.Error("no jitter")
		}
	})
	bubble(t, Options{Endpoints: []*url.URL{parse(urlA), parse(urlB)}}, func(b *bench) {
		b.a.SetFaults(fakenode.Faults{Status: 503})
		for range 100 {
			b.expect("the other one", "b.example")
			time.Sleep(time.Minute)
		}
		b.a.SetFaults(fakenode.Faults{})
		time.Sleep(restMax + restMin)
		b.expect("well", "a.example")
		b.a.SetFaults(fakenode.Faults{Status: 503})
		b.expect("unwell", "b.example")
		b.a.SetFaults(fakenode.Faults{})
		time.Sleep(2 * restMin)
		b.expect("the first failure after a good time", "a.example")
	})
	bubble(t, Options{Endpoints: []*url.URL{parse(urlA)}}, func(b *bench) {
		b.a.SetFaults(fakenode.Faults{Status: 503})
		for range 1000 {
			b.fails("the only one", chains.ErrUnreachable)
			time.Sleep(10 * time.Millisecond)
		}
		if n := b.a.Requests(); n > 11 {
			b.t.Errorf("the only endpoint was asked %d times in ten seconds", n)
		}
	})
}

// TestShortHello: a new connection to a node of a known chain asks for no block,
// where the node can do without; a node that cannot is asked only once.
func TestShortHello(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		b.expect("the first contact", "a.example")
		first := b.a.Calls("eth_getBlockByNumber")
		again := func(what string, counts, blocks int) {
			b.t.Helper()
			c, n := b.a.Calls("eth_getBlockTransactionCountByHash"), b.a.Calls("eth_getBlockByNumber")
			b.a.Restart()
			b.expect(what, "a.example")
			if c, n = b.a.Calls("eth_getBlockTransactionCountByHash")-c, b.a.Calls("eth_getBlockByNumber")-n; c != counts || n != blocks {
				b.t.Errorf("%s: asked %d times for the count, %d times for a block", what, c, n)
			}
		}
		if first != 1 {
			b.t.Errorf("at first contact %d blocks", first)
		}
		again("a new connection", 1, 0)
		no := func(code int64, text string) map[string]*jsonrpc.Error {
			return map[string]*jsonrpc.Error{"eth_getBlockTransactionCountByHash": {Code: code, Message: text}}
		}
		b.a.SetFaults(fakenode.Faults{Errors: no(-32000, "not now")})
		again("a node that cannot just now", 1, 1)
		b.a.SetFaults(fakenode.Faults{Errors: no(-32601, "the method does not exist/is not available")})
		again("a node without the method", 1, 1)
		again("and again", 0, 1)
	})
}

// lacksBlocks is how a node answers that does not have the block with a hash.
var lacksBlocks = map[string]string{"eth_getBlockByHash": "null", "eth_getBlockTransactionCountByHash": "null"}

func TestQuarantine(t *testing.T) {
	other := chains.Identity{ChainID: "5"}
	bubble(t, Options{}, func(b *bench) {
		b.expect("all well", "a.example")
		mine := *b.pool.Identity()
		// The name now leads elsewhere; the connection that is open does not.
		b.a.SetFaults(fakenode.Faults{ChainID: big.NewInt(5)})
		b.expect("the same connection", "a.example")
		b.a.Restart()
		b.expect("another chain id", "b.example")
		if got := b.told[urlA]; got.ChainID != other.ChainID {
			b.t.Errorf("told %v", b.told)
		}
		hash := common.HexToHash("0xbad")
		b.b.SetFaults(fakenode.Faults{Genesis: &hash})
		b.b.Restart()
		// It still has the block that was the first one: that settles it.
		b.expect("a node with another idea of block 0", "b.example")
		b.b.SetFaults(fakenode.Faults{Genesis: &hash, Results: lacksBlocks})
		b.b.Restart()
		b.expect("another genesis", "c.example")
		if got := b.told[urlB]; got != (chains.Identity{ChainID: "1337", Genesis: strings.TrimPrefix(hash.Hex(), "0x")}) {
			b.t.Errorf("told %v", b.told)
		}
		b.a.SetFaults(fakenode.Faults{})
		b.c.SetFaults(fakenode.Faults{Down: true})
		time.Sleep(time.Hour)
		b.fails("nobody is left", chains.ErrOtherChain)
		if len(b.told) != 2 || *b.pool.Identity() != mine {
			b.t.Errorf("told %v, identity %v", b.told, b.pool.Identity())
		}
		if n := b.a.Calls("eth_chainId"); n != 2 {
			b.t.Errorf("a quarantined endpoint was asked again (%d)", n)
		}
	})
	bubble(t, Options{ChainID: "5"}, func(b *bench) {
		b.fails("the configured id", chains.ErrOtherChain)
		if len(b.told) != 3 {
			b.t.Errorf("told %v", b.told)
		}
		if s := b.pool.Status(); s.Up != 2 {
			b.t.Errorf("status %+v", s)
		}
	})
	bubble(t, Options{ChainID: "5"}, func(b *bench) {
		b.a.SetFaults(fakenode.Faults{Slow: time.Second})
		first := b.pool.Usable()[0]
		// Two connections find out at the same time.
		Each([]*Endpoint{first, first}, func(_ int, e *Endpoint) error { return e.Do(b.t.Context(), e.Header("latest")) })
		if len(b.told) != 1 {
			b.t.Errorf("told %v", b.told)
		}
	})
	bubble(t, Options{Quarantined: map[string]chains.Identity{urlA: other}}, func(b *bench) {
		b.expect("quarantined before", "b.example")
		if b.a.Requests() != 0 {
			b.t.Error("a quarantined endpoint was asked")
		}
	})
}

// Nothing that acts goes over a connection that was not greeted.
func TestNothingSentToAnotherChain(t *testing.T) {
	bubble(t, Options{Endpoints: []*url.URL{parse(urlA)}}, func(b *bench) {
		b.expect("all well", "a.example")
		b.a.SetFaults(fakenode.Faults{ChainID: big.NewInt(5)})
		b.a.Restart()
		send := func(e *Endpoint) error {
			return e.Do(b.t.Context(), &jsonrpc.Call{Method: "eth_sendRawTransaction", Params: []any{"0x00"}, Acts: true})
		}
		if err := b.pool.Try(b.t.Context(), "send", send); !errors.Is(err, chains.ErrOtherChain) {
			b.t.Errorf("error %v", err)
		}
		if n := b.a.Calls("eth_sendRawTransaction"); n != 0 {
			b.t.Errorf("sent %d times", n)
		}
	})
}

// Nodes that have pruned the first block are known by a final one.
func TestNoGenesis(t *testing.T) {
	pruned := fakenode.Faults{NoGenesis: true}
	bubble(t, Options{}, func(b *bench) {
		b.chain.Mine(10)
		b.a.SetFaults(pruned)
		b.expect("a pruned node first", "a.example")
		id := *b.pool.Identity()
		b.chain.Mine(10)
		b.a.Restart()
		b.expect("a pruned node again", "a.example")
		b.a.SetFaults(fakenode.Faults{Down: true})
		b.expect("a node with its first block", "b.example")
		if *b.pool.Identity() != id || id.Genesis == "" || len(b.told) != 0 {
			b.t.Errorf("identity %v then %v, told %v", id, b.pool.Identity(), b.told)
		}
	})
	bubble(t, Options{}, func(b *bench) {
		b.chain.Mine(1) // nothing is final yet
		b.a.SetFaults(pruned)
		b.expect("a node that cannot say who it is", "b.example")
		b.b.SetFaults(fakenode.Faults{Down: true})
		b.c.SetFaults(fakenode.Faults{Down: true})
		time.Sleep(time.Minute)
		b.expect("a pruned node that has the first block by its hash", "a.example")
		b.a.SetFaults(fakenode.Faults{NoGenesis: true, Results: lacksBlocks})
		b.a.Restart()
		b.fails("a pruned node that cannot say who it is", chains.ErrUnreachable)
		if len(b.told) != 0 {
			b.t.Errorf("not knowing is not being another chain: %v", b.told)
		}
	})
}

// Two first contacts at once make one identity.
func TestFirstContact(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		b.b.SetFaults(fakenode.Faults{ChainID: big.NewInt(5)})
		Each(b.pool.Usable(), func(_ int, e *Endpoint) error { return e.Do(b.t.Context(), e.Header("latest")) })
		id := *b.pool.Identity()
		want := map[string]int{"1337": 1, "5": 2}[id.ChainID]
		if len(b.told) != want {
			b.t.Errorf("identity %v, told %v", id, b.told)
		}
	})
}

// Both are asked who they are before either has been believed.
func TestFirstContactRace(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		b.chain.Mine(10)
		b.a.SetFaults(fakenode.Faults{NoGenesis: true, Slow: time.Second})
		b.b.SetFaults(fakenode.Faults{NoGenesis: true, Slow: time.Second, ChainID: big.NewInt(5)})
		Each(b.pool.Usable()[:2], func(_ int, e *Endpoint) error { return e.Do(b.t.Context(), e.Header("latest")) })
		if len(b.told) != 1 {
			b.t.Errorf("identity %v, told %v", b.pool.Identity(), b.told)
		}
	})
}

func TestHeaders(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		b.a.SetFaults(fakenode.Faults{NoHeaders: true})
		for range 3 {
			b.expect("a node without the short form", "a.example")
		}
		// The short form once, and then never again.
		if short, long := b.a.Calls("eth_getHeaderByNumber"), b.a.Calls("eth_getBlockByNumber"); short != 1 || long != 3+1 {
			b.t.Errorf("%d short and %d long", short, long)
		}
	})
}

func TestContext(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		b.a.SetFaults(fakenode.Faults{Hang: true})
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
		defer cancel()
		err := b.pool.Try(ctx, "ask", func(e *Endpoint) error { return e.Do(ctx, e.Header("latest")) })
		if !errors.Is(err, context.DeadlineExceeded) || b.b.Requests() != 0 {
			b.t.Errorf("error %v", err)
		}
		// The caller had no time left: that says nothing about the endpoint.
		b.a.SetFaults(fakenode.Faults{})
		b.expect("the first is not to blame", "a.example")
	})
}

// What a node says about the transaction is final, what it says about itself
// is not.
func TestDecisive(t *testing.T) {
	bubble(t, Options{}, func(b *bench) {
		for kind, want := range map[error]int{
			chains.ErrReverts: 1, chains.ErrFunds: 1, chains.ErrCeiling: 1, chains.ErrNonceAhead: 1, chains.ErrUnderpriced: 1,
			chains.ErrRefused: 3, chains.ErrUnreachable: 3,
		} {
			n := 0
			err := b.pool.Try(b.t.Context(), "ask", func(*Endpoint) error { n++; return wire.Refuse(kind, "ask", "") })
			if n != want || !errors.Is(err, kind) {
				b.t.Errorf("%v: %d endpoints were asked, error %v", kind, n, err)
			}
		}
		// One that failed lately is not asked for a second opinion.
		b.a.SetFaults(fakenode.Faults{Down: true})
		b.expect("failover", "b.example")
		time.Sleep(restMin)
		b.pool.endpoints[0].rested = time.Now().Add(time.Minute)
		hosts := ""
		b.pool.Try(b.t.Context(), "ask", func(e *Endpoint) error { hosts += e.Host()[:1]; return wire.Refuse(chains.ErrRefused, "ask", "") })
		b.pool.Try(b.t.Context(), "ask", func(e *Endpoint) error { hosts += e.Host()[:1]; return wire.Refuse(chains.ErrUnreachable, "ask", "") })
		if hosts != "bcbca" {
			b.t.Errorf("asked %s", hosts)
		}
		b.pool.endpoints[0].rested = time.Time{}
		// A refusal says more than silence, whoever comes first.
		n := 0
		err := b.pool.Try(b.t.Context(), "ask", func(*Endpoint) error {
			n++
			return wire.Refuse([]error{chains.ErrUnreachable, chains.ErrRefused, chains.ErrUnreachable}[n-1], "ask", "")
		})
		if !errors.Is(err, chains.ErrRefused) {
			b.t.Errorf("error %v", err)
		}
	})
}
