package ledger

import (
	"fmt"
	"math/big"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/access"
	"github.com/fxamacker/cbor/v2"
)

// Schema version of the records. A new major one is not read by older boatds.
const (
	Major = 1
	Minor = 0
)

// A Record is one thing that happened, or one thing as it is.
type Record interface{ kind() uint16 }

// A Batch is what one journal frame holds.
type Batch struct {
	// Running is the time that boatd has been running in all its boots, in
	// seconds, when the batch was written.
	Running uint64
	Records []Record
}

// Meta is the part of the state of which there is one.
type Meta struct {
	Instance []byte `cbor:"1,keyasint"` // 16 random bytes, new at a factory reset
	Starts   uint64 `cbor:"2,keyasint"` // of boatd
	Sequence uint32 `cbor:"3,keyasint"` // event numbers up to this one may have been given
	NextID   uint32 `cbor:"4,keyasint"` // of a transaction
	Acked    uint32 `cbor:"5,keyasint"` // events up to this one are forgotten
	Trusted  uint64 `cbor:"6,keyasint"` // newest trusted time, Unix seconds
	Source   uint8  `cbor:"7,keyasint"` // of Trusted: 1 host, 2 network, 3 chain
	// Renewing: a factory reset has removed all keys, and the seal's key must
	// be renewed before another one is made.
	Renewing bool `cbor:"8,keyasint,omitempty"`
}

// Access is the state of PIN and PUK.
type Access struct {
	State access.State `cbor:"1,keyasint"`
}

// A KeyState says what a key may still do. The numbers are those of the AT
// interface.
type KeyState uint8

// The key states.
const (
	Active      KeyState = 1
	Suspended   KeyState = 2
	Retired     KeyState = 3
	Compromised KeyState = 4
)

// A Key is a key as it is.
type Key struct {
	Name       string   `cbor:"1,keyasint"`
	Store      string   `cbor:"2,keyasint"`
	Curve      string   `cbor:"3,keyasint"`
	Usage      string   `cbor:"4,keyasint"`
	Exportable bool     `cbor:"5,keyasint,omitempty"`
	State      KeyState `cbor:"6,keyasint"`
	Public     []byte   `cbor:"7,keyasint"`
	Blob       []byte   `cbor:"8,keyasint"`
	Signatures uint64   `cbor:"9,keyasint,omitempty"`
	Imported   bool     `cbor:"10,keyasint,omitempty"`
	Limited    []string `cbor:"11,keyasint,omitempty"` // wallets with a limit that it is, or was, the key of
	OfWallet   bool     `cbor:"12,keyasint,omitempty"` // it is, or was, the key of a wallet
}

// A KeyUsed counts a signature of a key that is no transaction's.
type KeyUsed struct {
	Name string `cbor:"1,keyasint"`
}

// A KeyGone ends a key.
type KeyGone struct {
	Name string `cbor:"1,keyasint"`
}

// A Quarantine names an endpoint that answered as another chain.
type Quarantine struct {
	Endpoint string          `cbor:"1,keyasint"`
	Got      chains.Identity `cbor:"2,keyasint"`
}

// A Network is what AT and the chain added to a configured network, or all of
// one that came by AT.
type Network struct {
	Name       string            `cbor:"1,keyasint"`
	Protocol   string            `cbor:"2,keyasint,omitempty"` // of one that came by AT; "" for one of the file
	Options    map[string]string `cbor:"3,keyasint,omitempty"` // set by AT
	Chain      *chains.Identity  `cbor:"4,keyasint,omitempty"` // of the first contact
	Quarantine []Quarantine      `cbor:"5,keyasint,omitempty"`
	Final      chains.Head       `cbor:"6,keyasint,omitempty"` // newest final block seen
	Since      uint32            `cbor:"7,keyasint,omitempty"` // first id on Chain, if there was another one before
}

// A NetworkGone ends a network, or forgets what was added to one of the file.
type NetworkGone struct {
	Name string `cbor:"1,keyasint"`
}

// A Peer is a short name for an address.
type Peer struct {
	Name     string `cbor:"1,keyasint"`
	Net      string `cbor:"2,keyasint"`
	Address  string `cbor:"3,keyasint"`
	Decimals *uint8 `cbor:"4,keyasint,omitempty"`
}

// A PeerGone ends a peer.
type PeerGone struct {
	Name string `cbor:"1,keyasint"`
}

// A Wallet is a key on a network.
type Wallet struct {
	Name string `cbor:"1,keyasint"`
	Net  string `cbor:"2,keyasint"`
	Key  string `cbor:"3,keyasint"`
}

// A WalletGone ends a wallet, never its key.
type WalletGone struct {
	Name string `cbor:"1,keyasint"`
}

