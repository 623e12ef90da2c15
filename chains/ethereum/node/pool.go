package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sort"
	"sync"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// Options are what a pool is made of.
type Options struct {
	Endpoints   []*url.URL // best first
	Quarantined map[string]chains.Identity
	ChainID     string           // decimal, what every endpoint must say; "" for any
	Chain       *chains.Identity // what every endpoint must say; nil before the first contact
	Deps        chains.Deps
	Connect     func(*url.URL) func(context.Context) (jsonrpc.Conn, error)
	MaxBody     int64 // bytes of an answer
}

// A Pool is the endpoints of one network. Its methods may be called from
// several goroutines at once.
type Pool struct {
	o         Options
	endpoints []*Endpoint

	mu       sync.Mutex
	chain    *chains.Identity // what every endpoint must say; nil before the first contact
	top      chains.Head      // newest block that is believed
	topAt    time.Time        // when a node last showed it or a newer one
	answered time.Time        // the last answer
	lastErr  error            // the last time that an endpoint did not answer
	requests uint64           // since the start
	failures uint64           // of these, those that were not answered
}

// New returns a pool. It connects when it is first used.
func New(o Options) *Pool {
	p := &Pool{o: o, chain: o.Chain}
	for _, u := range o.Endpoints {
		e := &Endpoint{pool: p, url: u}
		_, e.quarantined = o.Quarantined[u.String()]
		e.client = jsonrpc.New(jsonrpc.Options{
			URL: u, Connect: o.Connect(u), MaxBody: o.MaxBody, Timeout: attempt, Hello: e.hello, Greet: e.greet, Admit: p.admit,
		})
		p.endpoints = append(p.endpoints, e)
	}
	return p
}

// admit is the door that every request of the network passes.
func (p *Pool) admit() error {
	if p.o.Deps.Gauge == nil {
		return nil
	}
	return p.o.Deps.Gauge.Admit()
}

// Close closes all connections.
func (p *Pool) Close() error {
	for _, e := range p.endpoints {
		e.client.Close()
	}
	return nil
}

// Status reports from memory: the network is up while the last request to any
// endpoint was answered. Bytes are not counted here.
func (p *Pool) Status() chains.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := chains.Status{Height: p.top.Number, Requests: p.requests, Failures: p.failures}
	if !p.answered.IsZero() {
		s.Answered = p.answered.Unix()
	}
	for _, e := range p.endpoints {
		switch {
		case e.quarantined:
			s.Up = max(s.Up, 2)
		case e.up == 1:
			s.Up = 1
			return s
		default:
			s.Up = max(s.Up, e.up)
		}
	}
	if s.Up == 2 {
		s.Err = p.lastErr
	}
	return s
}

const (
	// attempt bounds one request at one endpoint.
	attempt = 20 * time.Second
	// Tolerance is by how many blocks a node may be behind and still be asked
	// first: neighbours differ by one or two all the time.
	Tolerance = 3
	// memory is how long a height is believed after no node shows it any more.
	// It is longer than any lag between neighbours and short enough that one
	// node's lie does not shut out the others for good.
	memory = 10 * time.Minute

	restMin = time.Second // between two tries of an endpoint that fails
	restMax = 5 * time.Minute
)

