package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/jsonrpc"
)

const (
	hashA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB = "00000000000000000000000000000000000000000000000000000000000000bb"
)

func TestQuantities(t *testing.T) {
	for text, want := range map[string]string{
		`"0x0"`: "0", `"0x1"`: "1", `"0xfF"`: "255", `"0xffffffffffffffff"`: "18446744073709551615",
		`"0x10000000000000000"`:               "18446744073709551616",
		`"0x` + strings.Repeat("f", 64) + `"`: new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)).String(),
	} {
		if v, err := ReadBig("x", []byte(text)); err != nil || v.String() != want {
			t.Errorf("ReadBig(%s) = %v, %v", text, v, err)
		}
		big, _ := new(big.Int).SetString(want, 10)
		if v, err := ReadUint("x", []byte(text)); big.IsUint64() != (err == nil) || v != 0 && v != big.Uint64() {
			t.Errorf("ReadUint(%s) = %v, %v", text, v, err)
		}
	}
	for _, text := range []string{
		``, `null`, `0`, `1`, `"1"`, `""`, `"0x"`, `"0x00"`, `"0x01"`, `"0X1"`, `"0xg"`, `"0x-1"`, `"0x+1"`, `"0x1 "`, `" 0x1"`, `"0x1_0"`,
		`"0x1` + strings.Repeat("0", 64) + `"`, `{}`, `["0x1"]`, `true`, `"0x１"`, `"0x1`, `"0x@"`, "\"0x`\"",
	} {
		if v, err := ReadBig("x", []byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadBig(%s) = %v, %v", text, v, err)
		}
		if v, err := ReadUint("x", []byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadUint(%s) = %v, %v", text, v, err)
		}
	}
}

func TestData(t *testing.T) {
	if b, err := ReadData("x", []byte(`"0x00fF"`)); err != nil || !bytes.Equal(b, []byte{0, 255}) {
		t.Errorf("ReadData = %x, %v", b, err)
	}
	if b, err := ReadData("x", []byte(`"0x"`)); err != nil || len(b) != 0 {
		t.Errorf("ReadData = %x, %v", b, err)
	}
	for _, text := range []string{`null`, `"0x0"`, `"00"`, `"0xgg"`, `0`, ``} {
		if b, err := ReadData("x", []byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadData(%s) = %x, %v", text, b, err)
		}
	}
	if h, err := ReadHash("x", []byte(`"0x`+strings.ToUpper(hashA)+`"`)); err != nil || h != hashA {
		t.Errorf("ReadHash = %s, %v", h, err)
	}
	for _, text := range []string{`null`, `"0x"`, `"0x` + hashA[2:] + `"`, `"0x` + hashA + `aa"`, `"` + hashA + `"`, `"0x` + strings.Repeat("g", 64) + `"`} {
		if h, err := ReadHash("x", []byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadHash(%s) = %s, %v", text, h, err)
		}
	}
}

func TestHeader(t *testing.T) {
	full := `{"hash":"0x` + hashA + `","number":"0x10","timestamp":"0x65","baseFeePerGas":"0x7","transactions":["0x1"],"extra":null}`
	h, err := ReadHeader([]byte(full))
	if err != nil || h.Head != (chains.Head{Number: 16, Hash: hashA, Time: 101}) || h.Base.Int64() != 7 {
		t.Errorf("ReadHeader = %+v, %v", h, err)
	}
	for _, text := range []string{`{"hash":"0x` + hashA + `","number":"0x0","timestamp":"0x0"}`, `{"hash":"0x` + hashA + `","number":"0x0","timestamp":"0x0","baseFeePerGas":null}`} {
		if h, err := ReadHeader([]byte(text)); err != nil || h.Base != nil {
			t.Errorf("ReadHeader(%s) = %+v, %v", text, h, err)
		}
	}
	if h, err := ReadHeader([]byte("null")); h != nil || err != nil {
		t.Errorf("ReadHeader(null) = %+v, %v", h, err)
	}
	for _, text := range []string{
		`{}`, `[]`, `"0x1"`, `1`, ``, strings.Replace(full, `"0x10"`, `null`, 1), strings.Replace(full, `"0x10"`, `16`, 1),
		strings.Replace(full, `"0x65"`, `"0x10000000000000000"`, 1), strings.Replace(full, hashA, hashA[2:], 1), strings.Replace(full, `"0x7"`, `"7"`, 1),
	} {
		if h, err := ReadHeader([]byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadHeader(%s) = %+v, %v", text, h, err)
		}
	}
}

