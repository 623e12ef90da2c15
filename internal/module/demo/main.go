// Command demo shows boatd where it lives: on an emulated module, wired to an
// emulated microcontroller that runs the host library, with a development chain
// behind it. The microcontroller pays; in the middle of its order the power of
// both is cut. In the end the chain is asked: PASS or FAIL is what it says.
//
// Three columns go side by side: what the host logs, what is on the UART between
// the two, and what the chain does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/boatd/boatd/internal/module"
	"github.com/boatd/boatd/internal/module/cut"
	"github.com/boatd/boatd/internal/module/mcu"
	"github.com/boatd/boatd/internal/transcript/rig"
	"github.com/boatd/boatd/wallet/ledger"
)

func main() {
	d := &demo{show: newScreen(os.Stdout)}
	flag.StringVar(&d.images, "images", "build/module", "`folder` of the box's images")
	flag.StringVar(&d.pkg, "package", "", "boatd's `package` for the small root")
	flag.StringVar(&d.firmware, "firmware", "build/host/mcu.elf", "the microcontroller's `program`")
	flag.StringVar(&d.chain, "devchain", "build/devchain", "the development chain's `program`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(d.run(ctx))
}

// A demo is one run.
type demo struct {
	show                         *screen
	images, pkg, firmware, chain string

	dir     string
	blank   []byte // the data disk before the module was ever on
	node    *rig.DevChain
	options module.Options
	box     *module.Box
	mcu     *mcu.MCU
}

// limit is how long all of it may take.
const limit = 10 * time.Minute

// recipient is who the firmware pays.
const recipient = "0x000000000000000000000000000000000000b0a7"

func (d *demo) run(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer d.close()
	if err := d.play(ctx); err != nil {
		if d.box != nil {
			d.show.note("the module's console ends with:\n%s", lastLines(d.box.Console(), 12))
		}
		d.show.note("%v", err)
		fmt.Println("FAIL")
		return 1
	}
	fmt.Println("\nPASS")
	return 0
}

func (d *demo) play(ctx context.Context) error {
	if err := d.build(ctx); err != nil {
		return err
	}
	if err := d.powerOn(); err != nil {
		return err
	}
	address, err := d.mcu.Await(ctx, regexp.MustCompile(`wallet (0x[0-9a-fA-F]{40})`))
	if err != nil {
		return err
	}
	before, err := d.node.Balance(ctx, recipient)
	if err != nil {
		return err
	}
	if err := d.node.Fund(ctx, address, big.NewInt(1e18)); err != nil {
		return err
	}
	d.show.chain("1 ether for %s", address)
	if _, err := d.mcu.Await(ctx, regexp.MustCompile(`order (\S+)`)); err != nil {
		return err
	}
	// Before, while or after it is accepted, signed and sent: as it comes.
	select {
	case <-time.After(rand.N(400 * time.Millisecond)):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := d.powerOff(); err != nil {
		return err
	}
	if err := d.powerOn(); err != nil {
		return err
	}
	end, err := d.mcu.Await(ctx, regexp.MustCompile(`((?:PASS|FAIL).*)`))
	if err != nil {
		return err
	}
	return d.judge(ctx, address, end, before)
}

// judge asks the chain: one transaction of the wallet, one payment to the
// recipient, and its hash is the one that the host was told.
func (d *demo) judge(ctx context.Context, address, end string, before *big.Int) error {
	words := strings.Fields(end)
	if len(words) != 3 || words[0] != "PASS" {
		return fmt.Errorf("the host says %q", end)
	}
	nonce, err := d.node.Nonce(ctx, address)
	if err != nil {
		return err
	}
	after, err := d.node.Balance(ctx, recipient)
	if err != nil {
		return err
	}
	var tx *struct{ From, To string }
	if err := rig.Ask(ctx, d.node.URL, &tx, "eth_getTransactionByHash", "0x"+words[2]); err != nil {
		return err
	}
	paid := new(big.Int).Sub(after, before)
	d.show.chain("%d transaction of %s; %s got %v wei", nonce, address, recipient, paid)
	switch {
	case nonce != 1:
		return fmt.Errorf("the chain has %d transactions of the wallet, want 1", nonce)
	case paid.Cmp(big.NewInt(1e16)) != 0:
		return fmt.Errorf("the recipient got %v wei, want 0.01 ether", paid)
	case tx == nil || !strings.EqualFold(tx.From, address) || !strings.EqualFold(tx.To, recipient):
		return fmt.Errorf("the transaction that the host names is %+v", tx)
	}
	d.show.note("one order, given before and after the power cut; one payment in the chain")
	return nil
}

// build makes the chain, and a root with boatd's package in it.
func (d *demo) build(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "boatd"); err != nil {
		return err
	}
	if d.node, err = rig.StartDevChain(d.chain, time.Second, os.Stderr); err != nil {
		return err
	}
	go d.watchChain(ctx)
	d.show.note("installing %s on the module", filepath.Base(d.pkg))
	root, err := module.Install(ctx, d.dir, d.images, module.Small, d.pkg, func(b *module.Box) error {
		return b.Put(ctx, "/etc/boatd/boatd.toml", []byte(configuration))
	})
	if err != nil {
		return err
	}
	d.options = module.Options{Images: d.images, Root: root, Data: filepath.Join(d.dir, "data"), WriteLog: filepath.Join(d.dir, "writes"),
		Node: strings.TrimPrefix(d.node.URL, "http://")}
	if err := module.Blank(d.options.Data, 16<<20); err != nil {
		return err
	}
	d.blank, err = os.ReadFile(d.options.Data)
	return err
}

// configuration is the module's.
const configuration = `state_dir = "/data/boatd"

[[channel]]
name = "uart"
type = "serial"
device = "/dev/ttyS0"
baud = 115200

[[channel]]
name = "local"
type = "unix"
path = "/run/boatd/at.sock"

[[network]]
name = "box"
protocol = "ethereum"
endpoints = ["http://10.0.2.100"]
chain_id = 1337
insecure_http = true
confirmations = 2
`

// powerOn starts the module and the microcontroller, joined by a cable on which
// everything is shown.
func (d *demo) powerOn() (err error) {
	d.show.note("power on")
	if d.box, err = module.Start(d.dir, d.options); err != nil {
		return err
	}
	cable, err := d.box.UART()
	if err != nil {
		return err
	}
	d.mcu, err = mcu.Start(d.dir, d.firmware, cable, mcu.Tap{
		Log:  d.show.host,
		Sent: func(line string) { d.show.uart(">", line) },
		Came: func(line string) { d.show.uart("<", line) },
	})
	return err
}

// powerOff cuts the power of both, and leaves on the disk what a real one could
// have kept.
func (d *demo) powerOff() error {
	d.box.Kill()
	d.mcu.Kill()
	log, err := cut.Read(d.options.WriteLog)
	if err != nil {
		return err
	}
	flushes := log.Flushes()
	if len(flushes) == 0 {
		return errors.New("the module has not written anything")
	}
	disk := slices.Clone(d.blank)
	if err := log.Disk(disk, log.Len(), rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))); err != nil {
		return err
	}
	d.show.note("POWER CUT: of %d writes to the flash %d were flushed and stay; of the others any part is lost", log.Len()-len(flushes), flushes[len(flushes)-1]-len(flushes))
	s, err := module.StateOn(filepath.Join(d.dir, "look"), disk)
	if err != nil {
		return err
	}
	d.show.note("on the module's flash: %s", saved(s))
	d.show.note("in the microcontroller: the number of its order, from which the reference is made")
	return os.WriteFile(d.options.Data, disk, 0o644)
}