// Try runs f with one endpoint after the other until one does it: first those
// that work, as configured, then, if none could be reached, those that failed,
// the one that has rested longest first. f must stand being run again from the
// start. What an endpoint says about the transaction (it reverts, the funds are
// short) ends it; what it says about itself does not.
func (p *Pool) Try(ctx context.Context, doing string, f func(*Endpoint) error) error {
	good, tired := p.sorted()
	last, done := attemptAll(ctx, good, nil, f)
	if !done && unreached(last) {
		last, done = attemptAll(ctx, tired, last, f)
	}
	switch {
	case done:
		return last
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return p.None(doing, last)
}

// attemptAll runs f with each of list until one does it or the context ends.
// A refusal says more than a connection that did not come about, so it is the
// error that stays.
func attemptAll(ctx context.Context, list []*Endpoint, last error, f func(*Endpoint) error) (err error, done bool) {
	for _, e := range list {
		if ctx.Err() != nil {
			return last, false
		}
		err := f(e)
		if err == nil || decisive(err) {
			e.good()
			return err, true
		}
		if unreached(last) {
			last = err
		}
	}
	return last, false
}

// unreached says whether err leaves open what a node would have said.
func unreached(err error) bool {
	return err == nil || errors.Is(err, chains.ErrUnreachable) || errors.Is(err, chains.ErrOtherChain)
}

// None is the error when no endpoint was of use: last, unless nobody could be
// reached and some endpoints are in quarantine.
func (p *Pool) None(doing string, last error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	quarantined := 0
	for _, e := range p.endpoints {
		if e.quarantined {
			quarantined++
		}
	}
	switch {
	case quarantined > 0 && unreached(last):
		return wire.Refuse(chains.ErrOtherChain, doing, "%d of %d endpoints are on another chain", quarantined, len(p.endpoints))
	case last == nil:
		return wire.Refuse(chains.ErrUnreachable, doing, "every endpoint has just failed")
	}
	return last
}

// decisive says whether an error is about what was asked and not about who
// answered.
func decisive(err error) bool {
	for _, kind := range []error{chains.ErrReverts, chains.ErrFunds, chains.ErrCeiling, chains.ErrOption,
		chains.ErrNonceAhead, chains.ErrUnderpriced, chains.ErrMismatch, chains.ErrAddress} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// sorted returns the endpoints that work, as configured, and those that failed
// and may be tried again. One that failed less than restMin ago is in neither,
// so that no loop of a caller becomes a loop on the wire.
func (p *Pool) sorted() (good, tired []*Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Deps.Now()
	for _, e := range p.endpoints {
		switch {
		case e.quarantined:
		case !now.Before(e.rested):
			good = append(good, e)
		case now.Sub(e.failed) >= restMin:
			tired = append(tired, e)
		}
	}
	sort.SliceStable(tired, func(i, j int) bool { return tired[i].rested.Before(tired[j].rested) })
	return good, tired
}

// Each runs f with all endpoints of list at once, each with its index, and
// waits for all.
func Each(list []*Endpoint, f func(int, *Endpoint) error) {
	var wg sync.WaitGroup
	for i, e := range list {
		wg.Go(func() {
			if f(i, e) == nil {
				e.good()
			}
		})
	}
	wg.Wait()
}

// Others returns the endpoints besides e that are not quarantined; with resting
// also those that failed lately.
func (p *Pool) Others(e *Endpoint, resting bool) []*Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Deps.Now()
	var list []*Endpoint
	for _, x := range p.endpoints {
		if x != e && !x.quarantined && (resting || !now.Before(x.rested)) {
			list = append(list, x)
		}
	}
	return list
}

// Rest leaves an endpoint alone for a random part of a time that doubles with
// every failure in a row ("full jitter").
func (e *Endpoint) Rest() {
	p := e.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := restMax
	if e.failures < 9 {
		limit = min(restMin<<e.failures, restMax)
	}
	e.failures++
	e.failed = p.o.Deps.Now()
	e.rested = e.failed.Add(restMin + p.random(limit))
}

// random returns a time below limit. Without randomness it is half of limit:
// the jitter is for the network's sake, nothing depends on it.
func (p *Pool) random(limit time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(p.o.Deps.Rand, b[:]); err != nil {
		return limit / 2
	}
	return time.Duration(binary.LittleEndian.Uint64(b[:]) % uint64(limit))
}

// quarantine takes an endpoint out of use for good and tells so once.
func (p *Pool) quarantine(e *Endpoint, got chains.Identity) error {
	p.mu.Lock()
	first := !e.quarantined
	e.quarantined = true
	p.mu.Unlock()
	if first && p.o.Deps.Quarantine != nil {
		p.o.Deps.Quarantine(e.url.String(), got)
	}
	return wire.Refuse(chains.ErrOtherChain, "greet "+e.Host(), "chain id %s, genesis %s", got.ChainID, got.Genesis)
}

// Identity returns what every endpoint must say; nil before the first contact.
func (p *Pool) Identity() *chains.Identity {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chain
}

// See notes a head that a node showed and returns the head that is believed
// and by how many blocks the node is behind it.
func (p *Pool) See(h chains.Head) (believed chains.Head, lag uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Deps.Now()
	if h.Number >= p.top.Number || now.Sub(p.topAt) > memory {
		p.top, p.topAt = h, now
	}
	return p.top, p.top.Number - h.Number
}

// Current is See for a node that must not be behind.
func (p *Pool) Current(e *Endpoint, h chains.Head) error {
	believed, lag := p.See(h)
	if lag <= Tolerance {
		return nil
	}
	e.Rest()
	return wire.Refuse(chains.ErrUnreachable, "ask "+e.Host(), "the node is at block %d, the chain at %d", h.Number, believed.Number)
}

// Usable returns the endpoints that work, or where none does those that may be
// tried again.
func (p *Pool) Usable() []*Endpoint {
	good, tired := p.sorted()
	if len(good) == 0 {
		return tired
	}
	return good
}
