package rig

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/boatd/boatd/internal/amount"
	"github.com/boatd/boatd/internal/fakenode"
)

// A verb is what a step of the stage does. It takes from least to most words.
type verb struct {
	least, most int
	do          func(*Stage, context.Context, []string) error
}

var (
	errArguments = errors.New("wrong number of words")
	errChain     = errors.New("the chain says otherwise")
	errElsewhere = errors.New("boatd runs on another machine")
	errDevchain  = errors.New("the development chain cannot do that")
)

var verbs = map[string]verb{
	"restart":  {0, 1, (*Stage).restart},
	"kill":     {0, 1, (*Stage).kill},
	"stop":     {0, 0, func(s *Stage, _ context.Context, _ []string) error { return s.machine.Stop() }},
	"start":    {0, 1, func(s *Stage, ctx context.Context, a []string) error { return s.start(ctx, first(a)) }},
	"isolate":  hereVerb(0, func(h *here, _ []string) error { h.boatd.Isolated = true; return nil }),
	"flash":    hereVerb(1, func(h *here, a []string) error { return h.boatd.Flash(a[0] == "good") }),
	"copy":     hereVerb(2, (*here).copy),
	"log":      {1, 99, (*Stage).awaitLog},
	"unlogged": {1, 99, (*Stage).unlogged},

	"mine":    {1, 1, (*Stage).mine},
	"fund":    {2, 2, (*Stage).fund},
	"reorg":   {1, 1, (*Stage).reorg},
	"nonce":   {2, 2, (*Stage).nonce},
	"balance": {2, 2, (*Stage).balance},

	"drop":    fakeVerb(0, func(f *fake, _ []string) error { f.chain.Drop(); return nil }),
	"down":    fakeVerb(0, func(f *fake, _ []string) error { f.chain.Down(true); return nil }),
	"up":      fakeVerb(0, func(f *fake, _ []string) error { f.chain.Down(false); return nil }),
	"hang":    fakeVerb(0, func(f *fake, _ []string) error { f.chain.Hang(true); return nil }),
	"unhang":  fakeVerb(0, func(f *fake, _ []string) error { f.chain.Hang(false); return nil }),
	"genesis": fakeVerb(1, (*fake).genesis),
	"late":    fakeVerb(1, func(f *fake, a []string) error { f.chain.SetLate(a[0] == "fails"); return nil }),
	"emit":    {3, 5, (*Stage).emit},
	"effects": fakeVerb(2, (*fake).effects),
	"fees":    fakeVerb(2, (*fake).fees),
	"faults":  {2, 99, (*Stage).faults},
}

// fakeVerb is a verb that only a chain in memory knows.
func fakeVerb(words int, do func(*fake, []string) error) verb {
	return verb{words, words, func(s *Stage, _ context.Context, a []string) error {
		if s.fake == nil {
			return errDevchain
		}
		return do(s.fake, a)
	}}
}

// hereVerb is a verb that only works on this machine.
func hereVerb(words int, do func(*here, []string) error) verb {
	return verb{words, words, func(s *Stage, _ context.Context, a []string) error {
		if s.here == nil {
			return errElsewhere
		}
		return do(s.here, a)
	}}
}

// Do does one step.
func (s *Stage) Do(ctx context.Context, words []string) error {
	v, ok := verbs[words[0]]
	args := words[1:]
	switch {
	case !ok:
		return fmt.Errorf("there is no step %q", words[0])
	case len(args) < v.least || len(args) > v.most:
		return fmt.Errorf("%s: %w", words[0], errArguments)
	}
	return v.do(s, ctx, args)
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (s *Stage) restart(ctx context.Context, args []string) error {
	if err := s.machine.Stop(); err != nil {
		return fmt.Errorf("%w\n%s", err, s.Log())
	}
	return s.start(ctx, first(args))
}

func (s *Stage) kill(ctx context.Context, args []string) error {
	if err := s.machine.Kill(); err != nil {
		return err
	}
	return s.start(ctx, first(args))
}

func (h *here) copy(args []string) error {
	b, err := os.ReadFile(filepath.Join(h.dir, filepath.Base(args[0])))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(h.dir, filepath.Base(args[1])), b, 0o600)
}

