package ethereum_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
)

func TestAddresses(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	// The examples of EIP-55.
	for _, text := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		for _, written := range []string{text, strings.ToLower(text), "0x" + strings.ToUpper(text[2:])} {
			if got, err := w.net.ParseAddress(written); err != nil || got != text {
				t.Errorf("ParseAddress(%s) = %s, %v", written, got, err)
			}
		}
	}
	for text, want := range map[string]error{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed": chains.ErrChecksum, "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": chains.ErrChecksum,
		"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": chains.ErrAddress, "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": chains.ErrAddress,
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe": chains.ErrAddress, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd": chains.ErrAddress,
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg": chains.ErrAddress, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n": chains.ErrAddress,
	} {
		if got, err := w.net.ParseAddress(text); !errors.Is(err, want) {
			t.Errorf("ParseAddress(%q) = %s, %v; want %v", text, got, err, want)
		}
	}
	if _, err := w.net.Address("secp256r1", w.signer.Public()); !errors.Is(err, chains.ErrCurve) {
		t.Errorf("a key of another curve: %v", err)
	}
}

func TestJudge(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, chains.Options{"max_gas": "100000"}, 1)
	type change func(*chains.Intent)
	one, zero, two := uint8(1), uint8(0), uint8(2)
	for name, c := range map[string]struct {
		change change
		want   error
	}{
		"plain":            {func(*chains.Intent) {}, nil},
		"gas at ceiling":   {func(in *chains.Intent) { in.Gas = 100000 }, nil},
		"gas over":         {func(in *chains.Intent) { in.Gas = 100001 }, chains.ErrCeiling},
		"fee at ceiling":   {func(in *chains.Intent) { in.MaxFee = gwei(200) }, nil},
		"fee over":         {func(in *chains.Intent) { in.MaxFee = new(big.Int).Add(gwei(200), big.NewInt(1)) }, chains.ErrCeiling},
		"tip at ceiling":   {func(in *chains.Intent) { in.Tip = gwei(5) }, nil},
		"tip over":         {func(in *chains.Intent) { in.Tip = new(big.Int).Add(gwei(5), big.NewInt(1)) }, chains.ErrCeiling},
		"both over in all": {func(in *chains.Intent) { in.Gas, in.MaxFee = 100000, gwei(101) }, chains.ErrCeiling},
		"both at the top":  {func(in *chains.Intent) { in.Gas, in.MaxFee = 100000, gwei(100) }, nil},
		"type 0":           {func(in *chains.Intent) { in.Type = &zero }, nil},
		"type 1":           {func(in *chains.Intent) { in.Type = &one }, chains.ErrOption},
		"type 2":           {func(in *chains.Intent) { in.Type = &two }, nil},
		"type 0 with tip":  {func(in *chains.Intent) { in.Type, in.Tip = &zero, gwei(1) }, chains.ErrOption},
		"no recipient":     {func(in *chains.Intent) { in.To = "" }, chains.ErrAddress},
		"transfer of data": {func(in *chains.Intent) { in.Kind = chains.Transfer }, chains.ErrOption},
		"deploy to":        {func(in *chains.Intent) { in.Kind = chains.Deploy }, chains.ErrOption},
		"deploy nothing":   {func(in *chains.Intent) { in.Kind, in.To, in.Data = chains.Deploy, "", nil }, chains.ErrOption},
		"deploy":           {func(in *chains.Intent) { in.Kind, in.To = chains.Deploy, "" }, nil},
		"kind 0":           {func(in *chains.Intent) { in.Kind = 0 }, chains.ErrOption},
		"too much data":    {func(in *chains.Intent) { in.Data = make([]byte, 128<<10) }, chains.ErrOption},
	} {
		in := call(fakenode.Accepts)
		c.change(&in)
		if _, err := w.net.Judge(in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want != nil {
			w.refused(name, w.job(in, 0), c.want)
		}
	}
	in := transfer(ether(2))
	if worst, _ := w.net.Judge(in); worst.Cmp(new(big.Int).Add(ether(2), big.NewInt(1e16))) != 0 {
		t.Errorf("worst %v: want value and max_total_fee", worst)
	}
	in.Gas, in.MaxFee = 21000, gwei(10)
	if worst, _ := w.net.Judge(in); worst.Cmp(new(big.Int).Add(ether(2), gwei(210000))) != 0 {
		t.Errorf("worst %v: want value and what was asked for", worst)
	}
	if n := w.nodes[0].Requests(); n > 3 {
		t.Errorf("%d requests: judging needs none", n)
	}
}

