package abi

import (
	"fmt"
	"strings"
)

// The errors that the compiler itself makes (Solidity documentation, "Panic via
// assert and Error via require").
var (
	errorString = &Function{Name: "Error", Inputs: []Param{{Type: newType(text, 0)}}}
	panicCode   = &Function{Name: "Panic", Inputs: []Param{{Type: newType(unsigned, 256)}}}
)

var panics = map[string]string{
	"0x0":  "of the compiler",
	"0x1":  "assertion failed",
	"0x11": "arithmetic overflow",
	"0x12": "division or modulo by zero",
	"0x21": "no such enum value",
	"0x22": "badly stored byte array",
	"0x31": "pop of an empty array",
	"0x32": "index out of bounds",
	"0x41": "out of memory",
	"0x51": "call of an unset function",
}

// Reason says in words what a reverted call returned: the text of
// Error(string), "panic 0x11: arithmetic overflow" for Panic(uint256), name and
// values of one of the known errors as "Name(1 true)", else "0x" and the
// selector in hex, or all of it if there are less than 4 bytes; "" where the
// contract gave no data. Texts come from the contract and may hold anything,
// at any length up to 64 KiB.
func Reason(data []byte, known ...*Function) string {
	if values, err := errorString.Arguments(data); err == nil {
		return values[0].Text()
	}
	if values, err := panicCode.Arguments(data); err == nil {
		code := fmt.Sprintf("0x%x", values[0].integer())
		if why, ok := panics[code]; ok {
			return "panic " + code + ": " + why
		}
		return "panic " + code
	}
	for _, f := range known {
		if values, err := f.Arguments(data); err == nil {
			texts := make([]string, len(values))
			for i, v := range values {
				texts[i] = v.Text()
			}
			return f.Name + "(" + strings.Join(texts, " ") + ")"
		}
	}
	if len(data) == 0 {
		return ""
	}
	return fmt.Sprintf("0x%x", data[:min(len(data), 4)])
}
