package ethereum

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// delegation is how the code of an account begins that has delegated it
// (EIP-7702).
var delegation = []byte{0xef, 0x01, 0x00}

// Identify asks the first endpoint that answers which chain it is on.
func (n *network) Identify(ctx context.Context) (chains.Identity, error) {
	err := n.pool.Try(ctx, "identify the chain", func(e *node.Endpoint) error {
		return e.Do(ctx, &jsonrpc.Call{Method: "eth_blockNumber"})
	})
	if err != nil {
		return chains.Identity{}, err
	}
	return *n.pool.Identity(), nil
}

// Prepare asks one node for everything that a signature depends on: first
// nonce, head, fees, balance, code and gas in one batch, then, with the gas
// known, a simulation and a rollup's own fee.
func (n *network) Prepare(ctx context.Context, job *chains.Job) (draft *chains.Draft, err error) {
	if _, err := n.Judge(job.Intent); err != nil {
		return nil, err
	}
	if n.pool.Identity() != nil {
		if err := n.meant(job.Chain); err != nil {
			return nil, err
		}
	}
	var seen *chains.Draft
	err = n.pool.Try(ctx, "prepare a transaction", func(e *node.Endpoint) error {
		s, err := n.surveyFor(ctx, e, job)
		if s != nil {
			seen = &chains.Draft{Head: s.head.Head, Balance: s.balance}
		}
		if err != nil {
			return err
		}
		draft, err = n.prepare(ctx, e, job, s)
		return err
	})
	if err != nil {
		return seen, err
	}
	return draft, nil
}

// simulates says whether a job is simulated: not where the gas is given and what
// it needs may still be under way.
func simulates(job *chains.Job) bool { return job.Intent.Gas == 0 || !job.Ahead }

func (n *network) surveyFor(ctx context.Context, e *node.Endpoint, job *chains.Job) (*survey, error) {
	return n.survey(ctx, e, job, simulates(job) && job.Intent.Gas != 0)
}

// A survey is what a node says before a transaction is made.
type survey struct {
	head    *wire.Header
	nonce   uint64
	balance *big.Int
	code    []byte
	market  market
	gas     uint64
	plain   bool // the recipient has no code: there is nothing to simulate
}

// plainGas is what a transfer to an account without code costs, exactly (Yellow
// Paper, appendix G).
const plainGas = 21000

func (n *network) prepare(ctx context.Context, e *node.Endpoint, job *chains.Job, s *survey) (_ *chains.Draft, err error) {
	in := job.Intent
	to, value, data := effect(in)
	p := payment{gas: s.gas, to: destination(to), value: value, data: data, nonce: job.Nonce}
	if s.nonce > job.Nonce {
		if !job.Adopt {
			return nil, wire.Refuse(chains.ErrNonceAhead, "prepare a transaction", "chain %d, journal %d", s.nonce, job.Nonce)
		}
		p.nonce = s.nonce
	}
	p.chainID, _ = new(big.Int).SetString(job.Chain.ChainID, 10)
	if p.bid, err = n.opt.offer(s.market, in, p.gas, new(big.Int)); err != nil {
		return nil, err
	}
	extra, err := n.rehearse(ctx, e, job, &p, s.head.Number, simulates(job) && in.Gas == 0 && !s.plain)
	if err != nil {
		return nil, err
	}
	if extra.Sign() > 0 {
		if p.bid, err = n.opt.offer(s.market, in, p.gas, extra); err != nil {
			return nil, err
		}
	}
	draft := p.draft(extra, s.head.Head)
	draft.Balance = s.balance
	if err := enough(s.balance, job.Committed, draft.Cost); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(s.code, delegation) {
		draft.Window = 1
	}
	return draft, nil
}

// enough says whether a balance covers what is spoken for and cost.
func enough(balance, committed, cost *big.Int) error {
	need := new(big.Int).Set(cost)
	if committed != nil {
		need.Add(need, committed)
	}
	if balance.Cmp(need) < 0 {
		return wire.Refuse(chains.ErrFunds, "prepare a transaction", "balance %d, needed %d", balance, need)
	}
	return nil
}

// survey asks everything that can be asked at once. With an explicit gas limit
// that includes the simulation. With an error about the transaction it returns
// what it has learned otherwise.
func (n *network) survey(ctx context.Context, e *node.Endpoint, job *chains.Job, simulate bool) (*survey, error) {
	if known := n.acquainted(e, job.Account.Address); known != nil && !job.Timed {
		s, err := n.inquire(ctx, e, job, simulate, known)
		if !errors.Is(err, errStale) {
			return s, err
		}
		n.estrange(e, job.Account.Address)
	}
	return n.inquire(ctx, e, job, simulate, nil)
}

