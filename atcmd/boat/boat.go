// Package boat is the AT+BOAT command set: a thin translation between AT
// commands and the wallet, and the only room that knows both. A row here reads
// arguments, calls one thing, and writes lines; what is not translation is in
// the wrong room.
package boat

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
)

// A Host is the daemon as the commands see it. They can be asked before the
// wallet is open: then most of them answer 7005.
type Host struct {
	Start       time.Time         // of the process
	Items       map[string]string // of AT+BOATINFO that do not change: version, api, build ...
	PINRequired bool
	Bearer      func() bool
	LockAll     func() // locks every channel
	Reload      func() // has every channel read its settings again
	Log         *slog.Logger

	feed    *Feed
	manager atomic.Pointer[wallet.Manager]
	sealed  atomic.Bool // the key stores are usable
}

// SetManager gives the commands their wallet.
func (h *Host) SetManager(m *wallet.Manager, storesUsable bool) {
	h.sealed.Store(storesUsable)
	h.manager.Store(m)
	if h.feed != nil {
		m.Book.Subscribe(h.feed.news)
		h.feed.news()
	}
}

// SetItem adds an item of AT+BOATINFO before the commands have their wallet.
func (h *Host) SetItem(item, value string) { h.Items[item] = value }

// ChannelSettings returns what a channel remembers, nil before the wallet is
// open.
func (h *Host) ChannelSettings(channel string) []byte {
	if m := h.manager.Load(); m != nil {
		return m.Channel(channel)
	}
	return nil
}

// SaveChannel keeps what a channel remembers.
func (h *Host) SaveChannel(channel string, settings []byte) error {
	m := h.manager.Load()
	if m == nil {
		return atcmd.Fail(codeStarting, nil)
	}
	return coded(m.SetChannel(channel, settings))
}

// Rows returns every AT+BOAT command but those of the channel itself
// (atcmd.ChannelRows).
func (h *Host) Rows() []atcmd.Command {
	var rows []atcmd.Command
	for _, group := range [][]atcmd.Command{h.systemRows(), h.accessRows(), h.keyRows(), h.networkRows(), h.walletRows(), h.orderRows(), h.transactionRows(), h.eventRows(), h.signingRows()} {
		rows = append(rows, group...)
	}
	return rows
}

// Locked is the answer to a command that needs the PIN on a locked channel.
func (h *Host) Locked() error {
	if !h.PINRequired {
		return nil
	}
	m := h.manager.Load()
	if m == nil {
		return atcmd.Fail(codeStarting, nil)
	}
	if asked, _ := m.PIN(); asked == access.PUK || asked == access.Blocked {
		return atcmd.Fail(codePINBlocked, nil)
	}
	return atcmd.Fail(codeLocked, nil)
}

// run makes a row's function of one that needs the wallet, and turns what it
// answers into a code.
func (h *Host) run(f func(context.Context, *wallet.Manager, *atcmd.Call) error) func(context.Context, *atcmd.Call) error {
	return func(ctx context.Context, c *atcmd.Call) error {
		m := h.manager.Load()
		if m == nil {
			return atcmd.Fail(codeStarting, nil)
		}
		return coded(f(ctx, m, c))
	}
}

// Parameters that many commands have.
var (
	keyParam    = atcmd.Param{Name: "key", Kind: atcmd.Name}
	netParam    = atcmd.Param{Name: "net", Kind: atcmd.Name}
	walletParam = atcmd.Param{Name: "wallet", Kind: atcmd.Name}
	peerParam   = atcmd.Param{Name: "peer", Kind: atcmd.Name}
	idParam     = atcmd.Param{Name: "id", Kind: atcmd.Number, Min: 1, Max: 1<<31 - 1}
	maxParam    = atcmd.Param{Name: "max", Kind: atcmd.Number, Min: 1, Max: 256}
)

// optional returns a parameter that may be left out.
func optional(p atcmd.Param) atcmd.Param {
	p.Optional = true
	return p
}

// paged are the parameters of a list that is read in pages.
func paged(after atcmd.Param) []atcmd.Param {
	after.Name = "after"
	return []atcmd.Param{after, maxParam}
}

// listMax is how many entries the read form of a list shows.
const listMax = 16

// page returns what one page of a list shows: after a name, at most so many;
// the first ones for the read form. An empty name is before all.
func page[T any](c *atcmd.Call, all []T, name func(T) string) []T {
	limit := listMax
	if c.Form == atcmd.Set {
		after := c.Text(0)
		for len(all) > 0 && name(all[0]) <= after {
			all = all[1:]
		}
		limit = int(c.Number(1))
	}
	return all[:min(len(all), limit)]
}

// afterParam is the name behind which a page begins; empty for the first one.
var afterParam = atcmd.Param{Name: "after", Kind: atcmd.String, Max: 16}

// hostOf shows a URL as its host, as far as it has one.
func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		rest = url
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return rest
}

// foreignMax is how much of a text from outside a line shows.
const foreignMax = 60

func shown(text string) string { return atcmd.Clean(text, foreignMax) }

// badArgument is the fault of argument i.
func badArgument(code, i int, format string, args ...any) error {
	return &atcmd.Error{Code: code, Param: i, Detail: fmt.Sprintf(format, args...)}
}
