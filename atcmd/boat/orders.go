package boat

import (
	"context"
	"encoding/hex"
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
	if !c.Omitted(4) {
		return badArgument(codeNotBuilt, 4, "assets")
	}
	return submit(m, c, life.Order{Command: chains.Transfer, To: c.Text(2), Amount: c.Text(3)})
}

func call(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	data, err := ready(c, 3)
	if err != nil {
		return err
	}
	return submit(m, c, life.Order{Command: chains.Call, To: c.Text(2), Data: data})
}

func deploy(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	if c.NArgs() > 3 {
		return badArgument(codeNotBuilt, 3, "constructors")
	}
	return submit(m, c, life.Order{Command: chains.Deploy, Data: copied(c.Bytes(2))})
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

// ready returns the call data of argument i: "x:<hex>" or a slot.
func ready(c *atcmd.Call, i int) ([]byte, error) {
	if c.SlotOf(i) < 0 {
		text, ok := strings.CutPrefix(c.Text(i), "x:")
		if !ok {
			return nil, badArgument(codeNotBuilt, i, "function signatures")
		}
		data, err := hex.DecodeString(text)
		if err != nil {
			return nil, atcmd.FailArg(codeFunction, i, fmt.Errorf("call data: %w", err))
		}
		if c.NArgs() > i+1 {
			return nil, badArgument(codeParameters, i+1, "ready call data takes no arguments")
		}
		return data, nil
	}
	if c.NArgs() > i+1 {
		return nil, badArgument(codeParameters, i+1, "ready call data takes no arguments")
	}
	return copied(c.Bytes(i)), nil
}

// copied keeps an argument beyond its command.
func copied(b []byte) []byte { return append([]byte(nil), b...) }
