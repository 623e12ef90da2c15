package ops

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/logs"
	"github.com/boatd/boatd/internal/scrub"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
)

// A Source is where a report comes from.
type Source struct {
	Version, Build, Seal string
	StateDir             string
	Start                time.Time
	Ready                func() (mask int, starts uint64)
	Channels             func() []atcmd.ChannelCount
	Manager              *wallet.Manager
	Log                  *logs.Log
}

// cleaner takes what may be secret out of errors and log lines; what it knows to
// be secret is in the URLs of the networks as they are now.
func (s *Source) cleaner() *scrub.Scrubber {
	var words []string
	for _, n := range s.Manager.Nets.List() {
		for _, endpoint := range n.Options.List("endpoints") {
			words = append(words, scrub.Words(endpoint)...)
		}
	}
	return scrub.New(words...)
}

// waitingMax is how many transactions of a wallet a report shows.
const waitingMax = 16

// states are the names of a transaction's states, by their numbers.
var states = [...]string{"accepted", "signed", "sent", "included", "confirmed", "reverted", "displaced", "cancelled", "expired", "refused"}

var keyStates = map[ledger.KeyState]string{ledger.Active: "active", ledger.Suspended: "suspended", ledger.Retired: "retired", ledger.Compromised: "compromised"}

// Report gathers a report.
func (s *Source) Report() *Report {
	mask, starts := s.Ready()
	asked, left := s.Manager.PIN()
	r := &Report{Schema: Schema, Source: "daemon", Version: s.Version, Build: s.Build, Starts: starts,
		Uptime: int64(time.Since(s.Start) / time.Second), Ready: ReadyMap(mask), Channels: []Channel{},
		Seal: s.Seal, Protection: s.Manager.Protection(), PIN: PIN{string(asked), left}, Flash: flash(s.StateDir), Memory: memory()}
	for _, c := range s.Channels() {
		r.Channels = append(r.Channels, Channel(c))
	}
	for _, store := range s.Manager.Keys.Stores() {
		r.Stores = append(r.Stores, store.Name())
	}
	r.Keys = map[string]int{}
	for _, name := range keyStates {
		r.Keys[name] = 0
	}
	for _, k := range s.Manager.Keys.List() {
		r.Keys[keyStates[k.State]]++
	}
	clean := s.cleaner()
	s.networks(r, clean)
	s.transactions(r)
	s.journal(r)
	s.events(r, clean)
	r.Log = s.log(clean)
	return r
}

// ReadyMap names the bits of AT+BOATREADY.
func ReadyMap(mask int) map[string]bool {
	ready := map[string]bool{}
	for i, part := range ReadyParts {
		ready[part] = mask&(1<<i) != 0
	}
	return ready
}

// UpState names the state of a network as chains.Status has it.
func UpState(up int) string {
	switch up {
	case 1:
		return "up"
	case 2:
		return "down"
	}
	return "not contacted"
}

func (s *Source) networks(r *Report, clean *scrub.Scrubber) {
	r.Networks = []Network{}
	for _, n := range s.Manager.Nets.List() {
		var st chains.Status
		if meter, ok := n.Network.(chains.Meter); ok {
			st = meter.Status()
		}
		out := Network{Name: n.Name, Protocol: n.Protocol.Name, State: UpState(st.Up), Height: st.Height, Answered: -1,
			Sent: st.BytesSent, Received: st.BytesReceived, Requests: st.Requests, Failures: st.Failures, Open: s.Manager.Life.Waiting(n.Name)}
		out.Used, out.Budget = s.Manager.Nets.Used(n.Name)
		if st.Answered != 0 {
			out.Answered = max(0, time.Now().Unix()-st.Answered)
		}
		if st.Err != nil {
			out.Why = clean.Text(st.Err.Error())
		}
		r.Networks = append(r.Networks, out)
	}
}

