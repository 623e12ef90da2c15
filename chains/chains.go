// Package chains is the room of networks: one network is one value behind
// [Network], one protocol is one folder below this one.
//
// A protocol says how an intent is judged, prepared, signed, sent and tracked.
// It keeps nothing durable and decides nothing about money: which nonce is
// used, what is journaled when, and when a transaction has ended is written
// once, in package wallet. That is why every method here can be called again
// after a crash with the same arguments and must then mean the same.
//
// The life of one intent, seen from here:
//
//	Judge          pure     at acceptance: could this ever be carried out, and for how much at most
//	Identify       network  which chain is this
//	Prepare        network  everything that the next signature depends on -> Draft
//	 (the wallet signs Draft.Digest)
//	Assemble       pure     Draft + signature -> Signed, decoded again and compared with the intent
//	 (the wallet journals Signed; an interim one goes back to Prepare as a step)
//	Send           network  hand the journaled bytes to the network, any number of times
//	Track          network  what the chain says about the attempts
//
// Abilities that not every network has are one-method interfaces found by type
// assertion: [Replacer], [Balancer], [FeeQuoter], [Querier], [Tokener],
// [Coder], [Logger], [Eventer], [Meter].
package chains

import (
	"context"
	"math/big"
)

// A Kind says what an intent does.
type Kind uint8

// The kinds of intent. The numbers are journaled: they never change.
const (
	Transfer Kind = 1 // move native coin
	Call     Kind = 2 // write to a contract
	Deploy   Kind = 3 // create a contract
)

// An Intent is one effect on a chain that the host wants once. It is fixed at
// acceptance; whatever may differ between two tries (nonce, fees, gas) is in
// the [Draft]. It is journaled: the numbers in the tags never change.
type Intent struct {
	Kind   Kind     `cbor:"1,keyasint"`
	To     string   `cbor:"2,keyasint,omitempty"` // recipient or contract, as [Codec.ParseAddress] returned it; "" for Deploy
	Value  *big.Int `cbor:"3,keyasint"`           // coin, or token with Asset, in its smallest unit; never nil, never negative
	Data   []byte   `cbor:"4,keyasint,omitempty"` // call data or init code, ready for the wire
	Gas    uint64   `cbor:"5,keyasint,omitempty"` // gas limit asked for; 0: the protocol estimates
	MaxFee *big.Int `cbor:"6,keyasint,omitempty"` // highest fee a unit of gas; nil: the protocol decides
	Tip    *big.Int `cbor:"7,keyasint,omitempty"` // highest tip a unit of gas; nil: the protocol decides
	Type   *uint8   `cbor:"8,keyasint,omitempty"` // transaction type asked for; nil: the protocol decides
	Asset  string   `cbor:"9,keyasint,omitempty"` // of a Transfer: the token's contract, as [Codec.ParseAddress] returned it; "" for native coin
}

// Native returns the native coin that an intent moves.
func (in *Intent) Native() *big.Int {
	if in.Asset != "" {
		return new(big.Int)
	}
	return in.Value
}

// An Identity tells one chain from all others. Two networks with equal
// identities are the same chain and share their accounts' nonces. Journaled.
type Identity struct {
	ChainID string `cbor:"1,keyasint"` // decimal; "" where the protocol has none
	Genesis string `cbor:"2,keyasint"` // lower-case hex hash of block 0, or what stands for it
}

// An Account is the signing side of a wallet on one network.
type Account struct {
	Address string // as [Codec.Address] returned it
	Curve   string // "secp256k1" or "secp256r1"
	Public  []byte // compressed SEC 1 point, 33 bytes
	// Sign signs a 32-byte digest for a question that a network only answers
	// to a known caller (Fabric's evaluate and commit status). Nothing that
	// moves value is ever signed through it. Nil where the key may not be used.
	Sign func(ctx context.Context, digest []byte) ([]byte, error)
}

