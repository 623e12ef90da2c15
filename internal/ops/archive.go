package ops

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// An Archive gathers texts as a tar file (POSIX.1-1988, ustar) in gzip's wrapping
// (RFC 1952). The texts are stored, not compressed: a bundle is some ten KiB, and
// the libraries that do both would be 80 KiB of the device's flash.
type Archive struct {
	tar  []byte
	time time.Time
}

// NewArchive returns an empty archive whose files are as old as that.
func NewArchive(at time.Time) *Archive { return &Archive{time: at} }

const tarBlock = 512

// Add adds a file, mode 0600; a name has at most 100 bytes.
func (a *Archive) Add(name, text string) {
	h := make([]byte, tarBlock)
	copy(h[0:100], name)
	copy(h[100:], "0000600\x000000000\x000000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00", len(text), max(0, a.time.Unix())))
	copy(h[148:], "        0") // the checksum counts as spaces; a regular file
	copy(h[257:], "ustar\x0000")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	a.tar = append(append(a.tar, h...), text...)
	a.tar = append(a.tar, make([]byte, -len(text)&(tarBlock-1))...)
}

// storedMax is the most that a stored block of deflate holds (RFC 1951, 3.2.4).
const storedMax = 0xffff

// WriteTo writes the archive.
func (a *Archive) WriteTo(w io.Writer) (int64, error) {
	tar := append(a.tar[:len(a.tar):len(a.tar)], make([]byte, 2*tarBlock)...)
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255} // deflate, no name, no time, unknown system
	for rest := tar; len(rest) > 0; {
		n := min(len(rest), storedMax)
		last := byte(0)
		if n == len(rest) {
			last = 1
		}
		out = append(out, last)
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
		out = binary.LittleEndian.AppendUint16(out, ^uint16(n))
		out = append(out, rest[:n]...)
		rest = rest[n:]
	}
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(tar))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(tar)))
	n, err := w.Write(out)
	return int64(n), err
}
