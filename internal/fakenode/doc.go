// Package fakenode is an Ethereum chain with any number of nodes, in memory,
// for tests. It is deterministic: blocks come on command, time is the block
// number, and nothing in it sleeps unless a fault says so.
//
//	chain := fakenode.New(fakenode.Options{})
//	node := chain.Node("https://a.example")
//	chain.Fund(address, amount)
//	... the code under test connects through chain.Connect ...
//	chain.Mine(3)
//
// A [Node] is an http.Handler, and [Chain.Connect] leads to it without sockets.
// Signatures, chain ids, nonces and fees are checked with go-ethereum's own
// types, so that it refuses what a real node refuses, in geth's words. There is
// no virtual machine: the few contracts are listed below.
//
// Each node has a pool of its own; the blocks are common. What a node gets
// wrong is set by [Node.SetFaults].
package fakenode

// The contracts. Their addresses have no letters, and so no checksum.
const (
	Accepts = "0x0000000000000000000000000000000000009001" // every call succeeds
	Returns = "0x0000000000000000000000000000000000009002" // returns its call data
	Reverts = "0x0000000000000000000000000000000000009003" // reverts with Error("not today")
	Panics  = "0x0000000000000000000000000000000000009004" // reverts with Panic(17)
	Custom  = "0x0000000000000000000000000000000000009005" // reverts with a custom error
	// Late succeeds when simulated and fails when included, until [Chain.SetLate].
	Late = "0x0000000000000000000000000000000000009006"
	// Loud succeeds with logs of more than a megabyte, or fails when it is included:
	// [Chain.SetMute].
	Loud = "0x0000000000000000000000000000000000009010"
	// Gate reverts until an included transaction has called it with call data
	// that begins with the byte 1.
	Gate = "0x0000000000000000000000000000000000009007"
	// Oracle answers every call with Options.L1Fee.
	Oracle = "0x0000000000000000000000000000000000009008"
)
