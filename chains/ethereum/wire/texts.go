package wire

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// A Class is what an error of a node means.
type Class uint8

// The classes. What is in none of the others is tried again.
const (
	Unknown     Class = iota
	IsKnown           // the node has the transaction already
	NonceLow          // the nonce is used: perhaps by this very transaction
	Underpriced       // the fee is too low, or too low to replace what is there
	NoFunds           // the account cannot pay
	BadGas            // the gas limit is too low or too high
	Reverted          // the execution, real or simulated, reverts
	Failed            // the execution fails otherwise: no gas is left, an instruction is bad
	OtherChain        // signed for another chain
	Indexing          // the node does not know yet what it has
	Busy              // too many requests
	NoMethod          // the node does not have the method
	NoBlock           // the node has no such block
)

// A text is a row of the table: clients say something that contains it.
type text struct {
	client string // who says so; others may as well
	part   string // lower case
	class  Class
}

// texts are judged from top to bottom: what is more exact stands first. The
// words are those of the clients' own sources; the text counts before the code,
// because codes differ between clients (-32005 is "too many requests" for one
// and "exceeds block gas limit" for another) and some wrap everything in
// -32603.
//
// What follows "execution reverted" are a contract's own words, which may be
// those of any other row: nothing may stand before it.
var texts = []text{
	{"geth, Besu, Erigon, Arbitrum, anvil", "execution reverted", Reverted},

	{"geth, Erigon, Nethermind", "already known", IsKnown},
	{"Besu, old geth", "known transaction", IsKnown},
	{"Nethermind before 2026", "alreadyknown", IsKnown},
	{"Nethermind before 2026", "ownnoncealreadyused", IsKnown},
	{"Erigon", "existing tx with same hash", IsKnown},
	{"anvil", "already imported", IsKnown},

	{"geth, Besu, Erigon, Nethermind, Arbitrum, anvil", "nonce too low", NonceLow},
	{"Nethermind before 2026", "oldnonce", NonceLow},
	{"Arbitrum classic", "invalid transaction nonce", NonceLow},

	{"geth, Besu, Erigon, Nethermind, anvil", "replacement transaction underpriced", Underpriced},
	{"Erigon", "could not replace existing tx", Underpriced},
	{"anvil", "insufficient gas price to replace", Underpriced},
	{"Nethermind before 2026", "replacementnotallowed", Underpriced},
	{"geth, Erigon, Nethermind", "underpriced", Underpriced},
	{"geth", "gas price below minimum", Underpriced},
	{"geth, Arbitrum, anvil", "less than block base fee", Underpriced},
	{"Besu", "gas price below", Underpriced},
	{"Erigon", "fee too low", Underpriced},
	{"Nethermind before 2026", "feetoolow", Underpriced},
	{"Arbitrum classic", "gas price too low", Underpriced},

	{"geth, Erigon, Nethermind, Arbitrum, anvil", "insufficient funds", NoFunds},
	{"Nethermind before 2026", "insufficientfunds", NoFunds},
	{"geth", "insufficient balance", NoFunds},
	{"geth", "transaction would cause overdraft", NoFunds},
	{"Besu", "upfront cost exceeds account balance", NoFunds},
	{"Arbitrum classic", "not enough funds for gas", NoFunds},

	{"geth, Nethermind, Arbitrum, anvil", "intrinsic gas too", BadGas},
	{"Besu", "intrinsic gas exceeds gas limit", BadGas},
	{"Erigon", "intrinsicgas", BadGas},
	{"geth", "insufficient gas for floor data gas cost", BadGas},
	{"geth, Besu", "exceeds block gas limit", BadGas},
	{"geth", "transaction gas limit too high", BadGas},
	{"Nethermind, geth", "gas limit reached", BadGas},
	{"Nethermind", "txgaslimitcapexceeded", BadGas},
	{"Nethermind before 2026", "gaslimitexceeded", BadGas},
	{"anvil", "gas limit is greater than", BadGas},
	{"geth", "gas required exceeds allowance", BadGas},

	{"geth, Erigon", "out of gas", Failed},
	{"geth, Erigon", "invalid opcode", Failed},
	{"geth, Erigon", "stack underflow", Failed},
	{"geth, Erigon", "stack limit reached", Failed},
	{"geth, Erigon", "invalid jump destination", Failed},
	{"geth, Erigon", "write protection", Failed},
	{"geth, Erigon", "return data out of bounds", Failed},
	{"geth, Erigon", "max code size exceeded", Failed},
	{"geth, Erigon", "max initcode size exceeded", Failed},
	{"geth, Erigon", "contract address collision", Failed},
	{"geth, Erigon", "invalid code: must not begin with 0xef", Failed},
	{"anvil", "evm error", Failed},
	{"Nethermind", "vm execution error", Failed},

	{"geth, Erigon", "invalid sender", OtherChain},
	{"geth, anvil", "invalid chain id", OtherChain},
	{"anvil", "signed for another chain", OtherChain},
	{"Besu", "wrong chainid", OtherChain},
	{"Besu", "chainid not supported", OtherChain},
	{"Nethermind", "invalidtxchainid", OtherChain},

	{"geth", "indexing is in progress", Indexing},

	{"Infura, Alchemy and others", "too many requests", Busy},
	{"Infura, Alchemy and others", "rate limit", Busy},
	{"QuickNode and others", "request limit", Busy},
	{"Alchemy", "compute units per second", Busy},

	{"geth", "does not exist/is not available", NoMethod},
	{"Besu, Erigon, Nethermind, anvil", "method not found", NoMethod},
	{"Besu", "method not enabled", NoMethod},

	{"geth", "finalized block not found", NoBlock},
	{"geth", "header not found", NoBlock},
	{"anvil", "blockoutofrange", NoBlock},
	{"Besu, Erigon", "unknown block", NoBlock},
}

