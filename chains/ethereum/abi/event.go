package abi

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// maxIndexed is how many topics a log has besides the event's own.
const maxIndexed = 3

// An Event is an event that is not anonymous.
//
// A host that wants logs only by name may leave the word indexed away
// everywhere. Such a signature names the same event, but no values can be
// filtered, nor decoded from a log that has some indexed: guessing which would
// show wrong values.
type Event struct {
	Name   string
	Inputs []Param
}

// String returns the canonical signature, which has no names and no indexed.
func (e *Event) String() string { return canonical(e.Name, e.Inputs) }

// Topic returns the first topic of the event's logs.
func (e *Event) Topic() common.Hash { return crypto.Keccak256Hash([]byte(e.String())) }

// indexed returns the parameters that are topics.
func (e *Event) indexed() (params []Param) {
	for _, p := range e.Inputs {
		if p.Indexed {
			params = append(params, p)
		}
	}
	return params
}

// A Filter is the topics that a log must have, the event's own first; nil for
// any. As JSON it is the topics of eth_getLogs.
type Filter []*common.Hash

// Match says whether a log with these topics passes.
func (f Filter) Match(topics []common.Hash) bool {
	if len(topics) < len(f) {
		return false
	}
	for i, want := range f {
		if want != nil && *want != topics[i] {
			return false
		}
	}
	return true
}

// Filter returns the filter for the event with values, in order, for its
// indexed parameters; nil, and any that are missing at the end, for any value.
// Values are written as for [Function.Encode], also where the topic is only
// the value's hash. The error is an [*ArgumentError].
func (e *Event) Filter(values []*string, resolve Resolver) (Filter, error) {
	own := e.Topic()
	filter := Filter{&own}
	params := e.indexed()
	if len(values) > len(params) {
		why := fmt.Errorf("it is too many, %d parameters have the word indexed", len(params))
		return nil, &ArgumentError{Index: len(params), Err: why}
	}
	for i, text := range values {
		if text == nil {
			filter = append(filter, nil)
			continue
		}
		r := &reader{resolve: resolve, left: maxEncoded}
		v, err := r.argument(params[i].Type, *text)
		if err != nil {
			return nil, wrong(i, params[i], err)
		}
		topic := v.topic()
		filter = append(filter, &topic)
	}
	return filter, nil
}

// hashed: the topic of such a parameter is a hash of the value.
func (t *Type) hashed() bool { return t.dynamic || t.composite() }

// topic returns the topic of an indexed value.
func (v Value) topic() common.Hash {
	switch {
	case v.Type.composite():
		return crypto.Keccak256Hash(v.appendPacked(nil))
	case v.Type.dynamic:
		return crypto.Keccak256Hash(v.data)
	}
	return common.BytesToHash(v.data)
}

// Decode returns the values of a log in the order of the parameters. Of an
// indexed parameter that is an array, a tuple, bytes or a string the log has
// only the hash: its value has the type bytes32. ErrData for a log of another
// event or another form.
func (e *Event) Decode(topics []common.Hash, data []byte) ([]Value, error) {
	if len(topics) == 0 || topics[0] != e.Topic() {
		return nil, fmt.Errorf("%w: a log of another event than %s", ErrData, e)
	}
	topics = topics[1:]
	if n := len(e.indexed()); n != len(topics) {
		return nil, fmt.Errorf("%w: %d parameters are indexed in the log and %d in the signature", ErrData, len(topics), n)
	}
	var rest []Param
	values := make([]Value, len(e.Inputs))
	for i, p := range e.Inputs {
		if !p.Indexed {
			rest = append(rest, p)
			continue
		}
		v := Value{Type: p.Type, data: topics[0].Bytes()}
		if p.Type.hashed() {
			v.Type = newType(fixedBytes, common.HashLength)
		} else if !p.Type.fits(v.data) {
			return nil, fmt.Errorf("%w: the topic %x is no %s", ErrData, v.data, p.Type)
		}
		values[i], topics = v, topics[1:]
	}
	plain, err := decode(rest, data)
	if err != nil {
		return nil, err
	}
	for i, p := range e.Inputs {
		if !p.Indexed {
			values[i], plain = plain[0], plain[1:]
		}
	}
	return values, nil
}
