package chains

import (
	"errors"
	"fmt"
)

// What a network or a codec can answer. Errors of this room wrap one of these;
// everything else is unknown and is tried again with backoff.
var (
	ErrAddress     = errors.New("not an address of this chain")
	ErrChecksum    = errors.New("address checksum is wrong")
	ErrCurve       = errors.New("the chain has no keys on this curve")
	ErrOption      = errors.New("the chain cannot do this")
	ErrFunction    = errors.New("not a signature")
	ErrArgument    = errors.New("argument does not fit its type")
	ErrCeiling     = errors.New("fee is over the ceiling")
	ErrMismatch    = errors.New("signed bytes differ from the intent")
	ErrUnreachable = errors.New("no endpoint answered")
	ErrRefused     = errors.New("the node refused")
	ErrOtherChain  = errors.New("the node is on another chain")
	ErrReverts     = errors.New("the call reverts")
	ErrFunds       = errors.New("insufficient funds")
	ErrUnderpriced = errors.New("the fee is too low for the node")
	ErrDisagree    = errors.New("nodes do not agree")
	ErrNonceAhead  = errors.New("the chain's nonce is above the journal's")
	ErrInvalidated = errors.New("the network declared the transaction invalid")
	ErrBudget      = errors.New("the byte budget is used up")
	ErrTooMuch     = errors.New("too many blocks for one answer")
)

// An Error is one of the sentinel errors above with what the far side said.
// Detail comes from outside: it is bounded here and cleaned before a host or a
// log line sees it.
type Error struct {
	Kind   error  // a sentinel of this package
	Doing  string // what was being done, to what
	Detail string // what the far side said, at most 200 bytes
	Code   int64  // its number (JSON-RPC code, Fabric validation code); 0 none
}

func (e *Error) Error() string {
	s := e.Doing + ": " + e.Kind.Error()
	if e.Code != 0 {
		s += fmt.Sprintf(" (code %d)", e.Code)
	}
	if e.Detail != "" {
		s += fmt.Sprintf(": %q", e.Detail)
	}
	return s
}

// Unwrap returns the sentinel.
func (e *Error) Unwrap() error { return e.Kind }

// An ArgumentError says which argument of a function does not fit. It is an
// ErrArgument.
type ArgumentError struct {
	Index int // from 0; the first one that is missing or too many, if their number is wrong
	Err   error
}

func (e *ArgumentError) Error() string { return e.Err.Error() }

// Unwrap returns ErrArgument and why.
func (e *ArgumentError) Unwrap() []error { return []error{ErrArgument, e.Err} }
