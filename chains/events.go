package chains

import "context"

// A Filter says which events of a contract are wanted. Journaled: two filters
// are the same when all their fields are equal.
type Filter struct {
	Contract string   `cbor:"1,keyasint"` // as [Codec.ParseAddress] returned it
	Event    string   `cbor:"2,keyasint"` // canonical signature
	Topics   [][]byte `cbor:"3,keyasint"` // what a log's topics must be, in order; nil for any
}

// An Event is something that a contract logged, and where. Log.Data may be cut
// by the caller; here it is whole.
type Event struct {
	Log
	Block Head   // number and hash; the time may be missing
	Index uint64 // among the logs of the block
	Tx    string // hash of the transaction, lower-case hex
}

// A Scan asks for the events of a filter in a range of blocks, both ends
// included.
type Scan struct {
	Filter   Filter
	From, To uint64
}

// A Scanned is the answer to a Scan.
type Scanned struct {
	Events []Event // in the order of blocks and indexes
	// Last is the block To in the chain of which the events are.
	Last Head
	// Err is why there is nothing else: ErrTooMuch where fewer blocks must be
	// asked for, and of a single block whatever keeps it from being read.
	Err error
}

// A Horizon is how far a chain has come.
type Horizon struct {
	Head  uint64 // number of the newest block
	Final uint64 // of the newest final block; 0 where no other is, is known to be, or was asked for
	// Blocks are the blocks that were asked for by number and are in the chain.
	Blocks map[uint64]Head
}

// An Eventer is a network whose contracts log events. Blocks are numbered, and
// those after the final one may be replaced by others at any time: what is in
// one answer need not fit to what is in another.
type Eventer interface {
	// ParseEvent makes a filter of a contract's address, as ParseAddress returned
	// it, and an event's signature. values are for its indexed parameters, nil for
	// any; peer is as in [Coder]. ErrFunction, or an *ArgumentError. It asks nobody.
	ParseEvent(contract, event string, values []*string, peer func(name string) (string, error)) (Filter, error)

	// Horizon asks for the newest block and for those with the given numbers, and
	// with final for the newest final one, which costs more.
	Horizon(ctx context.Context, blocks []uint64, final bool) (*Horizon, error)

	// Scan looks for events, all scans at one node; the answers are in the order of
	// the scans. ErrUnreachable where no node has come as far as the last To. Why a
	// single block cannot be read is the error itself where there is but one scan.
	Scan(ctx context.Context, scans []Scan) ([]Scanned, error)
}
