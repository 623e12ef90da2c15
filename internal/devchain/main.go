// Devchain is an Ethereum chain for development and tests: a real go-ethereum
// node in one process, in memory, on a loopback port, mining by the clock or on
// command.
//
//	devchain --listen 127.0.0.1:8545 --period 1s --ready-file /tmp/chain.json
//
// It prints one line of JSON when it answers (url, chain_id, funded) and puts
// the same into the ready file. Beside the eth, net, web3 and txpool methods of
// go-ethereum it has these, for tests that must drive a chain:
//
//	dev_fund(address, "0xwei")    pay from the funded account, in a block of its own -> transaction hash
//	dev_mine(n)                   n blocks at once -> number of the newest
//	dev_reorg(depth)              replace the newest depth blocks by depth+1 empty ones;
//	                              their transactions wait in the pool again -> number of the newest
//	dev_drop()                    forget every waiting transaction
//	dev_period(milliseconds)      mine by the clock; 0: only on command
//
// What it does not share with a public network: blocks have times that may run
// ahead of the clock (each is at least one second after its parent), "safe" is
// the newest block, and "finalized" moves every 32 blocks, as with geth --dev.
// As on any go-ethereum node with default settings, a tip below 0.001 gwei is
// accepted and never mined.
//
// It is a module of its own so that nothing of a full node is ever linked into
// boatd.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	listen    string
	period    time.Duration
	readyFile string
	chainID   uint64
	untilEOF  bool
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("devchain", flag.ContinueOnError)
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "loopback `address` of the JSON-RPC server; port 0 takes a free one")
	f.DurationVar(&o.period, "period", time.Second, "time between blocks; 0 mines only on command")
	f.StringVar(&o.readyFile, "ready-file", "", "`file` to make when the chain answers")
	f.Uint64Var(&o.chainID, "chain-id", 1337, "the chain's id")
	f.BoolVar(&o.untilEOF, "until-eof", false, "quit when standard input ends, so that the chain cannot outlive who started it")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	case o.period < 0:
		return o, fmt.Errorf("period %v is negative", o.period)
	case o.chainID == 0:
		return o, fmt.Errorf("chain id 0 is none")
	}
	return o, nil
}

// loopback parts an address into what the node wants and refuses one that other
// machines could reach: the funded key is known to everyone.
func loopback(address string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("listen address %q: %w", address, err)
	}
	port, err = strconv.Atoi(p)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || err != nil {
		return "", 0, fmt.Errorf("listen address %q is not a loopback address and a port", address)
	}
	return host, port, nil
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	host, port, err := loopback(o.listen)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	c, err := startChain(host, port, o.chainID)
	if err != nil {
		return err
	}
	defer c.close()
	c.setPeriod(o.period)
	if err := announce(c, o, stdout); err != nil {
		return err
	}
	ended := make(chan struct{})
	if o.untilEOF {
		go func() {
			io.Copy(io.Discard, stdin)
			close(ended)
		}()
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}
	return nil
}

// announce says where the chain is. The ready file appears whole or not at all.
func announce(c *chain, o options, stdout io.Writer) error {
	line, err := json.Marshal(map[string]any{
		"url": c.url(), "chain_id": o.chainID, "funded": funded.address.Hex(),
	})
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if o.readyFile != "" {
		if err := os.WriteFile(o.readyFile+".new", line, 0o644); err != nil {
			return err
		}
		if err := os.Rename(o.readyFile+".new", o.readyFile); err != nil {
			return err
		}
	}
	_, err = stdout.Write(line)
	return err
}
