package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"

	"github.com/boatd/boatd/chains"
)

// A TxState is a state of a transaction. The numbers are those of the AT
// interface.
type TxState uint8

// The states. From Reverted on, and Confirmed, they are ends.
const (
	Accepted  TxState = 0
	SignedTx  TxState = 1
	Sent      TxState = 2
	Included  TxState = 3
	Confirmed TxState = 4
	Reverted  TxState = 5
	Displaced TxState = 6
	Cancelled TxState = 7
	Expired   TxState = 8
	Refused   TxState = 9
)

// Final says whether the state is an end.
func (s TxState) Final() bool { return s >= Confirmed }

// A Reason says why a transaction is not further, or how it ended. The numbers
// are codes of the AT interface; 0 is none.
type Reason uint16

// The reasons.
const (
	NoReason        Reason = 0
	NoBearer        Reason = 30
	StoreLocked     Reason = 7001
	ByPolicy        Reason = 7004
	KeyInactive     Reason = 7015
	StoreGone       Reason = 7017
	Unreachable     Reason = 7040
	NodeRefused     Reason = 7041
	OtherChain      Reason = 7042
	WouldRevert     Reason = 7043
	NoFunds         Reason = 7044
	OverCeiling     Reason = 7045
	Disagreement    Reason = 7046
	BehindAnother   Reason = 7047
	NotEndorsed     Reason = 7048
	BudgetUsed      Reason = 7049
	InternalFailure Reason = 7099
)

// A Tx is an open transaction as it is: an intent, and what was signed for it.
type Tx struct {
	ID       uint32        `cbor:"1,keyasint"`
	Wallet   string        `cbor:"2,keyasint"`
	Net      string        `cbor:"3,keyasint"`
	Key      string        `cbor:"4,keyasint"`
	Address  string        `cbor:"5,keyasint"` // of the account
	Ref      string        `cbor:"6,keyasint,omitempty"`
	Intent   chains.Intent `cbor:"7,keyasint"`
	Digest   []byte        `cbor:"8,keyasint"`            // of what the host asked for, see wallet.Order
	After    uint32        `cbor:"9,keyasint,omitempty"`  // id that must be confirmed first
	Confirm  uint64        `cbor:"10,keyasint,omitempty"` // blocks
	Expire   uint64        `cbor:"11,keyasint,omitempty"` // seconds from acceptance; 0 never
	Running  uint64        `cbor:"12,keyasint"`           // running time at acceptance
	Time     uint64        `cbor:"13,keyasint,omitempty"` // chain time at acceptance; 0 not known then
	Reserved *big.Int      `cbor:"14,keyasint"`           // against limits, at acceptance

	State    TxState          `cbor:"15,keyasint"`
	Reason   Reason           `cbor:"16,keyasint,omitempty"`
	Steps    [][]byte         `cbor:"17,keyasint,omitempty"`
	Attempts []chains.Attempt `cbor:"18,keyasint,omitempty"`
	Account  AccountID        `cbor:"19,keyasint,omitempty"` // known from the first attempt on
	Included int              `cbor:"20,keyasint,omitempty"` // attempt, in state 3
	Block    chains.Head      `cbor:"21,keyasint,omitempty"` // in state 3
	Cancel   bool             `cbor:"22,keyasint,omitempty"` // a cancel is wanted
	MaxFee   *big.Int         `cbor:"23,keyasint,omitempty"` // of a bump that is wanted, or was made
}

// Signed says whether an attempt exists.
func (t *Tx) Signed() bool { return len(t.Attempts) > 0 }

// Nonce returns the nonce of the attempts.
func (t *Tx) Nonce() uint64 { return t.Attempts[0].Nonce }

// Hash returns the hash that a host is shown: the included attempt's, else the
// newest's, else "".
func (t *Tx) Hash() string {
	switch {
	case !t.Signed():
		return ""
	case t.State == Included:
		return t.Attempts[t.Included].Hash
	default:
		return t.Attempts[len(t.Attempts)-1].Hash
	}
}

// payload is the memory that the transaction's bytes take.
func (t *Tx) payload() int {
	n := len(t.Intent.Data)
	for _, a := range t.Attempts {
		n += len(a.Raw)
	}
	for _, s := range t.Steps {
		n += len(s)
	}
	return n
}

// A Past is what is kept of an ended transaction.
type Past struct {
	ID            uint32      `cbor:"1,keyasint"`
	Wallet        string      `cbor:"2,keyasint"`
	Net           string      `cbor:"3,keyasint"`
	Ref           string      `cbor:"4,keyasint,omitempty"`
	Digest        []byte      `cbor:"5,keyasint"`
	State         TxState     `cbor:"6,keyasint"`
	Reason        Reason      `cbor:"7,keyasint,omitempty"`
	Confirmations uint64      `cbor:"8,keyasint,omitempty"`
	Included      int         `cbor:"9,keyasint,omitempty"`
	Block         chains.Head `cbor:"10,keyasint,omitempty"`
	Hashes        [][]byte    `cbor:"11,keyasint,omitempty"` // of the attempts
	Event         uint32      `cbor:"12,keyasint"`
	Cancel        bool        `cbor:"13,keyasint,omitempty"` // a cancel was wanted
	MaxFee        *big.Int    `cbor:"14,keyasint,omitempty"` // of the last bump that was wanted
}

// Hash returns the hash that a host is shown.
func (p *Past) Hash() string {
	switch {
	case len(p.Hashes) == 0:
		return ""
	case p.Block.Number != 0 || p.Block.Hash != "":
		return hex.EncodeToString(p.Hashes[p.Included])
	default:
		return hex.EncodeToString(p.Hashes[len(p.Hashes)-1])
	}
}

// past makes what is kept of t when it ends with e.
func (t *Tx) past(e Ended) *Past {
	p := &Past{ID: t.ID, Wallet: t.Wallet, Net: t.Net, Ref: t.Ref, Digest: t.Digest, State: e.State, Reason: e.Reason,
		Confirmations: e.Confirmations, Included: e.Included, Block: e.Block, Event: e.Event, Cancel: t.Cancel, MaxFee: t.MaxFee}
	for _, a := range t.Attempts {
		h, err := hex.DecodeString(a.Hash)
		if err != nil {
			h = []byte(a.Hash)
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p
}

// A Reference is what a wallet remembers of a host's reference.
type Reference struct {
	ID     uint32  `cbor:"1,keyasint"`
	Digest []byte  `cbor:"2,keyasint"`
	State  TxState `cbor:"3,keyasint"`
	Reason Reason  `cbor:"4,keyasint,omitempty"`
}

// refKey shortens a reference to what is kept of it for long: 16 bytes of its
// SHA-256 with the wallet's name.
type refKey [16]byte

func keyOf(wallet, ref string) refKey {
	h := sha256.New()
	h.Write([]byte(wallet))
	h.Write([]byte{0})
	h.Write([]byte(ref))
	return refKey(h.Sum(nil)[:16])
}
