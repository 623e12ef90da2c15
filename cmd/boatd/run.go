package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/atcmd/boat"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/internal/logs"
	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/soft"
	"github.com/boatd/boatd/tee"
	"github.com/boatd/boatd/tee/device"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/life"
	"github.com/spf13/pflag"
)

// A daemon is a running boatd.
type daemon struct {
	cfg    *config.Config
	log    *slog.Logger
	lines  *logs.Log // what log writes to
	start  time.Time
	host   *boat.Host
	server *atcmd.Server
	bearer *bearer
	notify *notifier

	sealer  tee.Sealer
	manager *wallet.Manager
	wg      sync.WaitGroup
}

func runDaemon(e *env, flags *pflag.FlagSet) error {
	cfg, err := loadConfig(e, flags)
	if err != nil {
		return err
	}
	log, err := newLogger(cfg.Log, e.stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	saveMemory(e.environ)
	d := &daemon{cfg: cfg, log: log.Logger, lines: log, start: time.Now()}
	return d.run(ctx)
}

// garbageShare is how much garbage may lie beside what is in use, in percent,
// before it is collected. Go's own 100 lets the heap of a boatd that holds a
// megabyte or two grow to four; half of that costs one transaction a hundredth more.
const garbageShare = 50

// saveMemory keeps the heap small, unless the environment says how large it may be.
func saveMemory(environ []string) {
	if !slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(garbageShare)
	}
}

// run lives until ctx is done. Hosts are answered from the first moment; the
// wallet joins when its journal is read.
func (d *daemon) run(ctx context.Context) error {
	unlock, err := d.claimState()
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.openServer(); err != nil {
		return err
	}
	d.log.Info("boatd starts", "version", version, "build", buildTime().UTC().Format(time.DateOnly), "keys", soft.Flavour())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.bearer = openBearer(d.log)
	if err := d.openChannels(ctx, cancel); err != nil {
		return err
	}
	defer d.wg.Wait()
	defer cancel()
	if err := d.openWallet(ctx); err != nil {
		return err
	}
	usable := d.storesUsable(ctx)
	d.host.SetItem("seal", d.sealer.Label())
	d.host.SetManager(d.manager, usable)
	d.server.Reload()
	if err := d.serveMetrics(ctx); err != nil {
		d.log.Error("metrics are not served", "err", err)
	}
	d.tellReady()
	d.notify.ready()
	d.wg.Go(func() { d.bearer.run(ctx, d.bearerChanged) })
	d.wg.Go(func() { d.notify.watch(ctx, d.alive) })
	d.manager.Run(ctx)
	<-ctx.Done()
	d.notify.stopping()
	d.log.Info("boatd stops")
	cancel()
	d.wg.Wait()
	return d.manager.Close()
}

// claimState makes sure that keys will be kept on storage that lasts, and that
// no other boatd uses them.
func (d *daemon) claimState() (release func(), err error) {
	dir := d.cfg.StateDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	if err := vfs.CheckDurable(dir); err != nil && !d.cfg.AllowVolatileState {
		return nil, &exitError{code: exitConfig, err: fmt.Errorf("state_dir %s: %w", dir, err),
			hint: "put state_dir on flash that survives a reboot; allow_volatile_state = true is for benches"}
	}
	lock, err := vfs.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("locking the state directory %s: %w", dir, err)
	}
	return func() { lock.Close() }, nil
}

// openServer builds the command table and the AT server.
func (d *daemon) openServer() (err error) {
	d.notify = newNotifier(os.Getenv, d.log)
	d.host = newHost(d.cfg, d.start, d.log)
	d.host.Bearer = func() bool { return d.bearer.up() }
	d.host.LockAll = func() { d.server.LockAll() }
	d.host.Reload = func() { d.server.Reload() }
	table, err := commandTable(d.host)
	if err != nil {
		return err
	}
	d.server, err = atcmd.NewServer(atcmd.Config{
		Table: table, Settings: channelSettings{d.host}, Feed: boat.NewFeed(d.host), Locked: d.host.Locked, Log: d.log,
		Identity: atcmd.Identity{Manufacturer: "boatd", Model: "boatd", Revision: version},
	})
	return err
}

// commandTable is every AT command of this build.
func commandTable(h *boat.Host) (*atcmd.Table, error) {
	return atcmd.NewTable(atcmd.StandardRows(), atcmd.ChannelRows(), h.Rows())
}

