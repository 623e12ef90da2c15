//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
)

// maxOrders bounds what a storm orders, so that its end does not take long.
const maxOrders = 260

// defaultKills is how often TestE2EKill kills; E2E_KILLS says otherwise. The
// other storms kill a fraction as often.
const defaultKills = 220

func killCount(t *testing.T) int {
	text := os.Getenv("E2E_KILLS")
	if text == "" {
		return defaultKills
	}
	return int(number(t, text))
}

// TestE2EKill kills boatd at random moments, more than two hundred times, while
// a host orders, bumps, cancels and asks, with three wallets on two accounts and
// two networks of one chain. Then it compares everything that hosts were told
// with the chain.
func TestE2EKill(t *testing.T) {
	t.Parallel()
	s := newStorm(t, ticking(t), 2)
	s.fill()
	s.blow(killCount(t))
}

// TestE2EKillWithBadNode does the same with a node that has another fault in
// each life.
func TestE2EKillWithBadNode(t *testing.T) {
	t.Parallel()
	s := newStorm(t, ticking(t), 2)
	faults := []fault{s.weather, s.weather, silence, truncated, noBatches, status(503), complains(-32000, foreign), wrongIDs,
		refuseBytes(true), refuseBytes(false), wrongNonce(-3), laggard{s.node, 20}.fault(), flicker(s.node, 20),
		complains(-32000, foreign, "eth_sendRawTransaction"), complains(-32000, "transaction indexing is in progress", "eth_getTransactionReceipt")}
	s.before = func() {
		s.proxy.set(faults[s.rng.IntN(len(faults))])
		s.proxy.server.CloseClientConnections()
	}
	s.blow(killCount(t) / 2)
}

// TestE2EKillWithReorgs does the same on a chain of which the newest blocks, and
// all that waits, are lost again and again.
func TestE2EKillWithReorgs(t *testing.T) {
	t.Parallel()
	n := ownAnvil(t)
	s := newStorm(t, n, 4)
	n.mine(t, 4) // what the storm begins with is final
	s.before = func() {
		switch k := s.rng.IntN(10); {
		case k < 6:
			n.mine(t, 1)
		case k < 8:
			n.reorg(t, 1+s.rng.IntN(3)) // what is final stays
		case k < 9:
			n.call(t, nil, "anvil_dropAllTransactions")
		}
	}
	s.after = func() { n.call(t, nil, "evm_setIntervalMining", 1) }
	s.blow(killCount(t) / 2)
	if s.alarms > 0 {
		t.Errorf("%d alarms on a chain that kept what was final", s.alarms)
	}
}

// newStorm makes wallets, contracts and a boatd that is down.
func newStorm(t *testing.T, n *node, depth int) *storm {
	return newStormOn(t, n, func(s *storm) victim {
		s.slow, s.boot = 1, 90*time.Millisecond
		url := []string{s.proxy.url}
		return newDaemon(t, setup{pin: true, networks: []network{{endpoints: url, depth: depth}, {name: "other", endpoints: url, depth: depth}}})
	})
}

// newStormOn is newStorm with any victim, which runs already.
func newStormOn(t *testing.T, n *node, start func(*storm) victim) *storm {
	s := &storm{t: t, rng: rand.New(rand.NewPCG(newSeed(t), 0)), node: n, proxy: newProxy(t, n), weather: fault{after: restless},
		lines: map[*intent]string{}, ordered: map[*intent]bool{}, byID: map[uint64]*intent{}, ends: map[uint64]int{}, plan: plan{moment: never}}
	s.contracts.box, s.contracts.moody, s.contracts.sink = n.deploy(t, initCode(box)), n.deploy(t, initCode(moody)), n.deploy(t, initCode(sink))
	s.proxy.set(s.weather)
	s.boatd = start(s)
	h := newHost(t, s.boatd.dial())
	h.awaitReady()
	h.ok(`AT+BOATPWD="","4711","83920174"`)
	h.listen()
	for _, w := range []string{"a", "b"} {
		n.fund(t, h.wallet(w, "net"), ether(100))
	}
	h.ok(`AT+BOATWALADD="c","other","a"`)
	for _, net := range []string{"net", "other"} {
		h.ok(`AT+BOATFEE="%s"`, net) // the first contact
	}
	h.close()
	s.boatd.kill()
	return s
}

// blow kills so often, calms down and judges.
func (s *storm) blow(kills int) {
	s.t.Helper()
	for range kills {
		if s.before != nil {
			s.before()
		}
		s.life()
	}
	s.proxy.set(s.weather)
	if s.after != nil {
		s.after()
	}
	s.calm()
	s.t.Logf("%d kills, %d orders; of those whose answer was lost %d were accepted and %d were not", s.lives, len(s.all), s.survived, s.forgotten)
}

