//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// The tests of this file judge the judges.

// stream has a host read a stream while a command runs, and returns what it
// objects to.
func stream(command, text string) error {
	h := &host{pending: command, replies: make(chan reply, 8), news: make(chan struct{})}
	in := bufio.NewReader(strings.NewReader(text))
	for {
		line, err := readFrame(in)
		if err == nil {
			err = h.take(line)
		}
		if err != nil {
			return err
		}
	}
}

// TestE2EHostIsStrict shows the host streams that boatd may not write.
func TestE2EHostIsStrict(t *testing.T) {
	const urc = "\r\n+BOATURC: 7,\"tx\",1,2,0\r\n"
	for text, good := range map[string]bool{
		"\r\nOK\r\n":                                     true,
		"\r\n+BOATTXGET: 1,2\r\n\r\nOK\r\n":              true,
		urc + "\r\n+BOATTXGET: 1,2\r\n\r\nOK\r\n":        true,
		"\r\n+CME ERROR: 7001\r\n" + urc:                 true,
		"OK\r\n":                                         false,
		"\r\nOK\n":                                       false,
		"\r\n\r\nOK\r\n":                                 false,
		"\r\nOK\r\n\r\nOK\r\n":                           false,
		"\r\nok\r\n":                                     false,
		"\r\nno\r\n":                                     false,
		"\r\n+CME ERROR: full\r\n":                       false,
		"\r\n+BOATTXLST: 1\r\n\r\nOK\r\n":                false,
		"\r\n+BOATTXGET: \"OK\"\r\n\r\nOK\r\n":           false,
		"\r\n+BOATTXGET: \"x\x01\"\r\n\r\nOK\r\n":        false,
		"\r\n+BOATTXGET: 1\r\n" + urc + "\r\nOK\r\n":     false,
		urc + urc + "\r\nOK\r\n":                         false,
		"\r\n+BOATTXGET: " + strings.Repeat("1", 120):    false,
		"\r\n+BOATURC: x,\"tx\"\r\n":                     false,
		"\r\nRING\r\n":                                   false,
		"\r\n+BOATTXGET: \"a\r\nb\"\r\n":                 false,
		"\r\n+BOATTXGET: 1 NO CARRIER\r\n\r\nOK\r\n":     false,
		"\r\n+BOATTXGET: 1,2\r\n\x00\r\nOK\r\n":          false,
		"\r\n+BOATTXGET: 1,2\r\n\r\n+CME ERROR: -1\r\n":  false,
		"\r\n+BOATTXGET: 1,2\r\n\r\n+CME ERROR: 16 \r\n": false,
	} {
		err := stream("AT+BOATTXGET=1", text)
		if good != errors.Is(err, io.EOF) || good == errors.Is(err, errFraming) {
			t.Errorf("%q: %v, good is %v", text, err, good)
		}
	}
}

// complaints collects what compare objects to.
type complaints []string

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// A story is what a host was told of one intent and what the chain has.
type story struct {
	name  string
	in    *intent
	chain []*chainTx
	good  bool
}

func onChain(nonce uint64, success bool, e effect) *chainTx {
	value, _ := new(big.Int).SetString(e.value, 10)
	tx := &chainTx{Hash: common.BigToHash(big.NewInt(int64(nonce + 1))), Nonce: hexutil.Uint64(nonce), Value: (*hexutil.Big)(value), Success: success}
	if e.to != "" {
		to := common.HexToAddress(e.to)
		tx.To = &to
	}
	return tx
}

// TestE2EAuditIsStrict tells the audit stories, true ones and others.
func TestE2EAuditIsStrict(t *testing.T) {
	self := common.BigToAddress(big.NewInt(1)).Hex()
	want, nothing := effect{common.BigToAddress(big.NewInt(9)).Hex(), "5", ""}, effect{self, "0", ""}
	did, failed, cancels := onChain(0, true, want), onChain(0, false, want), onChain(0, true, nothing)
	told := func(state int, tx *chainTx) *intent {
		in := &intent{wallet: "w", ref: "r", want: want, id: 1, end: txState{id: 1, state: state}}
		if tx != nil {
			in.end.hash, in.attempts = tx.hash(), []string{tx.hash()}
		}
		return in
	}
	wished := func(in *intent) *intent { in.cancelAsked = true; return in }
	for _, s := range []story{
		{"confirmed", told(confirmed, did), []*chainTx{did}, true},
		{"confirmed and failed", told(confirmed, failed), []*chainTx{failed}, false},
		{"confirmed and not there", told(confirmed, did), nil, false},
		{"confirmed and cancelled", told(confirmed, cancels), []*chainTx{cancels}, false},
		{"confirmed by another hash", told(confirmed, onChain(3, true, want)), []*chainTx{did}, false},
		{"reverted", told(reverted, failed), []*chainTx{failed}, true},
		{"reverted and done", told(reverted, did), []*chainTx{did}, false},
		{"cancelled", wished(told(cancelled, cancels)), []*chainTx{cancels}, true},
		{"cancelled unsigned", wished(told(cancelled, nil)), nil, true},
		{"cancelled by nobody", told(cancelled, cancels), []*chainTx{cancels}, false},
		{"cancelled and done", wished(told(cancelled, did)), []*chainTx{did}, false},
		{"cancelled and open", wished(told(cancelled, did)), nil, false},
		{"refused", told(refused, nil), nil, true},
		{"refused and signed", told(refused, did), nil, false},
		{"expired and done", told(expired, did), []*chainTx{did}, false},
		{"displaced", told(displaced, did), nil, false},
		{"not ended", told(sent, did), []*chainTx{did}, false},
		{"another's", told(refused, nil), []*chainTx{did}, false},
		{"gap", told(confirmed, onChain(1, true, want)), []*chainTx{onChain(1, true, want)}, false},
		{"lost, not done", &intent{wallet: "w", want: want}, nil, true},
		{"lost, done", &intent{wallet: "w", want: want}, []*chainTx{did}, true},
		{"lost, done twice", &intent{wallet: "w", want: want}, []*chainTx{did, onChain(1, true, want)}, false},
	} {
		var c complaints
		compare(&c, map[string][]*chainTx{self: s.chain}, map[string][]string{self: {"w"}}, []*intent{s.in})
		if s.good != (len(c) == 0) {
			t.Errorf("%s: good is %v, the audit says %q", s.name, s.good, c)
		}
	}
	var c complaints
	compare(&c, map[string][]*chainTx{self: {did}}, map[string][]string{self: {"w"}}, []*intent{told(confirmed, did), told(confirmed, did)})
	if len(c) == 0 {
		t.Error("two orders have one id, and the audit does not mind")
	}
}
