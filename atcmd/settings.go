package atcmd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
	"github.com/boatd/boatd/internal/budget"
)

// Settings keeps what a channel remembers across restarts: its settings and
// its AT&W profile, as one blob of at most 64 bytes. Load of a channel that
// has none returns nil and no error. Save is durable when it returns; an
// [*Error] keeps its code, any other error is code 23.
type Settings interface {
	Load(channel string) ([]byte, error)
	Save(channel string, blob []byte) error
}

// Indexes of registers.
const (
	regE = iota
	regV
	regQ
	regX
	regC
	regD
	regS0
	regS3
	regS4
	regS5
	regCMEE
	regCount
)

// registers are what V.250 and 27.007 let a host set, ATZ reset and AT&W keep.
type registers [regCount]byte

var registerRows = [regCount]struct {
	name     string
	max, def byte
	summary  string
}{
	regE:    {"E", 1, 1, "echo"},
	regV:    {"V", 1, 1, "result codes as words"},
	regQ:    {"Q", 1, 0, "suppress result codes"},
	regX:    {"X", 4, 4, "connect messages, kept and without effect"},
	regC:    {"&C", 1, 1, "data carrier detect, kept and without effect"},
	regD:    {"&D", 2, 2, "data terminal ready, kept and without effect"},
	regS0:   {"S0", 255, 0, "rings before answering, kept and without effect"},
	regS3:   {"S3", 127, '\r', "command line termination character"},
	regS4:   {"S4", 127, '\n', "response formatting character"},
	regS5:   {"S5", 127, '\b', "command line editing character"},
	regCMEE: {"+CMEE", 2, 0, "error reports: none, numbers or texts"},
}

func factoryRegisters() (r registers) {
	for i, row := range registerRows {
		r[i] = row.def
	}
	return r
}

// Indexes of the settings of AT+BOATCFG.
const (
	setURC = iota
	setURCHash
	setHold
	setLineMax
	setNetTimeout
	setAutoLock
	setAbort
	setRI
	setWake
	setCount
)

type settingValues [setCount]uint32

// Their order is part of the stored form: new ones go to the end.
var settingRows = [setCount]struct {
	name          string
	min, max, def uint32
	pin           bool // setting it needs the PIN
}{
	setURC:        {"urc", 0, 127, 0, false},
	setURCHash:    {"urchash", 0, 1, 0, false},
	setHold:       {"hold", 0, 1, 0, false},
	setLineMax:    {"linemax", infoMax, line.Max, infoMax, false},
	setNetTimeout: {"nettimeout", 5, 180, 60, false},
	setAutoLock:   {"autolock", 0, 86400, 0, true},
	setAbort:      {"abort", 0, 1, 0, false},
	setRI:         {"ri", 0, 10000, 0, false},
	setWake:       {"wake", 0, 10000, 0, false},
}

// stored is what a channel remembers.
type stored struct {
	set     settingValues
	profile registers
}

func storedDefaults() (s stored) {
	for i, row := range settingRows {
		s.set[i] = row.def
	}
	s.profile = factoryRegisters()
	return s
}

// blobVersion is the first byte of a blob; the registers and then the settings
// as uvarints follow.
const blobVersion = 1

func (s *stored) encode() []byte {
	b := append([]byte{blobVersion, regCount}, s.profile[:]...)
	for _, v := range s.set {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return b
}

// decodeStored reads a blob. One that is not whole or out of range counts as
// none: better the defaults than a channel that nobody can talk to. Settings
// that a newer boatd added are dropped, those that an older one lacked are
// at their defaults.
func decodeStored(b []byte) stored {
	s := storedDefaults()
	if len(b) < 2+regCount || b[0] != blobVersion || b[1] != regCount {
		return s
	}
	copy(s.profile[:], b[2:])
	for i, row := range registerRows {
		if s.profile[i] > row.max {
			return storedDefaults()
		}
	}
	b = b[2+regCount:]
	for i, row := range settingRows {
		if len(b) == 0 {
			break
		}
		v, n := binary.Uvarint(b)
		if n <= 0 || v < uint64(row.min) || v > uint64(row.max) {
			return storedDefaults()
		}
		s.set[i] = uint32(v)
		b = b[n:]
	}
	return s
}

// newWrites is how often a channel's settings may be written. Whoever may type may
// change them, and flash wears out.
func newWrites() budget.Budget { return budget.Budget{Burst: 32, Every: 10 * time.Second} }

// A channel is what the sessions of one configured name share.
type channel struct {
	name  string
	store Settings // nil: nothing is kept

	changing sync.Mutex    // held across a write to flash
	writes   budget.Budget // of them
	mu       sync.Mutex    // guards now, never held for long
	now      stored

	lines, failures atomic.Uint64 // that had a final result, and one other than OK
}

func newChannel(name string, store Settings) (*channel, error) {
	ch := &channel{name: name, store: store, writes: newWrites(), now: storedDefaults()}
	return ch, ch.load()
}

// load reads what the channel remembers; on an error it stays as it is.
func (ch *channel) load() error {
	if ch.store == nil {
		return nil
	}
	ch.changing.Lock()
	defer ch.changing.Unlock()
	blob, err := ch.store.Load(ch.name)
	if err != nil {
		return fmt.Errorf("load settings of channel %q: %w", ch.name, err)
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.now = decodeStored(blob)
	return nil
}

func (ch *channel) settings() settingValues {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.now.set
}

func (ch *channel) profile() registers {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.now.profile
}

// change edits what is remembered, and writes it if it differs: to flash
// first, so that nothing holds now that would be gone after a restart.
func (ch *channel) change(edit func(s *stored)) error {
	ch.changing.Lock()
	defer ch.changing.Unlock()
	next := ch.now // only change writes it
	edit(&next)
	if next == ch.now {
		return nil
	}
	if ch.store != nil {
		if !ch.writes.Take(time.Now()) {
			return fail(codeBusy, "settings change too often for the flash")
		}
		err := ch.store.Save(ch.name, next.encode())
		if e := (*Error)(nil); errors.As(err, &e) {
			return e
		}
		if err != nil {
			return Fail(codeFlash, fmt.Errorf("save settings of channel %q: %w", ch.name, err))
		}
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.now = next
	return nil
}
