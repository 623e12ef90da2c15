//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/wallet/ledger"
)

// A storm is a host that works with a boatd which is killed all the time. It
// keeps references as a good host does: an order whose answer was lost is
// repeated word for word until it is answered, but for those without a
// reference, which it gives up.
type storm struct {
	t         *testing.T
	rng       *rand.Rand
	node      *node
	proxy     *proxy // sees all that leaves boatd
	weather   fault  // when nothing is wrong
	before    func() // every life of boatd; may be nil
	after     func() // the last kill; may be nil
	boatd     victim
	contracts struct{ box, moody, sink string }

	all      []*intent
	lines    map[*intent]string // of the order
	ordered  map[*intent]bool
	lost     []*intent // ordered with a reference and not answered
	stuck    []*intent // that nobody mines until they are replaced
	byID     map[uint64]*intent
	ends     map[uint64]int // states that hosts were told of as ends
	lastSeq  uint32
	slow     time.Duration // how many times slower the victim is than a process here
	boot     time.Duration // a death at the start comes at most so late
	plan     plan
	commands int // in this life of boatd

	lives, alarms int

	survived, forgotten int // orders whose answer was lost, for the log
}

// A victim is what a storm starts and kills: a boatd, or a machine with one.
type victim interface {
	start()
	kill()
	killAfter(time.Duration)
	running() bool
	dial() port // nil: it ended meanwhile
	// note remembers what a host, or a node, was told by the boatd that runs: from
	// this moment on its state must say so, whatever happens.
	note(fact)
}

// A fact is what must hold of a state; nil if it does.
type fact func(*ledger.State) error

// A plan says when boatd dies: delay after its start, after a command was
// written, after one was answered, or after the last one.
type plan struct {
	moment  moment
	command int  // the how many'th
	orders  bool // only orders count
	deaf    bool // the host does not get the answer either
	delay   time.Duration
}

type moment int

const (
	atStart moment = iota
	afterWrite
	afterAnswer
	atRest
	never
)

func (s *storm) newPlan() plan {
	switch n := s.rng.IntN(100); {
	case n < 15:
		return plan{moment: atStart, delay: s.upTo(s.boot)}
	case n < 50: // around the moment at which an order is on flash
		return plan{moment: afterWrite, command: 1 + s.rng.IntN(4), orders: true, deaf: s.rng.IntN(2) == 0, delay: s.upTo(s.slow * 6 * time.Millisecond)}
	case n < 65:
		return plan{moment: afterWrite, command: 1 + s.rng.IntN(12), delay: s.upTo(s.slow * 12 * time.Millisecond)}
	case n < 80:
		return plan{moment: afterAnswer, command: 1 + s.rng.IntN(12)}
	default:
		return plan{moment: atRest, delay: s.upTo(s.slow * 500 * time.Millisecond)}
	}
}

func (s *storm) upTo(d time.Duration) time.Duration { return time.Duration(s.rng.Int64N(int64(d))) }

// die kills boatd after a delay.
func (s *storm) die(delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	<-timer.C
	s.boatd.kill()
}

// do runs a command line, and kills boatd when it is time.
func (s *storm) do(h *host, line string) (reply, error) {
	if !s.plan.orders || isOrder(line) {
		s.commands++
	}
	if s.plan.moment == never || s.commands != s.plan.command || (s.plan.orders && !isOrder(line)) {
		return h.do(line)
	}
	switch s.plan.moment {
	case afterWrite:
		if err := h.begin(line); err != nil {
			return reply{}, err
		}
		s.die(s.plan.delay)
		r, err := h.end(line)
		if s.plan.deaf {
			return reply{}, errGone // boatd may have got as far as the answer
		}
		return r, err
	case afterAnswer:
		r, err := h.do(line)
		s.die(0)
		return r, err
	}
	return h.do(line)
}

func isOrder(line string) bool {
	return strings.HasPrefix(line, "AT+BOATSEND") || strings.HasPrefix(line, "AT+BOATCALL") || strings.HasPrefix(line, "AT+BOATDEPLOY")
}

// want is do for a command that may be answered with some codes only. gone says
// that boatd did not live to answer.
func (s *storm) want(h *host, line string, codes ...int) (r reply, gone bool) {
	s.t.Helper()
	r, err := s.do(h, line)
	if err != nil {
		return r, true
	}
	for _, code := range codes {
		if r.code == code {
			return r, false
		}
	}
	s.t.Fatalf("%s: code %d, want one of %v", line, r.code, codes)
	return r, false
}

