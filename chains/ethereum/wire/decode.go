// Package wire reads what Ethereum nodes say over JSON-RPC: quantities, data
// and hashes as the execution-apis specification writes them, of objects the
// members that are needed, and error texts by one table of what the clients
// are known to say. Nothing here is lenient: whatever is not exactly of its
// form is an [ErrMalformed].
package wire

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strconv"
	"strings"

	"github.com/boatd/boatd/chains"
)

// ErrMalformed is what every refusal to read an answer wraps.
var ErrMalformed = errors.New("malformed answer")

// Malformed makes an ErrMalformed of the answer to what.
func Malformed(what string, raw []byte) error {
	if len(raw) > 80 {
		raw = raw[:80]
	}
	return fmt.Errorf("%w: %s: %q", ErrMalformed, what, raw)
}

// hexText returns the digits of a JSON string 0x....
func hexText(what string, raw json.RawMessage) (string, error) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil || !strings.HasPrefix(s, "0x") {
		return "", Malformed(what, raw)
	}
	return s[2:], nil
}

// ReadBig reads a quantity: no leading zeros, at most 256 bits.
func ReadBig(what string, raw json.RawMessage) (*big.Int, error) {
	digits, err := hexText(what, raw)
	if err != nil {
		return nil, err
	}
	if digits == "" || len(digits) > 64 || len(digits) > 1 && digits[0] == '0' || !isHex(digits) {
		return nil, Malformed(what, raw)
	}
	v, _ := new(big.Int).SetString(digits, 16)
	return v, nil
}

// ReadUint reads a quantity of at most 64 bits.
func ReadUint(what string, raw json.RawMessage) (uint64, error) {
	digits, err := hexText(what, raw)
	if err != nil {
		return 0, err
	}
	if digits == "" || len(digits) > 16 || len(digits) > 1 && digits[0] == '0' || !isHex(digits) {
		return 0, Malformed(what, raw)
	}
	return strconv.ParseUint(digits, 16, 64)
}

// ReadData reads bytes of any length.
func ReadData(what string, raw json.RawMessage) ([]byte, error) {
	digits, err := hexText(what, raw)
	if err != nil {
		return nil, err
	}
	data, err := hex.DecodeString(digits)
	if err != nil {
		return nil, Malformed(what, raw)
	}
	return data, nil
}

// ReadHash reads 32 bytes and returns them as lower-case hex without prefix.
func ReadHash(what string, raw json.RawMessage) (string, error) {
	digits, err := hexText(what, raw)
	if err != nil {
		return "", err
	}
	if len(digits) != 64 || !isHex(digits) {
		return "", Malformed(what, raw)
	}
	return strings.ToLower(digits), nil
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// IsNull says whether an answer is null.
func IsNull(raw json.RawMessage) bool { return string(raw) == "null" }

// A Header is what is needed of a block.
type Header struct {
	chains.Head
	Base *big.Int // nil on networks without base fees
}

// ReadHeader reads a block or header; nil for null.
func ReadHeader(raw json.RawMessage) (*Header, error) {
	if IsNull(raw) {
		return nil, nil
	}
	var o struct{ Hash, Number, Timestamp, BaseFeePerGas json.RawMessage }
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, Malformed("block", raw)
	}
	h := new(Header)
	var err1, err2, err3, err4 error
	h.Hash, err1 = ReadHash("block hash", o.Hash)
	h.Number, err2 = ReadNumber(o.Number)
	h.Time, err3 = ReadUint("block time", o.Timestamp)
	if len(o.BaseFeePerGas) > 0 && !IsNull(o.BaseFeePerGas) {
		h.Base, err4 = ReadBig("base fee", o.BaseFeePerGas)
	}
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return h, nil
}

// ReadNumber reads the number of a block. None has come near this bound, and what
// counts blocks does not overflow below it.
func ReadNumber(raw json.RawMessage) (uint64, error) {
	n, err := ReadUint("block number", raw)
	if err == nil && n >= 1<<53 {
		err = Malformed("block number", raw)
	}
	return n, err
}

// A Receipt is what is needed of a transaction's receipt.
type Receipt struct {
	Block  chains.Head // without time
	Status uint64      // 1 success, 0 failure
	Fee    *big.Int    // nil where the node does not tell
	// Long: the receipt itself was too large to be read, which only one with logs
	// is; who reverts has none.
	Long bool
}

// ReadReceipt reads the receipt of the transaction hash; nil for null.
func ReadReceipt(raw json.RawMessage, hash string) (*Receipt, error) {
	if IsNull(raw) {
		return nil, nil
	}
	var o struct{ TransactionHash, BlockHash, BlockNumber, Status, GasUsed, EffectiveGasPrice, L1Fee json.RawMessage }
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, Malformed("receipt", raw)
	}
	// A receipt of a pending block has no block hash: it is none yet.
	if IsNull(o.BlockHash) {
		return nil, nil
	}
	r := new(Receipt)
	got, err1 := ReadHash("transaction hash", o.TransactionHash)
	var err2, err3, err4 error
	r.Block.Hash, err2 = ReadHash("block hash", o.BlockHash)
	r.Block.Number, err3 = ReadNumber(o.BlockNumber)
	r.Status, err4 = ReadUint("status", o.Status)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	if got != hash {
		return nil, Malformed("receipt of another transaction", raw)
	}
	if r.Status > 1 {
		return nil, Malformed("status", o.Status)
	}
	var err error
	r.Fee, err = readFee(o.GasUsed, o.EffectiveGasPrice, o.L1Fee)
	return r, err
}