// newHost makes what the AT+BOAT commands know of the daemon.
func newHost(cfg *config.Config, start time.Time, log *slog.Logger) *boat.Host {
	return &boat.Host{Start: start, PINRequired: cfg.AT.PINRequired, Log: log, Items: map[string]string{
		"version": version, "api": "1", "build": buildTime().UTC().Format(time.DateOnly),
		"protocols": strings.Join(protocols().Names(), " "), "support": "github.com/boatd/boatd",
	}}
}

// openWallet opens journal, keys and networks.
func (d *daemon) openWallet(ctx context.Context) error {
	dir, err := vfs.OS(d.cfg.StateDir)
	if err != nil {
		return fmt.Errorf("opening the state directory: %w", err)
	}
	d.sealer = device.New(device.Options{FS: dir, IDs: d.cfg.Keystore.DeviceIDs, ReadID: device.ReadID, Rand: rand.Reader})
	soft.Warm()
	d.manager, err = wallet.Open(ctx, wallet.Config{
		FS: dir, Rand: rand.Reader, Now: time.Now, BuildDate: buildTime(), Log: d.log,
		Protocols: protocols(), Networks: d.cfg.Networks, AllowAdd: d.cfg.Net.AllowAdd, Bearer: d.bearer.reaches,
		Deps: chains.Deps{AllowedHosts: d.cfg.Net.AllowedHosts, AllowedPrefixes: d.cfg.Net.AllowedPrefixes,
			HybridKeyExchange: d.cfg.Net.KeyExchange == "hybrid"},
		Stores: []keystore.Store{soft.New(d.sealer, rand.Reader)}, Sealer: d.sealer, Minimum: d.cfg.Keystore.Minimum,
		AllowImport: d.cfg.AT.AllowKeyImport, AllowExport: d.cfg.AT.AllowKeyExport, KeyFiles: keyFiles(), Schemes: schemes(), AllowDigests: d.cfg.AT.AllowDigestSigning,
		PINCost: access.StandardCost(), OpenReset: d.cfg.AT.OpenReset,
		Limits: limits(d.cfg.Limits), RequireRef: d.cfg.AT.RequireRef,
		KeepEnded: d.cfg.Journal.KeepEnded, QueueMax: d.cfg.Journal.QueueMax,
	})
	if err != nil {
		return fmt.Errorf("opening the wallet in %s: %w", d.cfg.StateDir, err)
	}
	return nil
}

func limits(all []config.Limit) []life.Limit {
	out := make([]life.Limit, len(all))
	for i, l := range all {
		out[i] = life.Limit{Wallet: l.Wallet, PerTransaction: l.PerTransaction, PerDay: l.PerDay, Recipients: l.Recipients}
	}
	return out
}

// storesUsable says whether the keys can be opened, and logs why not.
func (d *daemon) storesUsable(ctx context.Context) bool {
	err := d.manager.ProbeStores(ctx)
	switch {
	case err == nil:
		return true
	case errors.Is(err, tee.ErrBinding):
		d.log.Error("the keys are there but cannot be opened: what they are bound to has changed", "err", err)
	default:
		d.log.Error("the keys cannot be opened", "err", err)
	}
	return false
}

// tellReady tells hosts that all parts are there.
func (d *daemon) tellReady() {
	mask, starts := d.host.Ready()
	d.manager.Book.Emit(book.Event{Topic: book.TopicReady, Name: "ready", Fields: []any{uint32(mask), starts}})
}

// bearerChanged tells hosts and has everything that waited tried again.
func (d *daemon) bearerChanged(up bool) {
	bit := uint32(0)
	if up {
		bit = 1
	}
	d.log.Info("bearer changed", "up", up)
	d.manager.Book.Emit(book.Event{Topic: book.TopicNet, Name: "net", Fields: []any{bit, ""}})
	d.manager.Life.KickAll()
}

// alive asks every loop of the daemon to answer.
func (d *daemon) alive(ctx context.Context) error {
	if err := d.server.Alive(ctx); err != nil {
		return err
	}
	return d.manager.Alive(ctx)
}

// channelSettings keeps the settings of channels in the wallet's journal.
type channelSettings struct{ host *boat.Host }

// Load implements atcmd.Settings.
func (s channelSettings) Load(channel string) ([]byte, error) {
	return s.host.ChannelSettings(channel), nil
}

// Save implements atcmd.Settings.
func (s channelSettings) Save(channel string, b []byte) error { return s.host.SaveChannel(channel, b) }

// Stamped by the linker.
var (
	version   = "unknown"
	buildDate = "0" // Unix seconds
)

func buildTime() time.Time {
	s, err := strconv.ParseInt(buildDate, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(s, 0)
}
