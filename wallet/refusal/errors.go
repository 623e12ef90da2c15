// Package refusal holds the errors with which the wallet room refuses a
// command. The AT layer has one table that turns them into codes; nothing else
// is needed to add one.
package refusal

import "errors"

// Why a command is refused.
var (
	ErrNotNow      = errors.New("not allowed now")
	ErrNotBuilt    = errors.New("not supported")
	ErrFull        = errors.New("memory full")
	ErrNoOption    = errors.New("no such option, setting or item")
	ErrTooLong     = errors.New("too long")
	ErrBadName     = errors.New("not a name")
	ErrBadValue    = errors.New("value out of range")
	ErrNoBearer    = errors.New("no bearer")
	ErrWrongPIN    = errors.New("wrong PIN or PUK")
	ErrPassphrase  = errors.New("wrong passphrase")
	ErrBusy        = errors.New("busy")
	ErrBadData     = errors.New("not what this scheme signs")
	ErrPINBlocked  = errors.New("PIN blocked")
	ErrNotAllowed  = errors.New("not allowed by configuration")
	ErrByPolicy    = errors.New("not allowed by policy")
	ErrNoKey       = errors.New("no such key")
	ErrNoNetwork   = errors.New("no such network")
	ErrNoWallet    = errors.New("no such wallet")
	ErrExists      = errors.New("exists with other parameters")
	ErrInUse       = errors.New("in use")
	ErrKeyInactive = errors.New("key not active")
	ErrCannot      = errors.New("store or scheme cannot do that")
	ErrNoStore     = errors.New("store not available")
	ErrStoreFull   = errors.New("store full")
	ErrNoTx        = errors.New("no such transaction, reference or record")
	ErrWrongState  = errors.New("not in a state that allows it")
	ErrQueueFull   = errors.New("queue full")
	ErrBadFunction = errors.New("bad function or event signature")
	ErrSelfTest    = errors.New("self test failed")
	ErrTimeout     = errors.New("timeout")
)