// readFee multiplies gas and price and adds a rollup's L1 fee (OP Stack).
func readFee(gasUsed, price, l1 json.RawMessage) (*big.Int, error) {
	if len(price) == 0 || IsNull(price) {
		return nil, nil
	}
	gas, err1 := ReadUint("gas used", gasUsed)
	p, err2 := ReadBig("gas price", price)
	extra := new(big.Int)
	var err3 error
	if len(l1) > 0 && !IsNull(l1) {
		extra, err3 = ReadBig("l1 fee", l1)
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return p.Mul(p, new(big.Int).SetUint64(gas)).Add(p, extra), nil
}

// ReadKnown says whether the node holds the transaction hash, in a block or
// waiting.
func ReadKnown(raw json.RawMessage, hash string) (bool, error) {
	if IsNull(raw) {
		return false, nil
	}
	var o struct{ Hash json.RawMessage }
	if err := json.Unmarshal(raw, &o); err != nil {
		return false, Malformed("transaction", raw)
	}
	got, err := ReadHash("transaction hash", o.Hash)
	if err != nil {
		return false, err
	}
	if got != hash {
		return false, Malformed("another transaction", raw)
	}
	return true, nil
}

// ReadInclusion reads in which block a transaction is, without its time; nil for
// one that waits or is not there.
func ReadInclusion(raw json.RawMessage, hash string) (*chains.Head, error) {
	if known, err := ReadKnown(raw, hash); !known || err != nil {
		return nil, err
	}
	var o struct{ BlockHash, BlockNumber json.RawMessage }
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, Malformed("transaction", raw)
	}
	if len(o.BlockHash) == 0 || IsNull(o.BlockHash) {
		return nil, nil
	}
	var h chains.Head
	var err1, err2 error
	h.Hash, err1 = ReadHash("block hash", o.BlockHash)
	h.Number, err2 = ReadUint("block number", o.BlockNumber)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &h, nil
}

// tolerance is by how many blocks a node may trail what it has heard of: that
// happens while a block is being carried out.
const tolerance = 3

// A SyncState is how far a node is.
type SyncState uint8

// The states.
const (
	InSync  SyncState = iota
	Working           // at the newest block, still indexing
	Syncing           // behind
)

// ReadSync reads eth_syncing: false, or how far the node is.
func ReadSync(raw json.RawMessage) (SyncState, error) {
	if string(raw) == "false" {
		return InSync, nil
	}
	var o struct{ CurrentBlock, HighestBlock json.RawMessage }
	if err := json.Unmarshal(raw, &o); err != nil || raw[0] != '{' {
		return 0, Malformed("sync state", raw)
	}
	current, err1 := ReadUint("current block", o.CurrentBlock)
	highest, err2 := ReadUint("highest block", o.HighestBlock)
	if err := errors.Join(err1, err2); err != nil {
		return 0, err
	}
	if highest > current && highest-current > tolerance {
		return Syncing, nil
	}
	return Working, nil
}

// A History is what is needed of eth_feeHistory.
type History struct {
	Oldest uint64   // block that it begins with; 0 where the node does not say
	Base   *big.Int // fee of the next block; nil where there is none
	Tip    *big.Int // median of the rewards; nil where there are none
}

// ReadHistory reads eth_feeHistory.
func ReadHistory(raw json.RawMessage) (h History, err error) {
	var o struct {
		OldestBlock   json.RawMessage
		BaseFeePerGas []json.RawMessage
		Reward        [][]json.RawMessage
	}
	if err := json.Unmarshal(raw, &o); err != nil || IsNull(raw) || len(o.BaseFeePerGas) > 1025 || len(o.Reward) > 1025 {
		return h, Malformed("fee history", raw)
	}
	if len(o.OldestBlock) > 0 {
		if h.Oldest, err = ReadUint("oldest block", o.OldestBlock); err != nil {
			return h, err
		}
	}
	if k := len(o.BaseFeePerGas); k > 0 {
		if h.Base, err = ReadBig("base fee", o.BaseFeePerGas[k-1]); err != nil {
			return h, err
		}
	}
	var rewards []*big.Int
	for _, r := range o.Reward {
		if len(r) != 1 {
			return h, Malformed("fee history", raw)
		}
		v, err := ReadBig("reward", r[0])
		if err != nil {
			return h, err
		}
		rewards = append(rewards, v)
	}
	h.Tip = median(rewards)
	return h, nil
}

// median returns the middle one of values, nil of none.
func median(values []*big.Int) *big.Int {
	if len(values) == 0 {
		return nil
	}
	sort.Slice(values, func(i, j int) bool { return values[i].Cmp(values[j]) < 0 })
	return values[len(values)/2]
}

// Number writes a quantity.
func Number(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
