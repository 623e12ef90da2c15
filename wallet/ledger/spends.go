package ledger

import (
	"math/big"
	"slices"
)

// Spend returns the reservation of a transaction, nil without one.
func (s *State) Spend(wallet string, id uint32) *Spend {
	list := s.spends[wallet]
	for i := len(list) - 1; i >= 0 && list[i].ID >= id; i-- { // in the order of acceptance
		if list[i].ID == id {
			return list[i]
		}
	}
	return nil
}

// Day is the length of a spending window in seconds.
const Day = 24 * 60 * 60

// pruneSpends drops the reservations of a wallet that no window holds any more.
func (s *State) pruneSpends(wallet string) {
	s.spends[wallet] = slices.DeleteFunc(s.spends[wallet], s.agedOut)
}

// agedOut says whether no window holds a reservation any more.
func (s *State) agedOut(sp *Spend) bool {
	return s.Tx(sp.ID) == nil && (sp.Amount.Sign() == 0 || (sp.Signed && s.Running >= sp.Running+Day))
}

// Reserved returns what of the spends that counts names counts against a spending
// window now: what was signed less than a day ago, and what is accepted and not
// signed yet. A day has passed by running time or, for what was signed before the
// last start, when the chain's own time says so: now is the time of a final block,
// 0 when none is known. except is left out.
func (s *State) Reserved(counts func(*Spend) bool, running, now uint64, except uint32) (signed, waiting *big.Int) {
	signed, waiting = new(big.Int), new(big.Int)
	for _, list := range s.spends {
		for _, sp := range list {
			switch {
			case sp.ID == except || !counts(sp):
			case !sp.Signed:
				waiting.Add(waiting, sp.Amount)
			case running < sp.Running+Day && (sp.Time == 0 || sp.Start == s.Meta.Starts || now < sp.Time || now-sp.Time < Day):
				signed.Add(signed, sp.Amount)
			}
		}
	}
	return signed, waiting
}
