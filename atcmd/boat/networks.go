package boat

import (
	"context"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
)

func (h *Host) networkRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATNETLST", Summary: "all networks", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassA, Params: paged(afterParam), Run: h.run(netList)},
		{Name: "+BOATNETGET", Summary: "options of a network", Forms: atcmd.Set, Class: atcmd.ClassA, Params: []atcmd.Param{netParam}, Run: h.run(netGet)},
		{Name: "+BOATNETADD", Summary: "add a network, where net.allow_add is set", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(netAdd),
			Params: []atcmd.Param{netParam, {Name: "protocol", Kind: atcmd.String, Min: 1, Max: 16}, {Name: "url", Kind: atcmd.String, Min: 1, Max: 512},
				optional(atcmd.Param{Name: "chain id", Kind: atcmd.String, Min: 1, Max: 78})}},
		{Name: "+BOATNETSET", Summary: "change an option of a network", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(netSet),
			Params: []atcmd.Param{netParam, {Name: "option", Kind: atcmd.String, Min: 1, Max: 24}, {Name: "value", Kind: atcmd.String, Max: 1024}}},
		{Name: "+BOATNETDEL", Summary: "delete a network that AT added", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Params: []atcmd.Param{netParam}, Run: h.run(netDelete)},
		{Name: "+BOATPEERADD", Summary: "name an address", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(peerAdd),
			Params: []atcmd.Param{peerParam, netParam, {Name: "address", Kind: atcmd.String, Min: 1, Max: 128}, optional(atcmd.Param{Name: "decimals", Kind: atcmd.Number, Max: 77})}},
		{Name: "+BOATPEERLST", Summary: "all peers", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassA, PIN: true, Params: paged(afterParam), Run: h.run(peerList)},
		{Name: "+BOATPEERDEL", Summary: "delete a peer", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Params: []atcmd.Param{peerParam}, Run: h.run(peerDelete)},
	}
}

func netList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	for _, n := range page(c, m.Nets.List(), func(n *nets.Net) string { return n.Name }) {
		id := n.Pinned.ChainID
		if id == "" {
			id = n.Options.Text("chain_id")
		}
		c.Info(n.Name, n.Protocol.Name, shown(id))
	}
	return nil
}

func netGet(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	all, err := m.Nets.Settings(c.Text(0))
	if err != nil {
		return err
	}
	for _, s := range all {
		value := s.Value
		if s.Option == "endpoints" {
			value = hostOf(value)
		}
		c.Info(s.Option, atcmd.Clean(value, valueMax))
	}
	return nil
}

// valueMax is how much of an option's value a line shows: a hash whole.
const valueMax = 66

func netAdd(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.Nets.Add(c.Text(0), c.Text(1), c.Text(2), c.Text(3))
}

func netSet(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	if c.Text(1) == nets.AcceptNewChain {
		return m.Life.AcceptChain(c.Text(0), c.Text(2))
	}
	if err := m.Nets.Set(c.Text(0), c.Text(1), c.Text(2)); err != nil {
		return err
	}
	m.Life.Kick(c.Text(0))
	return nil
}

func netDelete(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.Nets.Delete(c.Text(0))
}

func peerAdd(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	var decimals *uint8
	if !c.Omitted(3) {
		d := uint8(c.Number(3))
		decimals = &d
	}
	return m.AddPeer(c.Text(0), c.Text(1), c.Text(2), decimals)
}

func peerList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	for _, p := range page(c, m.Peers(), func(p ledger.Peer) string { return p.Name }) {
		var decimals any
		if p.Decimals != nil {
			decimals = *p.Decimals
		}
		c.Info(p.Name, decimals, p.Net, p.Address)
	}
	return nil
}

func peerDelete(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.DeletePeer(c.Text(0))
}