// life is boatd's from one start to its death.
func (s *storm) life() {
	s.lives++
	s.plan, s.commands = s.newPlan(), 0
	s.boatd.start()
	if s.plan.moment == atStart {
		defer s.die(0) // for one that has survived by being slow
		go s.boatd.killAfter(s.plan.delay)
	}
	h := s.unlocked()
	if h == nil {
		return
	}
	for range 6 + s.rng.IntN(8) {
		if !s.step(h) {
			break
		}
	}
	s.hear(h)
	if s.boatd.running() {
		s.die(s.plan.delay)
	}
}

// note forgets: what a process wrote is there when it is killed.
func (d *daemon) note(fact) {}

// killAfter kills the process of this start, and no other.
func (d *daemon) killAfter(delay time.Duration) {
	p := d.process
	timer := time.NewTimer(delay)
	defer timer.Stop()
	<-timer.C
	_ = p.cmd.Process.Kill() // it may have ended
}

// unlocked connects a host and unlocks it; nil when boatd died meanwhile.
func (s *storm) unlocked() *host {
	s.t.Helper()
	conn := s.boatd.dial()
	if conn == nil {
		return nil
	}
	h := newHost(s.t, conn)
	for {
		r, gone := s.want(h, `AT+BOATPIN="4711"`, 0, 7005)
		if gone {
			return nil
		}
		if r.code == 0 {
			return h
		}
	}
}

// step does one thing that a host does, and says whether boatd has lived.
func (s *storm) step(h *host) bool {
	s.t.Helper()
	switch n := s.rng.IntN(100); {
	case len(s.lost) > 0 && n < 60:
		return s.repeat(h, s.lost[s.rng.IntN(len(s.lost))])
	case len(s.stuck) > 0 && n < 75:
		return s.replace(h, s.stuck[s.rng.IntN(len(s.stuck))])
	case len(s.all) < maxOrders && n < 90:
		in := s.invent()
		s.all = append(s.all, in)
		return s.order(h, in)
	default:
		return s.look(h)
	}
}

// invent makes up an intent that is like no other.
func (s *storm) invent() *intent {
	k := len(s.all)
	in := &intent{wallet: []string{"a", "b", "c"}[s.rng.IntN(3)], ref: fmt.Sprintf("ref-%d", k)}
	options := ""
	line := `AT+BOATCALL="%s","%s%s","%s","x:%s"`
	switch n := s.rng.IntN(100); {
	case n < 60:
		in.want = effect{nobody(s.t, s.rng.IntN(5)), strconv.Itoa(1_000_000 + k), ""}
		line = `AT+BOATSEND="%s","%s%s","%s","%s"`
		switch {
		case n < 8:
			in.ref = ""
		case n < 20:
			options = ";tip=1"
		case n < 23:
			options, in.cancelAsked = ";expire=2", true
		case n < 26 && k > 0 && s.all[k-1].id != 0:
			options = fmt.Sprintf(";after=%d", s.all[k-1].id)
		}
	case n < 72:
		in.want = effect{s.contracts.box, "0", word(int64(k))}
	case n < 84:
		in.want, options = effect{s.contracts.moody, "0", fmt.Sprintf("%08x", k)}, ";gas=100000"
	case n < 94:
		in.want = effect{s.contracts.sink, "0", strings.Repeat(word(int64(k)), 28)}
	default:
		in.want = effect{"", "0", initCode(box) + word(int64(k))}
		s.lines[in] = fmt.Sprintf(`AT+BOATDEPLOY="%s","%s","x:%s"`, in.wallet, in.ref, in.want.data)
		return in
	}
	last := in.want.data
	if last == "" {
		last = in.want.value
	}
	s.lines[in] = fmt.Sprintf(line, in.wallet, in.ref, options, in.want.to, last)
	if options == ";tip=1" {
		s.stuck = append(s.stuck, in)
	}
	return in
}

const queueFull = 7022

