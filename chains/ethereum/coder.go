package ethereum

import (
	"errors"
	"fmt"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/abi"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// EncodeCall encodes a call by Ethereum's contract ABI; package abi says how
// signatures and arguments are written.
func (codec) EncodeCall(function string, args []string, peer func(string) (string, error)) ([]byte, error) {
	f, err := abi.ParseFunction(function)
	if err != nil {
		return nil, functionError(err)
	}
	return encode(f, args, peer)
}

// EncodeConstructor encodes the arguments of a constructor.
func (codec) EncodeConstructor(signature string, args []string, peer func(string) (string, error)) ([]byte, error) {
	f, err := abi.ParseConstructor(signature)
	if err != nil {
		return nil, functionError(err)
	}
	return encode(f, args, peer)
}

func encode(f *abi.Function, args []string, peer func(string) (string, error)) ([]byte, error) {
	data, err := f.Encode(args, peer)
	if bad := (*abi.ArgumentError)(nil); errors.As(err, &bad) {
		return nil, &chains.ArgumentError{Index: bad.Index, Err: err}
	}
	return data, err
}

// CheckFunction parses a signature.
func (codec) CheckFunction(function string) (returns bool, err error) {
	f, err := abi.ParseFunction(function)
	if err != nil {
		return false, functionError(err)
	}
	return f.Outputs != nil, nil
}

// DecodeReturns decodes the return data of a call.
func (codec) DecodeReturns(function string, data []byte, limit int) ([]chains.Typed, bool, error) {
	f, err := abi.ParseFunction(function)
	if err != nil {
		return nil, false, functionError(err)
	}
	values, err := f.Returns(data)
	if err != nil {
		return nil, false, wire.Refuse(chains.ErrRefused, "read what "+f.String()+" returned", "%v", err)
	}
	fields, fit := abi.Fields(values, limit)
	typed := make([]chains.Typed, len(fields))
	for i, v := range fields {
		typed[i] = chains.Typed{Type: v.Type, Value: v.Text}
	}
	return typed, fit, nil
}

func functionError(err error) error { return fmt.Errorf("%w: %w", chains.ErrFunction, err) }
