package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

const stranger = "0x00000000000000000000000000000000000000aa"

// call asks a node as any client would.
func call(url, method string, result any, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return errors.New(answer.Error.Message)
	}
	return json.Unmarshal(answer.Result, result)
}

func start(t *testing.T, chainID uint64) *chain {
	t.Helper()
	c, err := startChain("127.0.0.1", 0, chainID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// must calls a method that has to succeed.
func must[T any](t *testing.T, c *chain, method string, params ...any) (result T) {
	t.Helper()
	if err := call(c.url(), method, &result, params...); err != nil {
		t.Fatalf("%s%v: %v", method, params, err)
	}
	return result
}

func balance(t *testing.T, c *chain, address string) string {
	t.Helper()
	return must[string](t, c, "eth_getBalance", address, "latest")
}

// mined says in which block a transaction is, "" for none.
func mined(t *testing.T, c *chain, hash string) string {
	t.Helper()
	tx := must[*struct{ BlockNumber string }](t, c, "eth_getTransactionByHash", hash)
	if tx == nil {
		return "unknown"
	}
	return tx.BlockNumber
}

func TestMineAndFund(t *testing.T) {
	c := start(t, 4242)
	if got := must[string](t, c, "eth_chainId"); got != "0x1092" {
		t.Errorf("chain id %s", got)
	}
	if got := must[uint64](t, c, "dev_mine", 40); got != 40 {
		t.Errorf("newest block %d after 40", got)
	}
	final := must[struct{ Number string }](t, c, "eth_getBlockByNumber", "finalized", false)
	if final.Number != "0x20" {
		t.Errorf("finalized %s, want 0x20", final.Number)
	}
	hash := must[string](t, c, "dev_fund", stranger, "0xde0b6b3a7640000")
	if mined(t, c, hash) != "0x29" || balance(t, c, stranger) != "0xde0b6b3a7640000" {
		t.Errorf("block %s, balance %s", mined(t, c, hash), balance(t, c, stranger))
	}
	must[string](t, c, "dev_fund", stranger, "0x1")
	if got := balance(t, c, stranger); got != "0xde0b6b3a7640001" {
		t.Errorf("balance %s", got)
	}
	if err := call(c.url(), "dev_mine", new(uint64), maxBlocks+1); err == nil || !strings.Contains(err.Error(), errTooMany.Error()) {
		t.Errorf("too many blocks: %v", err)
	}
}

func TestReorg(t *testing.T) {
	c := start(t, 1337)
	must[uint64](t, c, "dev_mine", 5)
	first := must[string](t, c, "dev_fund", stranger, "0x1")
	second := must[string](t, c, "dev_fund", stranger, "0x2")
	old := must[struct{ Hash string }](t, c, "eth_getBlockByNumber", "0x7", false)

	if got := must[uint64](t, c, "dev_reorg", 2); got != 8 {
		t.Fatalf("newest block %d, want 8", got)
	}
	if now := must[struct{ Hash string }](t, c, "eth_getBlockByNumber", "0x7", false); now.Hash == old.Hash {
		t.Error("block 7 is still there")
	}
	if b := balance(t, c, stranger); b != "0x0" || mined(t, c, first) != "" || mined(t, c, second) != "" {
		t.Fatalf("balance %s, blocks %q %q after the reorganisation", b, mined(t, c, first), mined(t, c, second))
	}
	must[uint64](t, c, "dev_mine", 1)
	if b := balance(t, c, stranger); b != "0x3" || mined(t, c, first) != "0x9" || mined(t, c, second) != "0x9" {
		t.Errorf("balance %s, blocks %q %q when mined again", b, mined(t, c, first), mined(t, c, second))
	}
	for _, depth := range []int{0, 10, maxBlocks + 1} {
		if err := call(c.url(), "dev_reorg", new(uint64), depth); err == nil {
			t.Errorf("a reorganisation of %d blocks out of 9 succeeds", depth)
		}
	}
}

// TestReorgOfFinalBlocks: what must never happen on a public network can be
// made to happen here.
func TestReorgOfFinalBlocks(t *testing.T) {
	c := start(t, 1337)
	hash := must[string](t, c, "dev_fund", stranger, "0x1")
	must[uint64](t, c, "dev_mine", 69)
	must[uint64](t, c, "dev_reorg", 70)
	must[bool](t, c, "dev_drop")
	must[uint64](t, c, "dev_mine", 30)
	final := must[struct{ Number string }](t, c, "eth_getBlockByNumber", "finalized", false)
	if mined(t, c, hash) != "unknown" || final.Number != "0x60" {
		t.Errorf("transaction in block %q, finalized %s", mined(t, c, hash), final.Number)
	}
}

func TestDrop(t *testing.T) {
	c := start(t, 1337)
	must[string](t, c, "dev_fund", stranger, "0x1")
	must[uint64](t, c, "dev_reorg", 1)
	must[bool](t, c, "dev_drop")
	must[uint64](t, c, "dev_mine", 2)
	if b := balance(t, c, stranger); b != "0x0" {
		t.Errorf("balance %s of a transaction that was dropped", b)
	}
	must[string](t, c, "dev_fund", stranger, "0x5") // the account's nonce is free again
	if b := balance(t, c, stranger); b != "0x5" {
		t.Errorf("balance %s", b)
	}
}

// TestTips records the lowest tip that is mined here.
func TestTips(t *testing.T) {
	c := start(t, 1337)
	for i, tt := range []struct {
		tip  int64
		want bool
	}{{1_000_000, true}, {999_999, false}} {
		tx := types.MustSignNewTx(funded.key, types.LatestSigner(c.config), &types.DynamicFeeTx{
			ChainID: c.config.ChainID, Nonce: uint64(i), Gas: 21000, To: &common.Address{1}, Value: big.NewInt(1),
			GasTipCap: big.NewInt(tt.tip), GasFeeCap: big.NewInt(1e10),
		})
		raw, err := tx.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		hash := must[string](t, c, "eth_sendRawTransaction", hexutil.Encode(raw))
		must[uint64](t, c, "dev_mine", 1)
		if got := mined(t, c, hash) != ""; got != tt.want {
			t.Errorf("tip of %d wei: mined %v", tt.tip, got)
		}
	}
}

func TestPeriod(t *testing.T) {
	c := start(t, 1337)
	heads := make(chan core.ChainHeadEvent, 100)
	sub := c.eth.BlockChain().SubscribeChainHeadEvent(heads)
	defer sub.Unsubscribe()
	must[bool](t, c, "dev_period", 10)
	for range 3 {
		select {
		case <-heads:
		case <-time.After(10 * time.Second):
			t.Fatal("no block in 10 s")
		}
	}
	must[bool](t, c, "dev_period", 0)
	stopped := c.head()
	if got := must[uint64](t, c, "dev_mine", 1); got != stopped+1 {
		t.Errorf("block %d after %d: the clock goes on", got, stopped)
	}
}

func TestRun(t *testing.T) {
	for name, end := range map[string]func(stdin *os.File) error{
		"standard input ends": func(stdin *os.File) error { return stdin.Close() },
		"SIGTERM":             func(*os.File) error { return syscall.Kill(os.Getpid(), syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			ready := filepath.Join(t.TempDir(), "ready")
			stdin, hold, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			out, in := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				ended <- run([]string{"--period", "0", "--ready-file", ready, "--until-eof", "--chain-id", "7"}, stdin, in)
				in.Close()
			}()
			var said struct {
				URL     string `json:"url"`
				ChainID uint64 `json:"chain_id"`
				Funded  string `json:"funded"`
			}
			if err := json.NewDecoder(out).Decode(&said); err != nil {
				t.Fatal(err, <-ended)
			}
			var id string
			if err := call(said.URL, "eth_chainId", &id); err != nil || id != "0x7" || said.ChainID != 7 {
				t.Errorf("chain id %s, said %d: %v", id, said.ChainID, err)
			}
			if said.Funded != crypto.PubkeyToAddress(funded.key.PublicKey).Hex() {
				t.Errorf("funded account %s", said.Funded)
			}
			file, err := os.ReadFile(ready)
			if want := fmt.Sprintf(`{"chain_id":7,"funded":%q,"url":%q}`, said.Funded, said.URL) + "\n"; err != nil || string(file) != want {
				t.Errorf("ready file %q, want %q: %v", file, want, err)
			}
			if err := end(hold); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if err := call(said.URL, "eth_chainId", &id); err == nil {
				t.Error("it still answers")
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range []string{
		"--listen 0.0.0.0:0", "--listen 192.0.2.1:8545", "--listen localhost:0", "--listen 127.0.0.1", "--listen 127.0.0.1:http",
		"--period -1s", "--period soon", "--chain-id 0", "extra", "--ready-file /nonexistent/file --period 0",
	} {
		if err := run(strings.Fields(args), strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%s: accepted", args)
		}
	}
}