// A Job is one intent on its way to a signature.
type Job struct {
	Intent  Intent
	Account Account
	Chain   Identity // what [Network.Identify] said; the endpoints must still say so
	// Nonce is the account's next nonce as the journal knows it; for a
	// replacement it is the nonce of the attempts so far. With Adopt the
	// chain's answer is taken instead where it is higher; without it a higher
	// answer is [ErrNonceAhead]. Protocols without checked nonces ignore both.
	Nonce uint64
	Adopt bool
	// Steps are the interim results already journaled, oldest first.
	Steps [][]byte
	// Ahead says that transactions of this account are signed and not yet
	// included; Committed is the most native coin that they may still spend.
	Ahead     bool
	Committed *big.Int
	// Timed: something depends on the chain's time, so the Draft's Head must have
	// it. Otherwise the protocol may save the question.
	Timed bool
}

// A Head names a block that a network showed. The zero Head is "not known".
// Journaled.
type Head struct {
	Number uint64 `cbor:"1,keyasint"`
	Hash   string `cbor:"2,keyasint"` // lower-case hex
	Time   uint64 `cbor:"3,keyasint"` // Unix seconds as the block says
}

// A Draft is what is about to be signed.
type Draft struct {
	Digest []byte // 32 bytes
	Body   []byte // the unsigned bytes, in the protocol's own form, for Assemble
	// Interim: the signature completes a step that is journaled with the
	// intent, not an attempt that may be sent (Fabric's proposal).
	Interim bool
	// Purpose is what the attempt will be for: Original, or what
	// PrepareReplacement was asked for. Assemble compares a Cancel with nothing
	// in the place of the intent.
	Purpose Purpose
	Nonce   uint64   // the nonce inside Body
	Gas     uint64   // gas limit inside Body
	FeeCap  *big.Int // highest fee a unit of gas inside Body
	Cost    *big.Int // most native coin that Body can spend, never nil
	// Window bounds how many attempts of the account may be open at once;
	// 0: no bound of this account's own (EIP-7702 accounts: 1).
	Window  int
	Head    Head     // newest block seen while preparing; without Hash and Time perhaps where the Job is not Timed
	Balance *big.Int // native coin of the account in it; nil not known
}

// A Signed is bytes that the network would act on, or an interim step.
type Signed struct {
	Raw  []byte // what Send hands over
	Hash string // the transaction's hash or id, lower-case hex without prefix; "" for a step
}

// A Purpose says why an attempt was made. The numbers are journaled.
type Purpose uint8

// The purposes of an attempt.
const (
	Original Purpose = 0 // the intent itself
	Bumped   Purpose = 1 // the intent again, for a higher fee
	Cancel   Purpose = 2 // nothing, in the place of the intent
)

// An Attempt is a journaled signature for an intent.
type Attempt struct {
	Purpose Purpose `cbor:"1,keyasint"`
	Nonce   uint64  `cbor:"2,keyasint"`
	Raw     []byte  `cbor:"3,keyasint,omitempty"` // absent once the transaction has ended
	Hash    string  `cbor:"4,keyasint"`
}

// A Watch asks about one open transaction.
type Watch struct {
	Account  Account
	Attempts []Attempt // at least one, oldest first
	Confirm  uint64    // blocks that the host demands beyond the network's own rule; 0: none
	Timed    bool      // something depends on the chain's time, so the Sight's Head must have it
}

// An Outcome is what became of an included attempt.
type Outcome uint8

// The outcomes.
const (
	Pending   Outcome = 0 // no attempt is in a block
	Succeeded Outcome = 1
	Reverted  Outcome = 2 // included without effect (a revert, an invalid validation code)
)

