package ledger

import (
	"fmt"
	"sort"

	"github.com/boatd/boatd/chains"
)

// Dump writes the state as batches of at most a few records each. It changes
// nothing, so that others can read meanwhile.
func (s *State) Dump(emit func(Batch) error) error {
	put := func(rs ...Record) error { return emit(Batch{Running: s.Running, Records: rs}) }
	if err := put(s.Meta, Access{s.Access}); err != nil {
		return err
	}
	var all []Record
	all = appendSorted(all, s.Keys)
	all = appendSorted(all, s.Networks)
	all = appendSorted(all, s.Peers)
	all = appendSorted(all, s.Wallets)
	all = appendSorted(all, s.Tallies)
	all = appendSorted(all, s.Sessions)
	for _, name := range sortedNames(s.Channels) {
		all = append(all, Channel{name, s.Channels[name]})
	}
	ids := make([]AccountID, 0, len(s.Accounts))
	for id := range s.Accounts {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return fmt.Sprint(ids[i]) < fmt.Sprint(ids[j]) })
	for _, id := range ids {
		all = append(all, *s.Accounts[id])
	}
	all = s.appendSpends(all)
	for _, f := range s.foreign {
		all = append(all, f)
	}
	all = s.appendEvents(all)
	all = s.appendForgotten(all)
	for _, p := range s.Past {
		all = append(all, *p)
	}
	for _, t := range s.Open {
		all = appendTx(all, *t)
	}
	for _, r := range all {
		if err := put(r); err != nil {
			return err
		}
	}
	return nil
}

// appendTx adds an open transaction: the first of its attempts with it, the
// others behind it, because together they can be larger than a frame.
func appendTx(all []Record, t Tx) []Record {
	if len(t.Attempts) < 2 {
		return append(all, t)
	}
	moved := Moved{ID: t.ID, State: t.State, Reason: t.Reason, Included: t.Included, Block: t.Block}
	later := t.Attempts[1:]
	t.Attempts, t.State, t.Reason, t.Included, t.Block = t.Attempts[:1], SignedTx, NoReason, 0, chains.Head{}
	all = append(all, t)
	for _, a := range later {
		all = append(all, Attempted{ID: t.ID, Attempt: a})
	}
	return append(all, moved)
}

func (s *State) appendSpends(all []Record) []Record {
	for _, w := range sortedNames(s.spends) {
		for _, sp := range s.spends[w] {
			if !s.agedOut(sp) {
				all = append(all, *sp)
			}
		}
	}
	return all
}

// appendForgotten adds the references that no kept transaction tells of.
func (s *State) appendForgotten(all []Record) []Record {
	kept := make(map[uint32]bool, len(s.Past)+len(s.Open))
	for _, p := range s.Past {
		kept[p.ID] = true
	}
	for _, t := range s.Open {
		kept[t.ID] = true
	}
	for _, w := range sortedNames(s.refs) {
		for _, k := range s.refs[w].order {
			if e := s.refs[w].byKey[k]; !kept[e.ID] {
				all = append(all, Known{Wallet: w, Ref: k[:], Entry: *e})
			}
		}
	}
	return all
}

func appendSorted[T Record](all []Record, m map[string]*T) []Record {
	for _, name := range sortedNames(m) {
		all = append(all, *m[name])
	}
	return all
}

func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
