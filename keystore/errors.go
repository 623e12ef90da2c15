package keystore

import "errors"

// What a store can answer.
var (
	ErrCurve       = errors.New("the store has no keys on this curve")
	ErrCannot      = errors.New("the store cannot do that")
	ErrUnavailable = errors.New("the store is not available")
	ErrFull        = errors.New("the store is full")
	ErrBlob        = errors.New("the sealed key does not open")
	ErrSecret      = errors.New("not a private key of this curve")
	ErrPIN         = errors.New("the store wants its own PIN")
	ErrDigest      = errors.New("a digest has 32 bytes")
	// ErrSignature: what should be a signature of this key over this digest is
	// none. From Sign it means that hardware or memory has failed.
	ErrSignature = errors.New("the signature is not good")
)
