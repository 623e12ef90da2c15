package ethereum_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
)

const emitter = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"

// ping is Ping(uint256,address,string) with its first two indexed.
var ping = crypto.Keccak256Hash([]byte("Ping(uint256,address,string)"))

func number(n int64) common.Hash { return common.BigToHash(ether(n)) }

// log has the emitter log Ping(n, 0) in the next block.
func (w *world) log(n int64) {
	w.chain.Log(common.HexToAddress(emitter), []common.Hash{ping, number(n), {}}, []byte{byte(n)})
}

func (w *world) eventer() chains.Eventer { return w.net.(chains.Eventer) }

func (w *world) filter(values ...*string) chains.Filter {
	w.t.Helper()
	f, err := w.eventer().ParseEvent(emitter, "Ping(uint256 indexed n, address indexed who, string note)", values, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) scan(scans ...chains.Scan) []chains.Scanned {
	w.t.Helper()
	all, err := w.eventer().Scan(w.t.Context(), scans)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestParseEvent(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	who := "bob"
	peer := func(name string) (string, error) {
		if name == "bob" {
			return emitter, nil
		}
		return "", chains.ErrAddress
	}
	f, err := w.eventer().ParseEvent(emitter, "Ping(uint indexed,address indexed,string)", []*string{nil, &who}, peer)
	want := chains.Filter{Contract: emitter, Event: "Ping(uint256,address,string)",
		Topics: [][]byte{ping[:], nil, common.LeftPadBytes(common.FromHex(emitter), 32)}}
	if err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := w.eventer().ParseEvent(emitter, "Ping(", nil, peer); !errors.Is(err, chains.ErrFunction) {
		t.Error(err)
	}
	var bad *chains.ArgumentError
	if _, err := w.eventer().ParseEvent(emitter, "Ping(uint indexed)", []*string{&who}, peer); !errors.As(err, &bad) || bad.Index != 0 {
		t.Error(err)
	}
}

// TestHorizon: by tag and by depth, in one batch.
func TestHorizon(t *testing.T) {
	for options, want := range map[string]uint64{"0": 8, "1": 10, "4": 7, "50": 0} {
		w := newWorld(t, fakenode.Options{}, chains.Options{"confirmations": options}, 1)
		w.chain.Mine(10)
		before := w.nodes[0].Requests()
		h, err := w.eventer().Horizon(t.Context(), []uint64{3, 10, 11}, true)
		if err != nil || h.Head != 10 || h.Final != want || len(h.Blocks) != 2 || len(h.Blocks[10].Hash) != 64 || h.Blocks[3].Number != 3 {
			t.Errorf("confirmations %s: %+v, %v", options, h, err)
		}
		if n := w.nodes[0].Requests() - before; n != 1 {
			t.Errorf("%d requests", n)
		}
		asked := w.nodes[0].Calls("eth_getHeaderByNumber")
		if h, err := w.eventer().Horizon(t.Context(), nil, false); err != nil || h.Head != 10 || options == "0" && h.Final != 0 || w.nodes[0].Calls("eth_getHeaderByNumber") != asked {
			t.Errorf("confirmations %s, the height alone: %+v, %v", options, h, err)
		}
	}
}

func TestScan(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	one := ether(1).String()
	w.log(1)
	w.chain.Log(common.HexToAddress(someoneElse), []common.Hash{ping, number(1), {}}, nil)
	w.log(2)
	w.chain.Mine(1)
	w.log(1)
	w.chain.Mine(2)
	before := w.nodes[0].Requests()
	all := w.scan(chains.Scan{Filter: w.filter(), From: 1, To: 3}, chains.Scan{Filter: w.filter(&one), From: 1, To: 2}, chains.Scan{Filter: w.filter(), From: 3, To: 3})
	if n := w.nodes[0].Requests() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
	at := func(s chains.Scanned) (places []string) {
		for _, e := range s.Events {
			places = append(places, fmt.Sprintf("%d/%d", e.Block.Number, e.Index))
		}
		return places
	}
	for i, want := range [][]string{{"1/0", "1/2", "2/0"}, {"1/0", "2/0"}, nil} {
		if got := at(all[i]); all[i].Err != nil || !reflect.DeepEqual(got, want) || all[i].Last.Number != []uint64{3, 2, 3}[i] {
			t.Errorf("scan %d: %v, %+v", i, got, all[i])
		}
	}
	e := all[0].Events[1]
	if len(e.Tx) != 64 || len(e.Block.Hash) != 64 || !bytes.Equal(e.Data, []byte{2}) || !bytes.Equal(e.Address, common.FromHex(emitter)) || !bytes.Equal(e.Topics[1], number(2).Bytes()) {
		t.Errorf("%+v", e)
	}
}

const someoneElse = "0x00000000000000000000000000000000000000ee"

// TestScanTooMuch: too many blocks for a node, and an answer that is too large,
// both ask for fewer; of a single block they are errors.
func TestScanTooMuch(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.log(1)
	w.chain.Mine(9)
	w.nodes[0].SetFaults(fakenode.Faults{LogRange: 5})
	f := w.filter()
	all := w.scan(chains.Scan{Filter: f, From: 1, To: 6}, chains.Scan{Filter: f, From: 1, To: 5})
	if !errors.Is(all[0].Err, chains.ErrTooMuch) || all[1].Err != nil || len(all[1].Events) != 1 {
		t.Errorf("%+v", all)
	}
	w.nodes[0].SetFaults(fakenode.Faults{})
	for range 700 {
		w.chain.Log(common.HexToAddress(emitter), []common.Hash{ping, number(1), {}}, make([]byte, 1000))
	}
	w.chain.Mine(2)
	all = w.scan(chains.Scan{Filter: f, From: 1, To: 9}, chains.Scan{Filter: f, From: 1, To: 10})
	if all[0].Err != nil || !errors.Is(all[1].Err, chains.ErrTooMuch) {
		t.Errorf("%v, %v", all[0].Err, all[1].Err)
	}
	if _, err := w.eventer().Scan(t.Context(), []chains.Scan{{Filter: f, From: 10, To: 10}}); !errors.Is(err, chains.ErrTooMuch) {
		t.Error(err)
	}
	all = w.scan(chains.Scan{Filter: f, From: 10, To: 10}, chains.Scan{Filter: f, From: 1, To: 9})
	if !errors.Is(all[0].Err, chains.ErrTooMuch) || all[1].Err != nil || len(all[1].Events) != 1 {
		t.Errorf("a block that is too large beside others: %v, %v", all[0].Err, all[1].Err)
	}
	if s := w.net.(chains.Meter).Status(); s.Up != 1 {
		t.Errorf("the node counts as down: %+v", s)
	}
}

// TestScanBehind: a node that does not have the last block is not believed in
// what it has not.
func TestScanBehind(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 2)
	w.log(1)
	w.chain.Mine(1)
	w.nodes[0].SetFaults(fakenode.Faults{Lag: 1})
	if all := w.scan(chains.Scan{Filter: w.filter(), From: 1, To: 1}); len(all[0].Events) != 1 {
		t.Errorf("%+v", all)
	}
	w.nodes[1].SetFaults(fakenode.Faults{Down: true})
	if _, err := w.eventer().Scan(t.Context(), []chains.Scan{{Filter: w.filter(), From: 1, To: 1}}); !errors.Is(err, chains.ErrUnreachable) {
		t.Error(err)
	}
}

// TestScanLies: logs that were not asked for, or contradict each other, are not
// taken.
func TestScanLies(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.log(1)
	w.log(2)
	w.chain.Mine(3)
	good := w.rawLogs(1, 1)
	hash := good[0]["blockHash"].(string)
	other := "0x" + strings.Repeat("ab", 32)
	for name, spoil := range map[string]func(a, b map[string]any){
		"another contract":       func(a, _ map[string]any) { a["address"] = someoneElse },
		"another event":          func(a, _ map[string]any) { a["topics"] = []string{other} },
		"no topics":              func(a, _ map[string]any) { a["topics"] = []string{} },
		"five topics":            func(a, _ map[string]any) { a["topics"] = []string{other, other, other, other, other} },
		"an earlier block":       func(a, _ map[string]any) { a["blockNumber"] = "0x0" },
		"a later block":          func(_, b map[string]any) { b["blockNumber"] = "0x2" },
		"a pending block":        func(a, _ map[string]any) { a["blockHash"] = nil },
		"the wrong order":        func(a, b map[string]any) { a["logIndex"], b["logIndex"] = "0x1", "0x0" },
		"one twice":              func(a, b map[string]any) { b["logIndex"] = a["logIndex"] },
		"two blocks of a number": func(a, _ map[string]any) { a["blockHash"] = other },
		"a removed one":          func(a, _ map[string]any) { a["removed"] = true },
		"an index beyond all":    func(_, b map[string]any) { b["logIndex"] = "0x100000000" },
		"half a transaction":     func(a, _ map[string]any) { a["transactionHash"] = "0x12" },
		"no data":                func(a, _ map[string]any) { delete(a, "data") },
	} {
		w.nodes[0].SetFaults(fakenode.Faults{})
		logs := w.rawLogs(1, 1)
		spoil(logs[0], logs[1])
		raw, _ := json.Marshal(logs)
		w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_getLogs": string(raw)}})
		if all, err := w.eventer().Scan(t.Context(), []chains.Scan{{Filter: w.filter(), From: 1, To: 1}}); err == nil {
			t.Errorf("%s: %+v", name, all)
		}
		w.advance(1e12)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_getLogs": "null"}})
	if _, err := w.eventer().Scan(t.Context(), []chains.Scan{{Filter: w.filter(), From: 1, To: 1}}); err == nil {
		t.Error("null are logs")
	}
	w.advance(1e12)
	w.nodes[0].SetFaults(fakenode.Faults{})
	if all := w.scan(chains.Scan{Filter: w.filter(), From: 1, To: 1}); len(all[0].Events) != 2 || "0x"+all[0].Last.Hash != hash {
		t.Errorf("%+v", all)
	}
}

// rawLogs is what the chain's good node would say.
func (w *world) rawLogs(from, to uint64) []map[string]any {
	w.t.Helper()
	var logs []map[string]any
	for _, e := range w.scan(chains.Scan{Filter: w.filter(), From: from, To: to})[0].Events {
		var topics []string
		for _, topic := range e.Topics {
			topics = append(topics, fmt.Sprintf("0x%x", topic))
		}
		logs = append(logs, map[string]any{"address": fmt.Sprintf("0x%x", e.Address), "topics": topics, "data": fmt.Sprintf("0x%x", e.Data),
			"blockNumber": fmt.Sprintf("0x%x", e.Block.Number), "blockHash": "0x" + e.Block.Hash, "transactionHash": "0x" + e.Tx, "logIndex": fmt.Sprintf("0x%x", e.Index)})
	}
	return logs
}
