package atcmd

import (
	"context"
	"fmt"
	"slices"
)

// StandardRows are the commands of a modem that boatd answers itself when it
// is the whole parser, so that modem managers and old init strings are content.
func StandardRows() []Command {
	rows := registerCommands()
	rows = append(rows, profileCommands()...)
	rows = append(rows, identityCommands()...)
	return append(rows, lineCommands()...)
}

// registerCommands makes the rows of E, V, Q, X, &C, &D, S0, S3, S4, S5 and +CMEE.
func registerCommands() []Command {
	var rows []Command
	for i, r := range registerRows {
		row := Command{
			Name: r.name, Summary: r.summary, Forms: Exec, Class: ClassA,
			Params: []Param{{Name: "value", Kind: Number, Max: uint32(r.max), Optional: true}},
			Run:    func(_ context.Context, c *Call) error { return c.register(i) },
		}
		if r.name[0] == 'S' || row.extended() {
			row.Forms = Read | Set
			row.Params[0].Optional = false
		}
		rows = append(rows, row)
	}
	return rows
}

// register sets or shows a register. A basic command without a number means 0
// (V.250, 5.3.1); S registers show three digits (5.3.2).
func (c *Call) register(i int) error {
	regs := &c.session.regs
	switch {
	case c.Form != Read:
		regs[i] = byte(c.Number(0))
	case c.row.extended():
		c.Info(regs[i])
	default:
		c.Line(fmt.Sprintf("%03d", regs[i]))
	}
	return nil
}

func profileCommands() []Command {
	profile := []Param{{Name: "profile", Kind: Number, Max: 0, Optional: true}}
	return []Command{
		{Name: "Z", Summary: "restore the stored profile", Forms: Exec, Class: ClassA, Params: profile,
			Run: func(_ context.Context, c *Call) error {
				c.session.regs = c.session.channel.profile()
				return nil
			}},
		{Name: "&F", Summary: "restore the factory profile", Forms: Exec, Class: ClassA, Params: profile,
			Run: func(_ context.Context, c *Call) error {
				c.session.regs = factoryRegisters()
				return nil
			}},
		{Name: "&W", Summary: "store the profile of this channel", Forms: Exec, Class: ClassB, Params: profile,
			Run: func(_ context.Context, c *Call) error {
				return c.session.channel.change(func(s *stored) { s.profile = c.session.regs })
			}},
		{Name: "H", Summary: "hang up: there is never a call", Forms: Exec, Class: ClassA, Params: profile,
			Run: func(context.Context, *Call) error { return nil }},
	}
}

func identityCommands() []Command {
	var rows []Command
	add := func(summary string, text func(Identity) string, names ...string) {
		for _, name := range names {
			rows = append(rows, Command{Name: name, Summary: summary, Forms: Exec, Class: ClassA,
				Run: func(_ context.Context, c *Call) error { return c.identify(text) }})
		}
	}
	add("manufacturer", func(id Identity) string { return id.Manufacturer }, "+CGMI", "+GMI")
	add("model", func(id Identity) string { return id.Model }, "+CGMM", "+GMM")
	add("revision", func(id Identity) string { return id.Revision }, "+CGMR", "+GMR")
	add("serial number", func(id Identity) string { return id.Serial }, "+CGSN", "+GSN")
	return append(rows,
		Command{Name: "I", Summary: "identification", Forms: Exec, Class: ClassA,
			Params: []Param{{Name: "value", Kind: Number, Max: 9, Optional: true}}, Run: identification},
		Command{Name: "+GCAP", Summary: "capabilities", Forms: Exec, Class: ClassA,
			Run: func(_ context.Context, c *Call) error {
				c.Line("+GCAP: +CGSM")
				return nil
			}},
		Command{Name: "+CLAC", Summary: "list of all commands", Forms: Exec, Class: ClassA, Run: listCommands},
	)
}

func (c *Call) identify(text func(Identity) string) error {
	s := text(c.session.server.config.Identity)
	if s == "" {
		return fail(codeNotSupported, "not known here")
	}
	c.Line(s)
	return nil
}

func identification(_ context.Context, c *Call) error {
	id := c.session.server.config.Identity
	for _, s := range []string{id.Manufacturer, id.Model, id.Revision} {
		if s != "" {
			c.Line(s)
		}
	}
	return nil
}

func listCommands(_ context.Context, c *Call) error {
	for _, row := range c.session.server.config.Table.Commands() {
		c.Line("AT" + row.Name)
	}
	return nil
}

