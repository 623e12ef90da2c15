package main

import (
	"context"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/boatd/boatd/internal/transcript/rig"
)

// native is the processor time of this machine that boatd takes for a payment,
// everything included, with four wallets at work.
func (b *bench) native(ctx context.Context) (err error) {
	d, err := start(ctx, []string{b.path("boatd")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	const rounds, wallets = 4, 4
	if err := d.wallets(ctx, wallets); err != nil {
		return err
	}
	before, err := processorTime(d.Pid())
	if err != nil {
		return err
	}
	if err := d.payments(ctx, rounds, wallets); err != nil {
		return err
	}
	after, err := processorTime(d.Pid())
	if err != nil {
		return err
	}
	b.add("transaction-time", "microseconds", (after-before).Microseconds()/(rounds*wallets*inFlight))
	return nil
}

// rich is an account of tests, and what ethers signs with.
const (
	richKey     = "4646464646464646464646464646464646464646464646464646464646464646"
	richAddress = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
)

// ethers is the same of ethers in node, over the development chain: it wants more
// of a node's answers than the chain in memory tells.
func (b *bench) ethers(ctx context.Context) (err error) {
	chain, err := rig.StartDevChain(b.path("devchain"), 0, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, chain.Close()) }()
	if err := chain.Fund(ctx, richAddress, big.NewInt(1e18)); err != nil {
		return err
	}
	mine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := chain.Mine(r.Context(), 3); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	defer mine.Close()
	cmd := exec.CommandContext(ctx, "node", "internal/armcount/ethers.js", b.path("peers/npm/node_modules/ethers"), chain.URL, mine.URL, richKey)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	us, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return err
	}
	b.add("ethers-transaction-time", "microseconds", us)
	return nil
}
