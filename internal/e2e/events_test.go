//go:build e2e

package e2e

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/internal/contracts"
)

// An occurrence is an event as a host reads it, or as the node shows it.
type occurrence struct {
	block uint64
	index uint64
	tx    string
}

// A listener is a host that reads every event that it is told of, whatever it
// missed, and acknowledges.
type listener struct {
	*bench
	contract string
	after    uint64
	told     map[uint64]occurrence // by record
	n        map[uint64]uint64     // what the event says, by record
	void     map[uint64]bool
}

// read reads what is retained, and acknowledges it.
func (l *listener) read() (news int) {
	l.t.Helper()
	for {
		lines := l.ok("AT+BOATEVTLST=%d,256", l.after)
		for _, line := range lines {
			f := fields(line)
			l.after = number(l.t, f[0])
			switch f[1] {
			case "event":
				l.get(number(l.t, f[3]))
				news++
			case "alarm":
				l.takeBack(f[3])
			}
		}
		if len(lines) == 0 {
			return news
		}
		l.ok("AT+BOATEVTACK=%d", l.after)
	}
}

func (l *listener) get(record uint64) {
	l.t.Helper()
	lines := l.ok("AT+BOATEVTGET=%d", record)
	head := fields(lines[0])
	l.told[record] = occurrence{number(l.t, head[0]), number(l.t, head[1]), head[2]}
	for _, line := range lines[1:] {
		switch f := fields(line); f[1] {
		case "0":
			if !strings.EqualFold("0x"+f[4], l.contract) {
				l.t.Errorf("record %d is of %s", record, f[4])
			}
		case "2":
			n, ok := new(big.Int).SetString(f[4], 16)
			if !ok {
				l.t.Fatalf("record %d: %q", record, line)
			}
			l.n[record] = n.Uint64()
		}
	}
}

func (l *listener) takeBack(subject string) {
	l.t.Helper()
	var first, last uint64
	switch n, _ := fmt.Sscanf(strings.Replace(subject, "-", " ", 1), "event %d %d", &first, &last); n {
	case 0:
		return // an alarm about something else
	case 1:
		last = first
	}
	for r := first; r <= last; r++ {
		if _, ok := l.told[r]; !ok {
			l.t.Errorf("%s: nothing was told of %d", subject, r)
		}
		l.void[r] = true
	}
}

// valid counts the events that were told and not taken back.
func (l *listener) valid() int { return len(l.told) - len(l.void) }

// ping has the contract log count events and makes the block.
func (l *listener) ping(from, count int) {
	l.t.Helper()
	data := hex.EncodeToString(crypto.Keccak256([]byte("ping(uint256,uint256)"))[:4]) + word(int64(from)) + word(int64(count))
	l.chain.call(l.t, nil, "eth_sendTransaction", map[string]string{"from": l.chain.dev, "to": l.contract, "data": "0x" + data, "gas": "0xe4e1c0",
		"maxFeePerGas": "0x4a817c800", "maxPriorityFeePerGas": "0x3b9aca00"})
	l.chain.mine(l.t, 1)
}

// judge compares all that was told with what the node shows at the end.
func (l *listener) judge(total int) {
	l.t.Helper()
	var logs []struct {
		Topics      []common.Hash
		BlockNumber hexutil.Uint64
		LogIndex    hexutil.Uint64
		Hash        common.Hash `json:"transactionHash"`
	}
	l.chain.call(l.t, &logs, "eth_getLogs", map[string]any{"address": l.contract, "fromBlock": "0x0", "toBlock": "latest"})
	shown := map[uint64]occurrence{}
	for _, log := range logs {
		shown[log.Topics[1].Big().Uint64()] = occurrence{uint64(log.BlockNumber), uint64(log.LogIndex), log.Hash.Hex()[2:]}
	}
	if len(shown) != total || len(logs) != total {
		l.t.Fatalf("the chain has %d events with %d numbers, not %d", len(logs), len(shown), total)
	}
	times := map[uint64]int{}
	for record, o := range l.told {
		if l.void[record] {
			continue
		}
		times[l.n[record]]++
		if shown[l.n[record]] != o {
			l.t.Errorf("record %d: told %+v, the chain has %+v", record, o, shown[l.n[record]])
		}
	}
	for n := range shown {
		if times[n] != 1 {
			l.t.Errorf("event %d was told %d times", n, times[n])
		}
	}
}

// TestE2EEvents: ten thousand events, three restarts, blocks that are replaced
// while boatd looks and while it is away: a host that reads what is retained has
// every event of the chain once, and knows of every other one that it is void.
func TestE2EEvents(t *testing.T) {
	t.Parallel()
	const rounds, each = 100, 100
	n := ownAnvil(t)
	b := newBench(t, n, 8, setup{})
	compiled, err := contracts.Load("Events")
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{bench: b, contract: n.deploy(t, compiled.Bytecode), told: map[uint64]occurrence{}, n: map[uint64]uint64{}, void: map[uint64]bool{}}
	t.Cleanup(func() { t.Logf("%d events told, %d taken back; read up to %d", len(l.told), len(l.void), l.after) })
	subscribe := func() {
		t.Helper()
		if got := l.ok(`AT+BOATSUBADD="net","%s","Ping(uint256 indexed,address indexed,string)"`, l.contract); got[0] != "1" {
			t.Errorf("subscription %q", got)
		}
	}
	subscribe()
	eventually(t, "the subscription begins", func() bool { return strings.Contains(tail(l.boatd.log, 100), "a subscription begins") })
	caught := func(want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d events are told", want), func() bool { l.read(); return l.valid() >= want })
	}
	for round := range rounds {
		l.ping(round*each, each)
		switch round {
		case 20, 50, 80:
			l.boatd.restart(round != 50)
			l.reconnect()
		case 35: // while boatd looks
			caught((round + 1) * each)
			n.reorg(t, 4)
			for again := round - 3; again <= round; again++ {
				l.ping(again*each, each)
			}
			eventually(t, "what is gone is taken back", func() bool { l.read(); return len(l.void) == 4*each })
			caught((round + 1) * each)
		case 65: // while it is away
			caught((round + 1) * each)
			l.boatd.kill()
			n.reorg(t, 3)
			for again := round - 2; again <= round; again++ {
				l.ping(again*each, each)
			}
			l.boatd.start()
			l.reconnect()
		}
		if round%7 == 0 {
			l.read()
		}
	}
	caught(rounds * each)
	n.mine(t, 40)
	eventually(t, "what went while boatd was away is taken back", func() bool { l.read(); return len(l.void) >= 7*each && l.valid() >= rounds*each })
	if len(l.void) != 7*each {
		t.Errorf("%d events were taken back, not %d", len(l.void), 7*each)
	}
	l.judge(rounds * each)
	subscribe() // the same again
}
