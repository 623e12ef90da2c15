// Package cose makes and reads COSE_Sign1 messages (RFC 9052, section 4.2): a
// payload with one signature, in CBOR, signed with ES256 (RFC 9053) on P-256 or
// with ES256K (RFC 8812) on secp256k1.
//
// A key store signs: [ToBeSigned] says what, [Build] puts the signature in.
// [Parse] and [Message.Verify] read what others made, strictly: one message has
// one form, and what is signed is said by protected headers alone.
package cose

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

var (
	// ErrMessage: the bytes are no COSE_Sign1 message as [Parse] takes it, or
	// what shall become one does not fit.
	ErrMessage = errors.New("not a COSE_Sign1 message")
	// ErrSignature: another key made the signature, or over something else.
	ErrSignature = errors.New("the signature is not good")
)

// An Algorithm is a number of IANA's registry "COSE Algorithms". Both are ECDSA
// with SHA-256 and have r‖s, 64 bytes, as signature.
type Algorithm int64

// The algorithms.
const (
	ES256  Algorithm = -7  // on secp256r1 only
	ES256K Algorithm = -47 // on secp256k1
)

// MaxPayload is the most bytes of a payload, 64 KiB. A message may have
// [MaxHeaders] bytes on top.
const (
	MaxPayload = 64 << 10
	MaxHeaders = 4 << 10
)

const (
	maxKeyID      = 64
	signatureSize = 64
	tagByte       = 0xd2 // tag 18

	// Labels of headers (RFC 9052, section 3.1).
	labelAlg  = int64(1)
	labelCrit = int64(2)
	labelKID  = int64(4)
)

var (
	encMode = must(cbor.CoreDetEncOptions().EncMode())
	// Depth 8 is room for chains of certificates (RFC 9360) in headers.
	decMode = must(cbor.DecOptions{
		TagsMd: cbor.TagsForbidden, IntDec: cbor.IntDecConvertSignedOrFail, MaxNestedLevels: 8, MaxArrayElements: 64, MaxMapPairs: 64,
	}.DecMode())
)

// must is for options that are constant.
func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

// ForCurve returns the algorithm of a key by its curve's name, secp256r1 or
// secp256k1; ErrMessage for another.
func ForCurve(curve string) (Algorithm, error) {
	switch curve {
	case "secp256r1":
		return ES256, nil
	case "secp256k1":
		return ES256K, nil
	}
	return 0, fmt.Errorf("%w: no algorithm for the curve %.20q", ErrMessage, curve)
}

func (a Algorithm) known() bool { return a == ES256 || a == ES256K }

// ToBeSigned returns the Sig_structure for a payload and the algorithm as the
// only protected header (RFC 9052, section 4.4). Its SHA-256 is what is signed.
// External is data that both sides know and the message does not carry, nil for
// none.
func ToBeSigned(alg Algorithm, payload, external []byte) ([]byte, error) {
	protected, err := protect(alg)
	if err != nil {
		return nil, err
	}
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("%w: a payload of %d bytes, more than %d", ErrMessage, len(payload), MaxPayload)
	}
	return sigStructure(protected, payload, external)
}

// protect returns the protected header that holds the algorithm.
func protect(alg Algorithm) ([]byte, error) {
	if !alg.known() {
		return nil, fmt.Errorf("%w: unknown algorithm %d", ErrMessage, alg)
	}
	return encMode.Marshal(map[int64]int64{labelAlg: int64(alg)})
}

func sigStructure(protected, payload, external []byte) ([]byte, error) {
	return encMode.Marshal([]any{"Signature1", some(protected), some(external), some(payload)})
}

// some returns b; nil, which CBOR would write as null, as the empty string.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Build returns the message: tag 18, the algorithm as protected header, kid, at
// most 64 bytes that help the receiver to find the key, as unprotected header
// (nil: none), payload and signature. The signature is r‖s, 64 bytes, over what
// [ToBeSigned] returns for the same algorithm and payload; it is not verified.
func Build(alg Algorithm, kid, payload, signature []byte) ([]byte, error) {
	protected, err := protect(alg)
	switch {
	case err != nil:
		return nil, err
	case len(kid) > maxKeyID:
		return nil, fmt.Errorf("%w: a key id of %d bytes, more than %d", ErrMessage, len(kid), maxKeyID)
	case len(payload) > MaxPayload:
		return nil, fmt.Errorf("%w: a payload of %d bytes, more than %d", ErrMessage, len(payload), MaxPayload)
	case len(signature) != signatureSize:
		return nil, fmt.Errorf("%w: a signature of %d bytes, not %d", ErrMessage, len(signature), signatureSize)
	}
	headers := map[int64][]byte{}
	if kid != nil {
		headers[labelKID] = kid
	}
	array, err := encMode.Marshal([]any{protected, headers, some(payload), signature})
	return append([]byte{tagByte}, array...), err
}