func TestReceipt(t *testing.T) {
	full := `{"transactionHash":"0x` + hashA + `","blockHash":"0x` + hashB + `","blockNumber":"0x2","status":"0x1","gasUsed":"0x5208","effectiveGasPrice":"0x3"}`
	r, err := ReadReceipt([]byte(full), hashA)
	if err != nil || r.Block != (chains.Head{Number: 2, Hash: hashB}) || r.Status != 1 || r.Fee.Int64() != 63000 {
		t.Errorf("ReadReceipt = %+v, %v", r, err)
	}
	r, err = ReadReceipt([]byte(strings.Replace(full, `}`, `,"l1Fee":"0x10"}`, 1)), hashA)
	if err != nil || r.Fee.Int64() != 63016 {
		t.Errorf("with an L1 fee: %+v, %v", r, err)
	}
	r, err = ReadReceipt([]byte(strings.Replace(full, `,"effectiveGasPrice":"0x3"`, ``, 1)), hashA)
	if err != nil || r.Fee != nil {
		t.Errorf("without a price: %+v, %v", r, err)
	}
	for _, text := range []string{`null`, strings.Replace(full, `"0x`+hashB+`"`, `null`, 1)} {
		if r, err := ReadReceipt([]byte(text), hashA); r != nil || err != nil {
			t.Errorf("ReadReceipt(%s) = %+v, %v", text, r, err)
		}
	}
	for _, text := range []string{
		`{}`, `[]`, `""`, strings.Replace(full, hashA, hashB, 1), strings.Replace(full, `"status":"0x1"`, `"status":"0x2"`, 1),
		strings.Replace(full, `"status":"0x1"`, `"root":"0x1"`, 1), strings.Replace(full, `"status":"0x1"`, `"status":null`, 1),
		strings.Replace(full, `"0x5208"`, `"5208"`, 1), strings.Replace(full, `"0x2"`, `null`, 1),
	} {
		if r, err := ReadReceipt([]byte(text), hashA); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadReceipt(%s) = %+v, %v", text, r, err)
		}
	}
}

