package boat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// infoItems are the items of AT+BOATINFO, in the order in which they are shown.
var infoItems = []string{"version", "api", "build", "instance", "channel", "protocols", "stores", "protection", "seal", "limits", "support"}

func (h *Host) systemRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATREADY", Summary: "which parts are ready, how often boatd has started and for how long it runs", Forms: atcmd.Read, Class: atcmd.ClassA, Run: h.ready},
		{Name: "+BOATINFO", Summary: "facts about this boatd", Forms: atcmd.Exec | atcmd.Set, Class: atcmd.ClassA, Run: h.run(h.info),
			Params: []atcmd.Param{{Name: "item", Kind: atcmd.String, Max: 16}}},
		{Name: "+BOATSTAT", Summary: "networks as last seen, from memory", Forms: atcmd.Exec | atcmd.Set, Class: atcmd.ClassA, Run: h.run(stat),
			Params: []atcmd.Param{netParam}},
		{Name: "+BOATDIAG", Summary: "self test", Forms: atcmd.Exec, Class: atcmd.ClassC, Run: h.run(diag)},
		{Name: "+BOATTIME", Summary: "the trusted time", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(clock),
			Params: []atcmd.Param{{Name: "unix s", Kind: atcmd.Number, Max: 1<<32 - 1}}},
		{Name: "+BOATIDLE", Summary: "whether the host may sleep", Forms: atcmd.Read, Class: atcmd.ClassA, Run: h.run(idle)},
		{Name: "+BOATOFF", Summary: "settle and stop network work, so that power may be cut", Forms: atcmd.Exec, Class: atcmd.ClassB, Run: h.run(off)},
		{Name: "+BOATRESET", Summary: "reset: 0 slots and events, 1 transactions never signed, 2 to the provisioned state", Forms: atcmd.Set, Class: atcmd.ClassC, Once: true, Run: h.run(h.reset),
			Params: []atcmd.Param{{Name: "level", Kind: atcmd.Number, Max: 2}, optional(atcmd.Param{Name: "pin", Kind: atcmd.Secret}),
				optional(atcmd.Param{Name: "force", Kind: atcmd.Number, Min: 1, Max: 1})}},
	}
}

// Bits of AT+BOATREADY.
const (
	readyJournal = 1 << iota
	readyStores
	readyClock
	readyBearer
	readyNetwork
)

// Ready returns the mask of AT+BOATREADY.
func (h *Host) Ready() (mask int, starts uint64) {
	if h.Bearer() {
		mask |= readyBearer
	}
	m := h.manager.Load()
	if m == nil {
		return mask, 0
	}
	mask |= readyJournal
	if h.sealed.Load() {
		mask |= readyStores
	}
	if _, source := m.Time(); source != wallet.NoTime {
		mask |= readyClock
	}
	for _, n := range m.Nets.List() {
		if meter, ok := n.Network.(chains.Meter); ok && meter.Status().Answered != 0 {
			mask |= readyNetwork
		}
	}
	m.Book.View(func(st *ledger.State) { starts = st.Meta.Starts })
	return mask, starts
}

func (h *Host) ready(_ context.Context, c *atcmd.Call) error {
	mask, starts := h.Ready()
	c.Info(mask, starts, int64(time.Since(h.Start)/time.Second))
	return nil
}

func (h *Host) info(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	wanted := infoItems
	if c.Form == atcmd.Set {
		if !slices.Contains(infoItems, c.Text(0)) {
			return badArgument(codeNoOption, 0, "no such item")
		}
		wanted = []string{c.Text(0)}
	}
	for _, item := range wanted {
		c.Info(item, h.item(m, c, item))
	}
	return nil
}

// item returns an item of AT+BOATINFO as it is now.
func (h *Host) item(m *wallet.Manager, c *atcmd.Call, item string) string {
	switch item {
	case "instance":
		var id []byte
		m.Book.View(func(st *ledger.State) { id = st.Meta.Instance })
		return fmt.Sprintf("%x", id)
	case "channel":
		return c.Session().Channel()
	case "stores":
		var names []string
		for _, s := range m.Keys.Stores() {
			names = append(names, s.Name())
		}
		return strings.Join(names, " ")
	case "protection":
		return m.Protection()
	case "limits":
		return fmt.Sprintf("keys %d wallets %d networks %d peers %d data %d", keys.MaxKeys, wallet.MaxWallets, nets.MaxNetworks, wallet.MaxPeers, life.MaxData)
	}
	return h.Items[item]
}

func stat(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	all := m.Nets.List()
	if c.Form == atcmd.Set {
		n, err := m.Nets.Get(c.Text(0))
		if err != nil {
			return err
		}
		all = []*nets.Net{n}
	}
	for _, n := range all {
		var s chains.Status
		if meter, ok := n.Network.(chains.Meter); ok {
			s = meter.Status()
		}
		age := int64(0)
		if s.Answered != 0 {
			age = max(0, time.Now().Unix()-s.Answered)
		}
		c.Info(n.Name, s.Up, min(s.Height, blockMax), age, s.BytesSent/1000, s.BytesReceived/1000, m.Life.Waiting(n.Name))
	}
	return nil
}

func diag(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	bad := 0
	for _, check := range m.Diagnose(ctx) {
		c.Info(shown(check.Item), check.Err == nil)
		if check.Err != nil {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d parts: %w", bad, refusal.ErrSelfTest)
	}
	return nil
}

func clock(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	if c.Form == atcmd.Set {
		if err := m.SetTime(int64(c.Number(0))); err != nil {
			return err
		}
	}
	t, source := m.Time()
	c.Info(t.Unix(), uint8(source))
	return nil
}

// Bits of AT+BOATIDLE.
const (
	busyNetwork = 1 << iota // a conversation with a node is under way
	busyWaiting             // transactions have not ended
)

// idleMax stands for "not by itself" in AT+BOATIDLE.
const idleMax = 1<<32 - 1

func idle(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	i := m.Life.Idle()
	mask := 0
	if i.Busy {
		mask |= busyNetwork
	}
	if i.Open > 0 {
		mask |= busyWaiting
	}
	next := int64(idleMax)
	if i.Next != life.Forever {
		next = min(next, int64((i.Next+time.Second-1)/time.Second))
	}
	c.Info(mask, next)
	return nil
}

func off(ctx context.Context, m *wallet.Manager, _ *atcmd.Call) error {
	return m.Off(ctx)
}

func (h *Host) reset(ctx context.Context, m *wallet.Manager, c *atcmd.Call) error {
	switch c.Number(0) {
	case 0:
		for n := range slotCount {
			c.Session().WipeSlot(n)
		}
		m.Book.ForgetEvents()
		return nil
	case 1:
		if !c.Session().Unlocked() {
			if err := h.Locked(); err != nil {
				return err
			}
		}
		return m.Life.CancelUnsigned()
	}
	err := m.FactoryReset(ctx, c.Bytes(1), c.Number(2) == 1)
	var open *wallet.OpenError
	if errors.As(err, &open) {
		for _, id := range open.IDs {
			c.Info(id)
		}
	}
	if err == nil || errors.Is(err, refusal.ErrNoStore) {
		h.LockAll()
		h.Reload()
	}
	return h.wrong(m, err)
}

// slotCount is how many data slots a channel has.
const slotCount = 8
