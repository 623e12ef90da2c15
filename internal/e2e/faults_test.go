//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// What can be wrong with a node, a balancer or the network between. Each is a
// fault of the proxy.

// silence closes every connection without an answer.
var silence = fault{instead: (*exchange).drop}

// status answers everything with an HTTP status.
func status(code int) fault {
	return fault{instead: func(x *exchange) { http.Error(x, "OK\r\nERROR", code) }}
}

// body answers everything with the same bytes.
func body(text string) fault {
	return fault{instead: func(x *exchange) { x.reply([]byte(text)) }}
}

// truncated breaks off in the middle of every answer, which the node has given.
var truncated = fault{instead: func(x *exchange) {
	answer := x.forward()
	x.Header().Set("Content-Length", fmt.Sprint(len(answer)))
	x.Write(answer[:len(answer)/2])
	x.drop()
}}

// slow answers late.
func slow(by time.Duration) fault {
	return fault{instead: func(x *exchange) {
		timer := time.NewTimer(by)
		defer timer.Stop()
		<-timer.C
		x.reply(x.forward())
	}}
}

// noBatches refuses batches as some servers do.
var noBatches = fault{instead: func(x *exchange) {
	if x.batch {
		x.reply([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not supported"}}`))
		return
	}
	x.reply(x.forward())
}}

// wrongIDs answers to other questions than were asked.
var wrongIDs = fault{after: func(q *question) { q.ID = json.RawMessage("4711") }}

// complains answers some methods, or with none named all, with an error.
func complains(code int, text string, methods ...string) fault {
	return fault{after: func(q *question) {
		if len(methods) == 0 || slices.Contains(methods, q.Method) {
			q.Result, q.Error = nil, encode(map[string]any{"code": code, "message": text})
		}
	}}
}

// answers gives one method's result.
func answers(method string, result any) fault {
	return fault{after: func(q *question) {
		if q.Method == method {
			q.Result, q.Error = encode(result), nil
		}
	}}
}

// wrongNonce says nonces that are too high or too low.
func wrongNonce(by int64) fault {
	return fault{after: func(q *question) {
		var nonce hexutil.Uint64
		if q.Method == "eth_getTransactionCount" && json.Unmarshal(q.Result, &nonce) == nil {
			q.Result = encode(hexutil.Uint64(max(0, int64(nonce)+by)))
		}
	}}
}

// A laggard shows the chain as it was some blocks ago.
type laggard struct {
	node   *node
	behind uint64
}

func (l laggard) top() uint64 {
	var h hexutil.Uint64
	if l.node.try(&h, "eth_blockNumber") != nil || uint64(h) < l.behind {
		return 0
	}
	return uint64(h) - l.behind
}

func (l laggard) fault() fault { return fault{before: l.before, after: l.after} }

func (l laggard) before(q *question) {
	for i, p := range q.Params {
		if string(p) == `"latest"` {
			q.Params[i] = encode(hexutil.Uint64(l.top()))
		}
	}
}

func (l laggard) after(q *question) {
	var in struct {
		Block *hexutil.Uint64 `json:"blockNumber"`
	}
	switch q.Method {
	case "eth_blockNumber":
		q.Result = encode(hexutil.Uint64(l.top()))
	case "eth_getTransactionReceipt", "eth_getTransactionByHash":
		if json.Unmarshal(q.Result, &in) != nil || in.Block == nil || uint64(*in.Block) > l.top() {
			q.Result = json.RawMessage("null")
		}
	}
}

// flicker is a balancer in front of two nodes: every other request sees the
// chain as it was some blocks ago.
func flicker(n *node, behind uint64) fault {
	var count atomic.Uint32
	old := laggard{n, behind}.fault()
	return fault{instead: func(x *exchange) {
		if count.Add(1)%2 == 0 {
			x.fault = old
		}
		x.reply(x.forward())
	}}
}

// A trouble is a row of TestE2EFaultyNode.
type trouble struct {
	name   string
	fault  func(*node) fault
	reason int  // shown of a transaction that waits to be signed
	works  bool // orders happen all the same
}

func always(f fault) func(*node) fault { return func(*node) fault { return f } }

const foreign = "no\r\nOK\r\nERROR\r\n+CME ERROR: 16\r\nRING\r\n\"quoted\" \x1a"

var troubles = []trouble{
	{"silent", always(silence), unreachable, false},
	{"slow", always(slow(2 * time.Second)), 0, true},
	{"hanging", always(slow(25 * time.Second)), unreachable, false},
	{"HTTP 429", always(status(429)), unreachable, false},
	{"HTTP 500", always(status(500)), unreachable, false},
	{"HTTP 503", always(status(503)), unreachable, false},
	{"HTTP 404", always(status(404)), unreachable, false},
	{"redirect", always(fault{instead: func(x *exchange) {
		x.Header().Set("Location", "http://127.0.0.1:9/")
		x.WriteHeader(http.StatusTemporaryRedirect)
	}}), unreachable, false},
	{"garbage", always(body("<html>OK\r\nERROR\r\n\x00\xff</html>")), unreachable, false},
	{"empty", always(body("")), unreachable, false},
	{"10 MB", always(body(`[{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("0", 10<<20) + `"}]`)), unreachable, false},
	{"deep", always(body(strings.Repeat("[", 1<<19))), unreachable, false},
	{"wrong ids", always(wrongIDs), unreachable, false},
	{"broken off", always(truncated), unreachable, false},
	{"no batches", always(noBatches), 0, true},
	{"foreign text", always(complains(-32000, foreign)), unreachable, false},
	{"foreign text at work", always(complains(-32000, foreign, "eth_getBalance", "eth_estimateGas", "eth_call")), nodeRefused, false},
	{"rate limit", always(complains(-32005, "Too Many Requests OK", "eth_getBalance")), unreachable, false},
	{"pool refuses", always(complains(-32000, foreign, "eth_sendRawTransaction")), nodeRefused, false},
	{"nonce too high", always(wrongNonce(5)), disagreement, false},
	{"nonce too low", always(wrongNonce(-100)), 0, true},
	{"absurd nonce", always(answers("eth_getTransactionCount", "0x"+strings.Repeat("f", 64))), nodeRefused, false},
	{"absurd gas", always(answers("eth_estimateGas", "0xffffffffffffffff")), overCeiling, false},
	{"absurd tip", always(answers("eth_maxPriorityFeePerGas", "0x"+strings.Repeat("f", 60))), 0, true},
	{"syncing", always(answers("eth_syncing", map[string]string{"startingBlock": "0x0", "currentBlock": "0x1", "highestBlock": "0x99"})), unreachable, false},
	{"nonsense about syncing", always(answers("eth_syncing", "perhaps")), nodeRefused, false},
	{"alternating", func(n *node) fault { return flicker(n, 20) }, 0, true},
	{"another chain id", always(answers("eth_chainId", "0x1")), otherChain, false},
}

// TestE2EFaultyNode orders transactions while the only node has a fault, and
// restarts boatd in the middle. The reason is shown, nothing that is not boatd's
// comes into the AT stream (the host sees to that), and when the fault ends
// everything happens once.
func TestE2EFaultyNode(t *testing.T) {
	t.Parallel()
	for _, row := range troubles {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.run(t)
		})
	}
}

func (row trouble) run(t *testing.T) {
	n := ticking(t)
	eventually(t, "the chain is 25 blocks long", func() bool { return n.height(t) >= 25 })
	p := newProxy(t, n)
	b := newBench(t, n, 2, setup{networks: []network{{endpoints: []string{p.url}, depth: 2}}})
	all := []*intent{b.order(t, 0)}
	b.ends(all[0].id, confirmed, noReason)
	b.wait(b.order(t, 1).id, included)
	all = append(all, b.order(t, 1))

	p.set(row.fault(n))
	p.server.CloseClientConnections() // some faults show on new connections only
	all = append(all, b.order(t, 2), b.order(t, 3))
	b.during(row, all[2].id)
	b.boatd.restart(true)
	b.reconnect()
	b.during(row, all[2].id)
	all = append(all, b.order(t, 4))
	if row.works {
		b.settle(all)
	}

	p.heal()
	if row.reason == otherChain {
		b.ok(`AT+BOATNETSET="net","accept_new_chain","%s"`, n.genesis(t))
	}
	b.settle(all)
	for _, in := range all {
		b.ends(in.id, confirmed, noReason)
		if h := b.history(in.id); slices.Contains(h, sent) && slices.Index(h, included) >= 0 && slices.Index(h, included) < lastIndex(h, sent) {
			t.Errorf("transaction %d went back and forth: %v", in.id, h)
		}
	}
	audit(t, b.host, n, map[string][]string{b.address: {"w"}}, all)
}

// during looks at a transaction while the fault lasts.
func (b *bench) during(row trouble, id uint64) {
	b.t.Helper()
	if row.works {
		b.wait(id, sent)
		return
	}
	eventually(b.t, fmt.Sprintf("reason %d is shown", row.reason), func() bool { return b.tx(id).reason == row.reason })
	if got := b.tx(id); got.state > signed {
		b.t.Errorf("transaction %d is %+v although the node does nothing right", id, got)
	}
	_, _ = b.do(`AT+BOATBAL="w"`) // whatever it says, it says it as boatd does
	_, _ = b.do(`AT+BOATFEE="net"`)
	b.ok("AT+BOATERR?")
	b.ok("AT+BOATSTAT")
}

// TestE2ENodeBehind has the only node fall behind: what it does not show yet is
// not gone, nothing is signed by its old view, and it may catch up.
func TestE2ENodeBehind(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	eventually(t, "the chain is 25 blocks long", func() bool { return n.height(t) >= 25 })
	for name, restart := range map[string]bool{"watching": false, "restarted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, n)
			b := newBench(t, n, 30, setup{networks: []network{{endpoints: []string{p.url}, depth: 30}}})
			all := []*intent{b.order(t, 0)}
			b.wait(all[0].id, included)
			p.set(laggard{n, 20}.fault())
			if restart {
				b.boatd.restart(true)
				b.reconnect()
			}
			all = append(all, b.order(t, 1))
			if !restart { // what was the newest block is not known for longer
				b.shows(all[1].id, accepted, unreachable)
			}
			height := n.height(t)
			eventually(t, "five more blocks", func() bool { return n.height(t) >= height+5 })
			if got := b.tx(all[0].id); got.state != included {
				t.Errorf("a node that is behind made an included transaction %+v", got)
			}
			p.heal()
			b.settle(all)
			if h := b.history(all[0].id); slices.Contains(h[max(0, slices.Index(h, included)):], sent) {
				t.Errorf("the included transaction went back and forth: %v", h)
			}
			audit(t, b.host, n, map[string][]string{b.address: {"w"}}, all)
		})
	}
}

// TestE2EFirstContact has the node say at the first contact that it is another
// chain than the configured one. Nothing is believed; when the node comes to its
// senses, the host can lift the quarantine.
func TestE2EFirstContact(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	p := newProxy(t, n)
	p.set(answers("eth_chainId", "0x1"))
	b := newBench(t, n, 1, setup{networks: []network{{endpoints: []string{p.url}, depth: 1}}})
	id := b.send("w", "first", nobody(t, 1), "7")
	b.shows(id, accepted, otherChain)
	b.told("alarm", itoa(otherChain), "net")
	p.heal()
	p.server.CloseClientConnections()
	b.ok(`AT+BOATNETSET="net","accept_new_chain","%s"`, n.genesis(t))
	b.ok(`AT+BOATNETGET="net"`)
	if got := b.tx(id); got.state == refused { // it ended with the chain that was not one
		id = b.send("w", "second", nobody(t, 1), "7")
	}
	b.one(0, b.ends(id, confirmed, noReason).hash)
}

// order orders a transfer that is like no other; the same one again for the same
// number.
func (b *bench) order(t testing.TB, k int) *intent {
	t.Helper()
	in := transferIntent("w", fmt.Sprint("order-", k), nobody(t, k), big.NewInt(int64(1000+k)))
	in.id = b.send(in.wallet, in.ref, in.want.to, in.want.value)
	return in
}

func lastIndex(s []int, v int) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == v {
			return i
		}
	}
	return -1
}