func TestKnown(t *testing.T) {
	for text, want := range map[string]bool{`null`: false, `{"hash":"0x` + hashA + `","blockHash":null}`: true} {
		if got, err := ReadKnown([]byte(text), hashA); err != nil || got != want {
			t.Errorf("ReadKnown(%s) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`{}`, `true`, `{"hash":"0x` + hashB + `"}`, `[]`} {
		if got, err := ReadKnown([]byte(text), hashA); !errors.Is(err, ErrMalformed) || got {
			t.Errorf("ReadKnown(%s) = %v, %v", text, got, err)
		}
	}
}

func TestSync(t *testing.T) {
	for text, want := range map[string]SyncState{
		`false`: InSync,
		`{"currentBlock":"0x64","highestBlock":"0x64"}`: Working,
		`{"currentBlock":"0x64","highestBlock":"0x0"}`:  Working,
		`{"currentBlock":"0x64","highestBlock":"0x67"}`: Working,
		`{"currentBlock":"0x64","highestBlock":"0x68"}`: Syncing,
	} {
		if got, err := ReadSync([]byte(text)); err != nil || got != want {
			t.Errorf("ReadSync(%s) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`true`, `null`, `{}`, `"false"`, `[]`, ``} {
		if got, err := ReadSync([]byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadSync(%s) = %v, %v", text, got, err)
		}
	}
}

func TestHistory(t *testing.T) {
	h, err := ReadHistory([]byte(`{"oldestBlock":"0x1","baseFeePerGas":["0x1","0x2","0x3"],"gasUsedRatio":[0.5,1],"reward":[["0x9"],["0x1"],["0x5"]]}`))
	if err != nil || h.Oldest != 1 || h.Base.Int64() != 3 || h.Tip.Int64() != 5 {
		t.Errorf("ReadHistory = %+v, %v", h, err)
	}
	for text, oldest := range map[string]uint64{`{"oldestBlock":"0x9","reward":null}`: 9, `{}`: 0} {
		if h, err = ReadHistory([]byte(text)); err != nil || h != (History{Oldest: oldest}) {
			t.Errorf("ReadHistory(%s) = %+v, %v", text, h, err)
		}
	}
	for _, text := range []string{`[]`, `null`, `{"baseFeePerGas":[null]}`, `{"baseFeePerGas":["0x01"]}`, `{"reward":[[]]}`, `{"reward":[["0x1","0x2"]]}`, `{"reward":"0x1"}`, `{"oldestBlock":1}`,
		`{"baseFeePerGas":[` + strings.Repeat(`"0x1",`, 2000) + `"0x1"]}`} {
		if _, err := ReadHistory([]byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ReadHistory(%.60s): %v", text, err)
		}
	}
}

// What each client says when it refuses: from its sources or seen.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		client  string
		code    int64
		message string
		data    string
		want    Class
	}{
		{"geth", -32000, "already known", "", IsKnown},
		{"geth 1.8", -32000, "known transaction: 7f657507aee0511e36d2d1972a6b22e917cc89f92b6c12c4dbd57eaabb236960", "", IsKnown},
		{"Besu", -32000, "Known transaction", "", IsKnown},
		{"Erigon", -32000, "already known", "", IsKnown},
		{"Erigon", -32000, "existing tx with same hash", "", IsKnown},
		{"Nethermind", -32010, "AlreadyKnown", "", IsKnown},
		{"Nethermind", -32010, "already known", "", IsKnown},
		{"anvil", -32003, "transaction already imported", "", IsKnown},
		{"Arbitrum", -32000, "already known", "", IsKnown},

		{"geth", -32000, "nonce too low: next nonce 5, tx nonce 4", "", NonceLow},
		{"Besu", -32001, "Nonce too low", "", NonceLow},
		{"Erigon", -32000, "nonce too low", "", NonceLow},
		{"Nethermind", -32010, "OldNonce, Current nonce: 22, nonce of rejected tx: 17", "", NonceLow},
		{"Nethermind", -32010, "nonce too low", "", NonceLow},
		{"Arbitrum", -32000, "nonce too low: address 0x336394A3219e71D9d9bd18201d34E95C1Bb7122C, tx: 8089 state: 8090", "", NonceLow},
		{"anvil", -32003, "nonce too low", "", NonceLow},

		{"geth", -32000, "replacement transaction underpriced: new tx gas fee cap 1 <= 2 queued", "", Underpriced},
		{"Besu", -32000, "Replacement transaction underpriced", "", Underpriced},
		{"Erigon", -32000, "could not replace existing tx", "", Underpriced},
		{"Nethermind", -32010, "ReplacementNotAllowed", "", Underpriced},
		{"anvil", -32003, "replacement transaction underpriced", "", Underpriced},
		{"geth", -32000, "transaction underpriced: tip needed 1000000000, tip permitted 1", "", Underpriced},
		{"geth", -32000, "transaction gas price below minimum: gas tip cap 0, minimum needed 1", "", Underpriced},
		{"geth", -32000, "max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7", "", Underpriced},
		{"Besu", -32009, "Gas price below configured minimum gas price", "", Underpriced},
		{"Besu", -32009, "Gas price below current base fee", "", Underpriced},
		{"Erigon", -32000, "underpriced", "", Underpriced},
		{"Erigon", -32000, "fee too low", "", Underpriced},
		{"Nethermind", -32010, "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 50, BaseFee: 100, MaxPriorityFeePerGas:200, Block number: 5", "", Underpriced},
		{"Nethermind", -32010, "FeeTooLowToCompete", "", Underpriced},
		{"Arbitrum", -32000, "max fee per gas less than block base fee: address 0x1, maxFeePerGas: 100000000 baseFee: 109440000", "", Underpriced},
		{"anvil", -32003, "max fee per gas less than block base fee", "", Underpriced},

		{"geth", -32000, "insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000", "", NoFunds},
		{"geth", -32000, "insufficient funds for transfer", "", NoFunds},
		{"geth", -32000, "insufficient balance for transfer", "", NoFunds},
		{"Besu", -32004, "Upfront cost exceeds account balance", "", NoFunds},
		{"Erigon", -32000, "insufficient funds for gas * price + value", "", NoFunds},
		{"Nethermind", -32010, "InsufficientFunds, Account balance: 200158000000000000, cumulative cost: 200258000000000000", "", NoFunds},
		{"Arbitrum", -32000, "insufficient funds for gas * price + value: address 0x1 have 1 want 2", "", NoFunds},
		{"anvil", -32003, "Insufficient funds for gas * price + value", "", NoFunds},

		{"geth", -32000, "intrinsic gas too low: gas 1, minimum needed 21000", "", BadGas},
		{"Besu", -32003, "Intrinsic gas exceeds gas limit", "", BadGas},
		{"Erigon", -32000, "IntrinsicGas", "", BadGas},
		{"Nethermind", -32010, "intrinsic gas too low", "", BadGas},
		{"Arbitrum", -32000, "intrinsic gas too low", "", BadGas},
		{"anvil", -32000, "intrinsic gas too high -- CallerGasLimitMoreThanBlock", "", BadGas},
		{"geth", -32000, "exceeds block gas limit", "", BadGas},
		{"geth", -32000, "transaction gas limit too high (cap: 16777216, tx: 20000000)", "", BadGas},
		{"Besu", -32005, "Transaction gas limit exceeds block gas limit", "", BadGas},
		{"Nethermind", -32010, "GasLimitExceeded, Gas limit: 1, gas limit of rejected tx: 2", "", BadGas},
		{"Nethermind", -32010, "TxGasLimitCapExceeded: Gas limit 20000000 exceeded cap of 16777216.", "", BadGas},
		{"geth", -32000, "gas required exceeds allowance (30000000)", "", BadGas},

		{"geth", 3, "execution reverted: not today", `"0x08c379a0"`, Reverted},
		{"geth", 3, "execution reverted", `"0x"`, Reverted},
		{"Besu", -32000, "Execution reverted", `"0x"`, Reverted},
		{"Erigon", 3, "execution reverted", "", Reverted},
		{"Nethermind", -32015, "VM execution error.", `"Reverted 0x7a933234"`, Reverted},
		{"Nethermind", -32015, "VM execution error.", `"revert: closed"`, Reverted},
		{"Nethermind", -32015, "revert", "", Reverted},
		{"Nethermind", -32000, "execution reverted", `"0xf4f28e99"`, Reverted},
		{"Arbitrum", -32000, "execution reverted: x", "", Reverted},
		{"anvil", 3, "execution reverted: x", `"0x"`, Reverted},
		{"wrapped", -32603, "Internal JSON-RPC error: execution reverted", "", Reverted},
		{"Nethermind", -32015, "VM execution error.", `"Bad instruction fe"`, Failed},
		{"geth", -32000, "out of gas", "", Failed},
		{"geth", -32000, "invalid opcode: INVALID", "", Failed},
		{"geth", -32000, "stack underflow (0 <=> 1)", "", Failed},
		{"geth", -32000, "stack limit reached 1024 (1023)", "", Failed},
		{"geth", -32000, "invalid jump destination", "", Failed},
		{"geth", -32000, "write protection", "", Failed},
		{"geth", -32000, "return data out of bounds", "", Failed},
		{"geth", -32000, "max code size exceeded", "", Failed},
		{"geth", -32000, "max initcode size exceeded: code size 98304 limit 49152", "", Failed},
		{"geth", -32000, "contract address collision", "", Failed},
		{"geth", -32000, "invalid code: must not begin with 0xef", "", Failed},
		{"geth", -32000, "contract creation code storage out of gas", "", Failed},
		{"anvil", -32003, "EVM error InvalidFEOpcode", "", Failed},
		{"geth", -32000, "execution aborted (timeout = 5s)", "", Unknown},

		{"geth", -32000, "invalid sender", "", OtherChain},
		{"geth", -32000, "invalid chain id for signer: have 1 want 2", "", OtherChain},
		{"Besu", -32000, "Wrong chainId", "", OtherChain},
		{"Besu", -32000, "ChainId not supported", "", OtherChain},
		{"Nethermind", -32010, "InvalidTxChainId: Expected 1, got 2.", "", OtherChain},
		{"anvil", -32003, "Incompatible EIP-155 transaction, signed for another chain", "", OtherChain},

		{"geth", -32000, "transaction indexing is in progress", "", Indexing},

		{"Infura", -32005, "daily request count exceeded, request rate limited", "", Busy},
		{"Infura", 429, "Too Many Requests", "", Busy},
		{"Alchemy", 429, "Your app has exceeded its compute units per second capacity.", "", Busy},
		{"unnamed", -32005, "limit exceeded", "", Busy},

		{"geth", -32601, "the method eth_foo does not exist/is not available", "", NoMethod},
		{"Besu", -32601, "Method not found", "", NoMethod},
		{"Besu", -32604, "Method not enabled", "", NoMethod},
		{"unnamed", -32601, "nix", "", NoMethod},

		{"geth", -32000, "finalized block not found", "", NoBlock},
		{"geth", -32000, "header not found", "", NoBlock},
		{"anvil", -32602, "BlockOutOfRangeError: block height is 0 but requested was 153", "", NoBlock},
		{"Besu", -39001, "Unknown block", "", NoBlock},
		{"Erigon", -39001, "", "", NoBlock},

		{"any", -32000, "missing trie node 1234 (path ) <nil>", "", Unknown},
		{"any", -32603, "Internal error", "", Unknown},
		{"any", 0, "", "", Unknown},
	} {
		e := &jsonrpc.Error{Code: c.code, Message: c.message, Data: json.RawMessage(c.data)}
		if got := Classify(e); got != c.want {
			t.Errorf("%s: %d %q %s: class %d, want %d", c.client, c.code, c.message, c.data, got, c.want)
		}
		// Some providers wrap the text of the client in their own.
		e.Message = "upstream said: " + strings.ToUpper(e.Message)
		if got := Classify(e); c.message != "" && !strings.HasPrefix(c.message, "revert") && got != c.want {
			t.Errorf("%s: wrapped: class %d, want %d", c.client, got, c.want)
		}
	}
}

// No row stands behind one that is more general, where it could never match.
func TestTable(t *testing.T) {
	for i, row := range texts {
		if row.part != strings.ToLower(row.part) || row.client == "" || row.part == "" {
			t.Errorf("row %q: lower case and a client are wanted", row.part)
		}
		for _, before := range texts[:i] {
			if strings.Contains(row.part, before.part) {
				t.Errorf("row %q is hidden by %q", row.part, before.part)
			}
		}
	}
	for c := Unknown; c <= NoBlock; c++ {
		if kinds[c] == nil {
			t.Errorf("class %d has no error", c)
		}
	}
}

func word(v int64) string { return fmt.Sprintf("%064x", v) }

func TestReason(t *testing.T) {
	text := "08c379a0" + word(32) + word(9) + hex.EncodeToString([]byte("not today")) + strings.Repeat("00", 23)
	for _, c := range []struct{ message, data, want string }{
		{"execution reverted: other", `"0x` + text + `"`, "not today"},
		{"VM execution error.", `"Reverted 0x` + text + `"`, "not today"},
		{"VM execution error.", `"revert: closed"`, "closed"},
		{"execution reverted", `"0x4e487b71` + word(17) + `"`, "panic 0x11: arithmetic overflow"},
		{"execution reverted", `"0xcafebabe` + word(1) + `"`, "0xcafebabe"},
		{"execution reverted", `"0xcafebabe"`, "0xcafebabe"},
		{"execution reverted", `"0x"`, "execution reverted"},
		{"execution reverted: said", `null`, "said"},
		{"execution reverted: said", `{"0xabc":{"return":"0x"}}`, "said"},
		{"execution reverted", `"0x08c379a0` + word(32) + word(1<<40) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + word(1<<40) + word(1) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + word(64) + word(1) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + strings.Repeat("ff", 64) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + word(33) + word(1) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + word(32) + word(1) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + word(32) + word(64) + `"`, "0x08c379a0"},
		{"execution reverted", `"0x08c379a0` + word(32) + word(0) + `"`, ""},
	} {
		if got := reason(&jsonrpc.Error{Code: 3, Message: c.message, Data: []byte(c.data)}); got != c.want {
			t.Errorf("%q %s: %q, want %q", c.message, c.data, got, c.want)
		}
	}
	err := Complaint("call", &jsonrpc.Error{Code: 3, Message: "execution reverted", Data: []byte(`"0x` + "08c379a0" + word(32) + word(250) + strings.Repeat("41", 256) + `"`)})
	var e *chains.Error
	if !errors.As(err, &e) || !errors.Is(err, chains.ErrReverts) || e.Detail != strings.Repeat("A", 200) || e.Code != 3 {
		t.Errorf("Complaint: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`"0x5208"`))
	f.Add([]byte(`{"hash":"0x` + hashA + `","number":"0x10","timestamp":"0x65","baseFeePerGas":"0x7"}`))
	f.Add([]byte(`{"transactionHash":"0x` + hashA + `","blockHash":"0x` + hashB + `","blockNumber":"0x2","status":"0x1","gasUsed":"0x5208","effectiveGasPrice":"0x3"}`))
	f.Add([]byte(`{"currentBlock":"0x64","highestBlock":"0x68"}`))
	f.Add([]byte(`{"baseFeePerGas":["0x1","0x2"],"reward":[["0x9"]]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if v, err := ReadBig("x", raw); err == nil {
			var digits string
			if json.Unmarshal(raw, &digits) != nil || !strings.EqualFold(digits, "0x"+v.Text(16)) {
				t.Errorf("ReadBig(%q) = %v", raw, v)
			}
		}
		if v, err := ReadUint("x", raw); err == nil {
			if b, err := ReadBig("x", raw); err != nil || !b.IsUint64() || b.Uint64() != v {
				t.Errorf("ReadUint(%q) = %v, ReadBig says %v, %v", raw, v, b, err)
			}
		}
		if h, err := ReadHash("x", raw); err == nil {
			if b, err := ReadData("x", raw); err != nil || hex.EncodeToString(b) != h || len(b) != 32 {
				t.Errorf("ReadHash(%q) = %s", raw, h)
			}
		}
		if h, err := ReadHeader(raw); err == nil && h != nil && (len(h.Hash) != 64 || h.Base != nil && h.Base.BitLen() > 256) {
			t.Errorf("ReadHeader(%q) = %+v", raw, h)
		}
		if r, err := ReadReceipt(raw, hashA); err == nil && r != nil && (len(r.Block.Hash) != 64 || r.Status > 1) {
			t.Errorf("ReadReceipt(%q) = %+v", raw, r)
		}
		ReadKnown(raw, hashA)
		ReadSync(raw)
		ReadHistory(raw)
	})
}

func FuzzComplaint(f *testing.F) {
	f.Add(int64(3), "execution reverted", `"0x08c379a0`+word(32)+word(1)+`41`+strings.Repeat("00", 31)+`"`)
	f.Add(int64(-32015), "VM execution error.", `"Reverted 0x08c379a0"`)
	f.Add(int64(-32000), "nonce too low\r\nOK\r\n", `{}`)
	f.Fuzz(func(t *testing.T, code int64, message, data string) {
		err := Complaint("call", &jsonrpc.Error{Code: code, Message: message, Data: []byte(data)})
		var e *chains.Error
		if !errors.As(err, &e) || e.Kind == nil || len(e.Detail) > 200 {
			t.Fatalf("%d %q %q: %v", code, message, data, err)
		}
		if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Fatalf("%q in an error's text", err.Error())
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(`[]`))
	f.Add([]byte(`[{"address":"0x72665d3e94cb4f374b7728f1ab21a3115c4d50eb","topics":["0x` + hashA + `"],"data":"0x01","blockNumber":"0x1","blockHash":"0x` + hashB + `","transactionHash":"0x` + hashA + `","logIndex":"0x0","removed":false}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := ReadEvents(raw)
		if err != nil && events != nil {
			t.Fatalf("%q: %v and %v", raw, events, err)
		}
		for _, e := range events {
			if len(e.Address) != 20 || len(e.Topics) > 4 || len(e.Tx) != 64 || len(e.Block.Hash) != 64 || e.Index > math.MaxUint32 || e.Block.Number >= 1<<53 {
				t.Fatalf("%q: %+v", raw, e)
			}
			for _, topic := range e.Topics {
				if len(topic) != 32 {
					t.Fatalf("%q: topic %x", raw, topic)
				}
			}
		}
	})
}

// TestLogs: logs whole, or none.
func TestLogs(t *testing.T) {
	receipt := `{"transactionHash":"0x` + hashA + `","blockHash":"0x` + hashB + `","blockNumber":"0x2","status":"0x1","logs":[%s]}`
	address, topic := `"0x72665d3e94cb4f374b7728f1ab21a3115c4d50eb"`, `"0x`+hashA+`"`
	read := func(logs string) ([]chains.Log, error) { return ReadLogs([]byte(fmt.Sprintf(receipt, logs)), hashA) }
	good := `{"address":` + address + `,"topics":[` + topic + `,` + topic + `],"data":"0x0102","logIndex":"0x7"}`
	logs, err := read(good + `,{"address":` + address + `,"topics":[],"data":"0x"}`)
	if err != nil || len(logs) != 2 || len(logs[0].Topics) != 2 || hex.EncodeToString(logs[0].Topics[1]) != hashA ||
		hex.EncodeToString(logs[0].Data) != "0102" || len(logs[0].Address) != 20 || len(logs[1].Topics) != 0 || len(logs[1].Data) != 0 {
		t.Errorf("%+v, %v", logs, err)
	}
	if logs, err := read(""); err != nil || logs == nil || len(logs) != 0 {
		t.Errorf("no logs: %v, %v", logs, err)
	}
	if logs, err := ReadLogs([]byte("null"), hashA); err != nil || logs != nil {
		t.Errorf("no receipt: %v, %v", logs, err)
	}
	for name, bad := range map[string]string{
		"short address": strings.Replace(good, "72665d", "", 1), "no data": strings.Replace(good, `"0x0102"`, `null`, 1),
		"short topic": strings.Replace(good, hashA, hashA[2:], 1), "odd data": strings.Replace(good, "0102", "010", 1),
		"five topics": strings.Replace(good, topic, topic+`,`+topic+`,`+topic+`,`+topic, 1), "a text": `"log"`,
		"too many": strings.Repeat(good+",", maxLogs) + good,
	} {
		if _, err := read(bad); err == nil {
			t.Errorf("%s: is read", name)
		}
	}
}