// codes count where no text did.
var codes = map[int64]Class{
	429:    Busy,     // Alchemy
	-32005: Busy,     // EIP-1474, "limit exceeded"
	-32601: NoMethod, // JSON-RPC 2.0
	-32604: NoMethod, // Besu, "method not enabled"
	-39001: NoBlock,  // execution-apis, "unknown block"
}

// Classify says what an error of a node means.
func Classify(e *jsonrpc.Error) Class {
	message := strings.ToLower(e.Message)
	// Nethermind and OpenEthereum: -32015 with "revert" as message or at the
	// beginning of the data.
	if e.Code == -32015 && (strings.HasPrefix(message, "revert") || strings.HasPrefix(strings.ToLower(dataText(e.Data)), "revert")) {
		return Reverted
	}
	if e.Code == 3 { // the same, however it is worded
		return Reverted
	}
	for _, t := range texts {
		if strings.Contains(message, t.part) {
			return t.class
		}
	}
	if c, ok := codes[e.Code]; ok {
		return c
	}
	return Unknown
}

// dataText returns error data that is a string.
func dataText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// kinds are the errors of the chains room that the classes become. IsKnown and
// NonceLow need a closer look where bytes are sent.
var kinds = map[Class]error{
	Unknown: chains.ErrRefused, IsKnown: chains.ErrRefused, NonceLow: chains.ErrRefused,
	Underpriced: chains.ErrUnderpriced, NoFunds: chains.ErrFunds, BadGas: chains.ErrRefused,
	Reverted: chains.ErrReverts, Failed: chains.ErrReverts, OtherChain: chains.ErrOtherChain, Indexing: chains.ErrRefused,
	Busy: chains.ErrUnreachable, NoMethod: chains.ErrRefused, NoBlock: chains.ErrRefused,
}

// Complaint makes an error of the chains room of a node's error; detail is the
// reason of a revert, else what the node said.
func Complaint(doing string, e *jsonrpc.Error) error {
	c := Classify(e)
	detail := e.Message
	if c == Reverted {
		detail = reason(e)
	}
	return &chains.Error{Kind: kinds[c], Doing: doing, Detail: Clip(detail), Code: e.Code}
}

// Refuse makes an error of the chains room that no node has said.
func Refuse(kind error, doing, format string, args ...any) error {
	return &chains.Error{Kind: kind, Doing: doing, Detail: Clip(fmt.Sprintf(format, args...))}
}

// Clip bounds text that goes into an error.
func Clip(s string) string { return s[:min(len(s), 200)] }
