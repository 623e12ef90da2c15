package boat

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/life"
)

// refParam is "<reference>[;<option>=<value>]...".
var refParam = atcmd.Param{Name: "ref", Kind: atcmd.String, Max: 512}

func (h *Host) orderRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATSEND", Summary: "send coin", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Once: true, Run: h.run(send),
			Params: []atcmd.Param{walletParam, refParam, {Name: "to", Kind: atcmd.String, Min: 1, Max: 128}, {Name: "amount", Kind: atcmd.String, Min: 1, Max: 128}, optional(assetParam)}},
		{Name: "+BOATCALL", Summary: "write to a contract", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Once: true, Run: h.run(call),
			Params: []atcmd.Param{walletParam, refParam, addressParam, functionParam, argParam}},
		{Name: "+BOATDEPLOY", Summary: "create a contract", Forms: atcmd.Set, Class: atcmd.ClassB, PIN: true, Once: true, Run: h.run(deploy),
			Params: []atcmd.Param{walletParam, refParam, {Name: "source", Kind: atcmd.Source, Min: 1}, optional(atcmd.Param{Name: "constructor", Kind: atcmd.String, Min: 1}), argParam}},
	}
}

func send(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return submit(m, c, life.Order{Command: chains.Transfer, To: c.Text(2), Amount: c.Text(3), Asset: c.Text(4)})
}

func call(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	in, err := input(c, 3)
	if err != nil {
		return err
	}
	return argument(submit(m, c, life.Order{Command: chains.Call, To: c.Text(2), Input: in}), 4)
}

func deploy(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	in := life.Input{Data: copied(c.Bytes(2))}
	if c.NArgs() > 3 {
		in.Function, in.Args = c.Text(3), texts(c, 4)
	}
	return argument(submit(m, c, life.Order{Command: chains.Deploy, Input: in}), 4)
}

// submit hands an order over and answers with its id. No channel reads of the
// id before this answer has left.
func submit(m *wallet.Manager, c *atcmd.Call, o life.Order) error {
	o.Wallet = c.Text(0)
	var err error
	if o.Ref, o.Options, err = reference(c.Text(1)); err != nil {
		return err
	}
	id, release, err := m.Life.Submit(o)
	if err != nil {
		return err
	}
	c.AfterFinal(release)
	c.Info(id)
	return nil
}

// reference takes "<reference>[;<option>=<value>]..." apart. Spaces are part of
// the values: nothing is trimmed.
func reference(text string) (ref string, options map[string]string, err error) {
	ref, rest, more := strings.Cut(text, ";")
	if ref != "" {
		if err := atcmd.CheckName(ref); err != nil {
			return "", nil, err
		}
	}
	options = map[string]string{}
	for more {
		var option string
		option, rest, more = strings.Cut(rest, ";")
		name, value, ok := strings.Cut(option, "=")
		if _, twice := options[name]; !ok || name == "" || twice {
			return "", nil, badArgument(codeParameters, 1, "option %q: want name=value, each once", option)
		}
		options[name] = value
	}
	return ref, options, nil
}

// input returns what a contract is given: ready call data as "x:<hex>" or a slot
// in argument i, or a function's signature there and its arguments behind it.
func input(c *atcmd.Call, i int) (in life.Input, err error) {
	text, hexadecimal := strings.CutPrefix(c.Text(i), "x:")
	switch slot := c.SlotOf(i) >= 0; {
	case !slot && !hexadecimal:
		in.Function, in.Args = c.Text(i), texts(c, i+1)
		return in, nil
	case c.NArgs() > i+1:
		return in, badArgument(codeParameters, i+1, "ready call data takes no arguments")
	case slot:
		in.Data = copied(c.Bytes(i))
		return in, nil
	}
	if in.Data, err = hex.DecodeString(text); err != nil {
		return in, atcmd.FailArg(codeFunction, i, fmt.Errorf("call data: %w", err))
	}
	return in, nil
}

// texts returns the arguments from i on.
func texts(c *atcmd.Call, i int) []string {
	var all []string
	for ; i < c.NArgs(); i++ {
		all = append(all, c.Text(i))
	}
	return all
}

// argument places the fault of a function's argument, of which the first one is
// argument i of the command.
func argument(err error, i int) error {
	var bad *chains.ArgumentError
	if !errors.As(err, &bad) {
		return err
	}
	var e *atcmd.Error
	if errors.As(coded(err), &e) {
		return atcmd.FailArg(e.Code, i+bad.Index, err)
	}
	return err
}

// copied keeps an argument beyond its command.
func copied(b []byte) []byte { return append([]byte(nil), b...) }