// The fee of a transaction, from a base fee of 7 gwei and a tip of 1.
func TestFees(t *testing.T) {
	zero, two := uint8(0), uint8(2)
	for name, c := range map[string]struct {
		node     fakenode.Options
		options  chains.Options
		faults   fakenode.Faults
		change   func(*chains.Intent)
		kind     uint8
		cap, tip int64 // gwei
		want     error
	}{
		"twice the base fee":       {kind: 2, cap: 15, tip: 1},
		"ceiling":                  {options: chains.Options{"max_fee_per_gas": "9gwei"}, kind: 2, cap: 9, tip: 1},
		"just enough":              {options: chains.Options{"max_fee_per_gas": "8gwei"}, kind: 2, cap: 8, tip: 1},
		"waits":                    {options: chains.Options{"max_fee_per_gas": "7.999999999gwei"}, want: chains.ErrCeiling},
		"tip ceiling":              {options: chains.Options{"max_tip": "0"}, kind: 2, cap: 14, tip: 0},
		"in all":                   {options: chains.Options{"max_total_fee": "0.000252ether"}, kind: 2, cap: 10, tip: 1},
		"waits in all":             {options: chains.Options{"max_total_fee": "0.0002ether"}, want: chains.ErrCeiling},
		"fee asked for":            {change: func(in *chains.Intent) { in.MaxFee = gwei(100) }, kind: 2, cap: 100, tip: 1},
		"low fee asked for":        {change: func(in *chains.Intent) { in.MaxFee = gwei(8) }, kind: 2, cap: 8, tip: 1},
		"too low asked for":        {change: func(in *chains.Intent) { in.MaxFee = gwei(7) }, want: chains.ErrCeiling},
		"tip asked for":            {change: func(in *chains.Intent) { in.Tip = gwei(3) }, kind: 2, cap: 17, tip: 3},
		"both asked for":           {change: func(in *chains.Intent) { in.Tip, in.MaxFee = gwei(3), gwei(50) }, kind: 2, cap: 50, tip: 3},
		"fee over all":             {options: chains.Options{"max_total_fee": "0.000252ether"}, change: func(in *chains.Intent) { in.MaxFee = gwei(11) }, want: chains.ErrCeiling},
		"type 2":                   {change: func(in *chains.Intent) { in.Type = &two }, kind: 2, cap: 15, tip: 1},
		"type 0 has less room":     {change: func(in *chains.Intent) { in.Type = &zero; in.MaxFee = nil }, kind: 0, cap: 0, tip: 0},
		"type 0 asked for":         {change: func(in *chains.Intent) { in.Type, in.MaxFee = &zero, gwei(20) }, kind: 0, cap: 20, tip: 20},
		"no method for tips":       {faults: fakenode.Faults{NoTip: true}, kind: 2, cap: 15, tip: 1},
		"legacy":                   {node: fakenode.Options{Legacy: true}, kind: 0, cap: 7, tip: 7},
		"legacy for nothing":       {node: fakenode.Options{Legacy: true, Base: new(big.Int)}, kind: 0, cap: 0, tip: 0},
		"legacy fee asked for":     {node: fakenode.Options{Legacy: true}, change: func(in *chains.Intent) { in.MaxFee = gwei(30) }, kind: 0, cap: 30, tip: 30},
		"legacy waits":             {node: fakenode.Options{Legacy: true}, options: chains.Options{"max_fee_per_gas": "6gwei"}, want: chains.ErrCeiling},
		"legacy has no type 2":     {node: fakenode.Options{Legacy: true}, change: func(in *chains.Intent) { in.Type = &two }, want: chains.ErrOption},
		"legacy has no tip":        {node: fakenode.Options{Legacy: true}, change: func(in *chains.Intent) { in.Tip = gwei(1) }, want: chains.ErrOption},
		"tip not more than asked":  {change: func(in *chains.Intent) { in.MaxFee, in.Tip = gwei(8), gwei(5) }, want: chains.ErrCeiling},
		"tip cut to what is asked": {node: fakenode.Options{Base: new(big.Int)}, change: func(in *chains.Intent) { in.MaxFee, in.Tip = gwei(1), gwei(5) }, kind: 2, cap: 1, tip: 1},
		"an absurd tip of a node":  {node: fakenode.Options{Tip: ether(1)}, options: chains.Options{"max_tip": "5.6gwei"}, kind: 2, cap: 19, tip: 5},
		"an absurd base of a node": {node: fakenode.Options{Base: ether(1)}, want: chains.ErrCeiling},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.node, c.options, 1)
			w.nodes[0].SetFaults(c.faults)
			in := transfer(big.NewInt(1))
			if c.change != nil {
				c.change(&in)
			}
			job := w.job(in, 0)
			if c.want != nil {
				w.refused(name, job, c.want)
				return
			}
			d := w.prepare(job)
			tx := decode(t, w.sign(job, d).Raw)
			cap, tip := gwei(c.cap), gwei(c.tip)
			if name == "type 0 has less room" {
				cap, tip = big.NewInt(9_750_000_000), big.NewInt(9_750_000_000) // 7 + 1 and a quarter of 7
			}
			if tx.Type() != c.kind || tx.GasFeeCap().Cmp(cap) != 0 || tx.GasTipCap().Cmp(tip) != 0 {
				t.Errorf("type %d, cap %d, tip %d", tx.Type(), tx.GasFeeCap(), tx.GasTipCap())
			}
			if tx.Gas() != 25200 || d.Gas != 25200 {
				t.Errorf("gas %d: want the estimate and a fifth", tx.Gas())
			}
			if d.Cost.Cmp(tx.Cost()) != 0 || d.FeeCap.Cmp(cap) != 0 || d.Head.Hash == "" {
				t.Errorf("draft %+v", d)
			}
		})
	}
}

