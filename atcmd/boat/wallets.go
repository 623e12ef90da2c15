package boat

import (
	"context"
	"fmt"
	"math/big"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
)

// assetParam and functionParam are what the queries and orders share.
var (
	assetParam    = atcmd.Param{Name: "asset", Kind: atcmd.String, Min: 1, Max: 128}
	functionParam = atcmd.Param{Name: "function", Kind: atcmd.String, Min: 1, Max: dataMax}
	argParam      = atcmd.Param{Name: "arg", Kind: atcmd.String, Optional: true, Repeat: true}
	addressParam  = atcmd.Param{Name: "contract", Kind: atcmd.String, Min: 1, Max: 128}
)

// dataMax is the most that a slot, and so any argument, can hold.
const dataMax = 64 << 10

func (h *Host) walletRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATWALADD", Summary: "a wallet: a key on a network", Forms: atcmd.Set, Class: atcmd.ClassC, PIN: true, Run: h.run(walletAdd),
			Params: []atcmd.Param{walletParam, netParam, optional(keyParam)}},
		{Name: "+BOATWALLST", Summary: "all wallets", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassA, PIN: true, Params: paged(afterParam), Run: h.run(walletList)},
		{Name: "+BOATWALDEL", Summary: "delete a wallet, never its key", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Params: []atcmd.Param{walletParam}, Run: h.run(walletDelete)},
		{Name: "+BOATADDR", Summary: "a wallet's address", Forms: atcmd.Set, Class: atcmd.ClassA, Params: []atcmd.Param{walletParam}, Run: h.run(address)},
		{Name: "+BOATBAL", Summary: "what a wallet holds", Forms: atcmd.Set, Class: atcmd.ClassN, Abort: true, Run: h.run(balance),
			Params: []atcmd.Param{walletParam, optional(assetParam)}},
		{Name: "+BOATQUERY", Summary: "read a contract", Forms: atcmd.Set, Class: atcmd.ClassN, Abort: true, Run: h.run(query),
			Params: []atcmd.Param{{Name: "wallet or net", Kind: atcmd.Name}, addressParam, functionParam, argParam}},
		{Name: "+BOATFEE", Summary: "what a transaction would cost now", Forms: atcmd.Set, Class: atcmd.ClassN, Abort: true, Run: h.run(fee),
			Params: []atcmd.Param{netParam}},
	}
}

func walletAdd(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	a, err := m.AddWallet(ctx, c.Text(0), c.Text(1), c.Text(2))
	if err != nil {
		return err
	}
	c.Info(c.Text(0), a)
	return nil
}

func walletList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	for _, w := range page(c, m.Wallets(), func(w ledger.Wallet) string { return w.Name }) {
		c.Info(w.Name, w.Net, w.Key)
	}
	return nil
}

func walletDelete(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.DeleteWallet(c.Text(0))
}

func address(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	a, err := m.Address(c.Text(0))
	if err != nil {
		return err
	}
	c.Info(a)
	return nil
}

func balance(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	b, err := m.Balance(ctx, c.Text(0), c.Text(1))
	if err != nil {
		return err
	}
	var decimals any // none where nobody says
	if b.Decimals >= 0 {
		decimals = b.Decimals
	}
	symbol := b.Symbol
	if !c.Omitted(1) {
		symbol = atcmd.Clean(symbol, symbolMax)
	}
	c.Info(decimals, b.Units, symbol)
	return nil
}

func query(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	in, err := input(c, 2)
	if err != nil {
		return err
	}
	answer, err := m.Query(ctx, c.Text(0), c.Text(1), in, returnMax)
	if err != nil {
		return argument(err, 3)
	}
	if !answer.Fit {
		c.Hex(answer.Data)
		return nil
	}
	for i, v := range answer.Values {
		c.Info(i+1, v.Type, v.Value)
	}
	return nil
}

// symbolMax is how much of a token's symbol a line shows beside a balance.
const symbolMax = 20

// returnMax is the longest value that a line shows: the line has 120 bytes at
// most.
const returnMax = 80

func fee(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	f, err := m.Fees(ctx, c.Text(0))
	if err != nil {
		return err
	}
	var texts [3]string
	for i, v := range []*big.Int{f.Base, f.Tip, f.Transfer} {
		if texts[i] = v.String(); len(texts[i]) > feeMax {
			return fmt.Errorf("fees of network %s have more than %d digits: %w", c.Text(0), feeMax, chains.ErrRefused)
		}
	}
	c.Info(texts[0], texts[1], texts[2])
	return nil
}

// feeMax is the most digits of a fee: three of them fit a line.
const feeMax = 30
