package boat

import (
	"context"
	"errors"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/amount"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/refusal"
)

// Codes that this room answers with by itself.
const (
	codeNotNow     = 3
	codeNotBuilt   = 4
	codeNoOption   = 22
	codeCharacters = 25
	codeParameters = 50
	codeLocked     = 7001
	codePINBlocked = 7002
	codeNotAllowed = 7003
	codeStarting   = 7005
	codeInUse      = 7014
	codeNoStore    = 7017
	codeFunction   = 7032
	codeSelfTest   = 7090
)

// codes is the one table that turns errors of the rooms below into codes. The
// first row that fits counts: what a command was refused for stands before what
// was behind it.
var codes = []struct {
	err  error
	code int
}{
	{refusal.ErrNotNow, codeNotNow},
	{refusal.ErrNotBuilt, codeNotBuilt},
	{refusal.ErrBusy, 14},
	{refusal.ErrWrongPIN, 16},
	{refusal.ErrPassphrase, 16},
	{refusal.ErrFull, 20},
	{refusal.ErrNoOption, codeNoOption},
	{book.ErrFlash, 23},
	{refusal.ErrTooLong, 24},
	{refusal.ErrBadName, codeCharacters},
	{refusal.ErrNoBearer, 30},
	{refusal.ErrBadValue, codeParameters},
	{refusal.ErrPINBlocked, codePINBlocked},
	{refusal.ErrNotAllowed, codeNotAllowed},
	{refusal.ErrByPolicy, 7004},
	{refusal.ErrNoKey, 7010},
	{refusal.ErrNoNetwork, 7011},
	{refusal.ErrNoWallet, 7012},
	{refusal.ErrExists, 7013},
	{refusal.ErrInUse, codeInUse},
	{refusal.ErrKeyInactive, 7015},
	{refusal.ErrCannot, 7016},
	{refusal.ErrNoStore, codeNoStore},
	{refusal.ErrStoreFull, 7018},
	{refusal.ErrNoTx, 7020},
	{refusal.ErrWrongState, 7021},
	{refusal.ErrQueueFull, 7022},
	{refusal.ErrBadFunction, codeFunction},
	{refusal.ErrSelfTest, codeSelfTest},
	{chains.ErrChecksum, 7034},
	{refusal.ErrBadData, 7033},
	{chains.ErrFunction, codeFunction},
	{chains.ErrArgument, 7033},
	{chains.ErrAddress, 7030},
	{amount.ErrAmount, 7031},
	{chains.ErrOption, codeParameters},
	{chains.ErrCurve, 7016},
	{chains.ErrCeiling, 7045},
	{chains.ErrOtherChain, 7042},
	{chains.ErrReverts, 7043},
	{chains.ErrFunds, 7044},
	{chains.ErrDisagree, 7046},
	{chains.ErrNonceAhead, 7046},
	{chains.ErrInvalidated, 7048},
	{chains.ErrBudget, 7049},
	{refusal.ErrTimeout, 31},
	{context.DeadlineExceeded, 31},
	{chains.ErrUnreachable, 7040},
	{chains.ErrRefused, 7041},
	{chains.ErrUnderpriced, 7041},
	{chains.ErrMismatch, 7099},
}

// coded gives an error its code. What is in no row stays as it is: the server
// answers 100, and an aborted command 52.
func coded(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var e *atcmd.Error
	if errors.As(err, &e) {
		return err
	}
	for _, row := range codes {
		if errors.Is(err, row.err) {
			return atcmd.Fail(row.code, err)
		}
	}
	return err
}
