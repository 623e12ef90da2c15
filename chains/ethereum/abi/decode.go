package abi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// decode reads the values of params from data.
func decode(params []Param, data []byte) ([]Value, error) {
	if len(data) > maxEncoded {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrData, len(data), maxEncoded)
	}
	d := &decoder{data: bytes.Clone(data), left: len(data)}
	return d.frame(newTuple(params), len(params), 0)
}

// A decoder reads foreign data. left is how many bytes may still be read, with
// those counted twice that are read twice: it bounds work and memory by the
// length of the data, wherever the offsets lead.
type decoder struct {
	data []byte
	left int
}

func (d *decoder) fail(at int, format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrData, at, fmt.Sprintf(format, args...))
}

// take returns the n bytes at at.
func (d *decoder) take(at, n int) ([]byte, error) {
	if at > len(d.data) || n > len(d.data)-at {
		return nil, d.fail(at, "it ends too early")
	}
	if n > d.left {
		return nil, d.fail(at, "values overlap")
	}
	d.left -= n
	return d.data[at : at+n : at+n], nil
}

// number reads an offset or a length. None can be more than the data is long.
func (d *decoder) number(at int) (int, error) {
	word, err := d.take(at, wordSize)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(word[wordSize-4:])
	if !only(word[:wordSize-4], 0) || n > uint32(len(d.data)) {
		return 0, d.fail(at, "an offset or length is beyond the end")
	}
	return int(n), nil
}

// frame reads the n parts of a value of type t from the frame at start.
func (d *decoder) frame(t *Type, n, start int) ([]Value, error) {
	head := 0
	for i := range n {
		head += t.at(i).head()
		if head > len(d.data) {
			return nil, d.fail(start, "it ends too early")
		}
	}
	var parts []Value
	at := start
	for i := range n {
		part := t.at(i)
		place := at
		if part.dynamic {
			offset, err := d.number(at)
			if err != nil {
				return nil, err
			}
			if offset < head {
				return nil, d.fail(at, "the offset %d leads into the head", offset)
			}
			place = start + offset
		}
		v, err := d.value(part, place)
		if err != nil {
			return nil, err
		}
		parts = append(parts, v)
		at += part.head()
	}
	return parts, nil
}

// value reads the value itself, to which an offset may have led.
func (d *decoder) value(t *Type, at int) (v Value, err error) {
	v.Type = t
	n := t.count()
	switch {
	case t.kind == slice:
		if n, err = d.number(at); err == nil {
			v.parts, err = d.frame(t, n, at+wordSize)
		}
	case t.composite():
		v.parts, err = d.frame(t, n, at)
	case t.dynamic:
		if n, err = d.number(at); err == nil {
			v.data, err = d.take(at+wordSize, n)
		}
		if err == nil && t.kind == text && !utf8.Valid(v.data) {
			err = d.fail(at, "a string is not UTF-8")
		}
	default:
		if v.data, err = d.take(at, wordSize); err == nil && !t.fits(v.data) {
			err = d.fail(at, "%x is no %s", v.data, t)
		}
	}
	return v, err
}

// fits: the word is exactly the encoding of a value of an elementary static
// type.
func (t *Type) fits(word []byte) bool {
	n, left := t.width()
	padding, value := word[:wordSize-n], word[wordSize-n:]
	switch {
	case left:
		return only(word[n:], 0)
	case t.kind == boolean:
		return only(padding, 0) && value[0] <= 1
	case t.kind == signed && value[0]&0x80 != 0:
		return only(padding, 0xff)
	}
	return only(padding, 0)
}

// only: b consists of c.
func only(b []byte, c byte) bool {
	for _, x := range b {
		if x != c {
			return false
		}
	}
	return true
}