// Evidence is what a network says about one [Watch].
type Evidence struct {
	Outcome       Outcome
	Attempt       int      // index of the included attempt; meaningful unless Pending
	Block         Head     // the including block
	Confirmations uint64   // the including block counts as 1
	FeePaid       *big.Int // native coin; nil where unknown
	// Settled: the including block is final under the network's rule, raised
	// by Watch.Confirm, and as many endpoints agree as the network demands.
	Settled bool
	// Known: an endpoint holds an attempt and waits to include it; sending
	// again would tell it nothing new.
	Known bool
	// Consumed: the account's nonce at a final block is above the attempts'.
	Consumed bool
	// Absent: every endpoint that can be reached and is neither syncing nor
	// indexing answered null for transaction and receipt of every attempt.
	Absent bool
	// Err says why the evidence is less than it could be, or why Outcome is
	// Reverted (an error of this package's errors.go); nil otherwise.
	Err error
}

// A Sight is one look at a network.
type Sight struct {
	// Head is the newest block that is believed. A Pending says that a
	// transaction is not in its block any more only where Head is not below
	// that block: after a restart, a network may first see a node that lags.
	// Its Hash may be left out, its Time only where no watch is Timed.
	Head     Head
	Final    Head // newest final block; zero where the rule is a depth and none is deep enough, or it was not asked for
	Evidence []Evidence
	// Replaced: the block that the last look (Network.Track's since) called
	// final is not in the chain any more.
	Replaced bool
}

// A Codec is the part of a network that needs no network: no method does I/O,
// keeps state or takes long.
type Codec interface {
	// Address returns the address of a public key here: curve as in [Account],
	// pub a compressed SEC 1 point. ErrCurve where the chain has no such keys.
	Address(curve string, pub []byte) (string, error)

	// ParseAddress reads an address as a host writes it and returns it as the
	// chain shows it (EIP-55 and the like). Two texts name the same account if
	// and only if the results are equal. ErrAddress for text that is none,
	// ErrChecksum for one whose checksum is wrong.
	ParseAddress(text string) (string, error)

	// Judge says whether an intent could ever be carried out under the
	// network's present options, and the most native coin it may spend.
	// ErrCeiling for an explicit fee, tip or gas above a ceiling, ErrOption for
	// an option that the protocol does not have.
	Judge(Intent) (worst *big.Int, err error)

	// Assemble joins a draft and its signature. sig is r‖s‖v, 65 bytes with v 0
	// or 1, for secp256k1, and r‖s, 64 bytes, for other curves; s is low. Before
	// it returns, the finished bytes have been decoded again by other code than
	// made them, every field compared with job and draft, the digest computed
	// anew and the signer compared with job.Account: ErrMismatch if any differs.
	Assemble(job *Job, draft *Draft, sig []byte) (*Signed, error)
}

// A Network is one configured network. Its methods may be called from several
// goroutines at once; those with a context return soon after it is done, with
// an error that wraps the context's. A network that holds connections is also
// an io.Closer; it is closed when nobody calls it any more.
type Network interface {
	Codec

	// Identify asks which chain this is. A network with a pinned identity
	// (Config.Chain) answers that, or ErrOtherChain.
	Identify(context.Context) (Identity, error)

	// Prepare does what must be asked of the network before a signature:
	// simulation, fees, gas, funds, nonce. It may be called any number of
	// times and changes nothing on the chain by itself. With an error the
	// Draft is nil or has only Head and Balance, which tell of the chain.
	Prepare(context.Context, *Job) (*Draft, error)

	// Send hands bytes to every endpoint that can be reached; nil when at
	// least one took them or had them already. The order of calls for an
	// account is the order of nonces; sending again is harmless.
	Send(context.Context, Signed) error

	// Track looks at the chain once and reports on every watch, in order.
	// since is the newest final block of an earlier look, or zero. An error
	// means nothing was learned about any of them.
	Track(ctx context.Context, since Head, watches []Watch) (*Sight, error)
}

