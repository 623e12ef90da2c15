package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// A DevChain is a running development chain (internal/devchain): a real node in
// a process of its own.
type DevChain struct {
	URL string

	cmd   *exec.Cmd
	stdin io.Closer
}

// StartDevChain starts the program with a time between its blocks; 0 makes them
// only on command.
func StartDevChain(program string, period time.Duration, stderr io.Writer) (*DevChain, error) {
	cmd := exec.Command(program, "--listen", "127.0.0.1:0", "--period", period.String(), "--until-eof")
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the chain: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the chain: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the chain: %w", err)
	}
	c := &DevChain{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &struct {
			URL *string `json:"url"`
		}{&c.URL})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the chain: reading what it says: %w", err), c.Close())
	}
	return c, nil
}

// Close ends the chain.
func (c *DevChain) Close() error {
	c.stdin.Close()
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the chain: %w", err)
	}
	c.cmd.Wait() // that it was killed is known
	return nil
}

// Fund pays wei to an address, in a block of its own.
func (c *DevChain) Fund(ctx context.Context, address string, wei *big.Int) error {
	var hash string
	return Ask(ctx, c.URL, &hash, "dev_fund", address, (*hexutil.Big)(wei))
}

// Mine makes blocks.
func (c *DevChain) Mine(ctx context.Context, n uint64) error {
	var newest uint64
	return Ask(ctx, c.URL, &newest, "dev_mine", n)
}

// Reorg replaces the newest blocks.
func (c *DevChain) Reorg(ctx context.Context, depth uint64) error {
	var newest uint64
	return Ask(ctx, c.URL, &newest, "dev_reorg", depth)
}

// Balance returns what an address holds in the newest block, in wei.
func (c *DevChain) Balance(ctx context.Context, address string) (*big.Int, error) {
	var v hexutil.Big
	err := Ask(ctx, c.URL, &v, "eth_getBalance", address, "latest")
	return v.ToInt(), err
}

// Nonce returns how many transactions of an address are in the chain.
func (c *DevChain) Nonce(ctx context.Context, address string) (uint64, error) {
	var v hexutil.Uint64
	err := Ask(ctx, c.URL, &v, "eth_getTransactionCount", address, "latest")
	return uint64(v), err
}