func lineCommands() []Command {
	return []Command{
		{Name: "+IPR", Summary: "line speed", Forms: Read | Set | Test, Class: ClassA,
			Params: []Param{{Name: "rate", Kind: Number, Min: 300, Max: 4000000}}, Run: lineSpeed},
		{Name: "+ICF", Summary: "character framing: 8 data bits, no parity, 1 stop bit", Forms: Read | Set, Class: ClassA,
			Params: []Param{
				{Name: "format", Kind: Number, Min: 3, Max: 3},
				{Name: "parity", Kind: Number, Max: 3, Optional: true},
			}, Run: lineFraming},
		{Name: "+IFC", Summary: "flow control, by the host and by boatd", Forms: Read | Set, Class: ClassA,
			Params: []Param{
				{Name: "by_host", Kind: Number, Max: 2},
				{Name: "by_boatd", Kind: Number, Max: 2, Optional: true},
			}, Run: lineFlow},
		{Name: "+CFUN", Summary: "functionality: always full", Forms: Read, Class: ClassA,
			Run: func(_ context.Context, c *Call) error {
				c.Info(1)
				return nil
			}},
		{Name: "+CCLK", Summary: "clock", Forms: Read, Class: ClassA,
			Run: func(_ context.Context, c *Call) error {
				c.Info(c.session.server.config.Now().UTC().Format("06/01/02,15:04:05+00"))
				return nil
			}},
	}
}

// speeds are what AT+IPR takes on a port with a line.
var speeds = []uint32{9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// lineSpeed is AT+IPR (V.250, 6.2.10). A port without a line remembers.
func lineSpeed(_ context.Context, c *Call) error {
	s := c.session
	port, real := s.port.(Liner)
	switch c.Form {
	case Test:
		c.Line("+IPR: (),(9600,19200,38400,57600,115200,230400,460800,921600)")
		return nil
	case Set:
		rate := c.Number(0)
		if !slices.Contains(speeds, rate) {
			return &Error{Code: codeParameters, Param: 0, Detail: "not a speed of the line"}
		}
		if !real {
			s.line.baud = rate
			return nil
		}
		now, err := port.Line(nil)
		now.Baud = int(rate)
		return c.setLine(port, now, err)
	}
	if !real {
		c.Info(s.line.baud)
		return nil
	}
	now, err := port.Line(nil)
	if err == nil {
		c.Info(now.Baud)
	}
	return err
}

// setLine changes the line when the final result has left in the old way.
func (c *Call) setLine(port Liner, state LineState, err error) error {
	if err != nil {
		return err
	}
	log, name := c.session.server.config.Log, c.session.channel.name
	c.AfterFinal(func() {
		if _, err := port.Line(&state); err != nil {
			log.Error("line keeps its speed", "channel", name, "err", err)
		}
	})
	return nil
}

// lineFraming is AT+ICF (V.250, 6.2.11). Raw bytes need 8 data bits.
func lineFraming(_ context.Context, c *Call) error {
	if c.Form == Read {
		c.Info(3, c.session.line.parity)
		return nil
	}
	if !c.Omitted(1) {
		c.session.line.parity = c.Number(1)
	}
	return nil
}

// lineFlow is AT+IFC (V.250, 6.2.12): 0 none, 1 XON/XOFF, 2 RTS/CTS. A port
// with a line has 0 and 2, in both directions at once.
func lineFlow(_ context.Context, c *Call) error {
	s := c.session
	port, real := s.port.(Liner)
	if !real {
		return c.memoryFlow()
	}
	now, err := port.Line(nil)
	if err != nil {
		return err
	}
	if c.Form == Read {
		flow := 0
		if now.RTSCTS {
			flow = 2
		}
		c.Info(flow, flow)
		return nil
	}
	both := c.Number(0)
	if both == 1 || !c.Omitted(1) && c.Number(1) != both {
		return &Error{Code: codeParameters, Param: 0, Detail: "the line has 0,0 and 2,2"}
	}
	now.RTSCTS = both == 2
	return c.setLine(port, now, err)
}

func (c *Call) memoryFlow() error {
	flow := &c.session.line.flow
	if c.Form == Read {
		c.Info(flow[0], flow[1])
		return nil
	}
	flow[0] = c.Number(0)
	if !c.Omitted(1) {
		flow[1] = c.Number(1)
	}
	return nil
}
