package chains

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sort"
	"time"
)

// A Protocol is how a folder below this one enters the registry.
type Protocol struct {
	Name     string   // as networks name it in the configuration: "ethereum"
	Curves   []string // of the keys it signs with, the default first
	Decimals int      // of the native coin
	Symbol   string   // of the native coin where the network names none
	// Sequential: nonces of an account count up from 0 and the chain includes
	// them in order. Otherwise they are random and part of the identity only,
	// and an intent is signed exactly once.
	Sequential bool
	// Check looks at a network's options without opening it; one error an
	// option, each naming the option it is about.
	Check func(Config) []OptionError
	// Open makes a network. It does no I/O on the network.
	Open func(Config, Deps) (Network, error)
}

// An OptionError says what is wrong with one network option.
type OptionError struct {
	Option  string // as in the configuration file
	Problem string
	Hint    string
}

// Config is one network as configured. Options holds the rest of its table by
// the names of the configuration file; a protocol reads what it knows.
type Config struct {
	Name     string
	Protocol string
	Options  Options
	// Chain is the pinned identity of an earlier contact; nil before the first.
	Chain *Identity
	// Quarantined endpoints (by URL) have answered as another chain and are
	// not used.
	Quarantined map[string]Identity
	// Added: the network came by an AT command and is held to the rules for
	// foreign URLs (configuration.md).
	Added bool
}

// Deps is what the world outside gives a network.
type Deps struct {
	Rand io.Reader
	Now  func() time.Time // with a monotonic reading
	// TrustedTime is the instant at which certificates are judged: the latest
	// of system clock, build date and newest trusted time.
	TrustedTime func() time.Time
	// Dial opens a TCP connection; nil for the system's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Quarantine is told, once for each, of endpoints that answer as another
	// chain than the pinned or configured one.
	Quarantine func(endpoint string, got Identity)
	// Known returns the chains that other networks of the protocol are known to
	// be; nil for none. A node that has lost the first block of its chain is on
	// one of them if it has the block that stands for it.
	Known func() []Identity
	// Gauge is asked and told of what goes over the wire; nil for no budget.
	Gauge Gauge
	// Sessions keeps TLS sessions over restarts; nil where none are kept.
	Sessions Sessions
	// AllowedHosts and AllowedPrefixes bind networks that came by AT.
	AllowedHosts    []string
	AllowedPrefixes []netip.Prefix
	// HybridKeyExchange offers the post-quantum key share in TLS.
	HybridKeyExchange bool
}

// A Gauge keeps a network's budget of bytes. Its methods may be called from
// several goroutines at once.
type Gauge interface {
	// Admit says whether another request may go out: ErrBudget when the budget is
	// used up. It is asked before every connection and every request, so that a
	// request that is under way is finished and no other one begun.
	Admit() error
	// Count adds bytes on the wire, of either direction, TLS included.
	Count(bytes int)
}

// Sessions keeps TLS sessions, which are secrets, under keys that name a server
// and the rules by which it was trusted. Its methods may be called from several
// goroutines at once.
type Sessions interface {
	// Load returns what was last kept under a key, nil for nothing.
	Load(key string) []byte
	// Keep keeps a session in the place of the one before; nil forgets it. It
	// does not wait for storage, and what it keeps may be lost.
	Keep(key string, session []byte)
}

// A Registry holds the protocols of one binary; cmd/boatd fills it.
type Registry struct{ m map[string]Protocol }

// NewRegistry returns a registry of the protocols given.
func NewRegistry(ps ...Protocol) *Registry {
	r := &Registry{m: make(map[string]Protocol, len(ps))}
	for _, p := range ps {
		r.m[p.Name] = p
	}
	return r
}

// Protocol returns the protocol called name.
func (r *Registry) Protocol(name string) (Protocol, error) {
	p, ok := r.m[name]
	if !ok {
		return Protocol{}, fmt.Errorf("protocol %q is not in this build (it has %v)", name, r.Names())
	}
	return p, nil
}

// Names returns the names of the protocols, sorted.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.m))
	for n := range r.m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
