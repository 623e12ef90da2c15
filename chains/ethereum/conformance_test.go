package ethereum_test

import (
	"math/big"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
)

const nodeURL = "https://a.example/key"

// harness is a chain with one node, and Ethereum over it.
func harness(o fakenode.Options, options chains.Options) (*fakenode.Chain, *chaintest.Harness) {
	chain := fakenode.New(o)
	chain.Node(nodeURL)
	opts := chains.Options{"endpoints": nodeURL}
	for k, v := range options {
		opts[k] = v
	}
	call := func(to string) chains.Intent {
		return chains.Intent{Kind: chains.Call, To: to, Value: big.NewInt(1), Data: []byte{1, 2, 3}}
	}
	return chain, &chaintest.Harness{
		Chain: chain, Protocol: ethereum.ProtocolOver(chain.Connect), Signer: chaintest.NewSigner("secp256k1", 1),
		Config: chains.Config{Name: "test", Protocol: "ethereum", Options: opts},
		Final:  3, Tells: true, Good: call(fakenode.Accepts),
		Refused: call(fakenode.Reverts), RefusedAs: chains.ErrReverts,
		Late: call(fakenode.Late), LateAs: chains.ErrReverts,
	}
}

func TestConformance(t *testing.T) {
	// The highest id that type 2 can say, and the highest whose v fits in 256
	// bits with type 0 (EIP-155).
	highest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	highest155 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	for name, c := range map[string]struct {
		node    fakenode.Options
		options chains.Options
		final   int
	}{
		"finalized": {},
		"depth":     {options: chains.Options{"confirmations": "2"}, final: 2},
		"inclusion": {options: chains.Options{"confirmations": "1"}, final: 1},
		"legacy":    {node: fakenode.Options{Legacy: true}},
		"bigID":     {node: fakenode.Options{ChainID: highest}},
		"bigLegacy": {node: fakenode.Options{ChainID: highest155, Legacy: true}},
	} {
		t.Run(name, func(t *testing.T) {
			chaintest.Run(t, func(*testing.T) *chaintest.Harness {
				_, h := harness(c.node, c.options)
				if c.final > 0 {
					h.Final = c.final
				}
				return h
			})
		})
	}
}
