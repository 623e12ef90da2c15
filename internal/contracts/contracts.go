// Package contracts holds the contracts that boatd is tested with, compiled: each
// source lies beside what the compiler made of it. "make contracts" writes them
// again.
package contracts

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

//go:embed *.sol *.json
var files embed.FS

// A Contract is what the compiler made of a source.
type Contract struct {
	Compiler         string          `json:"compiler"`     // its full version
	Settings         json.RawMessage `json:"settings"`     // as the compiler was given them
	SourceSHA256     string          `json:"sourceSha256"` // of the source, in hex
	ABI              json.RawMessage `json:"abi"`
	Bytecode         string          `json:"bytecode"`         // what deploys it, in hex
	DeployedBytecode string          `json:"deployedBytecode"` // what is then on the chain, in hex
}

// Load returns the contract of a name, such as "Events".
func Load(name string) (Contract, error) {
	var c Contract
	b, err := files.ReadFile(name + ".json")
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err == nil {
		_, err = hex.DecodeString(c.Bytecode)
	}
	if err != nil {
		return Contract{}, fmt.Errorf("loading the contract %q: %w", name, err)
	}
	return c, nil
}