func TestGas(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, chains.Options{"max_gas": "30000"}, 1)
	// 26032 are needed, and a fifth more is over the ceiling.
	if d := w.prepare(w.job(call(fakenode.Accepts), 0)); d.Gas != 30000 {
		t.Errorf("gas %d, want the ceiling", d.Gas)
	}
	in := call(fakenode.Accepts)
	in.Data = make([]byte, 1000)
	w.refused("more than the ceiling", w.job(in, 0), chains.ErrCeiling)
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_estimateGas": `"0xffffffffffffffff"`}})
	w.refused("an absurd estimate", w.job(call(fakenode.Accepts), 0), chains.ErrCeiling)
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_estimateGas": `"0x0"`}})
	w.refused("no estimate", w.job(call(fakenode.Accepts), 0), chains.ErrRefused)

	// EIP-7825, whatever the file says.
	w = newWorld(t, fakenode.Options{}, chains.Options{"max_gas": "50000000", "max_total_fee": "1ether"}, 1)
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_estimateGas": `"0xffffff"`}})
	if d := w.prepare(w.job(call(fakenode.Accepts), 0)); d.Gas != 1<<24 {
		t.Errorf("gas %d, want 16777216", d.Gas)
	}
}

// An explicit gas limit skips the estimate, and with transactions ahead the
// simulation, too: what they do is not there to be simulated on.
func TestExplicitGas(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	gate := call(fakenode.Gate)
	w.refused("estimated", w.job(gate, 0), chains.ErrReverts)
	gate.Gas = 60000
	w.refused("simulated", w.job(gate, 0), chains.ErrReverts)
	estimates := w.nodes[0].Calls("eth_estimateGas")

	open := call(fakenode.Gate)
	open.Data = []byte{1}
	_, a := w.attempt(open, 0)
	_, b := w.attempt(gate, 1)
	w.mustSend(a)
	w.mustSend(b)
	w.chain.Mine(3)
	if e, _ := w.look(b); !e.Settled || e.Outcome != chains.Succeeded {
		t.Errorf("sent behind what it needs: %+v", e)
	}
	if n := w.nodes[0].Calls("eth_estimateGas") - estimates; n != 1 {
		t.Errorf("%d estimates, want one for the first", n)
	}
	// Too little gas is found by the simulation.
	low := call(fakenode.Accepts)
	low.Gas = 21100
	w.refused("too little gas", w.job(low, 2), chains.ErrReverts)
}

// The simulation has the final gas limit and no fee fields.
func TestSimulationFields(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	var seen []string
	w.chain.Watch(func(method, params string) {
		if method == "eth_call" || method == "eth_estimateGas" {
			seen = append(seen, method+" "+params)
		}
	})
	d := w.prepare(w.job(call(fakenode.Accepts), 0))
	if len(seen) != 2 || !strings.HasPrefix(seen[0], "eth_estimateGas") || !strings.Contains(seen[1], `"gas":"0x7a06"`) || d.Gas != 0x7a06 {
		t.Errorf("gas %x, asked %q", d.Gas, seen)
	}
	for _, s := range seen {
		for _, name := range []string{"gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "nonce", "type"} {
			if strings.Contains(s, name) {
				t.Errorf("%s in %s", name, s)
			}
		}
	}
}

