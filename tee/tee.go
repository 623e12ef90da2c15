// Package tee is the room of what the silicon gives: sealing now; signing,
// counters and attestation as technologies that have them are added. One
// folder a technology; nothing outside this room opens a security device.
package tee

import "context"

// KeySize is the length of a key-encryption key in bytes.
const KeySize = 32

// A Sealer owns the key-encryption key under which software keys are sealed.
type Sealer interface {
	// Label says what protects the key, as BOATINFO "seal" shows it: "device",
	// "device-unbound", "tpm", "trusted-key", "tee". It claims no more than is true.
	Label() string

	// KEK returns the key-encryption key, KeySize bytes, the same one at every
	// call until Renew. The caller wipes its copy.
	KEK(context.Context) ([]byte, error)

	// Renew replaces the key-encryption key and makes the old one
	// unrecoverable as far as the medium allows (factory reset). It is durable
	// when it returns, and harmless to repeat after a crash.
	Renew(context.Context) error
}