// order gives an order. Without an answer nobody knows whether it was accepted.
func (s *storm) order(h *host, in *intent) bool {
	s.t.Helper()
	first := !s.ordered[in]
	s.ordered[in] = true
	r, gone := s.want(h, s.lines[in], 0, queueFull)
	switch {
	case r.code == 0 && !gone:
		s.acknowledge(in, number(s.t, r.lines[0]))
		if first {
			s.notBefore(h, in, r)
		}
	case in.ref != "":
		s.lose(in)
	}
	return !gone
}

// repeat asks what became of an order whose answer was lost, and gives it again.
func (s *storm) repeat(h *host, in *intent) bool {
	s.t.Helper()
	r, gone := s.want(h, fmt.Sprintf(`AT+BOATTXREF="%s","%s"`, in.wallet, in.ref), 0, 7020)
	if gone {
		return false
	}
	known := uint64(0)
	if r.code == 0 {
		known = number(s.t, r.lines[0])
	}
	if !s.order(h, in) {
		return false
	}
	switch {
	case in.id == 0: // the queue is full
	case known == 0:
		s.forgotten++
	case known == in.id:
		s.survived++
	default:
		s.t.Errorf("the reference %q is %d and, repeated, %d", in.ref, known, in.id)
	}
	return true
}

// notBefore: no unsolicited code is about an id before the answer that gave it.
func (s *storm) notBefore(h *host, in *intent, r reply) {
	for _, u := range h.all()[:r.codes] {
		if u.event == "tx" && u.fields[0] == itoa(in.id) {
			s.t.Errorf("%+v came before the answer to %q", u, s.lines[in])
		}
	}
}

func (s *storm) acknowledge(in *intent, id uint64) {
	if twin := s.byID[id]; twin != nil && twin != in {
		s.t.Errorf("%d is %q and %q", id, s.lines[twin], s.lines[in])
	}
	if in.id != 0 && in.id != id {
		s.t.Errorf("%q is %d and, repeated, %d", s.lines[in], in.id, id)
	}
	in.id, s.byID[id] = id, in
	s.boatd.note(isThere(in))
	for i, l := range s.lost {
		if l == in {
			s.lost = append(s.lost[:i], s.lost[i+1:]...)
			break
		}
	}
}

func (s *storm) lose(in *intent) {
	for _, l := range s.lost {
		if l == in {
			return
		}
	}
	s.lost = append(s.lost, in)
}

// replace bumps or cancels an order that is stuck, if it is far enough.
func (s *storm) replace(h *host, in *intent) bool {
	s.t.Helper()
	if in.id == 0 {
		return s.repeat(h, in)
	}
	if s.rng.IntN(3) == 0 {
		in.cancelAsked = true
		_, gone := s.want(h, fmt.Sprintf("AT+BOATTXCAN=%d", in.id), 0, 7021)
		return !gone
	}
	_, gone := s.want(h, fmt.Sprintf(`AT+BOATTXBUMP=%d,"%dgwei"`, in.id, 3+s.rng.IntN(9)), 0, 50, 7021) // 50: too small a step
	return !gone
}

// look asks for the state of something.
func (s *storm) look(h *host) bool {
	s.t.Helper()
	var in *intent
	if len(s.all) > 0 {
		in = s.all[s.rng.IntN(len(s.all))]
	}
	if in == nil || in.id == 0 {
		_, gone := s.want(h, "AT+BOATTXLST?", 0)
		return !gone
	}
	r, gone := s.want(h, fmt.Sprintf("AT+BOATTXGET=%d", in.id), 0)
	if !gone {
		tx := parseTx(s.t, r.lines[0])
		s.tell(tx.id, tx.state)
	}
	return !gone
}

// tell notes what a host was told: an end is told once and for all.
func (s *storm) tell(id uint64, state int) {
	if end, ok := s.ends[id]; ok && end != state {
		s.t.Errorf("transaction %d had ended %d, now it is %d", id, end, state)
	}
	if state >= confirmed {
		s.ends[id] = state
		s.boatd.note(hasEnded(id, state))
	}
}

// hear goes through the unsolicited codes of a session: their numbers rise over
// all starts.
func (s *storm) hear(h *host) {
	for _, u := range h.all() {
		if u.seq <= s.lastSeq {
			s.t.Errorf("the code %+v has a number that was used, the last was %d", u, s.lastSeq)
		}
		s.lastSeq = u.seq
		switch u.event {
		case "tx":
			s.tell(number(s.t, u.fields[0]), int(number(s.t, u.fields[1])))
		case "alarm":
			s.alarms++
		}
	}
}
