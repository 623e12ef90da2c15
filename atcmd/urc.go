package atcmd

import (
	"fmt"
	"time"
)

// A URC is an unsolicited result code.
type URC struct {
	Seq    uint32
	Mask   uint16 // its bit of the urc setting
	Name   string // "tx"
	Fields []any  // integers, then strings, as for [Call.Info]
	Hash   string // appended on channels with urchash 1; empty: none
}

// A Feed is the log of unsolicited codes of the whole daemon. Its methods may
// be called from any goroutine and do not block.
type Feed interface {
	// Last returns the number of the newest code ever logged; 0 without one.
	Last() uint32
	// After returns up to max of the retained codes with numbers above seq, in order.
	After(seq uint32, max int) []URC
	// Subscribe has wake filled, without blocking, whenever a code was logged,
	// until cancel is called.
	Subscribe(wake chan<- struct{}) (cancel func())
}

// alarm is the name of the code that stands in for one that broke a rule.
const alarm = "alarm"

// delivery is how far a session is with the feed.
type delivery struct {
	feed    Feed // nil: none
	cancel  func()
	cursor  uint32
	pending bool // there may be codes behind cursor

	phase ringPhase
	until time.Time // end of the pulse, or of the pause after it
	ring  Ringer    // whose pulse is on; nil: none
}

// A ringPhase is how far a host is with being woken.
type ringPhase uint8

const (
	asleep ringPhase = iota // no code was written lately
	pulsing
	waking
	awake // codes may be written, until there are none
)

// begin starts at "now": what was logged before is read with commands.
func (d *delivery) begin(feed Feed, wake chan<- struct{}) {
	if feed == nil {
		return
	}
	d.feed = feed
	d.cancel = feed.Subscribe(wake)
	d.cursor = feed.Last()
}

func (d *delivery) end() {
	d.endPulse()
	if d.cancel != nil {
		d.cancel()
	}
}

// hostIsAwake ends a pulse and its pause: the host is talking.
func (d *delivery) hostIsAwake() {
	d.endPulse()
	if d.phase != asleep {
		d.phase = awake
	}
}

func (d *delivery) endPulse() {
	if d.ring != nil {
		_ = d.ring.Ring(false) // a line that has gone rings no more
		d.ring = nil
	}
}

// next returns the first code that the mask lets through.
func (d *delivery) next(mask uint32) (URC, bool) {
	for {
		codes := d.feed.After(d.cursor, 1)
		if len(codes) == 0 {
			return URC{}, false
		}
		if mask&uint32(codes[0].Mask) != 0 {
			return codes[0], true
		}
		d.cursor = codes[0].Seq
	}
}

// deliver writes one unsolicited code, if there is one and this is a moment
// when one may be written. Else it returns when to look again, without input
// or an event in between; zero: not.
func (s *Session) deliver(now time.Time) (again time.Time, delivered bool) {
	d := &s.urc
	if d.feed == nil || !d.pending {
		return time.Time{}, false
	}
	set := s.channel.settings()
	if set[setHold] != 0 {
		d.endPulse()
		d.phase = asleep
		return time.Time{}, false // a change of the setting wakes the loop
	}
	code, ok := d.next(s.mask(set))
	if !ok {
		d.endPulse()
		d.pending, d.phase = false, asleep
		return time.Time{}, false
	}
	if at := s.rouse(now, set); now.Before(at) {
		return at, false
	}
	if s.split.Open() {
		return time.Time{}, false // the end of the line wakes the loop
	}
	if at := s.quietUntil(); now.Before(at) {
		return at, false
	}
	d.cursor = code.Seq
	s.writeURC(&code, set[setURCHash] != 0)
	return time.Time{}, true
}

// mask returns which codes are wanted. V.250, 6.2.5: Q1 suppresses all.
func (s *Session) mask(set settingValues) uint32 {
	if s.regs[regQ] != 0 {
		return 0
	}
	return set[setURC]
}

// quietUntil returns when a code may be written if nothing more is received.
func (s *Session) quietUntil() time.Time {
	at := s.finalAt.Add(urcPause)
	if s.split.Prefix() {
		if prefix := s.lastIn.Add(prefixMax); prefix.After(at) {
			return prefix
		}
	}
	return at
}

// rouse wakes the host as its channel wants it: a pulse of the ring indicator,
// then a pause. It returns when that has ended.
func (s *Session) rouse(now time.Time, set settingValues) time.Time {
	d := &s.urc
	if d.phase == asleep {
		d.phase = pulsing
		d.until = now
		if ring, ok := s.port.(Ringer); ok && set[setRI] > 0 && ring.Ring(true) == nil {
			d.ring = ring
			d.until = now.Add(time.Duration(set[setRI]) * time.Millisecond)
		}
	}
	if d.phase == pulsing && !now.Before(d.until) {
		d.endPulse()
		d.phase = waking
		d.until = now.Add(time.Duration(set[setWake]) * time.Millisecond)
	}
	if d.phase == waking && !now.Before(d.until) {
		d.phase = awake
	}
	if d.phase == awake {
		return now
	}
	return d.until
}

// writeURC writes a code. One that would break a rule is a bug: the host sees
// its number under an alarm, and the log what was wrong.
func (s *Session) writeURC(code *URC, hash bool) {
	line, err := urcLine(code, hash)
	if err != nil {
		e := s.internal("unsolicited code breaks a rule", "seq", code.Seq, "err", err)
		line, _ = urcLine(&URC{Seq: code.Seq, Name: alarm, Fields: []any{e.Code, ""}}, false)
	}
	s.out = s.regs.appendCode(s.out, line)
	s.flush()
}

func urcLine(code *URC, hash bool) ([]byte, error) {
	fields := append([]any{code.Seq, code.Name}, code.Fields...)
	if hash && code.Hash != "" {
		fields = append(fields, code.Hash)
	}
	line, err := appendFields([]byte(urcName+": "), fields)
	if err != nil {
		return nil, fmt.Errorf("code %q: %w", code.Name, err)
	}
	return line, checkLine(line, infoMax)
}
