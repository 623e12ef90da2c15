package atcmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An Error is a failure with its result code (3GPP TS 27.007, 9.2, and from
// 7001 boatd's own).
type Error struct {
	Code   int    // a code that [CodeText] knows
	Param  int    // index of the offending argument; -1 none
	Detail string // for AT+BOATERR?, cleaned and cut there; empty: the text of Err
	Err    error  // what was behind it; may be nil
}

// Fail returns the failure of a command as a whole.
func Fail(code int, err error) *Error { return &Error{Code: code, Param: -1, Err: err} }

// FailArg returns a failure that is the fault of argument i, counted from 0.
func FailArg(code, i int, err error) *Error { return &Error{Code: code, Param: i, Err: err} }

func fail(code int, detail string) *Error { return &Error{Code: code, Param: -1, Detail: detail} }

func (e *Error) Error() string {
	s := "code " + strconv.Itoa(e.Code) + " (" + CodeText(e.Code) + ")"
	if t := e.text(); t != "" {
		s += ": " + t
	}
	return s
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) text() string {
	if e.Detail == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Detail
}

// detail is what AT+BOATERR tells. Of what is too long the end counts: what was
// being done stands first in an error, the cause last.
func (e *Error) detail() string {
	text := e.text()
	for len(text) > detailMax {
		_, cause, ok := strings.Cut(text, ": ")
		if !ok {
			break
		}
		text = cause
	}
	return Clean(text, detailMax)
}

// What [NewTable] and [NewServer] refuse.
var (
	ErrTable  = errors.New("command table")
	ErrConfig = errors.New("server configuration")
)

// Codes that the server itself answers with.
const (
	codeNotAllowed   = 3
	codeNotSupported = 4
	codeBusy         = 14
	codeNoOption     = 22
	codeFlash        = 23
	codeTooLong      = 24
	codeCharacters   = 25
	codeTimeout      = 31
	codeParameters   = 50
	codeAborted      = 52
	codeUnknown      = 100
	codeLocked       = 7001
	codeDataTimeout  = 7060
	codeSlotEmpty    = 7061
	codeSlotFull     = 7062
	codeInternal     = 7099
)

// The texts of AT+CMEE=2. Hosts may compare them: one that is here never
// changes. None contains a result code, so all are in lower case.
var codeTexts = map[int]string{
	3:    "operation not allowed",
	4:    "operation not supported",
	14:   "busy",
	16:   "incorrect password",
	20:   "memory full",
	22:   "not found",
	23:   "memory failure",
	24:   "text string too long",
	25:   "invalid characters in text string",
	30:   "no network service",
	31:   "network timeout",
	50:   "incorrect parameters",
	52:   "aborted",
	100:  "unknown",
	7001: "locked",
	7002: "pin blocked",
	7003: "not allowed by configuration",
	7004: "not allowed by policy",
	7005: "starting",
	7010: "no such key",
	7011: "no such network",
	7012: "no such wallet",
	7013: "exists with other parameters",
	7014: "in use",
	7015: "key not active",
	7016: "store or scheme cannot do that",
	7017: "store not available",
	7018: "store full",
	7020: "no such transaction, reference or record",
	7021: "not in a state that allows it",
	7022: "queue full",
	7030: "bad address",
	7031: "bad amount",
	7032: "bad function or event signature",
	7033: "argument does not fit its type",
	7034: "wrong address checksum",
	7040: "endpoint unreachable",
	7041: "node refused",
	7042: "another chain",
	7043: "would revert or has reverted",
	7044: "insufficient funds",
	7045: "fee over the ceiling",
	7046: "nodes or chain and journal disagree",
	7047: "waiting for, or lost with, an earlier transaction",
	7048: "endorsement or validation failed",
	7049: "byte budget used up, waiting",
	7050: "bad signature or proof",
	7060: "data timeout",
	7061: "slot empty",
	7062: "slot full",
	7070: "payment over the limit",
	7071: "not a payable resource",
	7090: "self test failed",
	7099: "internal",
}

// CodeText returns the text of a code under AT+CMEE=2, and an empty string for
// a number that is no code.
func CodeText(code int) string { return codeTexts[code] }

func tableError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrTable, fmt.Errorf(format, args...))
}
