package ethereum

import (
	"context"
	"math/big"
	"slices"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// A market is what a unit of gas costs now.
type market struct {
	base  *big.Int // of the newest block or the next one; nil on networks without base fees
	tip   *big.Int // that the node suggests
	price *big.Int // on networks without base fees: that the node suggests
}

// quotes are the questions for a market. The base fee is that of the newest block
// or, from the fee history, of the next one. price
// and history are only asked where the others leave the tip open. Questions that
// are not asked are nil.
type quotes struct{ tip, next, price, history *jsonrpc.Call }

// quote makes the questions beside, or in the place of, the newest block. Where
// they were not enough before, all are asked at once, so that there is no second
// round trip.
func (n *network) quote(head bool) quotes {
	q := quotes{tip: &jsonrpc.Call{Method: "eth_maxPriorityFeePerGas"}}
	if !head {
		q.next = &jsonrpc.Call{Method: "eth_feeHistory", Params: []any{"0x1", "latest", []int{}}}
	}
	if n.scant.Load() {
		q.more()
	}
	return q
}

func (q *quotes) more() []*jsonrpc.Call {
	q.price = &jsonrpc.Call{Method: "eth_gasPrice"}
	q.history = &jsonrpc.Call{Method: "eth_feeHistory", Params: []any{"0x4", "latest", []int{50}}}
	return []*jsonrpc.Call{q.price, q.history}
}

// calls returns what is asked.
func (q *quotes) calls() []*jsonrpc.Call {
	return slices.DeleteFunc([]*jsonrpc.Call{q.tip, q.next, q.price, q.history}, func(c *jsonrpc.Call) bool { return c == nil })
}

// market reads the answers. A node need not have every method, nor a network base
// fees: without a suggested tip the median of the last blocks serves, then what
// the node's gas price leaves above the base fee.
func (n *network) market(ctx context.Context, e *node.Endpoint, base *big.Int, q *quotes) (m market, err error) {
	m.base = base
	if m.base != nil && q.next != nil && q.next.Err == nil {
		h, err := wire.ReadHistory(q.next.Result)
		if err != nil {
			return m, e.Bad(err)
		}
		m.raise(h)
	}
	if m.base != nil && q.tip.Err == nil {
		if m.tip, err = wire.ReadBig("tip", q.tip.Result); err != nil {
			return m, e.Bad(err)
		}
		return m, nil
	}
	if q.price == nil {
		n.scant.Store(true)
		if err := e.Do(ctx, q.more()...); err != nil {
			return m, err
		}
	}
	return readScant(e, m, q)
}

// raise takes the base fee of the next block from a fee history that has it.
func (m *market) raise(h wire.History) {
	if h.Base != nil && h.Base.Sign() > 0 {
		m.base = h.Base
	}
}

// readScant reads what there is to know where no tip is suggested.
func readScant(e *node.Endpoint, m market, q *quotes) (market, error) {
	price, err := e.Result(q.price)
	if err == nil {
		var bad error
		if m.price, bad = wire.ReadBig("gas price", price); bad != nil {
			return m, e.Bad(bad)
		}
	}
	if m.base == nil {
		return m, err
	}
	var h wire.History
	if q.history.Err == nil {
		if h, err = wire.ReadHistory(q.history.Result); err != nil {
			return m, e.Bad(err)
		}
	}
	m.raise(h)
	switch {
	case h.Tip != nil:
		m.tip = h.Tip
	case m.price != nil && m.price.Cmp(m.base) > 0:
		m.tip = new(big.Int).Sub(m.price, m.base)
	default:
		return m, wire.Complaint("eth_maxPriorityFeePerGas at "+e.Host(), q.tip.Err)
	}
	return m, nil
}

// A bid is what a transaction offers for a unit of gas. For type 0 both are
// the price.
type bid struct {
	kind     uint8 // transaction type
	cap, tip *big.Int
}

// ceiling returns the highest fee a unit of gas that leaves max_total_fee for
// gas units and what comes on top.
func (o *options) ceiling(gas uint64, extra *big.Int) (*big.Int, error) {
	left := new(big.Int).Sub(o.maxTotal, extra)
	if left.Sign() < 0 {
		return nil, wire.Refuse(chains.ErrCeiling, "choose a fee", "l1 fee %d, max_total_fee %d", extra, o.maxTotal)
	}
	left.Div(left, new(big.Int).SetUint64(gas))
	if left.Cmp(o.maxFee) > 0 {
		return o.maxFee, nil
	}
	return left, nil
}

// offer chooses a bid: fee cap = min(2 × base + tip, ceiling), or what the
// host asked for. It is ErrCeiling only while base + tip is above the ceiling,
// which is a reason to wait.
func (o *options) offer(m market, in chains.Intent, gas uint64, extra *big.Int) (bid, error) {
	ceiling, err := o.ceiling(gas, extra)
	if err != nil {
		return bid{}, err
	}
	if in.MaxFee != nil {
		if in.MaxFee.Cmp(ceiling) > 0 {
			return bid{}, wire.Refuse(chains.ErrCeiling, "choose a fee", "%d asked for, ceiling %d", in.MaxFee, ceiling)
		}
		ceiling = in.MaxFee
	}
	kind, err := typeFor(m, in)
	if err != nil {
		return bid{}, err
	}
	now, want, tip := o.estimate(m, in, kind, o.firstTip())
	if now.Cmp(ceiling) > 0 {
		return bid{}, wire.Refuse(chains.ErrCeiling, "choose a fee", "a unit of gas costs %d now, ceiling %d", now, ceiling)
	}
	b := bid{kind: kind, cap: smaller(want, ceiling), tip: tip}
	if in.MaxFee != nil {
		b.cap = in.MaxFee
	}
	if kind == 0 {
		b.tip = b.cap
	}
	return b, nil
}

// typeFor chooses the transaction type.
func typeFor(m market, in chains.Intent) (uint8, error) {
	legacy := m.base == nil
	switch {
	case legacy && (in.Type != nil && *in.Type == 2 || in.Tip != nil):
		return 0, wire.Refuse(chains.ErrOption, "choose a fee", "the network has no base fee: neither type 2 nor a tip")
	case in.Type != nil:
		return *in.Type, nil
	case legacy:
		return 0, nil
	}
	return 2, nil
}

// estimate returns what a unit of gas costs now, what to offer so that it will
// still do when the base fee rises, and the tip in it. A transaction of type 0
// pays all that it offers, so it leaves room for two blocks of rising base fee
// and not for six.
func (o *options) estimate(m market, in chains.Intent, kind uint8, maxTip *big.Int) (now, want, tip *big.Int) {
	if m.base == nil {
		return m.price, m.price, m.price
	}
	tip = smaller(m.tip, maxTip)
	if in.Tip != nil {
		tip = in.Tip
	}
	if in.MaxFee != nil {
		tip = smaller(tip, in.MaxFee)
	}
	now = new(big.Int).Add(m.base, tip)
	if kind == 0 {
		return now, new(big.Int).Add(now, new(big.Int).Rsh(m.base, 2)), tip
	}
	return now, new(big.Int).Add(now, m.base), tip
}

// firstTip is the highest tip that is chosen for a first attempt: it leaves room
// below max_tip for one that replaces it, so that it can be cancelled.
func (o *options) firstTip() *big.Int {
	t := new(big.Int).Mul(o.maxTip, big.NewInt(100))
	return t.Div(t, big.NewInt(100+o.bump))
}

func smaller(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// Fees says what a transaction would cost now. On networks without base fees
// Base is the gas price and Tip is zero.
func (n *network) Fees(ctx context.Context) (fees chains.Fees, err error) {
	err = n.pool.Try(ctx, "ask for fees", func(e *node.Endpoint) error {
		head := e.Header("latest")
		q := n.quote(false)
		if err := e.Do(ctx, append(q.calls(), head)...); err != nil {
			return err
		}
		h, err := e.ReadHead(head)
		if err != nil {
			return err
		}
		if err := n.pool.Current(e, h.Head); err != nil {
			return err
		}
		m, err := n.market(ctx, e, h.Base, &q)
		if err != nil {
			return err
		}
		fees = chains.Fees{Base: m.base, Tip: m.tip}
		if m.base == nil {
			fees.Base, fees.Tip = m.price, new(big.Int)
		}
		fees.Transfer = new(big.Int).Add(fees.Base, fees.Tip)
		fees.Transfer.Mul(fees.Transfer, big.NewInt(plainGas))
		return nil
	})
	return fees, err
}
