package atcmd

import (
	"context"
	"fmt"
)

// ChannelRows are the AT+BOAT commands that concern the channel alone: its
// settings, its last failure, its lock and its data slots.
func ChannelRows() []Command {
	slot := Param{Name: "slot", Kind: Number, Max: slotCount - 1}
	offset := Param{Name: "offset", Kind: Number, Max: slotMax}
	return []Command{
		{Name: "+BOATCFG", Summary: "settings of this channel", Forms: Read | Set | Test, Class: ClassB,
			Params: []Param{{Name: "name", Kind: String, Min: 1, Max: 16}, {Name: "value", Kind: Number, Max: settingMax()}}, Run: runConfig},
		{Name: "+BOATERR", Summary: "the last failure on this channel", Forms: Read, Class: ClassA, Run: runLastError},
		{Name: "+BOATLOCK", Summary: "lock this channel and wipe its slots", Forms: Exec, Class: ClassA,
			Run: func(_ context.Context, c *Call) error {
				c.session.Lock()
				return nil
			}},
		{Name: "+BOATDATAWR", Summary: "raw bytes into a slot", Forms: Set, Class: ClassA, PIN: true, Last: true,
			Params: []Param{slot, {Name: "length", Kind: Number, Min: 1, Max: slotMax}}, Run: runDataWrite},
		{Name: "+BOATDATAHX", Summary: "hex bytes into a slot, in segments", Forms: Set, Class: ClassA, PIN: true,
			Params: []Param{slot, offset, {Name: "hex", Kind: String}}, Run: runDataHex},
		{Name: "+BOATDATARD", Summary: "read from a slot", Forms: Set, Class: ClassA, PIN: true,
			Params: []Param{slot, offset, {Name: "length", Kind: Number, Min: 1, Max: 512}}, Run: runDataRead},
		{Name: "+BOATDATALST", Summary: "slots that hold something", Forms: Read, Class: ClassA, PIN: true, Run: runDataList},
		{Name: "+BOATDATADEL", Summary: "wipe a slot", Forms: Set, Class: ClassA, PIN: true,
			Params: []Param{slot}, Run: runDataDelete},
	}
}

func settingMax() (max uint32) {
	for _, row := range settingRows {
		if row.max > max {
			max = row.max
		}
	}
	return max
}

func runConfig(_ context.Context, c *Call) error {
	switch c.Form {
	case Test:
		for _, row := range settingRows {
			c.Line(fmt.Sprintf("%s: %q,(%d-%d)", c.row.Name, row.name, row.min, row.max))
		}
		return nil
	case Read:
		for i, v := range c.session.channel.settings() {
			c.Info(settingRows[i].name, v)
		}
		return nil
	}
	return c.setting()
}

func (c *Call) setting() error {
	s := c.session
	i, err := settingIndex(c.Text(0))
	if err != nil {
		return err
	}
	row, value := settingRows[i], c.Number(1)
	switch {
	case value < row.min || value > row.max:
		return &Error{Code: codeParameters, Param: 1, Detail: fmt.Sprintf("%s is from %d to %d", row.name, row.min, row.max)}
	case row.pin && !s.Unlocked():
		if err := s.server.locked(); err != nil {
			return err
		}
	}
	if err := s.channel.change(func(st *stored) { st.set[i] = value }); err != nil {
		return err
	}
	c.Info(row.name, value)
	s.server.changed(s.channel)
	return nil
}

func settingIndex(name string) (int, error) {
	for i, row := range settingRows {
		if row.name == name {
			return i, nil
		}
	}
	return 0, &Error{Code: codeNoOption, Param: 0, Detail: "no such setting"}
}

func runLastError(_ context.Context, c *Call) error {
	f := c.session.failure
	c.Info(f.code, f.position, f.detail)
	return nil
}

// runDataWrite is data mode. The slot is empty from the prompt until all of
// it has come.
func runDataWrite(_ context.Context, c *Call) error {
	n, length := int(c.Number(0)), int(c.Number(1))
	if !hasDataMode(c.session.port) {
		return fail(codeNotSupported, "no data mode on this channel")
	}
	c.session.WipeSlot(n)
	c.Info(n, length)
	data, err := c.Data(length)
	if err != nil {
		return err
	}
	defer clear(data)
	if err := c.session.SetSlot(n, data); err != nil {
		return err
	}
	c.slotState(n)
	return nil
}

func runDataHex(_ context.Context, c *Call) error {
	segment, err := unhexText(c.Bytes(2))
	if err != nil {
		err.Param = 2
		return err
	}
	defer clear(segment)
	n := int(c.Number(0))
	if err := c.session.slots.write(n, int(c.Number(1)), segment); err != nil {
		return err
	}
	c.slotState(n)
	return nil
}

// slotState writes what the host compares with what it meant to store.
func (c *Call) slotState(n int) {
	length, sum := c.session.slots.stat(n)
	c.Info(n, length, fmt.Sprintf("%08x", sum))
}

func runDataRead(_ context.Context, c *Call) error {
	offset, length := int(c.Number(1)), int(c.Number(2))
	b := c.session.Slot(int(c.Number(0)))
	defer clear(b)
	switch {
	case b == nil:
		return &Error{Code: codeSlotEmpty, Param: 0}
	case offset+length > len(b):
		return &Error{Code: codeParameters, Param: 2, Detail: "beyond the end of the slot"}
	}
	c.Hex(b[offset : offset+length])
	return nil
}

func runDataList(_ context.Context, c *Call) error {
	for n := range slotCount {
		if length, _ := c.session.slots.stat(n); length > 0 {
			c.slotState(n)
		}
	}
	return nil
}

func runDataDelete(_ context.Context, c *Call) error {
	c.session.WipeSlot(int(c.Number(0)))
	return nil
}
