package boat

import (
	"context"
	"errors"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/refusal"
)

func (h *Host) accessRows() []atcmd.Command {
	return []atcmd.Command{
		{Name: "+BOATPIN", Summary: "what is asked for; unlock this channel, or unblock it with the PUK", Forms: atcmd.Read | atcmd.Set, Class: atcmd.ClassB, Once: true, Run: h.run(h.pin),
			Params: []atcmd.Param{{Name: "pin or puk", Kind: atcmd.Secret}, optional(atcmd.Param{Name: "new pin", Kind: atcmd.Secret})}},
		{Name: "+BOATPWD", Summary: "set or change the PIN, and unlock this channel", Forms: atcmd.Set, Class: atcmd.ClassB, Once: true, Run: h.run(h.password),
			Params: []atcmd.Param{{Name: "old", Kind: atcmd.Secret}, {Name: "new", Kind: atcmd.Secret}, optional(atcmd.Param{Name: "puk", Kind: atcmd.Secret})}},
	}
}

func (h *Host) pin(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	if c.Form == atcmd.Read {
		asked, left := m.PIN()
		if c.Session().Unlocked() && asked == access.PIN {
			asked = "READY"
		}
		c.Info(left, string(asked))
		return nil
	}
	if c.Omitted(1) {
		return h.unlock(m, c, m.Unlock(c.Bytes(0)))
	}
	return h.unlock(m, c, m.Unblock(c.Bytes(0), c.Bytes(1)))
}

func (h *Host) password(_ context.Context, m *wallet.Manager, c *atcmd.Call) error {
	return h.unlock(m, c, m.ChangePIN(c.Bytes(0), c.Bytes(1), c.Bytes(2)))
}

// unlock unlocks the channel after a right code.
func (h *Host) unlock(m *wallet.Manager, c *atcmd.Call, err error) error {
	if err == nil {
		c.Session().Unlock()
		return nil
	}
	return h.wrong(m, err)
}

// wrong locks all channels when err tells of the last wrong code.
func (h *Host) wrong(m *wallet.Manager, err error) error {
	if asked, _ := m.PIN(); errors.Is(err, refusal.ErrWrongPIN) && (asked == access.PUK || asked == access.Blocked) {
		h.LockAll()
	}
	return err
}
