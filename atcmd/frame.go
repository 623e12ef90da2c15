package atcmd

import "strconv"

// A result is a final result code (V.250, 6.2.6, table 1).
type result uint8

const (
	resultOK    result = 0
	resultError result = 4
)

var resultTexts = map[result]string{resultOK: "OK", resultError: "ERROR"}

// appendInfo appends an information line. V.250, 5.7.2: V0 leaves the header out.
func (r *registers) appendInfo(out, text []byte) []byte {
	if r[regV] != 0 {
		out = append(out, r[regS3], r[regS4])
	}
	out = append(out, text...)
	return append(out, r[regS3], r[regS4])
}

// appendCode appends a result code that has no number: +CME ERROR, +BOATURC.
// V.250, 5.7.2: under V0 such codes keep their text and end like numbers do.
func (r *registers) appendCode(out, text []byte) []byte {
	switch {
	case r[regQ] != 0:
		return out
	case r[regV] == 0:
		return append(append(out, text...), r[regS3])
	}
	return r.appendInfo(out, text)
}

// appendResult appends a final result code that has a number.
func (r *registers) appendResult(out []byte, code result) []byte {
	text := resultTexts[code]
	if r[regV] == 0 {
		text = strconv.Itoa(int(code))
	}
	return r.appendCode(out, []byte(text))
}

// appendFailure appends the final result of a command that failed with a code,
// as AT+CMEE wants it (27.007, 9.1).
func (r *registers) appendFailure(out []byte, code int) []byte {
	switch r[regCMEE] {
	case 0:
		return r.appendResult(out, resultError)
	case 1:
		return r.appendCode(out, strconv.AppendInt([]byte("+CME ERROR: "), int64(code), 10))
	}
	return r.appendCode(out, []byte("+CME ERROR: "+CodeText(code)))
}
