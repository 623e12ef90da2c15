// Package ethereum is the protocol of Ethereum and of networks that speak its
// JSON-RPC interface: transfers of the native coin, calls with ready call data
// and deployments, in transactions of type 0 (EIP-155) and type 2 (EIP-1559).
//
// The way of one transaction through the files: options.go and judge.go say
// what may be asked for; prepare.go asks a node for nonce, fees, gas and funds,
// with fees.go deciding the fee; tx.go encodes, and decodes again before
// anything is released; send.go and track.go carry it and watch it; replace.go
// makes attempts with higher fees. Below them, package node chooses an endpoint
// and checks on every connection which chain it leads to, and package wire
// reads what nodes say.
//
// Nodes are not trusted: every answer is bounded and decoded strictly, a node
// that turns out to be on another chain is not used again, and what one node
// says of a block that is gone counts only if it is not behind the others.
package ethereum

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// Protocol is how Ethereum enters the registry. A network that it opens is
// also a Replacer, a Balancer, a FeeQuoter, a Querier, a Tokener, a Coder, a
// Logger, an Eventer, a Meter and an io.Closer, which closes its connections.
var Protocol = protocol(nil)

// ProtocolOver is Protocol with connections made by connect instead of the
// network, for tests that want no sockets. Nothing is known then of bytes on
// the wire, and the rules for addresses do not apply.
func ProtocolOver(connect func(context.Context, *url.URL) (jsonrpc.Conn, error)) chains.Protocol {
	return protocol(connect)
}

type connector = func(context.Context, *url.URL) (jsonrpc.Conn, error)

func protocol(connect connector) chains.Protocol {
	return chains.Protocol{
		Name: "ethereum", Curves: []string{"secp256k1"}, Decimals: 18, Symbol: "ETH", Sequential: true,
		Check: check,
		Open: func(c chains.Config, d chains.Deps) (chains.Network, error) {
			n, err := open(c, d, connect)
			if err != nil {
				return nil, err
			}
			return n, nil
		},
	}
}

// Bytes of an answer.
const (
	bodyAdded = 64 << 10 // from networks that came by AT
	bodyFile  = 1 << 20  // from networks of the file
)

// A network is one configured network.
type network struct {
	codec
	opt     options
	pool    *node.Pool
	traffic jsonrpc.Traffic
	now     func() time.Time

	// scant: the network has no base fees, or a node no suggestion for a tip.
	scant atomic.Bool

	mu    sync.Mutex
	mined map[string]found // attempts that were seen in a block, by hash
	known map[acquainted]acquaintance
	full  struct { // the last time that the chain was looked at in full
		at    time.Time
		final chains.Head
	}
}

func open(c chains.Config, d chains.Deps, connect connector) (*network, error) {
	opt, problems := read(c)
	if len(problems) > 0 {
		p := problems[0]
		return nil, fmt.Errorf("open network %s: %s: %s", c.Name, p.Option, p.Problem)
	}
	n := &network{opt: opt, mined: make(map[string]found), known: make(map[acquainted]acquaintance), now: d.Now}
	dial := jsonrpc.DialOptions{Dial: d.Dial, Traffic: &n.traffic}
	if d.Gauge != nil {
		dial.Count = d.Gauge.Count
	}
	body := int64(bodyFile)
	if c.Added {
		body = bodyAdded
		dial.Allow = jsonrpc.Outward(d.AllowedPrefixes)
		for _, u := range opt.endpoints {
			allowed := func(host string) bool { return strings.EqualFold(host, u.Hostname()) }
			if !slices.ContainsFunc(d.AllowedHosts, allowed) {
				return nil, fmt.Errorf("open network %s: host %q is not among the allowed hosts", c.Name, u.Hostname())
			}
		}
	}
	trust := opt.tls
	trust.Time, trust.Hybrid = d.TrustedTime, d.HybridKeyExchange
	var err error
	if dial.TLS, err = trust.Config(); err != nil {
		return nil, fmt.Errorf("open network %s: %w", c.Name, err)
	}
	key, err := trust.SessionKey()
	if err != nil {
		return nil, fmt.Errorf("open network %s: %w", c.Name, err)
	}
	over := func(u *url.URL) func(context.Context) (jsonrpc.Conn, error) {
		if connect != nil {
			return func(ctx context.Context) (jsonrpc.Conn, error) { return connect(ctx, u) }
		}
		dial := dial
		dial.TLS = jsonrpc.Remembering(dial.TLS, key+" "+u.Host, d.Sessions)
		return jsonrpc.Connector(u, dial)
	}
	n.pool = node.New(node.Options{
		Endpoints: opt.endpoints, Quarantined: c.Quarantined, ChainID: opt.chainID, Chain: c.Chain,
		Deps: d, Connect: over, MaxBody: body,
	})
	return n, nil
}

// Close closes the network's connections.
func (n *network) Close() error { return n.pool.Close() }

// Status reports from memory.
func (n *network) Status() chains.Status {
	s := n.pool.Status()
	s.BytesSent, s.BytesReceived = n.traffic.Sent.Load(), n.traffic.Received.Load()
	return s
}