// restless suggests another tip each time: what is signed twice is then not the
// same twice.
func restless(q *question) {
	if q.Method == "eth_maxPriorityFeePerGas" {
		q.Result, q.Error = encode(hexutil.Uint64(stuckBelow+rand.Uint64N(stuckBelow))), nil
	}
}

// fill brings the journal most of the way to where it is rewritten, so that this
// happens in the storm.
func (s *storm) fill() {
	s.t.Helper()
	s.boatd.start()
	h := s.unlocked()
	defer s.boatd.kill()
	const size = 24 << 10
	data := strings.Repeat("b0a7", size/2)
	for at := 0; at < size; at += 768 {
		h.ok(`AT+BOATDATAHX=0,%d,"%s"`, at, data[2*at:2*at+2*768])
	}
	for i := range 18 {
		in := &intent{wallet: "b", ref: fmt.Sprint("fill-", i), want: effect{s.contracts.sink, "0", data}}
		s.lines[in] = fmt.Sprintf(`AT+BOATCALL="b","%s","%s","@0"`, in.ref, in.want.to)
		s.all = append(s.all, in)
		s.acknowledge(in, h.id("%s", s.lines[in]))
	}
	h.settle(s.all)
}

// calm lets boatd live, brings every order to its end and judges.
func (s *storm) calm() {
	s.t.Helper()
	s.plan = plan{moment: never}
	s.boatd.start()
	h := s.unlocked()
	for len(s.lost) > 0 {
		s.repeat(h, s.lost[0])
		if len(s.lost) > 0 && s.lost[0].id == 0 { // the queue is full
			s.loosen(h)
		}
	}
	eventually(s.t, "nothing is stuck any more", func() bool { return s.loosen(h) })
	var known []*intent
	for _, in := range s.all {
		if in.id != 0 {
			known = append(known, in)
		}
	}
	h.settle(known)
	s.hear(h)
	accounts := map[string][]string{fields(h.ok(`AT+BOATADDR="a"`)[0])[0]: {"a", "c"}, fields(h.ok(`AT+BOATADDR="b"`)[0])[0]: {"b"}}
	audit(s.t, h, s.node, accounts, s.all)
	s.count(h)
	s.recall(known)
}

// loosen bumps what is stuck, and says whether that is over.
func (s *storm) loosen(h *host) bool {
	s.t.Helper()
	open := false
	for _, in := range s.stuck {
		if in.id == 0 {
			continue
		}
		if tx := h.tx(in.id); tx.state < included {
			open = true
			s.want(h, fmt.Sprintf(`AT+BOATTXBUMP=%d,"20gwei"`, in.id), 0, 7021)
		}
	}
	return !open
}

// count reads all ids that boatd has: beside those that the host knows there
// are only orders without a reference whose answer was lost. Of all that ever
// left boatd there is nothing that it does not know.
func (s *storm) count(h *host) {
	s.t.Helper()
	unknown, given, attempts := 0, 0, map[string]bool{}
	for _, in := range s.all {
		if in.id == 0 {
			given++
		}
	}
	for after := uint64(0); ; {
		page := h.ok("AT+BOATTXLST=%d,100", after)
		for _, line := range page {
			f := fields(line)
			after = number(s.t, f[0])
			in := s.byID[after]
			switch {
			case in == nil && f[3] != "":
				s.t.Errorf("boatd has %q, which the host was never told", line)
			case in == nil:
				unknown++
				h.wait(after, confirmed)
			case in.ref != f[3]:
				s.t.Errorf("boatd has %q, the host calls it %q", line, in.ref)
			}
			for _, hash := range h.attempts(after) {
				attempts[hash] = true
			}
		}
		if len(page) == 0 {
			break
		}
	}
	if unknown > given {
		s.t.Errorf("boatd has %d orders that the host was never told, and only %d were lost", unknown, given)
	}
	for _, raw := range s.proxy.sent() {
		if hash := hashOf(s.t, raw); !attempts[hash] {
			s.t.Errorf("%s left boatd, and boatd does not know it", hash)
		}
	}
}

// recall kills boatd a last time and finds all ends as they were.
func (s *storm) recall(known []*intent) {
	s.t.Helper()
	s.boatd.kill()
	s.boatd.start()
	h := s.unlocked()
	for _, in := range known {
		if now := h.tx(in.id); now != in.end {
			s.t.Errorf("%+v before the last start, %+v after it", in.end, now)
		}
		s.tell(in.id, in.end.state)
		if in.ref != "" && h.id(`AT+BOATTXREF="%s","%s"`, in.wallet, in.ref) != in.id {
			s.t.Errorf("%q is not %d any more", in.ref, in.id)
		}
	}
}

// hashOf is the hash of a signed transaction.
func hashOf(t testing.TB, raw string) string {
	t.Helper()
	b, err := hexutil.Decode(raw)
	if err != nil {
		t.Fatalf("signed bytes %q: %v", raw, err)
	}
	return fmt.Sprintf("%x", crypto.Keccak256(b))
}
