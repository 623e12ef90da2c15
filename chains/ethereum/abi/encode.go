package abi

import "encoding/binary"

// padded rounds n up to whole words.
func padded(n int) int { return (n + wordSize - 1) / wordSize * wordSize }

// appendFrame appends a head, with an offset from the frame's start in the
// place of each dynamic value, and behind it those values.
func appendFrame(out []byte, values []Value) []byte {
	start := len(out)
	var offsets []int // where the offsets stand
	for _, v := range values {
		if v.Type.dynamic {
			offsets = append(offsets, len(out))
			out = appendNumber(out, 0)
		} else {
			out = v.append(out)
		}
	}
	for _, v := range values {
		if v.Type.dynamic {
			appendNumber(out[:offsets[0]], len(out)-start) // in the place of the 0
			offsets, out = offsets[1:], v.append(out)
		}
	}
	return out
}

// append appends the value itself, without an offset to it.
func (v Value) append(out []byte) []byte {
	switch v.Type.kind {
	case dynamicBytes, text:
		return v.appendPadded(appendNumber(out, len(v.data)))
	case slice:
		return appendFrame(appendNumber(out, len(v.parts)), v.parts)
	case array, tuple:
		return appendFrame(out, v.parts)
	}
	return append(out, v.data...)
}

func (v Value) appendPadded(out []byte) []byte {
	out = append(out, v.data...)
	return append(out, make([]byte, padded(len(v.data))-len(v.data))...)
}

// appendPacked appends what an indexed parameter's hash is made of: neither
// offsets nor lengths.
func (v Value) appendPacked(out []byte) []byte {
	switch {
	case v.Type.composite():
		for _, p := range v.parts {
			out = p.appendPacked(out)
		}
		return out
	case v.Type.dynamic:
		return v.appendPadded(out)
	}
	return append(out, v.data...)
}

// appendNumber appends a word with a length or an offset.
func appendNumber(out []byte, n int) []byte {
	var word [wordSize]byte
	binary.BigEndian.PutUint32(word[wordSize-4:], uint32(n)) // below 2^17
	return append(out, word[:]...)
}