// A Message is a COSE_Sign1 message that has been read, not yet verified.
type Message struct {
	Algorithm Algorithm
	// KeyID is a hint which key to verify with, nil for none. It may stand in an
	// unprotected header: nothing follows from it.
	KeyID     []byte
	Payload   []byte
	Signature []byte // r‖s, 64 bytes
	protected []byte
}

// Parse reads a message: tag 18, an algorithm that is known and protected, a
// payload that is in it, deterministic CBOR throughout (RFC 8949, section
// 4.2.1). Headers that are not known are ignored, as RFC 9052 wants it, unless
// they are critical: then ErrMessage, as for anything else.
func Parse(message []byte) (*Message, error) {
	if len(message) > MaxPayload+MaxHeaders {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrMessage, len(message), MaxPayload+MaxHeaders)
	}
	array, tagged := bytes.CutPrefix(message, []byte{tagByte})
	if !tagged {
		return nil, fmt.Errorf("%w: it does not begin with tag 18", ErrMessage)
	}
	parts, err := decode[[]any](array)
	if err != nil {
		return nil, err
	}
	if len(parts) != 4 {
		return nil, fmt.Errorf("%w: %d parts, not 4", ErrMessage, len(parts))
	}
	m := &Message{}
	var ok [4]bool
	var unprotected map[any]any
	m.protected, ok[0] = parts[0].([]byte)
	unprotected, ok[1] = parts[1].(map[any]any)
	m.Payload, ok[2] = parts[2].([]byte)
	m.Signature, ok[3] = parts[3].([]byte)
	if ok != [4]bool{true, true, true, true} || len(m.Payload) > MaxPayload || len(m.Signature) != signatureSize {
		return nil, fmt.Errorf("%w: a part has the wrong type or size", ErrMessage)
	}
	if err := m.readHeaders(unprotected); err != nil {
		return nil, err
	}
	return m, nil
}

// decode reads one item of CBOR that is in its deterministic form: what we would
// write in another way is refused, and with it a label that is there twice, an
// indefinite length, anything longer than needed.
func decode[T any](raw []byte) (v T, err error) {
	var item any
	if err := decMode.Unmarshal(raw, &item); err != nil {
		return v, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	again, err := encMode.Marshal(item)
	if err != nil || !bytes.Equal(again, raw) {
		return v, fmt.Errorf("%w: the CBOR is not deterministic", ErrMessage)
	}
	v, ok := item.(T)
	if !ok {
		return v, fmt.Errorf("%w: an item has the wrong type", ErrMessage)
	}
	return v, nil
}

func (m *Message) readHeaders(unprotected map[any]any) error {
	protected, err := decode[map[any]any](m.protected)
	if err != nil {
		return err
	}
	for label := range unprotected {
		if _, both := protected[label]; both {
			return fmt.Errorf("%w: a header is both protected and not", ErrMessage)
		}
	}
	if m.KeyID, err = keyID(protected); err != nil {
		return err
	}
	kid, err := keyID(unprotected)
	if err != nil {
		return err
	}
	if kid != nil {
		m.KeyID = kid
	}
	alg, ok := protected[labelAlg].(int64)
	if !ok || !Algorithm(alg).known() {
		return fmt.Errorf("%w: no known algorithm in the protected headers", ErrMessage)
	}
	m.Algorithm = Algorithm(alg)
	return nil
}

// keyID returns the key id among headers, nil for none, and refuses headers that
// must not be ignored.
func keyID(headers map[any]any) ([]byte, error) {
	for label := range headers {
		switch label.(type) {
		case int64, string:
		default:
			return nil, fmt.Errorf("%w: a label is neither an integer nor text", ErrMessage)
		}
	}
	if _, critical := headers[labelCrit]; critical {
		return nil, fmt.Errorf("%w: it has critical headers", ErrMessage)
	}
	value, there := headers[labelKID]
	if !there {
		return nil, nil
	}
	kid, ok := value.([]byte)
	if !ok || len(kid) > maxKeyID {
		return nil, fmt.Errorf("%w: a key id is at most %d bytes", ErrMessage, maxKeyID)
	}
	return kid, nil
}