// An AccountID is an account: one allocator and one queue, however many
// networks and wallets name it.
type AccountID struct {
	Chain   chains.Identity `cbor:"1,keyasint"`
	Address string          `cbor:"2,keyasint"`
}

// An Account is an account's nonce allocator as it is.
type Account struct {
	ID    AccountID `cbor:"1,keyasint"`
	Next  uint64    `cbor:"2,keyasint"` // the nonce of the next intent
	Adopt bool      `cbor:"3,keyasint,omitempty"`
}

// A Stepped adds an interim result to an accepted transaction.
type Stepped struct {
	ID   uint32 `cbor:"1,keyasint"`
	Step []byte `cbor:"2,keyasint"`
}

// A Signed adds an attempt: nonce, bytes and the allocator's step are one record.
type Signed struct {
	ID         uint32         `cbor:"1,keyasint"`
	Attempt    chains.Attempt `cbor:"2,keyasint"`
	Account    AccountID      `cbor:"3,keyasint"`
	Sequential bool           `cbor:"4,keyasint,omitempty"`
	Cost       *big.Int       `cbor:"5,keyasint"` // most that the attempt can spend
	Time       uint64         `cbor:"6,keyasint"` // chain time when it was prepared
}

// An Attempted is an attempt behind the first one, as a snapshot tells of it.
type Attempted struct {
	ID      uint32         `cbor:"1,keyasint"`
	Attempt chains.Attempt `cbor:"2,keyasint"`
}

// A Moved changes the state of an open transaction.
type Moved struct {
	ID       uint32      `cbor:"1,keyasint"`
	State    TxState     `cbor:"2,keyasint"`
	Reason   Reason      `cbor:"3,keyasint,omitempty"`
	Included int         `cbor:"4,keyasint,omitempty"` // attempt, in state 3
	Block    chains.Head `cbor:"5,keyasint,omitempty"` // in state 3
}

// A Requested asks for a replacement.
type Requested struct {
	ID     uint32   `cbor:"1,keyasint"`
	Cancel bool     `cbor:"2,keyasint,omitempty"`
	MaxFee *big.Int `cbor:"3,keyasint,omitempty"` // of a bump by the host
}

// An Ended ends a transaction.
type Ended struct {
	ID            uint32      `cbor:"1,keyasint"`
	State         TxState     `cbor:"2,keyasint"`
	Reason        Reason      `cbor:"3,keyasint,omitempty"`
	Included      int         `cbor:"4,keyasint,omitempty"`
	Block         chains.Head `cbor:"5,keyasint,omitempty"`
	Confirmations uint64      `cbor:"6,keyasint,omitempty"`
	Event         uint32      `cbor:"7,keyasint"`           // its number in the event log
	Spent         *big.Int    `cbor:"8,keyasint,omitempty"` // what stays reserved; nil: all of it
}

// A Known is a reference whose transaction is forgotten but for its end.
type Known struct {
	Wallet string    `cbor:"1,keyasint"`
	Ref    []byte    `cbor:"2,keyasint"` // hash, see refKey
	Entry  Reference `cbor:"3,keyasint"`
}

// A Spend is a reservation against the limits of a wallet.
type Spend struct {
	Wallet  string   `cbor:"1,keyasint"`
	ID      uint32   `cbor:"2,keyasint"`
	Amount  *big.Int `cbor:"3,keyasint"`
	Signed  bool     `cbor:"4,keyasint,omitempty"`
	Running uint64   `cbor:"5,keyasint,omitempty"` // when it was last signed, running time
	Time    uint64   `cbor:"6,keyasint,omitempty"` // chain time then; 0 not known
	Start   uint64   `cbor:"7,keyasint,omitempty"` // Meta.Starts then
	Key     string   `cbor:"8,keyasint,omitempty"` // that signs
}

// A Channel keeps an AT channel's settings.
type Channel struct {
	Name     string `cbor:"1,keyasint"`
	Settings []byte `cbor:"2,keyasint"`
}

// A Session is a TLS session of a network, sealed; without Blob it is forgotten.
type Session struct {
	Key  string `cbor:"1,keyasint"` // names the server and whom it was trusted by
	Blob []byte `cbor:"2,keyasint,omitempty"`
	// Written is the running time when it was written: flash is spared over
	// restarts, too.
	Written uint64 `cbor:"3,keyasint,omitempty"`
}

// A Tally is what a network has used of its daily budget of bytes.
type Tally struct {
	Net   string `cbor:"1,keyasint"`
	Since uint64 `cbor:"2,keyasint"` // running time when the day began
	Used  uint64 `cbor:"3,keyasint"` // bytes since then
}

// A Reset is a factory reset (level 2).
type Reset struct {
	Instance []byte `cbor:"1,keyasint"`
}

// foreign is a record of a kind that this version does not know.
type foreign wireRecord

