//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// States and reasons as hosts see them.
const (
	accepted  = 0
	signed    = 1
	sent      = 2
	included  = 3
	confirmed = 4
	reverted  = 5
	displaced = 6
	cancelled = 7
	expired   = 8
	refused   = 9

	noReason      = 0
	byPolicy      = 7004
	keyInactive   = 7015
	unreachable   = 7040
	nodeRefused   = 7041
	otherChain    = 7042
	wouldRevert   = 7043
	noFunds       = 7044
	overCeiling   = 7045
	disagreement  = 7046
	behindAnother = 7047
)

// A txState is what AT+BOATTXGET says.
type txState struct {
	id            uint64
	state, reason int
	confirmations uint64
	block         uint64
	hash          string
}

func parseTx(t testing.TB, line string) txState {
	t.Helper()
	f := fields(line)
	if len(f) < 6 {
		t.Fatalf("%q has too few fields", line)
	}
	n := func(i int) uint64 { return number(t, f[i]) }
	return txState{n(0), int(n(1)), int(n(2)), n(3), n(4), f[5]}
}

// tx returns a transaction as it is now.
func (h *host) tx(id uint64) txState {
	h.t.Helper()
	return parseTx(h.t, h.ok("AT+BOATTXGET=%d", id)[0])
}

// id runs a command that answers with an id.
func (h *host) id(format string, args ...any) uint64 {
	h.t.Helper()
	return number(h.t, h.ok(format, args...)[0])
}

// send orders a transfer.
func (h *host) send(wallet, ref, to string, wei any) uint64 {
	h.t.Helper()
	return h.id(`AT+BOATSEND="%s","%s","%s","%v"`, wallet, ref, to, wei)
}

// callData orders a call with ready data, hex.
func (h *host) callData(wallet, ref, contract, data string) uint64 {
	h.t.Helper()
	return h.id(`AT+BOATCALL="%s","%s","%s","x:%s"`, wallet, ref, contract, data)
}

// wallet makes a wallet and returns its address.
func (h *host) wallet(name, net string) string {
	h.t.Helper()
	return fields(h.ok(`AT+BOATWALADD="%s","%s"`, name, net)[0])[1]
}

// wait waits until a transaction has come to a state, or has ended.
func (h *host) wait(id uint64, state int) txState {
	h.t.Helper()
	r, err := h.do(fmt.Sprintf("AT+BOATTXWAI=%d,%d,%d", id, state, patience/time.Second))
	if err != nil || r.code != 0 {
		h.t.Fatalf("waiting for %d to come to state %d: code %d, %v; it is %+v", id, state, r.code, err, h.tx(id))
	}
	return parseTx(h.t, r.lines[0])
}

// ends waits for the end of a transaction, which must be this one.
func (h *host) ends(id uint64, state, reason int) txState {
	h.t.Helper()
	tx := h.wait(id, confirmed)
	if tx.state != state || tx.reason != reason {
		h.t.Fatalf("transaction %d ended %d with reason %d, want %d with %d", id, tx.state, tx.reason, state, reason)
	}
	return tx
}

// shows waits until a transaction is in a state with a reason.
func (h *host) shows(id uint64, state, reason int) txState {
	h.t.Helper()
	var tx txState
	if !within(patience, func() bool { tx = h.tx(id); return tx.state == state && tx.reason == reason }) {
		h.t.Fatalf("transaction %d is %+v, want state %d with reason %d", id, tx, state, reason)
	}
	return tx
}

// attempts returns the hashes of what was signed for a transaction.
func (h *host) attempts(id uint64) (hashes []string) {
	h.t.Helper()
	for _, line := range h.ok("AT+BOATTXTRY=%d", id) {
		hashes = append(hashes, fields(line)[2])
	}
	return hashes
}

// listen has the channel told of everything from now on.
func (h *host) listen() {
	h.t.Helper()
	h.ok(`AT+BOATCFG="urc",127`)
}

// told waits for an unsolicited code with these first fields.
func (h *host) told(event string, want ...string) urc {
	h.t.Helper()
	var found urc
	ok := within(patience, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, u := range h.codes {
			if u.event == event && len(u.fields) >= len(want) && slices.Equal(u.fields[:len(want)], want) {
				found = u
				return true
			}
		}
		return false
	})
	if !ok {
		h.t.Fatalf("no unsolicited code %q with %q came; there were %v", event, want, h.all())
	}
	return found
}

func (h *host) all() []urc {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.codes)
}

// history returns the states of a transaction in the order in which the host
// was told of them, each once in a row: reasons are left out.
func (h *host) history(id uint64) (states []int) {
	h.t.Helper()
	for _, u := range h.all() {
		if u.event != "tx" || u.fields[0] != strconv.FormatUint(id, 10) {
			continue
		}
		s := int(number(h.t, u.fields[1]))
		if n := len(states); n == 0 || states[n-1] != s {
			states = append(states, s)
		}
	}
	return states
}

// passed waits until the host has been told of exactly these states of a
// transaction; it is told of an end a moment after it can ask for it.
func (h *host) passed(id uint64, want ...int) {
	h.t.Helper()
	if !within(patience, func() bool { return slices.Equal(h.history(id), want) }) {
		h.t.Fatalf("the host was told of the states %v of %d, want %v", h.history(id), id, want)
	}
}

// alarms counts the alarms with a code.
func (h *host) alarms(code int) (n int) {
	for _, u := range h.all() {
		if u.event == "alarm" && u.fields[0] == strconv.Itoa(code) {
			n++
		}
	}
	return n
}

// nobody is an address that nobody has the key of, another one for each test
// and number.
func nobody(t testing.TB, n int) string {
	return common.BytesToAddress(crypto.Keccak256(fmt.Appendf(nil, "%s %d", t.Name(), n))).Hex()
}

func itoa[T int | uint64](n T) string { return fmt.Sprint(n) }
