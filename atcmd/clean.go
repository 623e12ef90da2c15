package atcmd

import (
	"bytes"
	"errors"
	"fmt"
)

// Host parsers match these anywhere in what they read, so nothing but a real
// result code may contain one.
var forbidden = [][]byte{
	[]byte("OK"), []byte("ERROR"), []byte("BUSY"), []byte("RING"), []byte("CONNECT"),
	[]byte("NO CARRIER"), []byte("NO ANSWER"), []byte("NO DIALTONE"),
}

var (
	errUnprintable = errors.New("line has a byte that is not printable ASCII")
	errTooLong     = errors.New("line is too long")
)

// nameMax is the length of the longest name of a key, network, wallet or peer.
const nameMax = 16

// Clean makes text from outside fit to be shown: letters in lower case, bytes
// other than a-z 0-9 space . _ : / ( ) - replaced by _, cut at max bytes. A
// text that went through it holds no result code, quote or line end.
func Clean(text string, max int) string {
	if len(text) > max {
		text = text[:max]
	}
	out := []byte(text)
	for i, b := range out {
		out[i] = cleanByte(b)
	}
	return string(out)
}

func cleanByte(b byte) byte {
	switch {
	case b >= 'A' && b <= 'Z':
		return b + 'a' - 'A'
	case b >= 'a' && b <= 'z', b >= '0' && b <= '9', bytes.IndexByte([]byte(" ._:/()-"), b) >= 0:
		return b
	}
	return '_'
}

// CheckName says what is wrong with the name of a key, network, wallet or
// peer, or of a transaction reference: nil, or an [*Error] with code 50
// (empty), 24 (over 16 bytes) or 25 (a byte outside A-Z a-z 0-9 . _ -, or a
// result code in it).
func CheckName(name string) error {
	if e := checkName([]byte(name)); e != nil {
		return e
	}
	return nil
}

func checkName(name []byte) *Error {
	switch {
	case len(name) == 0:
		return fail(codeParameters, "empty name")
	case len(name) > nameMax:
		return fail(codeTooLong, "name of more than 16 bytes")
	}
	for _, b := range name {
		if !isLetter(b) && !isDigit(b) && b != '.' && b != '_' && b != '-' {
			return fail(codeCharacters, "name with another character")
		}
	}
	if w := resultCodeIn(name); w != nil {
		return fail(codeCharacters, "name with a result code in it")
	}
	return nil
}

// resultCodeIn returns the first forbidden word that line contains, or nil.
func resultCodeIn(line []byte) []byte {
	for _, w := range forbidden {
		if bytes.Contains(line, w) {
			return w
		}
	}
	return nil
}

// checkLine is the last look at every information line and unsolicited code
// before it is framed: printable ASCII, no result code in it, and with both
// line ends not longer than limit.
func checkLine(line []byte, limit int) error {
	if len(line)+2*len("\r\n") > limit {
		return fmt.Errorf("%w: %d bytes", errTooLong, len(line))
	}
	for _, b := range line {
		if b < ' ' || b > '~' {
			return fmt.Errorf("%w: %q", errUnprintable, b)
		}
	}
	if w := resultCodeIn(line); w != nil {
		return fmt.Errorf("line contains the result code %q", w)
	}
	return nil
}

func isDigit(b byte) bool  { return b >= '0' && b <= '9' }
func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
