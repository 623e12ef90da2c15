package fakenode

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/internal/jsonrpc"
)

const nodeURL = "https://a.example"

var (
	key, _  = crypto.ToECDSA(common.RightPadBytes([]byte{1}, 32))
	sender  = crypto.PubkeyToAddress(key.PublicKey)
	friend  = common.HexToAddress("0x1234")
	chainID = big.NewInt(1337)
)

func pay(nonce uint64, cap, tip int64) *types.DynamicFeeTx {
	return &types.DynamicFeeTx{ChainID: chainID, Nonce: nonce, GasFeeCap: big.NewInt(cap * 1e9), GasTipCap: big.NewInt(tip * 1e9), Gas: 21000, To: &friend, Value: big.NewInt(5)}
}

func sign(t testing.TB, id *big.Int, tx types.TxData) []byte {
	t.Helper()
	signed, err := types.SignNewTx(key, types.LatestSignerForChainID(id), tx)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func funded(o Options) (*Chain, *Node) {
	c := New(o)
	c.Fund(sender.Hex(), big.NewInt(1e18))
	return c, c.Node(nodeURL)
}

// A node refuses what a real one refuses, in geth's words.
func TestRefusals(t *testing.T) {
	_, n := funded(Options{})
	if err := n.Submit(sign(t, chainID, pay(0, 20, 1))); err != nil {
		t.Fatal(err)
	}
	poor, low, huge, typed := pay(1, 20, 1), pay(1, 20, 1), pay(1, 20, 1), pay(1, 20, 30)
	poor.Value, low.Gas, huge.Gas = big.NewInt(2e18), 20999, 30_000_001
	other := pay(1, 20, 1)
	other.ChainID = big.NewInt(5)
	unprotected, _ := types.SignNewTx(key, types.HomesteadSigner{}, &types.LegacyTx{Nonce: 1, Gas: 21000, GasPrice: big.NewInt(1e10), To: &friend, Value: new(big.Int)})
	bare, _ := unprotected.MarshalBinary()
	for want, raw := range map[string][]byte{
		"already known":                       sign(t, chainID, pay(0, 20, 1)),
		"replacement transaction underpriced": sign(t, chainID, pay(0, 21, 2)),
		"insufficient funds":                  sign(t, chainID, poor),
		"intrinsic gas too low":               sign(t, chainID, low),
		"exceeds block gas limit":             sign(t, chainID, huge),
		"higher than max fee":                 sign(t, chainID, typed),
		"invalid sender":                      sign(t, big.NewInt(5), other),
		"replay-protected":                    bare,
		"type not supported":                  sign(t, chainID, &types.SetCodeTx{}),
	} {
		if err := n.Submit(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := n.Submit([]byte{1}); err == nil {
		t.Error("took one byte")
	}
	if n.Pooled() != 1 {
		t.Errorf("%d in the pool", n.Pooled())
	}
	_, legacy := funded(Options{Legacy: true})
	if err := legacy.Submit(sign(t, chainID, pay(0, 20, 1))); err == nil {
		t.Error("a legacy chain took type 2")
	}
}

func TestMining(t *testing.T) {
	c, n := funded(Options{MinTip: big.NewInt(1e9)})
	for _, nonce := range []uint64{2, 0} { // a gap
		if err := n.Submit(sign(t, chainID, pay(nonce, 20, 1))); err != nil {
			t.Fatal(err)
		}
	}
	c.Mine(1)
	if c.Nonce(sender.Hex()) != 1 || c.Effects(friend.Hex()) != 1 || n.Pooled() != 1 {
		t.Errorf("nonce %d, %d effects, %d wait", c.Nonce(sender.Hex()), c.Effects(friend.Hex()), n.Pooled())
	}
	if err := n.Submit(sign(t, chainID, pay(0, 99, 9))); err == nil || !strings.Contains(err.Error(), "nonce too low") {
		t.Errorf("a nonce that is used: %v", err)
	}
	// A tip that nobody takes stops what comes behind it.
	if err := n.Submit(sign(t, chainID, pay(1, 20, 0))); err != nil {
		t.Fatal(err)
	}
	c.Mine(2)
	if c.Nonce(sender.Hex()) != 1 {
		t.Errorf("nonce %d", c.Nonce(sender.Hex()))
	}
	if err := n.Submit(sign(t, chainID, pay(1, 22, 1))); err != nil {
		t.Fatal(err)
	}
	c.Mine(1)
	if c.Nonce(sender.Hex()) != 3 || n.Pooled() != 0 || c.Height() != 4 {
		t.Errorf("nonce %d, %d wait, height %d", c.Nonce(sender.Hex()), n.Pooled(), c.Height())
	}
	paid := new(big.Int).Sub(big.NewInt(1e18), c.Balance(sender.Hex()))
	if want := big.NewInt(3 * (21000*8e9 + 5)); paid.Cmp(want) != 0 || c.Balance(friend.Hex()).Int64() != 15 {
		t.Errorf("paid %v, want %v", paid, want)
	}
}

func TestReorg(t *testing.T) {
	c, n := funded(Options{})
	n.Submit(sign(t, chainID, pay(0, 20, 1)))
	c.Mine(3)
	before := c.Balance(sender.Hex())
	c.Reorg(3)
	if c.Height() != 4 || c.Nonce(sender.Hex()) != 0 || c.Effects(friend.Hex()) != 0 || c.Balance(sender.Hex()).Cmp(big.NewInt(1e18)) != 0 || n.Pooled() != 1 {
		t.Errorf("height %d, nonce %d, balance %v, %d wait", c.Height(), c.Nonce(sender.Hex()), c.Balance(sender.Hex()), n.Pooled())
	}
	c.Mine(1)
	if c.Balance(sender.Hex()).Cmp(before) != 0 || c.Effects(friend.Hex()) != 1 {
		t.Error("mined again, with another result")
	}
	c.Reset("other")
	if c.Height() != 0 || c.Balance(sender.Hex()).Sign() != 0 || c.Effects(friend.Hex()) != 0 {
		t.Error("a reset chain is not empty")
	}
}

// The same commands make the same chain.
func TestDeterminism(t *testing.T) {
	hashes := make(map[string]bool)
	for range 3 {
		c, n := funded(Options{})
		n.Submit(sign(t, chainID, pay(0, 20, 1)))
		c.Mine(2)
		c.Reorg(1)
		c.Mine(2)
		hashes[c.tip().hash.Hex()] = true
	}
	if len(hashes) != 1 {
		t.Errorf("%d different chains", len(hashes))
	}
	if New(Options{Seed: "x"}).tip().hash == New(Options{}).tip().hash {
		t.Error("the seed does not matter")
	}
}

func post(t *testing.T, c jsonrpc.Conn, ctx context.Context, body string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, nodeURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.RoundTrip(r)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// What the faults do to an answer.
func TestFaults(t *testing.T) {
	c, n := funded(Options{})
	c.Mine(10)
	u, _ := url.Parse(nodeURL)
	conn, err := c.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	const height = `{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}`
	ask := func(body string) string {
		t.Helper()
		answer, err := post(t, conn, t.Context(), body)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	for want, f := range map[string]Faults{
		`{"jsonrpc":"2.0","id":1,"result":"0xa"}`:         {},
		`{"jsonrpc":"2.0","id":987654321,"result":"0xa"}`: {WrongIDs: true},
		`{"jsonrpc":"2.0","id":1,"result":"0x6"}`:         {Lag: 4},
		`{"jsonrpc":"2.0","id":1,"result":"0x0"}`:         {Lag: 40},
		`   {"jsonrpc":"2.0","id":1,"result":"0xa"}`:      {Huge: 3},
		`OK`:                                   {Body: "OK"},
		`<html>no</html>`:                      {Status: 500},
		`{"jsonrpc":"2.0","id":1,"result":{}}`: {Results: map[string]string{"eth_blockNumber": "{}"}},
		`{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m!","data":null}}`: {Chaff: "!", Errors: map[string]*jsonrpc.Error{"eth_blockNumber": {Code: -1, Message: "m"}}},
	} {
		n.SetFaults(f)
		if got := ask(height); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	n.SetFaults(Faults{Alternate: 4})
	if a, b := ask(height), ask(height); a == b {
		t.Errorf("%s twice", a)
	}
	n.SetFaults(Faults{NoBatch: true})
	if got := ask("[" + height + "]"); !strings.Contains(got, `"id":null`) {
		t.Error(got)
	}
	n.SetFaults(Faults{Lose: true})
	if _, err := post(t, conn, t.Context(), height); err == nil {
		t.Error("answered")
	}
	n.SetFaults(Faults{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := post(t, conn, ctx, height); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	n.SetFaults(Faults{})
	n.Restart()
	if _, err := post(t, conn, t.Context(), height); err == nil || conn.Err() == nil {
		t.Error("a connection of before the restart works")
	}
	c.Down(true)
	if _, err := c.Connect(t.Context(), u); err == nil {
		t.Error("connected")
	}
}

// Over HTTP the same answers come out.
func TestHTTP(t *testing.T) {
	c, n := funded(Options{})
	s := httptest.NewServer(n)
	defer s.Close()
	body := `[{"jsonrpc":"2.0","id":"a","method":"eth_chainId","params":[]},{"jsonrpc":"2.0","id":2,"method":"eth_nothing"}]`
	resp, err := http.Post(s.URL, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answers []response
	if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil || len(answers) != 2 || string(answers[1].Result) != `"0x539"` || answers[0].Error.Code != -32601 {
		t.Errorf("%+v, %v", answers, err)
	}
	if n.Calls("eth_chainId") != 1 || n.Requests() != 1 || c.Height() != 0 {
		t.Errorf("%d calls in %d requests", n.Calls("eth_chainId"), n.Requests())
	}
}

func FuzzNode(f *testing.F) {
	f.Add([]byte(`{"id":1,"method":"eth_call","params":[{"to":"0x0000000000000000000000000000000000009007","data":"0x"},"latest"]}`))
	f.Add([]byte(`[{"id":1,"method":"eth_getBlockByNumber","params":["finalized",false]}]`))
	f.Add([]byte(`{"id":1,"method":"eth_sendRawTransaction","params":["0x02c0"]}`))
	f.Add([]byte(`{"id":1,"method":"eth_getTransactionCount","params":["0x","0xffffffffffffffff"]}`))
	c, n := funded(Options{})
	c.Mine(5)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, answer, err := n.handle(t.Context(), body); err != nil || len(answer) == 0 {
			t.Errorf("%q: %q, %v", body, answer, err)
		}
	})
}
