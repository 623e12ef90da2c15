package tee

import "errors"

// What a provider can answer.
var (
	// ErrBinding: what the seal was bound to has changed (board ids, PCRs).
	// The keys are still there; the error says what differs.
	ErrBinding = errors.New("the seal's binding has changed")
	// ErrUnavailable: the device that seals does not answer.
	ErrUnavailable = errors.New("the seal provider is not available")
	// ErrDamaged: what the provider keeps on flash is not whole.
	ErrDamaged = errors.New("the seal provider's file is damaged")
)