// saved says what a state holds.
func saved(s *ledger.State) string {
	order := "nothing of the order"
	for _, tx := range s.Open {
		order = fmt.Sprintf("the order %s as transaction %d, accepted", tx.Ref, tx.ID)
		if tx.Signed() {
			order += ", with its nonce and its signed bytes"
		}
	}
	for _, past := range s.Past {
		order = fmt.Sprintf("the order %s as transaction %d, ended", past.Ref, past.ID)
	}
	return fmt.Sprintf("%d sealed key, %d wallet, the PIN's hash; %s", len(s.Keys), len(s.Wallets), order)
}

// watchChain shows each block that has transactions.
func (d *demo) watchChain(ctx context.Context) {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var block struct {
			Number       string
			Transactions []struct{ From, To, Hash string }
		}
		if rig.Ask(ctx, d.node.URL, &block, "eth_getBlockByNumber", "latest", true) != nil || block.Number == last {
			continue
		}
		last = block.Number
		for _, tx := range block.Transactions {
			d.show.chain("block %s: %.10s pays %.10s in %.10s", block.Number, tx.From, tx.To, tx.Hash)
		}
	}
}

func (d *demo) close() {
	if d.mcu != nil {
		d.mcu.Kill()
	}
	if d.box != nil {
		d.box.Kill()
	}
	if d.node != nil {
		d.node.Close()
	}
	if d.dir != "" {
		os.RemoveAll(d.dir)
	}
}

func lastLines(text string, n int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}