func TestReverts(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	for to, want := range map[string]string{fakenode.Reverts: "not today", fakenode.Panics: "panic 0x11: arithmetic overflow", fakenode.Custom: "0xcafebabe"} {
		err := w.refused(to, w.job(call(to), 0), chains.ErrReverts)
		var e *chains.Error
		if !errors.As(err, &e) || e.Detail != want {
			t.Errorf("%s: %v, want %q", to, err, want)
		}
	}
	// An execution that ends without a revert has failed as well.
	w.nodes[0].SetFaults(fail("eth_estimateGas", "invalid opcode: INVALID", -32000))
	w.refused("a bad instruction", w.job(call(fakenode.Accepts), 0), chains.ErrReverts)
	w.nodes[0].SetFaults(fail("eth_call", "out of gas", -32000))
	w.refused("not enough gas", w.job(call(fakenode.Accepts), 0), chains.ErrReverts)
	// A node that cannot say is not a contract that reverts.
	for _, message := range []string{"header not found", "missing trie node", "execution aborted (timeout = 5s)", "\r\nOK\r\n", ""} {
		for _, method := range []string{"eth_estimateGas", "eth_call"} {
			w.nodes[0].SetFaults(fail(method, message, -32000))
			w.refused(message, w.job(call(fakenode.Accepts), 0), chains.ErrRefused)
		}
	}
}

func TestFunds(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	all := new(big.Int).Sub(ether(1), new(big.Int).Mul(gwei(15), big.NewInt(25200)))
	w.prepare(w.job(transfer(all), 0))
	more := new(big.Int).Add(all, big.NewInt(1))
	w.refused("one wei too much", w.job(transfer(more), 0), chains.ErrFunds)
	job := w.job(transfer(all), 0)
	job.Committed = big.NewInt(1)
	w.refused("one wei is spoken for", job, chains.ErrFunds)
	w.refused("more than there is", w.job(transfer(ether(2)), 0), chains.ErrFunds)
}

func TestNonce(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	if d := w.prepare(w.job(transfer(big.NewInt(1)), 1)); d.Nonce != 1 {
		t.Errorf("nonce %d", d.Nonce)
	}
	// The journal is ahead of the chain: the node lags, or transactions wait.
	if d := w.prepare(w.job(transfer(big.NewInt(1)), 7)); d.Nonce != 7 {
		t.Errorf("nonce %d", d.Nonce)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Nonce: -1})
	if d := w.prepare(w.job(transfer(big.NewInt(1)), 1)); d.Nonce != 1 {
		t.Errorf("nonce %d", d.Nonce)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Nonce: 1})
	w.refused("the chain is one ahead", w.job(transfer(big.NewInt(1)), 1), chains.ErrNonceAhead)
	w.nodes[0].SetFaults(fakenode.Faults{Nonce: 5})
	w.refused("the chain is ahead", w.job(transfer(big.NewInt(1)), 1), chains.ErrNonceAhead)
	job := w.job(transfer(big.NewInt(1)), 1)
	job.Adopt = true
	if d := w.prepare(job); d.Nonce != 6 {
		t.Errorf("adopted nonce %d", d.Nonce)
	}
	w.nodes[0].SetFaults(fakenode.Faults{})
	if d := w.prepare(job); d.Nonce != 1 {
		t.Errorf("nonce %d: adopting never goes back", d.Nonce)
	}
	// What is in the pool counts for nothing.
	_, b := w.attempt(transfer(big.NewInt(1)), 1)
	w.mustSend(b)
	w.prepare(w.job(transfer(big.NewInt(1)), 1))
}

// EIP-7702: an account with delegated code has one transaction at a time.
func TestDelegated(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	if d := w.prepare(w.job(transfer(big.NewInt(1)), 0)); d.Window != 0 {
		t.Errorf("window %d", d.Window)
	}
	w.chain.Delegate(w.account.Address)
	w.refused("the nonce tells", w.job(transfer(big.NewInt(1)), 0), chains.ErrNonceAhead)
	job := w.job(transfer(big.NewInt(1)), 0)
	job.Adopt = true
	for _, what := range []string{"at once", "and from memory"} {
		if d := w.prepare(job); d.Window != 1 {
			t.Errorf("%s: window %d", what, d.Window)
		}
		job.Nonce = 1
	}
}

