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
// filtered: guessing which are indexed would ask for other logs.
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

// Topics returns what a log's topics must be, the event's own first, with
// values, in order, for its indexed parameters; nil, and any that are missing at
// the end, for any value. Values are written as for [Function.Encode], also where
// the topic is only the value's hash. The error is an [*ArgumentError].
func (e *Event) Topics(values []*string, resolve Resolver) ([][]byte, error) {
	topics := [][]byte{e.Topic().Bytes()}
	params := e.indexed()
	if len(values) > len(params) {
		why := fmt.Errorf("it is too many, %d parameters have the word indexed", len(params))
		return nil, &ArgumentError{Index: len(params), Err: why}
	}
	for i, text := range values {
		if text == nil {
			topics = append(topics, nil)
			continue
		}
		r := &reader{resolve: resolve, left: maxEncoded}
		v, err := r.argument(params[i].Type, *text)
		if err != nil {
			return nil, wrong(i, params[i], err)
		}
		topics = append(topics, v.topic().Bytes())
	}
	return topics, nil
}

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
