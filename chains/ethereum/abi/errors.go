package abi

import (
	"errors"
	"fmt"
)

// What this package refuses wraps one of these, or is an [ArgumentError].
var (
	ErrSignature = errors.New("bad signature")
	ErrData      = errors.New("data does not fit the signature")
)

// An ArgumentError says which argument does not fit its type. Err wraps
// chains.ErrAddress or chains.ErrChecksum where an address is wrong, and the
// resolver's error where that refused.
type ArgumentError struct {
	Index int    // from 0; the first one missing or too many if their number is wrong
	Param string // type and name as in the signature; "" for one too many
	Err   error
}

// Error counts arguments from 1.
func (e *ArgumentError) Error() string {
	if e.Param == "" {
		return fmt.Sprintf("argument %d: %v", e.Index+1, e.Err)
	}
	return fmt.Sprintf("argument %d (%s): %v", e.Index+1, e.Param, e.Err)
}

// Unwrap returns why.
func (e *ArgumentError) Unwrap() error { return e.Err }