// A rollup's own fee comes on top, twice, as far as money is concerned.
func TestOracle(t *testing.T) {
	l1 := big.NewInt(1e15)
	options := chains.Options{"l1_fee_oracle": fakenode.Oracle}
	w := newWorld(t, fakenode.Options{L1Fee: l1}, options, 1)
	var asked string
	w.chain.Watch(func(method, params string) {
		if strings.Contains(params, fakenode.Oracle) {
			asked = params
		}
	})
	job := w.job(transfer(big.NewInt(1)), 0)
	d := w.prepare(job)
	tx := decode(t, w.sign(job, d).Raw)
	if extra := new(big.Int).Sub(d.Cost, tx.Cost()); extra.Cmp(big.NewInt(2e15)) != 0 {
		t.Errorf("%v on top", extra)
	}
	// getL1Fee(bytes) over the unsigned transaction.
	if want := "0x49948e0e" + strings.Repeat("0", 62) + "20" + strings.Repeat("0", 62); !strings.Contains(asked, want) || len(asked)%64 != len(`[{"data":"0x49948e0e","to":"`+fakenode.Oracle+`"},"latest"]`)%64 {
		t.Errorf("asked %s", asked)
	}
	worst, err := w.net.Judge(transfer(big.NewInt(1)))
	if err != nil || worst.Cmp(d.Cost) < 0 {
		t.Errorf("Judge: %v, %v", worst, err)
	}
	// It counts against the ceiling and the funds.
	options["max_total_fee"] = "0.00225ether" // 2e15, and 25200 times 9.9 gwei
	w = newWorld(t, fakenode.Options{L1Fee: l1}, options, 1)
	if d := w.prepare(w.job(transfer(big.NewInt(1)), 0)); d.FeeCap.Cmp(big.NewInt(9_920_634_920)) != 0 {
		t.Errorf("fee cap %v", d.FeeCap)
	}
	options["max_total_fee"] = "0.00199ether"
	w = newWorld(t, fakenode.Options{L1Fee: l1}, options, 1)
	w.refused("over the ceiling", w.job(transfer(big.NewInt(1)), 0), chains.ErrCeiling)
	w = newWorld(t, fakenode.Options{L1Fee: ether(1)}, chains.Options{"l1_fee_oracle": fakenode.Oracle, "max_total_fee": "9ether"}, 1)
	w.refused("over the funds", w.job(transfer(big.NewInt(1)), 0), chains.ErrFunds)
	w = newWorld(t, fakenode.Options{}, chains.Options{"l1_fee_oracle": fakenode.Reverts}, 1)
	w.refused("an oracle that is none", w.job(transfer(big.NewInt(1)), 0), chains.ErrRefused)
}

// Nodes that are behind or syncing are no ground to prepare on.
func TestUnfit(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 2)
	w.chain.Mine(30)
	for _, f := range []fakenode.Faults{{Lag: 20}, {Syncing: true}} {
		w.prepare(w.job(transfer(big.NewInt(1)), 0))
		w.advance(6 * time.Minute)
		w.nodes[0].SetFaults(f)
		before := w.nodes[1].Requests()
		if d := w.prepare(w.job(transfer(big.NewInt(1)), 0)); d.Head.Number != 30 || w.nodes[1].Requests() == before {
			t.Errorf("%+v: prepared at block %d", f, d.Head.Number)
		}
		w.nodes[1].SetFaults(f)
		w.advance(6 * time.Minute)
		w.refused("both", w.job(transfer(big.NewInt(1)), 0), chains.ErrUnreachable)
		w.nodes[0].SetFaults(fakenode.Faults{})
		w.nodes[1].SetFaults(fakenode.Faults{})
		w.advance(1e12)
	}
	// A method that a node has not is no fault of its.
	w.nodes[0].SetFaults(fail("eth_syncing", "the method eth_syncing does not exist/is not available", -32601))
	w.prepare(w.job(transfer(big.NewInt(1)), 0))
}