// transactions tells what is open, and in which wallet.
func (s *Source) transactions(r *Report) {
	r.Open, r.Ended, r.Wallets = map[string]int{}, map[string]int{}, []Wallet{}
	for i, name := range states {
		if ledger.TxState(i).Final() {
			r.Ended[name] = 0
		} else {
			r.Open[name] = 0
		}
	}
	at := map[string]int{}
	for i, w := range s.Manager.Wallets() {
		at[w.Name] = i
		r.Wallets = append(r.Wallets, Wallet{Name: w.Name, Network: w.Net, Key: w.Key, Waiting: []Transaction{}})
	}
	s.Manager.Book.View(func(st *ledger.State) {
		for _, p := range st.Past {
			r.Ended[states[p.State]]++
		}
		running := s.Manager.Book.Running()
		for _, t := range st.Open {
			r.Open[states[t.State]]++
			i, ok := at[t.Wallet]
			first := r.Oldest == nil // ids rise in the order of acceptance
			if ok {
				r.Wallets[i].Open++
			}
			if !first && (!ok || len(r.Wallets[i].Waiting) == waitingMax) {
				continue
			}
			status, err := s.Manager.Life.Status(t.ID)
			if err != nil {
				continue
			}
			tx := transaction(status, int64(running-min(running, t.Running)))
			if first {
				r.Oldest = &tx
			}
			if ok && len(r.Wallets[i].Waiting) < waitingMax {
				r.Wallets[i].Waiting = append(r.Wallets[i].Waiting, tx)
			}
		}
	})
}

func transaction(s life.Status, age int64) Transaction {
	return Transaction{ID: s.ID, Wallet: s.Wallet, State: states[s.State], Code: int(s.Reason), Reason: Reason(int(s.State), int(s.Reason)), Age: age}
}

// State names a transaction's state by its number; empty for one that is none.
func State(n int) string {
	if n < 0 || n >= len(states) {
		return ""
	}
	return states[n]
}

// Ended says whether a transaction's state is an end, by its number.
func Ended(n int) bool { return n >= firstEnd }

// KeyState names a key's state by its number; empty for one that is none.
func KeyState(n int) string { return keyStates[ledger.KeyState(n)] }

// Reason says in words why a transaction in a state is not further.
func Reason(state, code int) string {
	switch {
	case code != 0:
		return atcmd.CodeText(code)
	case state == int(ledger.Accepted):
		return "waits to be signed"
	case state == int(ledger.SignedTx):
		return "waits to be sent"
	case state == int(ledger.Sent):
		return "waits for a block"
	case state == int(ledger.Included):
		return "waits for confirmations"
	}
	return ""
}

func (s *Source) journal(r *Report) {
	j := s.Manager.Book.Journal()
	r.Journal = Journal{Bytes: j.FileBytes, Snapshot: j.SnapshotBytes, Log: j.LogBytes, Generation: j.Generation,
		Appends: j.Appends, Written: j.AppendedBytes + j.OtherBytes, Syncs: j.Syncs, Failures: j.Failures, InDoubt: j.InDoubt}
}

// everyEvent is more than can be retained.
const everyEvent = 1<<31 - 1

func (s *Source) events(r *Report, clean *scrub.Scrubber) {
	retained := s.Manager.Book.Retained(0, everyEvent)
	r.Events = Events{Last: s.Manager.Book.LastEvent(), Retained: len(retained)}
	r.Alarms = []Alarm{}
	for _, e := range retained {
		if e.Name != "alarm" || len(e.Fields) < 2 {
			continue
		}
		code, _ := e.Fields[0].(uint32)
		r.Alarms = append(r.Alarms, Alarm{Seq: e.Seq, Code: int(code), Text: atcmd.CodeText(int(code)), Subject: clean.Text(fmt.Sprint(e.Fields[1]))})
	}
}

func (s *Source) log(clean *scrub.Scrubber) Log {
	out := Log{Written: map[string]uint64{}, Errors: []Line{}}
	var written [4]uint64
	written, out.LeftOut = s.Log.Written()
	for i, name := range logs.Severities {
		out.Written[name] = written[i]
	}
	errors := s.Log.Errors()
	for _, l := range errors[max(0, len(errors)-errorsMax):] {
		out.Errors = append(out.Errors, Line{l.Time.UTC().Format(time.RFC3339), levelName(l.Level), clean.Text(l.Text)})
	}
	return out
}

// errorsMax is how many lines of the log a report shows.
const errorsMax = 8

func levelName(l slog.Level) string { return strings.ToLower(l.String()) }

// flash asks the file system of a directory; zeros where it does not tell.
func flash(dir string) Flash {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return Flash{}
	}
	return Flash{Free: int64(st.Bavail) * int64(st.Bsize), Size: int64(st.Blocks) * int64(st.Bsize)}
}

func memory() Memory {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{Resident: resident(), Heap: int64(m.HeapAlloc), Goroutines: runtime.NumGoroutine()}
}

// resident is the second field of /proc/self/statm, which counts pages
// (proc(5)); 0 where it cannot be read.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