// inquire is one batch of questions: all of them, or those whose answers are not
// known; errStale if what is known cannot be relied on.
func (n *network) inquire(ctx context.Context, e *node.Endpoint, job *chains.Job, simulate bool, known *acquaintance) (*survey, error) {
	from := job.Account.Address
	nonce := &jsonrpc.Call{Method: "eth_getTransactionCount", Params: []any{from, "latest"}}
	balance := &jsonrpc.Call{Method: "eth_getBalance", Params: []any{from, "latest"}}
	code := &jsonrpc.Call{Method: "eth_getCode", Params: []any{from, "latest"}}
	calls := []*jsonrpc.Call{nonce, balance}
	head, sync := e.Header("latest"), &jsonrpc.Call{Method: "eth_syncing"}
	if known == nil {
		calls = append(calls, head, code, sync)
	}
	q := n.quote(known == nil)
	calls = append(calls, q.calls()...)
	var token *jsonrpc.Call
	if job.Intent.Asset != "" {
		token = &jsonrpc.Call{Method: "eth_getCode", Params: []any{job.Intent.Asset, "latest"}}
		calls = append(calls, token)
	}
	run := running(job, simulate)
	if run != nil {
		calls = append(calls, run)
	}
	if err := e.Do(ctx, calls...); err != nil {
		return nil, err
	}
	if err := n.meant(job.Chain); err != nil {
		return nil, err
	}
	s := &survey{gas: job.Intent.Gas}
	var err error
	if known != nil {
		err = n.rely(e, s, known, &q)
	} else {
		err = n.meet(e, s, head, code, sync)
	}
	if err != nil {
		return nil, err
	}
	if err := s.readAccount(e, nonce, balance); err != nil {
		return nil, err
	}
	if known != nil && s.nonce > job.Nonce { // somebody else uses the account
		return nil, errStale
	}
	if s.market, err = n.market(ctx, e, s.head.Base, &q); err != nil {
		return nil, err
	}
	if known == nil && s.market.tip != nil && q.tip.Err == nil {
		n.acquaint(e, from, s)
	}
	if token != nil {
		if err := hasCode(e, token); err != nil {
			return s, err
		}
	}
	if run != nil {
		err = n.readRun(e, job.Intent, s, run)
	}
	return s, err
}

// running is the estimate, or the simulation of an explicit gas limit; nil for
// neither.
func running(job *chains.Job, simulate bool) *jsonrpc.Call {
	switch {
	case job.Intent.Gas == 0:
		return &jsonrpc.Call{Method: "eth_estimateGas", Params: []any{message(job.Account.Address, job.Intent, 0)}}
	case simulate:
		return &jsonrpc.Call{Method: "eth_call", Params: []any{message(job.Account.Address, job.Intent, job.Intent.Gas), "latest"}}
	}
	return nil
}

// meet reads what is asked at the first survey and not again for a while.
func (n *network) meet(e *node.Endpoint, s *survey, head, code, sync *jsonrpc.Call) (err error) {
	if s.head, err = e.ReadHead(head); err != nil {
		return err
	}
	if err := n.fit(e, s.head, sync); err != nil {
		return err
	}
	raw, err := e.Result(code)
	if err != nil {
		return err
	}
	if s.code, err = wire.ReadData("code", raw); err != nil {
		return e.Bad(err)
	}
	return nil
}

// hasCode says whether a token is a contract: an account without code takes any
// call and does nothing.
func hasCode(e *node.Endpoint, call *jsonrpc.Call) error {
	raw, err := e.Result(call)
	if err != nil {
		return err
	}
	code, err := wire.ReadData("code", raw)
	switch {
	case err != nil:
		return e.Bad(err)
	case len(code) == 0:
		return wire.Refuse(chains.ErrReverts, "prepare a transaction", "there is no contract at the token's address")
	}
	return nil
}

// message is a transaction as eth_call and eth_estimateGas take it, without
// fee fields: with them some nodes refuse an account that is short of funds
// for the fee before they look at the call.
func message(from string, in chains.Intent, gas uint64) map[string]string {
	to, value, data := effect(in)
	m := map[string]string{"from": from, "value": fmt.Sprintf("0x%x", value)}
	if len(data) > 0 {
		m["data"] = "0x" + hex.EncodeToString(data)
	}
	if to != "" {
		m["to"] = to
	}
	if gas > 0 {
		m["gas"] = fmt.Sprintf("0x%x", gas)
	}
	return m
}

// meant says whether the endpoints' chain is still the one that the journal
// means.
func (n *network) meant(want chains.Identity) error {
	if got := n.pool.Identity(); got == nil || *got != want {
		return wire.Refuse(chains.ErrOtherChain, "prepare a transaction", "the journal means chain %s, genesis %s", want.ChainID, want.Genesis)
	}
	return nil
}

