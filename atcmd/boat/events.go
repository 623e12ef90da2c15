package boat

import (
	"context"
	"sync"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/wallet"
)

func (h *Host) eventRows() []atcmd.Command {
	seq := atcmd.Param{Name: "after seq", Kind: atcmd.Number, Max: 1<<32 - 1}
	return []atcmd.Command{
		{Name: "+BOATSUBADD", Summary: "be told of an event of a contract", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(subAdd),
			Params: []atcmd.Param{netParam, addressParam, {Name: "event", Kind: atcmd.String, Min: 1, Max: dataMax}, {Name: "indexed value", Kind: atcmd.String, Optional: true, Repeat: true, Gaps: true}}},
		{Name: "+BOATSUBLST", Summary: "subscriptions", Forms: atcmd.Read, Class: atcmd.ClassB, PIN: true, Run: h.run(subList)},
		{Name: "+BOATSUBDEL", Summary: "end a subscription", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Run: h.run(subDelete),
			Params: []atcmd.Param{{Name: "n", Kind: atcmd.Number, Min: 1, Max: 1<<32 - 1}}},
		{Name: "+BOATEVTLST", Summary: "unsolicited codes that are retained", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassA, Run: h.run(eventList),
			Params: []atcmd.Param{seq, maxParam}},
		{Name: "+BOATEVTGET", Summary: "what a contract logged", Forms: atcmd.Set, Class: atcmd.ClassA, Run: h.run(eventGet),
			Params: []atcmd.Param{{Name: "record", Kind: atcmd.Number, Min: 1, Max: 1<<32 - 1}}},
		{Name: "+BOATEVTACK", Summary: "forget unsolicited codes up to a number, for all channels", Forms: atcmd.Set, Class: atcmd.ClassB, Run: h.run(eventAck),
			Params: []atcmd.Param{{Name: "seq", Kind: atcmd.Number, Max: 1<<32 - 1}}},
	}
}

func eventList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	if c.Form == atcmd.Read {
		first, last := m.Book.RetainedRange()
		c.Info(first, last)
		return nil
	}
	for _, e := range m.Book.Retained(c.Number(0), int(c.Number(1))) {
		c.Info(append([]any{e.Seq, e.Name}, e.Fields...)...)
	}
	return nil
}

func eventAck(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.Acknowledge(c.Number(0))
}

func subAdd(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	const first = 3
	values := make([]*string, max(0, c.NArgs()-first))
	for i := range values {
		if !c.Omitted(first + i) {
			text := c.Text(first + i)
			values[i] = &text
		}
	}
	n, release, err := m.Subscribe(c.Text(0), c.Text(1), c.Text(2), values)
	if err != nil {
		return argument(err, first)
	}
	c.AfterFinal(release)
	c.Info(n)
	return nil
}

func subList(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	for _, s := range m.Subs.List() {
		c.Info(s.N, s.Net, s.Filter.Contract)
	}
	return nil
}

func subDelete(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return m.Subs.Delete(c.Number(0))
}

func eventGet(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	e, err := m.Subs.Event(c.Number(0))
	if err != nil {
		return err
	}
	c.Info(min(e.Block, blockMax), e.Index, e.TxHash())
	showLog(c, uint32(e.Index), e.Origin, e.Topics, e.Data)
	return nil
}

// A Feed is the wallet's events as the server tells them. It can be asked before
// the wallet is open.
type Feed struct {
	host *Host

	mu   sync.Mutex
	wake map[chan<- struct{}]bool
}

// NewFeed returns the feed of a host's events.
func NewFeed(h *Host) *Feed {
	f := &Feed{host: h, wake: map[chan<- struct{}]bool{}}
	h.feed = f
	return f
}

// Last returns the number of the newest event.
func (f *Feed) Last() uint32 {
	if m := f.host.manager.Load(); m != nil {
		return m.Book.LastEvent()
	}
	return 0
}

// After returns at most limit events above seq, in order.
func (f *Feed) After(seq uint32, limit int) []atcmd.URC {
	m := f.host.manager.Load()
	if m == nil {
		return nil
	}
	events := m.Book.EventsAfter(seq, limit)
	codes := make([]atcmd.URC, len(events))
	for i, e := range events {
		codes[i] = atcmd.URC{Seq: e.Seq, Mask: uint16(e.Topic), Name: e.Name, Fields: e.Fields, Hash: e.Hash}
	}
	return codes
}

// Subscribe has wake filled whenever there may be new events.
func (f *Feed) Subscribe(wake chan<- struct{}) (cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wake[wake] = true
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.wake, wake)
	}
}

// news wakes all who subscribed.
func (f *Feed) news() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.wake {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