// awaitLog waits until the log matches: what is logged about a command may come
// after its answer.
func (s *Stage) awaitLog(ctx context.Context, args []string) error {
	re, err := regexp.Compile(strings.Join(args, " "))
	if err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !re.MatchString(s.Log()) {
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("not in the log:\n%s", s.Log())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *Stage) unlogged(_ context.Context, args []string) error {
	if text := s.Log(); strings.Contains(text, strings.Join(args, " ")) {
		return fmt.Errorf("it is in the log:\n%s", text)
	}
	return nil
}

func (s *Stage) mine(ctx context.Context, args []string) error {
	n, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil {
		return err
	}
	if s.dev != nil {
		return s.dev.Mine(ctx, n)
	}
	s.fake.chain.Mine(int(n))
	return nil
}

func (s *Stage) reorg(ctx context.Context, args []string) error {
	n, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil {
		return err
	}
	if s.dev != nil {
		return s.dev.Reorg(ctx, n)
	}
	s.fake.chain.Reorg(int(n))
	return nil
}

func (s *Stage) fund(ctx context.Context, args []string) error {
	wei, err := amount.Native(args[1])
	if err != nil {
		return err
	}
	if s.dev != nil {
		return s.dev.Fund(ctx, args[0], wei)
	}
	s.fake.chain.Fund(args[0], wei)
	return nil
}

func (s *Stage) nonce(ctx context.Context, args []string) (err error) {
	var got uint64
	if s.dev != nil {
		got, err = s.dev.Nonce(ctx, args[0])
	} else {
		got = s.fake.chain.Nonce(args[0])
	}
	if err == nil && strconv.FormatUint(got, 10) != args[1] {
		err = fmt.Errorf("%w: the nonce is %d", errChain, got)
	}
	return err
}

func (s *Stage) balance(ctx context.Context, args []string) error {
	want, err := amount.Native(args[1])
	if err != nil {
		return err
	}
	var got *big.Int
	if s.dev != nil {
		got, err = s.dev.Balance(ctx, args[0])
	} else {
		got = s.fake.chain.Balance(args[0])
	}
	if err == nil && got.Cmp(want) != 0 {
		err = fmt.Errorf("%w: the balance is %d", errChain, got)
	}
	return err
}

// emit has a contract log data and topics, all hex, in the next block.
func (s *Stage) emit(_ context.Context, args []string) error {
	if s.fake == nil {
		return errDevchain
	}
	data, err := hex.DecodeString(args[1])
	if err != nil {
		return err
	}
	var topics []common.Hash
	for _, topic := range args[2:] {
		topics = append(topics, common.HexToHash(topic))
	}
	s.fake.chain.Log(common.HexToAddress(args[0]), topics, data)
	return nil
}

func (f *fake) effects(args []string) error {
	if got := f.chain.Effects(strings.TrimPrefix(args[0], "-")); strconv.Itoa(got) != args[1] {
		return fmt.Errorf("%w: %d transactions", errChain, got)
	}
	return nil
}

func (f *fake) fees(args []string) error {
	base, err := amount.Native(args[0])
	if err != nil {
		return err
	}
	tip, err := amount.Native(args[1])
	if err != nil {
		return err
	}
	f.chain.SetFees(base, tip)
	return nil
}

func (s *Stage) faults(_ context.Context, args []string) error {
	if s.fake == nil {
		return errDevchain
	}
	i, err := strconv.Atoi(args[0])
	if err != nil || i < 1 || i > len(s.fake.nodes) {
		return fmt.Errorf("node %q: want 1 or 2", args[0])
	}
	var f fakenode.Faults
	if err := decodeStrict(strings.Join(args[1:], " "), &f); err != nil {
		return err
	}
	s.fake.nodes[i-1].SetFaults(f)
	return nil
}
