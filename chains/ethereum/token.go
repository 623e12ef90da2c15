package ethereum

import (
	"bytes"
	"context"
	"encoding/json"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/abi"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// effect is what a transaction for an intent says: to whom it goes, with how much
// native coin and with what data. A transfer of a token is a call of its contract
// (ERC-20).
func effect(in chains.Intent) (to string, value *big.Int, data []byte) {
	if in.Asset == "" {
		return in.To, in.Value, in.Data
	}
	return in.Asset, new(big.Int), transferData(in.To, in.Value)
}

// transferData is a call of transfer(address,uint256); amount is below 2^256.
func transferData(to string, amount *big.Int) []byte {
	data := make([]byte, 4+32+32)
	copy(data, []byte{0xa9, 0x05, 0x9c, 0xbb})
	copy(data[4+12:], common.FromHex(to))
	amount.FillBytes(data[4+32:])
	return data
}

// tokenAnswer judges what a simulated transfer of a token returned. Tokens return
// true, or nothing at all; some return false instead of reverting. What is no bool
// is no yes: contracts that pay with tokens do not take it for one either.
func tokenAnswer(in chains.Intent, raw json.RawMessage) error {
	if in.Asset == "" {
		return nil
	}
	answer, err := wire.ReadData("return data", raw)
	if err != nil {
		return err
	}
	switch {
	case len(answer) == 0:
		return nil
	case len(answer) < 32:
		return wire.Refuse(chains.ErrReverts, "move token "+in.Asset, "the token answers %d bytes", len(answer))
	case new(big.Int).SetBytes(answer[:32]).Cmp(big.NewInt(1)) != 0:
		return wire.Refuse(chains.ErrReverts, "move token "+in.Asset, "the token does not answer true")
	}
	return nil
}

// Token asks a token's contract (ERC-20): balanceOf, and decimals and symbol,
// which are optional there.
func (n *network) Token(ctx context.Context, account, contract string) (token *chains.Token, err error) {
	if contract, err = n.ParseAddress(contract); err != nil {
		return nil, err
	}
	err = n.pool.Try(ctx, "ask a token", func(e *node.Endpoint) error {
		ask := func(data []byte) *jsonrpc.Call {
			in := chains.Intent{Kind: chains.Call, To: contract, Value: new(big.Int), Data: data}
			return &jsonrpc.Call{Method: "eth_call", Params: []any{message(account, in, 0), "latest"}}
		}
		holds := ask(append([]byte{0x70, 0xa0, 0x82, 0x31}, common.LeftPadBytes(common.FromHex(account), 32)...)) // balanceOf(address)
		decimals, symbol := ask([]byte{0x31, 0x3c, 0xe5, 0x67}), ask([]byte{0x95, 0xd8, 0x9b, 0x41})              // decimals(), symbol()
		if err := e.Do(ctx, holds, decimals, symbol); err != nil {
			return err
		}
		token, err = readToken(e, holds, decimals, symbol)
		return err
	})
	return token, err
}

func readToken(e *node.Endpoint, holds, decimals, symbol *jsonrpc.Call) (*chains.Token, error) {
	raw, err := e.Result(holds)
	if err != nil {
		return nil, err
	}
	units, err := wire.ReadData("balance", raw)
	switch {
	case err != nil:
		return nil, e.Bad(err)
	case len(units) != 32:
		return nil, wire.Refuse(chains.ErrReverts, "ask a token", "it is no token: balanceOf returns %d bytes", len(units))
	}
	t := &chains.Token{Units: new(big.Int).SetBytes(units), Decimals: -1, Symbol: readSymbol(symbol)}
	if d, err := wire.ReadData("decimals", decimals.Result); decimals.Err == nil && err == nil && len(d) == 32 {
		if v := new(big.Int).SetBytes(d); v.IsUint64() && v.Uint64() <= maxDecimals {
			t.Decimals = int(v.Uint64())
		}
	}
	return t, nil
}

// maxDecimals is the most with which a unit of a token is still an amount.
const maxDecimals = 77

// readSymbol reads a token's symbol: a string, or in old tokens 32 bytes.
func readSymbol(call *jsonrpc.Call) string {
	data, err := wire.ReadData("symbol", call.Result)
	if call.Err != nil || err != nil {
		return ""
	}
	if f, err := abi.ParseFunction("symbol()(string)"); err == nil {
		if values, err := f.Returns(data); err == nil {
			return values[0].Text()
		}
	}
	if len(data) == 32 {
		return string(bytes.TrimRight(data, "\x00"))
	}
	return ""
}