// A node may answer anything to anything: there is an error, or a draft that
// is within all bounds, and never a panic.
func TestMalformedAnswers(t *testing.T) {
	methods := []string{"eth_getHeaderByNumber", "eth_getTransactionCount", "eth_getBalance", "eth_getCode", "eth_gasPrice",
		"eth_maxPriorityFeePerGas", "eth_feeHistory", "eth_estimateGas", "eth_syncing", "eth_chainId"}
	answers := []string{`null`, `true`, `0`, `""`, `"0x"`, `"0x00"`, `"0x-1"`, `"latest"`, `{}`, `[]`, `[null]`, `{"hash":null}`, `"0x` + strings.Repeat("f", 65) + `"`,
		`{"baseFeePerGas":["0x"]}`, `"\r\nOK\r\n"`}
	for _, method := range methods {
		for _, answer := range answers {
			w := newWorld(t, fakenode.Options{}, nil, 1)
			w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{method: answer}, NoTip: method == "eth_gasPrice" || method == "eth_feeHistory"})
			w.nodes[0].Restart()
			d, err := w.net.Prepare(t.Context(), w.job(transfer(big.NewInt(1)), 0))
			// Some answers are of the right form, or not needed.
			allowed := method == "eth_getCode" && strings.HasPrefix(answer, `"0x`) || method == "eth_feeHistory" && strings.HasPrefix(answer, `{`)
			if err == nil && !allowed {
				t.Errorf("%s %s: prepared %+v", method, answer, d)
			}
			if err != nil && !errors.Is(err, chains.ErrRefused) && !errors.Is(err, chains.ErrUnreachable) {
				t.Errorf("%s %s: %v", method, answer, err)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%s %s: %q", method, answer, err)
			}
		}
	}
}

func TestQuery(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	q := w.net.(chains.Querier)
	out, err := q.Query(t.Context(), nil, fakenode.Returns, []byte{1, 2, 3})
	if err != nil || string(out) != "\x01\x02\x03" {
		t.Errorf("Query = %x, %v", out, err)
	}
	if out, err := q.Query(t.Context(), &w.account, fakenode.Accepts, nil); err != nil || len(out) != 0 {
		t.Errorf("Query = %x, %v", out, err)
	}
	_, err = q.Query(t.Context(), &w.account, fakenode.Reverts, nil)
	var e *chains.Error
	if !errors.As(err, &e) || e.Kind != chains.ErrReverts || e.Detail != "not today" {
		t.Errorf("Query of what reverts: %v", err)
	}
	if _, err := q.Query(t.Context(), nil, "peer", nil); !errors.Is(err, chains.ErrAddress) {
		t.Errorf("Query of no address: %v", err)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_call": `"0x0"`}})
	if _, err := q.Query(t.Context(), nil, fakenode.Returns, nil); !errors.Is(err, chains.ErrRefused) {
		t.Errorf("Query of half a byte: %v", err)
	}
}

func TestFeeQuote(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	f, err := w.net.(chains.FeeQuoter).Fees(t.Context())
	if err != nil || f.Base.Cmp(gwei(7)) != 0 || f.Tip.Cmp(gwei(1)) != 0 || f.Transfer.Cmp(gwei(8*21000)) != 0 {
		t.Errorf("Fees = %+v, %v", f, err)
	}
	w = newWorld(t, fakenode.Options{Legacy: true}, nil, 1)
	f, err = w.net.(chains.FeeQuoter).Fees(t.Context())
	if err != nil || f.Base.Cmp(gwei(7)) != 0 || f.Tip.Sign() != 0 || f.Transfer.Cmp(gwei(7*21000)) != 0 {
		t.Errorf("Fees = %+v, %v", f, err)
	}
}

// TestJudgeToken: a token is only transferred, and costs coin for the fee alone.
func TestJudgeToken(t *testing.T) {
	token := func() chains.Intent {
		in := transfer(big.NewInt(5))
		in.Asset = "0x72665d3e94Cb4f374b7728F1ab21A3115C4D50Eb"
		return in
	}
	w := newWorld(t, fakenode.Options{}, nil, 1)
	coin, err := w.net.Judge(transfer(big.NewInt(5)))
	if err != nil {
		t.Fatal(err)
	}
	units, err := w.net.Judge(token())
	if err != nil || new(big.Int).Sub(coin, units).Int64() != 5 {
		t.Errorf("coin costs %v at most, a token %v, %v", coin, units, err)
	}
	for name, change := range map[string]func(*chains.Intent){
		"call":       func(in *chains.Intent) { in.Kind, in.Data = chains.Call, []byte{1} },
		"no address": func(in *chains.Intent) { in.Asset = "USD" },
		"too much":   func(in *chains.Intent) { in.Value = new(big.Int).Lsh(big.NewInt(1), 256) },
	} {
		in := token()
		change(&in)
		if _, err := w.net.Judge(in); err == nil {
			t.Errorf("%s: is judged good", name)
		}
	}
}
