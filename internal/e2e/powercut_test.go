//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/module"
	"github.com/boatd/boatd/internal/module/cut"
	"github.com/boatd/boatd/wallet/ledger"
)

// isThere says that an order whose id a host was told is there.
func isThere(in *intent) fact {
	id, wallet, ref := uint32(in.id), in.wallet, in.ref
	return func(s *ledger.State) error {
		tx, past := s.Tx(id), s.Ended(id)
		switch {
		case tx == nil && past == nil:
			return fmt.Errorf("transaction %d was answered and is not there", id)
		case tx != nil && (tx.Wallet != wallet || tx.Ref != ref), past != nil && (past.Wallet != wallet || past.Ref != ref):
			return fmt.Errorf("transaction %d is another one than %s's %q", id, wallet, ref)
		}
		return nil
	}
}

// hasEnded says that an end which a host was told of is there.
func hasEnded(id uint64, state int) fact {
	return func(s *ledger.State) error {
		if past := s.Ended(uint32(id)); past == nil || int(past.State) != state {
			return fmt.Errorf("transaction %d had ended %d, and it has not", id, state)
		}
		return nil
	}
}

// wasSent says that signed bytes which reached a node are there: their hash.
func wasSent(hash string) fact {
	return func(s *ledger.State) error {
		for _, tx := range s.Open {
			for _, a := range tx.Attempts {
				if a.Hash == hash {
					return nil
				}
			}
		}
		for _, past := range s.Past {
			for _, h := range past.Hashes {
				if fmt.Sprintf("%x", h) == hash {
					return nil
				}
			}
		}
		return fmt.Errorf("%s was sent and is not there", hash)
	}
}

// A machine is a module in a box on a data disk whose writes are logged. Its
// power is cut: the disk that it finds at its next start is what a real one
// could have kept. Its clock has no battery.
type machine struct {
	t      *testing.T
	rng    *rand.Rand
	o      module.Options
	dir    string
	points int // in a log at which the state is looked at

	box  *module.Box
	disk []byte // as it was at the start
	dead bool   // the power was cut and the next disk is made

	mu    sync.Mutex
	facts []noted
	looks int // so far
	cuts  int // so far, without those before anything was written
}

// A noted fact must hold of all that the disk can hold once its log has that
// size; 0 for one of an earlier life.
type noted struct {
	size  int64
	holds fact
}

// newMachine makes a machine that is off.
func newMachine(t *testing.T, rng *rand.Rand, root, node string) *machine {
	t.Helper()
	m := &machine{t: t, rng: rng, dir: shortDir(t), points: 20}
	m.o = module.Options{Images: moduleImages, Root: root, Data: filepath.Join(m.dir, "data"), WriteLog: filepath.Join(m.dir, "log"), Node: node, Args: noClock}
	if err := module.Blank(m.o.Data, 32<<20); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if m.box != nil {
			m.box.Kill()
			if t.Failed() {
				t.Logf("the box said:\n%s", m.box.Console())
			}
		}
	})
	return m
}

// start switches the power on.
func (m *machine) start() {
	m.t.Helper()
	disk, err := os.ReadFile(m.o.Data)
	if err != nil {
		m.t.Fatal(err)
	}
	m.disk, m.dead = disk, false
	if m.box, err = module.Start(m.dir, m.o); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) running() bool {
	select {
	case <-m.box.Ended():
		return false
	default:
		return true
	}
}

func (m *machine) killAfter(delay time.Duration) {
	b := m.box
	timer := time.NewTimer(delay)
	defer timer.Stop()
	<-timer.C
	b.Kill()
}

func (m *machine) dial() port {
	c, err := m.box.UART()
	if err != nil {
		return nil // it has ended
	}
	return c
}

func (m *machine) note(f fact) {
	info, err := os.Stat(m.o.WriteLog)
	if err != nil {
		m.t.Error(err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.facts = append(m.facts, noted{info.Size(), f})
}

// kill cuts the power, looks at what the disk could hold at many moments of the
// life that ended, and makes one of them the disk of the next life: one of the
// last moment, at which a real disk would have been cut.
func (m *machine) kill() {
	m.t.Helper()
	m.box.Kill()
	if m.dead {
		return
	}
	m.dead = true
	log, err := cut.Read(m.o.WriteLog)
	if err != nil {
		m.t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.moments(log) {
		m.look(log, at)
	}
	disk := slices.Clone(m.disk)
	if err := log.Disk(disk, log.Len(), m.rng); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.o.Data, disk, 0o644); err != nil {
		m.t.Fatal(err)
	}
	for i := range m.facts {
		m.facts[i].size = 0
	}
}

// moments chooses places in the log: right behind m.points flushes, or all of
// them where there are fewer, and half as many anywhere.
func (m *machine) moments(log *cut.Log) []int {
	flushes := log.Flushes()
	if len(flushes) == 0 {
		return nil // it died before it wrote
	}
	m.cuts++
	var at []int
	for _, i := range m.rng.Perm(len(flushes))[:min(m.points, len(flushes))] {
		at = append(at, flushes[i])
	}
	for range m.points / 2 {
		at = append(at, 1+m.rng.IntN(log.Len()))
	}
	return at
}

// look opens the state that the disk may hold after n entries of the log.
func (m *machine) look(log *cut.Log, n int) {
	m.t.Helper()
	disk := slices.Clone(m.disk)
	err := log.Disk(disk, n, m.rng)
	var s *ledger.State
	if err == nil {
		s, err = module.StateOn(filepath.Join(m.dir, "look"), disk)
	}
	if err != nil {
		m.t.Errorf("the disk after %d of %d writes: %v", n, log.Len(), err)
		return
	}
	for _, f := range m.facts {
		if log.At(f.size) > n {
			continue
		}
		if err := f.holds(s); err != nil {
			m.t.Errorf("the disk after %d of %d writes: %v", n, log.Len(), err)
		}
	}
	m.looks++
}

// TestE2EModulePowerCuts is the storm of TestE2EKill on a whole machine: the power is
// cut at random moments, also while it boots, and the disk keeps of what was not
// flushed any part.
func TestE2EModulePowerCuts(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	s := newStormOn(t, n, func(s *storm) victim {
		s.slow, s.boot = 15, 12*time.Second
		url := []string{"http://10.0.2.100"}
		c := setup{pin: true, durable: true, state: "/data/boatd", tables: uartChannel, networks: []network{{endpoints: url, depth: 2}, {name: "other", endpoints: url, depth: 2}}}
		m := newMachine(t, s.rng, installed(t, module.Small, c.toml("/run/boatd")), strings.TrimPrefix(s.proxy.url, "http://"))
		s.proxy.heard = func(raw string) { m.note(wasSent(hashOf(t, raw))) }
		m.start()
		return m
	})
	s.fill()
	m := s.boatd.(*machine)
	m.cuts = 0
	for most := 3 * powerCuts(t); m.cuts < powerCuts(t); most-- {
		if most == 0 {
			t.Fatalf("%d cuts after something was written, want %d: most lives end before that", m.cuts, powerCuts(t))
		}
		s.life()
	}
	s.blow(0)
	t.Logf("%d cuts, %d looks at disks", m.cuts, m.looks)
}

// powerCuts is how often TestE2EModulePowerCuts cuts the power; E2E_POWER_CUTS says
// otherwise.
func powerCuts(t *testing.T) int {
	text := os.Getenv("E2E_POWER_CUTS")
	if text == "" {
		return 12
	}
	return int(number(t, text))
}
