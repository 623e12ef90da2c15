package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// MaxPayload is the size of the largest payload, in bytes.
const MaxPayload = 256 << 10

// The file, all integers little-endian:
//
//	header    48 bytes
//	frames    the snapshot, then one snapshot-end frame, then the log
//	zeros     preallocated, to the end
//
// The header:
//
//	 0  8  magic
//	 8  2  format of the file: 1
//	10  2  major version of the contents
//	12  2  minor version of the contents
//	14  2  zero
//	16  8  generation, from 1
//	24  8  salt, random
//	32 12  zero
//	44  4  CRC32C of bytes 0 to 43, in every format
//
// A frame, at a multiple of 16:
//
//	0  4  length of the payload, and in the top byte the kind
//	4  4  sequence number, from 0 in each generation
//	8  4  CRC32C of generation, salt, bytes 0 to 7, payload
//	12 4  CRC32C of generation, salt, bytes 0 to 11
//	16    payload, then zeros to a multiple of 16
//
// The second checksum lets the search for lost frames judge a header without
// reading what it says is its payload: otherwise a file could be made whose
// search takes the square of its length.
const (
	magic      = "boatjrnl"
	format     = 1
	headerSize = 48
	frameHead  = 16
	align      = 16
	maxFrame   = frameHead + MaxPayload
)

// The kinds of frame. None is 0, so that zeros are never a frame.
const (
	kindData byte = 1
	kindEnd  byte = 2 // ends the snapshot; payload: its number of frames, 8 bytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A header is the first thing in a file.
type header struct {
	major, minor uint16
	generation   uint64
	salt         [8]byte
}

func (h header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, magic)
	binary.LittleEndian.PutUint16(b[8:], format)
	binary.LittleEndian.PutUint16(b[10:], h.major)
	binary.LittleEndian.PutUint16(b[12:], h.minor)
	binary.LittleEndian.PutUint64(b[16:], h.generation)
	copy(b[24:], h.salt[:])
	binary.LittleEndian.PutUint32(b[44:], crc32.Checksum(b[:44], castagnoli))
	return b
}

// decodeHeader reads a header of the given major version.
func decodeHeader(b []byte, major uint16) (header, error) {
	if len(b) < headerSize || string(b[:8]) != magic {
		return header{}, fmt.Errorf("%w: no header, the file begins %q", ErrDamaged, b[:min(8, len(b))])
	}
	if crc32.Checksum(b[:44], castagnoli) != binary.LittleEndian.Uint32(b[44:]) {
		return header{}, fmt.Errorf("%w: header checksum is wrong", ErrDamaged)
	}
	h := header{
		major:      binary.LittleEndian.Uint16(b[10:]),
		minor:      binary.LittleEndian.Uint16(b[12:]),
		generation: binary.LittleEndian.Uint64(b[16:]),
		salt:       [8]byte(b[24:]),
	}
	if f := binary.LittleEndian.Uint16(b[8:]); f != format || h.major != major {
		return header{}, fmt.Errorf("%w: format %d, contents %d.%d; this program reads format %d, contents %d",
			ErrVersion, f, h.major, h.minor, format, major)
	}
	return h, nil
}

// seed is where the checksums of this file start from: frames of another one,
// and bytes that a host hopes will be taken for a frame, do not fit it.
func (h header) seed() uint32 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], h.generation)
	copy(b[8:], h.salt[:])
	return crc32.Checksum(b[:], castagnoli)
}

// A frame is what the first 16 bytes of one say.
type frame struct {
	kind byte
	n    int // bytes of payload
	seq  uint32
	crc  uint32 // of the payload, with what precedes it
}

// size returns the bytes that the frame takes in the file.
func (f frame) size() int { return frameSize(f.n) }

func frameSize(payload int) int { return frameHead + (payload+align-1)/align*align }

// appendFrame appends a whole frame to b.
func appendFrame(b []byte, seed uint32, kind byte, seq uint32, payload []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(kind)<<24|uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, seq)
	b = binary.LittleEndian.AppendUint32(b, crc32.Update(crc32.Update(seed, castagnoli, b[at:]), castagnoli, payload))
	b = binary.LittleEndian.AppendUint32(b, crc32.Update(seed, castagnoli, b[at:]))
	b = append(b, payload...)
	var zeros [align]byte
	return append(b, zeros[:at+frameSize(len(payload))-len(b)]...)
}

// decodeFrame reads the head of a frame; false if there is none.
func decodeFrame(b []byte, seed uint32) (frame, bool) {
	if len(b) < frameHead {
		return frame{}, false
	}
	word := binary.LittleEndian.Uint32(b)
	f := frame{
		kind: byte(word >> 24),
		n:    int(word & 0xffffff),
		seq:  binary.LittleEndian.Uint32(b[4:]),
		crc:  binary.LittleEndian.Uint32(b[8:]),
	}
	ok := (f.kind == kindData || f.kind == kindEnd) && f.n <= MaxPayload &&
		crc32.Update(seed, castagnoli, b[:12]) == binary.LittleEndian.Uint32(b[12:])
	return f, ok
}

// holds says whether b is the whole of the frame, and right.
func (f frame) holds(b []byte, seed uint32) bool {
	return len(b) >= f.size() &&
		crc32.Update(crc32.Update(seed, castagnoli, b[:8]), castagnoli, b[frameHead:frameHead+f.n]) == f.crc
}