func (Meta) kind() uint16        { return 1 }
func (Access) kind() uint16      { return 2 }
func (Key) kind() uint16         { return 3 }
func (KeyGone) kind() uint16     { return 4 }
func (Network) kind() uint16     { return 5 }
func (NetworkGone) kind() uint16 { return 6 }
func (Peer) kind() uint16        { return 7 }
func (PeerGone) kind() uint16    { return 8 }
func (Wallet) kind() uint16      { return 9 }
func (WalletGone) kind() uint16  { return 10 }
func (Account) kind() uint16     { return 11 }
func (Tx) kind() uint16          { return 12 }
func (Stepped) kind() uint16     { return 13 }
func (Signed) kind() uint16      { return 14 }
func (Moved) kind() uint16       { return 15 }
func (Requested) kind() uint16   { return 16 }
func (Ended) kind() uint16       { return 17 }
func (Past) kind() uint16        { return 18 }
func (Known) kind() uint16       { return 19 }
func (Spend) kind() uint16       { return 20 }
func (Channel) kind() uint16     { return 21 }
func (Reset) kind() uint16       { return 22 }
func (Attempted) kind() uint16   { return 23 }
func (KeyUsed) kind() uint16     { return 24 }
func (Session) kind() uint16     { return 25 }
func (Tally) kind() uint16       { return 26 }
func (f foreign) kind() uint16   { return f.Kind }

func (Subscription) kind() uint16     { return 27 }
func (SubscriptionGone) kind() uint16 { return 28 }
func (Looked) kind() uint16           { return 29 }
func (Event) kind() uint16            { return 30 }
func (Vanished) kind() uint16         { return 31 }
func (Alarm) kind() uint16            { return 32 }

// decoders makes a record of each kind's body.
var decoders = map[uint16]func(cbor.RawMessage) (Record, error){
	1: decode[Meta], 2: decode[Access], 3: decode[Key], 4: decode[KeyGone], 5: decode[Network],
	6: decode[NetworkGone], 7: decode[Peer], 8: decode[PeerGone], 9: decode[Wallet], 10: decode[WalletGone],
	11: decode[Account], 12: decode[Tx], 13: decode[Stepped], 14: decode[Signed], 15: decode[Moved],
	16: decode[Requested], 17: decode[Ended], 18: decode[Past], 19: decode[Known], 20: decode[Spend],
	21: decode[Channel], 22: decode[Reset], 23: decode[Attempted], 24: decode[KeyUsed],
	25: decode[Session], 26: decode[Tally],
	27: decode[Subscription], 28: decode[SubscriptionGone], 29: decode[Looked], 30: decode[Event], 31: decode[Vanished], 32: decode[Alarm],
}

func decode[T Record](body cbor.RawMessage) (Record, error) {
	var r T
	err := decMode.Unmarshal(body, &r)
	return r, err
}

// wireBatch and wireRecord are CBOR arrays: [running, [[kind, body], ...]].
type wireBatch struct {
	_       struct{} `cbor:",toarray"`
	Running uint64
	Records []wireRecord
}

type wireRecord struct {
	_    struct{} `cbor:",toarray"`
	Kind uint16
	Body cbor.RawMessage
}

var (
	encMode = must(cbor.CoreDetEncOptions().EncMode())
	decMode = must(cbor.DecOptions{
		MaxNestedLevels: 12, MaxArrayElements: 1 << 16, MaxMapPairs: 1 << 12,
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Marshal encodes a batch for the journal.
func (b Batch) Marshal() ([]byte, error) {
	w := wireBatch{Running: b.Running, Records: make([]wireRecord, len(b.Records))}
	for i, r := range b.Records {
		w.Records[i].Kind = r.kind()
		if f, ok := r.(foreign); ok {
			w.Records[i].Body = f.Body
			continue
		}
		body, err := encMode.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encoding a %T: %w", r, err)
		}
		w.Records[i].Body = body
	}
	return encMode.Marshal(w)
}

// UnmarshalBatch decodes a batch; the result shares no memory with payload.
func UnmarshalBatch(payload []byte) (Batch, error) {
	var w wireBatch
	if err := decMode.Unmarshal(payload, &w); err != nil {
		return Batch{}, fmt.Errorf("decoding a journal batch: %w", err)
	}
	b := Batch{Running: w.Running, Records: make([]Record, len(w.Records))}
	for i, r := range w.Records {
		dec, ok := decoders[r.Kind]
		if !ok {
			if _, err := encMode.Marshal(r.Body); err != nil { // it could not be carried along
				return Batch{}, fmt.Errorf("decoding a journal record of unknown kind %d: %w", r.Kind, err)
			}
			b.Records[i] = foreign(r)
			continue
		}
		rec, err := dec(r.Body)
		if err != nil {
			return Batch{}, fmt.Errorf("decoding a journal record of kind %d: %w", r.Kind, err)
		}
		b.Records[i] = rec
	}
	return b, nil
}