// A Replacer is a network on which an attempt can be replaced by another one
// with the same nonce (BUMP and CANCEL).
type Replacer interface {
	// JudgeReplacement says whether maxFee may be asked for in the place of
	// prior, the attempts so far, of which there is at least one: ErrCeiling, or
	// ErrOption for a step that is too small for any node.
	JudgeReplacement(prior []Attempt, maxFee *big.Int) error

	// PrepareReplacement drafts an attempt that the network would take in the
	// place of prior, the attempts so far. For Bumped the fee is maxFee or, with
	// nil, the least that will do; for Cancel the least that will do. It answers
	// a nil Draft when the last of prior is as good already.
	PrepareReplacement(ctx context.Context, job *Job, prior []Attempt, p Purpose, maxFee *big.Int) (*Draft, error)
}

// A Balancer knows what an account holds.
type Balancer interface {
	// Balance returns native coin in its smallest unit.
	Balance(ctx context.Context, address string) (*big.Int, error)
}

// Fees is what a transaction would cost now, in smallest units.
type Fees struct {
	Base     *big.Int // a unit of gas
	Tip      *big.Int // a unit of gas
	Transfer *big.Int // a plain transfer in all
}

// A FeeQuoter knows what a transaction would cost now.
type FeeQuoter interface {
	Fees(context.Context) (Fees, error)
}

// A Querier reads contracts.
type Querier interface {
	// Query calls a contract without a transaction and returns its answer.
	// from may be nil.
	Query(ctx context.Context, from *Account, contract string, data []byte) ([]byte, error)
}

// A Token is what an account holds of a token, and what its contract says of it.
type Token struct {
	Units    *big.Int
	Decimals int    // -1 where the contract does not say
	Symbol   string // foreign text; "" where the contract does not say
}

// A Tokener is a network with tokens: it takes Intent.Asset.
type Tokener interface {
	// Token asks what an account holds of the token with a contract's address.
	Token(ctx context.Context, account, contract string) (*Token, error)
}

// A Coder makes the call data of functions that a host names by their
// signatures. It asks nobody.
type Coder interface {
	// EncodeCall returns the call data of a function and its arguments, written
	// as a host writes them. peer returns the address that a name stands for, or
	// ErrAddress. ErrFunction, or an *ArgumentError.
	EncodeCall(function string, args []string, peer func(name string) (string, error)) ([]byte, error)

	// EncodeConstructor returns what is appended to the init code of a contract.
	EncodeConstructor(signature string, args []string, peer func(name string) (string, error)) ([]byte, error)

	// CheckFunction says whether EncodeCall would understand a signature, and
	// whether it names what the function returns.
	CheckFunction(function string) (returns bool, err error)

	// DecodeReturns reads what a function that names its returns has returned;
	// ErrRefused for data of another form. It says false where a value is none
	// of the elementary ones or its text is longer than limit bytes.
	DecodeReturns(function string, data []byte, limit int) (values []Typed, fit bool, err error)
}

// A Typed is a value of a contract: the canonical name of its type, and decimal
// digits, true or false, an address as the chain shows it, or 0x and hex for
// everything else, text included.
type Typed struct{ Type, Value string }

// A Log is an event that a contract logged in a transaction.
type Log struct {
	Address []byte   // of the contract, in the chain's binary form
	Topics  [][]byte // at most 4
	Data    []byte
}

// A Logger tells what contracts logged.
type Logger interface {
	// Logs returns the logs of a transaction in a block, in their order.
	// ErrRefused where the node does not have it in one.
	Logs(ctx context.Context, hash string) ([]Log, error)
}

// Status is what a network knows of itself without asking.
type Status struct {
	Up            int    // 0 not known, 1 the last request was answered, 2 it was not
	Height        uint64 // newest block seen
	Answered      int64  // Unix seconds of the last answer by the local clock; 0 none
	BytesSent     uint64 // on the wire, TLS included, since the start
	BytesReceived uint64
	Requests      uint64 // put to its nodes since the start
	Failures      uint64 // of these, without an answer that counts
	Err           error  // why it is down
}

// A Meter reports on a network from memory.
type Meter interface {
	Status() Status
}
