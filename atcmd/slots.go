package atcmd

import (
	"hash/crc32"
	"sync"
)

// The data slots of a session.
const (
	slotCount = 8
	slotMax   = 64 << 10 // bytes
)

// slots are taken from memory when they are first written, and given back,
// wiped, when they are emptied.
type slots struct {
	mu     sync.Mutex
	data   [slotCount][]byte // nil: empty
	closed bool              // the session has ended: nothing is stored any more
}

// get returns a copy of a slot; nil if it is empty.
func (s *slots) get(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data[n] == nil {
		return nil
	}
	return append(make([]byte, 0, len(s.data[n])), s.data[n]...)
}

// put makes a copy of b the slot's content; an empty b empties it.
func (s *slots) put(n int, b []byte) error {
	if len(b) > slotMax {
		return fail(codeSlotFull, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(n)
	if len(b) > 0 && !s.closed {
		s.data[n] = append(make([]byte, 0, len(b)), b...)
	}
	return nil
}

// write puts a segment at an offset, which is not beyond the end; at 0 it
// begins anew.
func (s *slots) write(n, offset int, segment []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.data[n]
	switch {
	case offset > len(old):
		return &Error{Code: codeParameters, Param: 1, Detail: "offset is beyond the end"}
	case offset+len(segment) > slotMax:
		return fail(codeSlotFull, "")
	case offset == 0:
		old = nil
	}
	next := make([]byte, max(len(old), offset+len(segment)))
	copy(next, old)
	copy(next[offset:], segment)
	s.drop(n)
	if len(next) > 0 && !s.closed {
		s.data[n] = next
	}
	return nil
}

// stat returns length and CRC-32 (IEEE 802.3) of a slot.
func (s *slots) stat(n int) (length int, sum uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.data[n]), crc32.ChecksumIEEE(s.data[n])
}

// drop wipes a slot; mu is held.
func (s *slots) drop(n int) {
	clear(s.data[n])
	s.data[n] = nil
}

func (s *slots) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.data {
		s.drop(n)
	}
}

// close wipes the slots for ever.
func (s *slots) close() {
	s.wipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
