package boat

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/amount"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

func (h *Host) transactionRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATTXGET", Summary: "state of a transaction", Forms: atcmd.Set, Class: atcmd.ClassA, Params: []atcmd.Param{idParam}, Run: h.run(txGet)},
		{Name: "+BOATTXTRY", Summary: "what was signed for a transaction", Forms: atcmd.Set, Class: atcmd.ClassA, Params: []atcmd.Param{idParam}, Run: h.run(txTry)},
		{Name: "+BOATTXLST", Summary: "open transactions and the last that ended", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassA, Run: h.run(txList),
			Params: paged(atcmd.Param{Kind: atcmd.Number, Max: 1<<31 - 1})},
		{Name: "+BOATTXREF", Summary: "the id that a reference stands for", Forms: atcmd.Set, Class: atcmd.ClassA, Run: h.run(txRef),
			Params: []atcmd.Param{walletParam, {Name: "reference", Kind: atcmd.Name}}},
		{Name: "+BOATTXWAI", Summary: "wait until a transaction has come to a state", Forms: atcmd.Set, Class: atcmd.ClassN, Abort: true, Run: h.run(txWait), Within: waitTime,
			Params: []atcmd.Param{idParam, {Name: "state", Kind: atcmd.Number, Min: 1, Max: 4}, {Name: "s", Kind: atcmd.Number, Min: 1, Max: 180}}},
		{Name: "+BOATTXLOG", Summary: "what contracts logged in a transaction", Forms: atcmd.Set, Class: atcmd.ClassN, Abort: true, Params: []atcmd.Param{idParam}, Run: h.run(txLog)},
		{Name: "+BOATTXBUMP", Summary: "raise the fee of a transaction", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Once: true, Run: h.run(txBump),
			Params: []atcmd.Param{idParam, {Name: "max fee per gas", Kind: atcmd.String, Min: 1, Max: 128}}},
		{Name: "+BOATTXCAN", Summary: "ask that a transaction should not happen", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Once: true, Params: []atcmd.Param{idParam}, Run: h.run(txCancel)},
	}
}

// Bounds of what a line shows.
const (
	confirmationsMax = 65535
	blockMax         = 9999999999999
)

func showTx(c *atcmd.Call, s life.Status) {
	c.Info(s.ID, uint8(s.State), uint16(s.Reason), min(s.Confirmations, confirmationsMax), min(s.Block, blockMax), s.Hash)
}

func txGet(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	s, err := m.Life.Status(c.Number(0))
	if err != nil {
		return err
	}
	showTx(c, s)
	return nil
}

func txTry(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	all, err := m.Life.Attempts(c.Number(0))
	if err != nil {
		return err
	}
	for i, a := range all {
		c.Info(i+1, uint8(a.State), a.Hash)
	}
	return nil
}

func txList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	var all []life.Status
	if c.Form == atcmd.Read {
		all = m.Life.List()
		slices.SortStableFunc(all, openFirst) // what is cut off has ended
		all = all[:min(len(all), listMax)]
	} else {
		all = m.Life.Page(c.Number(0), int(c.Number(1)))
	}
	for _, s := range all {
		c.Info(s.ID, uint8(s.State), uint16(s.Reason), s.Ref)
	}
	return nil
}

// openFirst orders what has ended behind what has not.
func openFirst(a, b life.Status) int {
	switch {
	case a.State.Final() == b.State.Final():
		return 0
	case b.State.Final():
		return -1
	}
	return 1
}

func txRef(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	id, err := m.Life.ByReference(c.Text(0), c.Text(1))
	if err != nil {
		return err
	}
	c.Info(id)
	return nil
}

// waitTime is the time of AT+BOATTXWAI's own, and a second to answer.
func waitTime(c *atcmd.Call) time.Duration { return time.Duration(c.Number(2)+1) * time.Second }

func txWait(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	wait, cancel := context.WithTimeout(ctx, time.Duration(c.Number(2))*time.Second)
	defer cancel()
	s, err := m.Life.Wait(wait, c.Number(0), ledger.TxState(c.Number(1)))
	if errors.Is(err, context.DeadlineExceeded) {
		return refusal.ErrTimeout
	}
	if err != nil {
		return err
	}
	showTx(c, s)
	return nil
}

// Items of a log.
const (
	logAddress = 0 // then topics, from 1
	logData    = 5
)

func txLog(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	logs, err := m.Logs(ctx, c.Number(0))
	if err != nil {
		return err
	}
	for i, l := range logs {
		showLog(c, uint32(i), l.Address, l.Topics, l.Data)
	}
	return nil
}

func showLog(c *atcmd.Call, log uint32, address []byte, topics [][]byte, data []byte) {
	c.Hex(address, log, logAddress)
	for i, topic := range topics {
		c.Hex(topic, log, uint32(i)+1)
	}
	c.Hex(data, log, logData)
}

func txBump(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	fee, err := amount.Native(c.Text(1))
	if err != nil {
		return err
	}
	return m.Life.Bump(c.Number(0), fee)
}

func txCancel(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.Life.Cancel(c.Number(0))
}
