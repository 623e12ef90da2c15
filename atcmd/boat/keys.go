package boat

import (
	"context"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
)

func (h *Host) keyRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATKEYGEN", Summary: "generate a key inside a store", Forms: atcmd.Set, Class: atcmd.ClassC, PIN: true, Run: h.run(keyGenerate),
			Params: []atcmd.Param{keyParam,
				optional(atcmd.Param{Name: "curve", Kind: atcmd.String, Values: []string{keystore.Secp256k1, keystore.Secp256r1}}),
				optional(atcmd.Param{Name: "store", Kind: atcmd.String, Values: keys.Strength}),
				optional(atcmd.Param{Name: "usage", Kind: atcmd.String, Min: 1, Max: 8})}},
		{Name: "+BOATKEYLST", Summary: "all keys", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassA, Params: paged(afterParam), Run: h.run(keyList)},
		{Name: "+BOATKEYGET", Summary: "facts about a key", Forms: atcmd.Set, Class: atcmd.ClassA, Params: []atcmd.Param{keyParam}, Run: h.run(keyGet)},
		{Name: "+BOATKEYPUB", Summary: "the public key, compressed", Forms: atcmd.Set, Class: atcmd.ClassA, Params: []atcmd.Param{keyParam}, Run: h.run(keyPublic)},
		{Name: "+BOATKEYSET", Summary: "state of a key: 1 active, 2 suspended, 3 retired, 4 compromised", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(keySet),
			Params: []atcmd.Param{keyParam, {Name: "state", Kind: atcmd.Number, Min: 1, Max: 4}}},
		{Name: "+BOATKEYIMP", Summary: "import a private key; its slot is wiped whatever the result", Forms: atcmd.Set, Class: atcmd.ClassC, PIN: true, Once: true, Burn: true, Run: h.run(keyImport),
			Params: []atcmd.Param{keyParam, {Name: "format", Kind: atcmd.Number, Max: 3}, {Name: "source", Kind: atcmd.Source},
				optional(atcmd.Param{Name: "passphrase", Kind: atcmd.Secret}), optional(atcmd.Param{Name: "path", Kind: atcmd.String, Max: 64})}},
		{Name: "+BOATKEYEXP", Summary: "write an exportable key into a slot, under a passphrase: 1 PEM, 2 Web3", Forms: atcmd.Set, Class: atcmd.ClassC, PIN: true, Once: true, Run: h.run(keyExport),
			Params: []atcmd.Param{keyParam, {Name: "format", Kind: atcmd.Number, Min: 1, Max: 2}, {Name: "passphrase", Kind: atcmd.Secret, Min: 1}, {Name: "slot", Kind: atcmd.Number, Max: slotCount - 1}}},
		{Name: "+BOATKEYDEL", Summary: "destroy a key that no wallet and no transaction uses", Forms: atcmd.Set, Class: atcmd.ClassC, PIN: true, Params: []atcmd.Param{keyParam}, Run: h.run(keyDelete)},
	}
}

func keyGenerate(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	k, err := m.Keys.Generate(ctx, keys.Request{Name: c.Text(0), Curve: c.Text(1), Store: c.Text(2), Usage: c.Text(3)})
	if err != nil {
		return err
	}
	c.Info(k.Name, k.Curve, k.Store)
	return nil
}

func keyList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	for _, k := range page(c, m.Keys.List(), func(k ledger.Key) string { return k.Name }) {
		c.Info(k.Name, uint8(k.State), k.Curve, k.Store)
	}
	return nil
}

func keyGet(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	k, err := m.Keys.Get(c.Text(0))
	if err != nil {
		return err
	}
	c.Info(k.Name, uint8(k.State), k.Exportable, k.Signatures, k.Curve, k.Store, k.Usage)
	return nil
}

func keyPublic(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	k, err := m.Keys.Get(c.Text(0))
	if err != nil {
		return err
	}
	c.Hex(k.Public)
	return nil
}

func keySet(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	if err := m.Keys.SetState(c.Text(0), ledger.KeyState(c.Number(1))); err != nil {
		return err
	}
	m.Life.KickAll()
	return nil
}

// formatRaw is a private key as 32 bytes; the other formats are those of
// keys.Config.Files.
const formatRaw = 0

func keyImport(ctx context.Context, m *wallet.Manager, c *atcmd.Call) (err error) {
	if c.Number(1) != formatRaw {
		_, err = m.Keys.ImportFile(ctx, c.Text(0), c.Number(1), c.Bytes(2), c.Bytes(3), c.Text(4), m.AccountsOf)
		return err
	}
	if !c.Omitted(3) || !c.Omitted(4) {
		return badArgument(codeParameters, 3, "a raw key has neither passphrase nor path")
	}
	_, err = m.Keys.Import(ctx, c.Text(0), keystore.Secp256k1, c.Bytes(2), m.AccountsOf(keystore.Secp256k1))
	return err
}

func keyExport(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	file, err := m.Keys.Export(ctx, c.Text(0), c.Number(1), c.Bytes(2))
	if err != nil {
		return err
	}
	defer clear(file)
	return c.Session().SetSlot(int(c.Number(3)), file)
}

func keyDelete(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.Keys.Delete(ctx, c.Text(0))
}
