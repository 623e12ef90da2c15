package boat

import (
	"context"
	"encoding/hex"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/wallet"
)

func (h *Host) signingRows() []atcmd.Command {
	scheme := atcmd.Param{Name: "scheme", Kind: atcmd.Number, Max: 3}
	source := atcmd.Param{Name: "source", Kind: atcmd.Source}
	return []atcmd.Command{
		{Name: "+BOATSIGN", Summary: "sign something that is no transaction: 0 a message, 1 typed data, 2 COSE_Sign1, 3 a bare digest", Forms: atcmd.Set, Class: atcmd.ClassC, PIN: true, Once: true, Run: h.run(sign),
			Params: []atcmd.Param{keyParam, scheme, source}},
		{Name: "+BOATVERIFY", Summary: "say whether a signature is good", Forms: atcmd.Set, Class: atcmd.ClassB, Run: h.run(verify),
			Params: []atcmd.Param{{Name: "address or public key", Kind: atcmd.String, Min: 1, Max: 68}, scheme, source, {Name: "signature", Kind: atcmd.Source}}},
	}
}

func sign(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	signature, signed, err := m.Sign(ctx, c.Text(0), c.Number(1), c.Bytes(2))
	if err != nil {
		return err
	}
	c.Hex(signature)
	c.Info(hex.EncodeToString(signed))
	return nil
}

func verify(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	good, err := m.Verify(c.Text(0), c.Number(1), c.Bytes(2), c.Bytes(3))
	if err != nil {
		return err
	}
	c.Info(good)
	return nil
}