// fit says whether a node knows the present.
func (n *network) fit(e *node.Endpoint, head *wire.Header, sync *jsonrpc.Call) error {
	if err := n.pool.Current(e, head.Head); err != nil {
		return err
	}
	if sync.Err != nil {
		return nil // not every node has eth_syncing, and its head was good
	}
	state, err := wire.ReadSync(sync.Result)
	if err != nil {
		return e.Bad(err)
	}
	if state == wire.Syncing {
		e.Rest()
		return wire.Refuse(chains.ErrUnreachable, "ask "+e.Host(), "the node is syncing")
	}
	return nil
}

func (s *survey) readAccount(e *node.Endpoint, nonce, balance *jsonrpc.Call) error {
	for _, call := range []*jsonrpc.Call{nonce, balance} {
		if _, err := e.Result(call); err != nil {
			return err
		}
	}
	var err error
	if s.nonce, err = wire.ReadUint("nonce", nonce.Result); err != nil {
		return e.Bad(err)
	}
	if s.nonce == math.MaxUint64 { // EIP-2681
		return e.Bad(wire.Malformed("nonce", nonce.Result))
	}
	if s.balance, err = wire.ReadBig("balance", balance.Result); err != nil {
		return e.Bad(err)
	}
	return nil
}

// readRun reads the estimate, or the simulation of an explicit gas limit. The
// limit is the estimate and a fifth, at most max_gas and what EIP-7825 allows. An
// estimate of exactly what a plain transfer costs says that no code runs.
func (n *network) readRun(e *node.Endpoint, in chains.Intent, s *survey, run *jsonrpc.Call) error {
	raw, err := e.Result(run)
	switch {
	case err != nil:
		return err
	case run.Method != "eth_estimateGas":
		return tokenAnswer(in, raw)
	}
	gas, err := wire.ReadUint("gas", raw)
	if err != nil || gas == 0 {
		return e.Bad(wire.Malformed("gas", raw))
	}
	if gas > n.opt.maxGas {
		return wire.Refuse(chains.ErrCeiling, "estimate gas", "%d needed, ceiling %d", gas, n.opt.maxGas)
	}
	s.gas = min(gas+gas/5, n.opt.maxGas)
	s.plain = gas == plainGas && in.Kind == chains.Transfer && in.Asset == ""
	return nil
}

// rehearse simulates the call with its final gas limit where that was not done
// yet, on the block that the survey was about, and asks a rollup's oracle for the
// fee on top. Behind some endpoints several nodes take turns: one that does not
// have the block is asked again, which is to say another one.
func (n *network) rehearse(ctx context.Context, e *node.Endpoint, job *chains.Job, p *payment, head uint64, simulate bool) (*big.Int, error) {
	var calls []*jsonrpc.Call
	for tries := 0; tries < 3; tries++ {
		calls = calls[:0]
		if simulate {
			calls = append(calls, &jsonrpc.Call{Method: "eth_call", Params: []any{message(job.Account.Address, job.Intent, p.gas), wire.Number(head)}})
		}
		if n.opt.oracle != "" {
			calls = append(calls, n.oracleCall(p))
		}
		if len(calls) == 0 {
			return new(big.Int), nil
		}
		if err := e.Do(ctx, calls...); err != nil {
			return nil, err
		}
		if !simulate || calls[0].Err == nil || wire.Classify(calls[0].Err) != wire.NoBlock {
			break
		}
	}
	if simulate {
		raw, err := e.Result(calls[0])
		if err == nil {
			err = tokenAnswer(job.Intent, raw)
		}
		if err != nil {
			return nil, err
		}
	}
	if n.opt.oracle == "" {
		return new(big.Int), nil
	}
	return readOracle(e, calls[len(calls)-1])
}

// oracleCall is getL1Fee(bytes) of the OP Stack's GasPriceOracle, selector
// 49948e0e, over the unsigned transaction.
func (n *network) oracleCall(p *payment) *jsonrpc.Call {
	body := p.unsigned()
	data := fmt.Sprintf("0x49948e0e%064x%064x%x", 32, len(body), body)
	data += string(bytes.Repeat([]byte("00"), (32-len(body)%32)%32))
	return &jsonrpc.Call{Method: "eth_call", Params: []any{map[string]string{"to": n.opt.oracle, "data": data}, "latest"}}
}

// readOracle reads the oracle's answer. The rollup charges what holds at
// inclusion, so twice the present fee is set aside, as with the base fee.
func readOracle(e *node.Endpoint, call *jsonrpc.Call) (*big.Int, error) {
	raw, err := e.Result(call)
	if err != nil {
		return nil, wire.Refuse(chains.ErrRefused, "ask the l1 fee oracle at "+e.Host(), "%v", err)
	}
	word, err := wire.ReadData("l1 fee", raw)
	if err != nil || len(word) != 32 {
		return nil, e.Bad(wire.Malformed("l1 fee", raw))
	}
	fee := new(big.Int).SetBytes(word)
	return fee.Lsh(fee, 1), nil
}
