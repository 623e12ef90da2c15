package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/fxamacker/cbor/v2"
)

func tx(id uint32, wallet, ref string) Tx {
	return Tx{ID: id, Wallet: wallet, Net: "net", Key: "k", Address: "0xa", Ref: ref, Digest: []byte{1},
		Intent: chains.Intent{Kind: chains.Transfer, To: "0xb", Value: big.NewInt(5)}, Reserved: big.NewInt(100)}
}

var account = AccountID{Chain: chains.Identity{ChainID: "1", Genesis: "aa"}, Address: "0xa"}

func signed(id uint32, nonce uint64, purpose chains.Purpose) Signed {
	return Signed{ID: id, Attempt: chains.Attempt{Purpose: purpose, Nonce: nonce, Raw: []byte{byte(id), byte(nonce)}, Hash: fmt.Sprintf("%064x", id)},
		Account: account, Sequential: true, Cost: big.NewInt(60), Time: 1000}
}

// state makes a state of records.
func state(t *testing.T, keep int, records ...Record) *State {
	t.Helper()
	s := NewState(keep)
	for i, r := range records {
		if err := s.Apply(Batch{Running: uint64(i), Records: []Record{r}}); err != nil {
			t.Fatalf("record %d, %T: %v", i, r, err)
		}
	}
	return s
}

func TestBatch(t *testing.T) {
	yes := uint8(2)
	in := Batch{Running: 77, Records: []Record{
		Meta{Instance: []byte{1, 2}, Starts: 3, Sequence: 1024, NextID: 9, Acked: 4, Trusted: 5, Source: 1, Renewing: true},
		Key{Name: "k", Store: "soft", Curve: "secp256k1", Usage: "t", State: Active, Public: []byte{2}, Blob: []byte{3}, Signatures: 8, Imported: true},
		Network{Name: "n", Options: map[string]string{"a": "b"}, Chain: &account.Chain, Quarantine: []Quarantine{{"url", account.Chain}}, Final: chains.Head{Number: 1, Hash: "bb", Time: 2}},
		Peer{Name: "p", Net: "n", Address: "0x", Decimals: &yes}, tx(1, "w", "r"), signed(1, 0, chains.Original),
		Moved{ID: 1, State: Included, Block: chains.Head{Number: 1}}, Ended{ID: 1, State: Confirmed, Event: 5, Spent: big.NewInt(3)},
		Tally{Net: "n", Since: 7, Used: 1 << 40},
		Spend{Wallet: "w", ID: 1, Amount: new(big.Int).Lsh(big.NewInt(1), 200), Signed: true},
	}}
	raw, err := in.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out, err := UnmarshalBatch(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("%+v\nread back as\n%+v", in, out)
	}
	again, err := out.Marshal()
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("encoded again as %x, %v, first as %x", again, err, raw)
	}
}

// TestNonces: one nonce, one intent; one intent, one nonce.
func TestNonces(t *testing.T) {
	base := []Record{tx(1, "w", ""), tx(2, "w", ""), tx(3, "w", ""), signed(1, 0, chains.Original), signed(2, 1, chains.Original)}
	for name, c := range map[string]struct {
		r    Record
		want error
	}{
		"next":                        {signed(3, 2, chains.Original), nil},
		"with a gap, as a clone left": {signed(3, 7, chains.Original), nil},
		"used by another":             {signed(3, 1, chains.Original), ErrImpossible},
		"used by the first":           {signed(3, 0, chains.Original), ErrImpossible},
		"bumped":                      {signed(2, 1, chains.Bumped), nil},
		"bumped to another nonce":     {signed(2, 2, chains.Bumped), ErrImpossible},
		"of nothing":                  {signed(9, 9, chains.Original), ErrImpossible},
		"another account":             {Signed{ID: 2, Attempt: chains.Attempt{Nonce: 1}, Cost: big.NewInt(1)}, ErrImpossible},
		"the last there is":           {signed(3, math.MaxUint64, chains.Original), ErrImpossible},
		"without cost":                {Signed{ID: 3, Attempt: chains.Attempt{Nonce: 2}, Account: account}, ErrImpossible},
	} {
		s := state(t, 10, base...)
		before := dump(t, s)
		err := s.Apply(Batch{Records: []Record{c.r}})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && !bytes.Equal(before, dump(t, s)) {
			t.Errorf("%s: was refused and changed something", name)
		}
	}
}

func TestImpossible(t *testing.T) {
	open := []Record{tx(1, "w", "r"), tx(2, "w", ""), signed(2, 0, chains.Original)}
	for name, r := range map[string]Record{
		"an id again":               tx(2, "w", ""),
		"an id before":              tx(1, "w", ""),
		"id 0":                      tx(0, "w", ""),
		"id beyond the last":        tx(1<<31, "w", ""),
		"no value":                  Tx{ID: 3, Reserved: big.NewInt(1)},
		"signed state unsigned":     Moved{ID: 1, State: Sent},
		"moved to an end":           Moved{ID: 2, State: Confirmed},
		"moved to no attempt":       Moved{ID: 2, State: Included, Included: 1},
		"moved back to accepted":    Moved{ID: 2, State: Accepted},
		"ended in no end":           Ended{ID: 2, State: Sent},
		"unsigned and confirmed":    Ended{ID: 1, State: Confirmed},
		"ended twice":               Ended{ID: 7, State: Confirmed},
		"a step of what is signed":  Stepped{ID: 2},
		"request of nothing":        Requested{ID: 7},
		"past without end":          Past{ID: 1, State: Sent},
		"past with a wrong attempt": Past{ID: 1, State: Confirmed, Included: 2},
		"negative reservation":      Spend{Wallet: "w", Amount: big.NewInt(-1)},
		"no reservation":            Spend{Wallet: "w"},
		"half a reference":          Known{Wallet: "w", Ref: []byte{1}},
	} {
		if err := state(t, 10, open...).Apply(Batch{Records: []Record{r}}); !errors.Is(err, ErrImpossible) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// dump is the state as its batches, for comparison.
func dump(t testing.TB, s *State) []byte {
	t.Helper()
	var all []byte
	err := s.Dump(func(b Batch) error {
		raw, err := b.Marshal()
		all = append(all, raw...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// reload is the state after it was dumped and read again.
func reload(t testing.TB, s *State) *State {
	t.Helper()
	fresh := NewState(s.keepEnded)
	err := s.Dump(func(b Batch) error {
		raw, err := b.Marshal()
		if err != nil {
			return err
		}
		back, err := UnmarshalBatch(raw)
		if err != nil {
			return err
		}
		return fresh.Apply(back)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

// TestDump: a snapshot is the state, after any history.
func TestDump(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := history(t, rng, 5)
		want := dump(t, s)
		fresh := reload(t, s)
		if got := dump(t, fresh); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: the state is another after a snapshot", seed)
		}
		if fresh.Payload != s.Payload {
			t.Fatalf("seed %d: payload %d, was %d", seed, fresh.Payload, s.Payload)
		}
		for _, w := range []string{"w0", "w1"} {
			for n := range 60 {
				a, b := s.Reference(w, fmt.Sprint("r", n)), fresh.Reference(w, fmt.Sprint("r", n))
				if !reflect.DeepEqual(a, b) {
					t.Fatalf("seed %d: reference r%d of %s: %+v, was %+v", seed, n, w, b, a)
				}
			}
			s1, w1 := s.Reserved(ofWallet(w), s.Running, 0, 0)
			s2, w2 := fresh.Reserved(ofWallet(w), s.Running, 0, 0)
			if s1.Cmp(s2) != 0 || w1.Cmp(w2) != 0 {
				t.Fatalf("seed %d: reserved %v and %v, were %v and %v", seed, s2, w2, s1, w1)
			}
		}
	}
}

// history is a random past.
func history(t testing.TB, rng *rand.Rand, keep int) *State {
	s := NewState(keep)
	var running uint64
	apply := func(r Record) {
		running += uint64(rng.IntN(9000))
		if s.Check(r) != nil {
			return
		}
		if err := s.Apply(Batch{Running: running, Records: []Record{r}}); err != nil {
			t.Fatal(err)
		}
	}
	apply(Key{Name: "k", Public: []byte{2}, State: Active})
	for n := range 60 {
		id := uint32(1 + rng.IntN(n+1))
		switch rng.IntN(13) {
		case 10:
			apply(Subscription{N: uint32(1 + rng.IntN(2)), Net: "net", Filter: chains.Filter{Contract: "0xa", Event: "E()", Topics: [][]byte{{1}, nil}}})
		case 11:
			apply(event(uint32(n+1), uint32(1+rng.IntN(2)), uint64(rng.IntN(9))))
		case 12:
			apply([]Record{Looked{N: 1, Chain: account.Chain, Seen: chains.Head{Number: 6, Hash: "cc"}, Final: uint64(rng.IntN(5))},
				Vanished{N: 1, Hash: []byte{byte(rng.IntN(9))}}, Alarm{Seq: uint32(n + 1), Code: 7046, Subject: "event 1"}, SubscriptionGone{N: 2}}[rng.IntN(4)])
		case 0, 1, 2:
			x := tx(s.Meta.NextID, fmt.Sprint("w", rng.IntN(2)), fmt.Sprint("r", n))
			x.Intent.Data = make([]byte, rng.IntN(50))
			apply(x)
		case 3, 4:
			next := uint64(0)
			if a := s.Accounts[account]; a != nil {
				next = a.Next
			}
			apply(signed(id, next, chains.Original))
		case 5:
			apply(Moved{ID: id, State: Included, Block: chains.Head{Number: 3, Hash: "cc"}})
		case 6, 7:
			end := Ended{ID: id, State: []TxState{Confirmed, Reverted, Cancelled, Refused}[rng.IntN(4)], Event: uint32(n)}
			if rng.IntN(2) == 0 {
				end.Spent = big.NewInt(int64(rng.IntN(50)))
			}
			apply(end)
		case 8:
			apply(Tally{Net: fmt.Sprint("n", rng.IntN(2)), Since: running, Used: uint64(n)})
		default:
			apply(foreign{Kind: uint16(60000 + rng.IntN(3)), Body: cbor.RawMessage{0x18, byte(100 + n)}})
		}
	}
	return s
}

// TestTallies: a factory reset forgets the bytes of networks that it removes, and
// of no other.
func TestTallies(t *testing.T) {
	s := state(t, 5, Network{Name: "added", Protocol: "p"}, Network{Name: "file"}, Tally{Net: "added", Used: 1}, Tally{Net: "file", Used: 2},
		Network{Name: "gone", Protocol: "p"}, Tally{Net: "gone", Used: 3}, NetworkGone{Name: "gone"})
	if len(s.Tallies) != 2 {
		t.Errorf("%v", s.Tallies)
	}
	ok(t, s.Apply(Batch{Records: []Record{Reset{}}}))
	if len(s.Tallies) != 1 || s.Tallies["file"].Used != 2 {
		t.Errorf("after a reset %v", s.Tallies)
	}
}

// TestForeign: records of a newer boatd are carried along, in order, up to a
// bound, and are the same bytes when that one reads them again.
func TestForeign(t *testing.T) {
	raw, err := encMode.Marshal(wireBatch{Running: 3, Records: []wireRecord{
		{Kind: 900, Body: cbor.RawMessage{0x01}}, {Kind: 901, Body: cbor.RawMessage{0xa1, 0x01, 0x02}}, {Kind: 900, Body: cbor.RawMessage{0x02}}}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := UnmarshalBatch(raw)
	if err != nil {
		t.Fatal(err)
	}
	s := NewState(5)
	if err := s.Apply(b); err != nil {
		t.Fatal(err)
	}
	again := reload(t, reload(t, s))
	if !reflect.DeepEqual(again.foreign, s.foreign) || len(again.foreign) != 3 {
		t.Errorf("carried along as %v", again.foreign)
	}
	big := foreign{Kind: 900, Body: make(cbor.RawMessage, MaxForeign)}
	if err := s.Apply(Batch{Records: []Record{big}}); !errors.Is(err, ErrImpossible) {
		t.Errorf("more than can be carried: %v", err)
	}
}

// TestNewerFields: keys that a newer boatd added to a record are ignored.
func TestNewerFields(t *testing.T) {
	body, err := encMode.Marshal(map[int]any{1: "p", 2: "n", 3: "0x", 99: "new"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encMode.Marshal(wireBatch{Records: []wireRecord{{Kind: Peer{}.kind(), Body: body}}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := UnmarshalBatch(raw)
	if err != nil || !reflect.DeepEqual(b.Records[0], Peer{Name: "p", Net: "n", Address: "0x"}) {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestReferences: the last ones of each wallet are remembered, an open one is
// never forgotten.
func TestReferences(t *testing.T) {
	s := NewState(3)
	first := tx(1, "w", "first")
	ok(t, s.Apply(Batch{Records: []Record{first}}))
	for id := uint32(2); id < RefsPerWallet+50; id++ {
		ok(t, s.Apply(Batch{Records: []Record{tx(id, "w", fmt.Sprint(id)), Ended{ID: id, State: Cancelled, Event: id, Spent: new(big.Int)}}}))
	}
	if s.Reference("w", "first") == nil {
		t.Error("the reference of an open transaction is forgotten")
	}
	ok(t, s.Apply(Batch{Records: []Record{Ended{ID: 1, State: Refused, Event: 1, Spent: new(big.Int)}}}))
	for id := uint32(RefsPerWallet + 50); id < 2*RefsPerWallet; id++ {
		ok(t, s.Apply(Batch{Records: []Record{tx(id, "w", fmt.Sprint(id)), Ended{ID: id, State: Cancelled, Event: id, Spent: new(big.Int)}}}))
	}
	s = reload(t, s)
	if n := len(s.refs["w"].order); n > RefsPerWallet {
		t.Errorf("%d references", n)
	}
	for id := uint32(2*RefsPerWallet - RefsPerWallet); id < 2*RefsPerWallet; id++ {
		r := s.Reference("w", fmt.Sprint(id))
		if r == nil || r.ID != id || r.State != Cancelled {
			t.Fatalf("reference %d is %+v", id, r)
		}
	}
	if len(s.Past) != 3 || s.Forgotten(2*RefsPerWallet-100) == nil {
		t.Errorf("%d ended transactions are kept", len(s.Past))
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ofWallet(w string) func(*Spend) bool { return func(sp *Spend) bool { return sp.Wallet == w } }

// TestReserved: what counts against a day.
func TestReserved(t *testing.T) {
	s := NewState(10)
	ok(t, s.Apply(Batch{Running: 10, Records: []Record{tx(1, "w", ""), tx(2, "w", ""), tx(3, "other", "")}}))
	check := func(when string, running, now uint64, except uint32, wantSigned, wantWaiting int64) {
		t.Helper()
		signed, waiting := s.Reserved(ofWallet("w"), running, now, except)
		if signed.Int64() != wantSigned || waiting.Int64() != wantWaiting {
			t.Errorf("%s: %v signed and %v waiting, want %d and %d", when, signed, waiting, wantSigned, wantWaiting)
		}
	}
	check("accepted", 10, 0, 0, 0, 200)
	check("accepted long ago", 10+10*Day, 0, 0, 0, 200)
	check("but one", 10, 0, 2, 0, 100)
	ok(t, s.Apply(Batch{Running: 20, Records: []Record{signed(1, 0, chains.Original)}}))
	check("signed", 20, 0, 0, 60, 100)
	check("almost a day ago", 20+Day-1, 0, 0, 60, 100)
	check("a day ago", 20+Day, 0, 0, 0, 100)
	check("a day ago by the chain, without a start since", 21, 1000+Day, 0, 60, 100)
	s.Meta.Starts++
	check("a day ago by the chain", 21, 1000+Day, 0, 0, 100)
	check("before it was signed, by the chain", 21, 1, 0, 60, 100)
	check("almost a day ago by the chain", 21, 1000+Day-1, 0, 60, 100)
	bumped := signed(1, 0, chains.Bumped)
	bumped.Cost = big.NewInt(90)
	ok(t, s.Apply(Batch{Running: 30, Records: []Record{bumped}}))
	check("bumped", 30, 0, 0, 90, 100)
	check("counted from the bump", 20+Day, 0, 0, 90, 100)
	ok(t, s.Apply(Batch{Running: 40, Records: []Record{Ended{ID: 2, State: Cancelled, Event: 1, Spent: new(big.Int)}}}))
	check("the unsigned one released", 40, 0, 0, 90, 0)
	ok(t, s.Apply(Batch{Running: 50, Records: []Record{Ended{ID: 1, State: Reverted, Event: 2, Spent: big.NewInt(7)}}}))
	check("only the fee kept", 50, 0, 0, 7, 0)
	s = reload(t, s)
	check("after a snapshot", 50, 0, 0, 7, 0)
}

// TestFactoryReset: what goes and what stays.
func TestFactoryReset(t *testing.T) {
	s := state(t, 10, Meta{Starts: 4, Sequence: 2048, NextID: 1, Trusted: 9}, Key{Name: "k"}, Wallet{Name: "w"}, Peer{Name: "p"}, Network{Name: "n"},
		Channel{Name: "c", Settings: []byte{1}}, tx(1, "w", "r"), signed(1, 0, chains.Original), Reset{Instance: []byte{7}})
	if len(s.Keys)+len(s.Wallets)+len(s.Peers)+len(s.Networks)+len(s.Channels)+len(s.Open)+len(s.Accounts) != 0 || s.Reference("w", "r") != nil || s.Payload != 0 {
		t.Errorf("left over: %+v", s)
	}
	if m := s.Meta; m.Starts != 4 || m.Sequence != 2048 || m.NextID != 2 || m.Trusted != 9 || !m.Renewing || !bytes.Equal(m.Instance, []byte{7}) {
		t.Errorf("meta is %+v", m)
	}
	if signed, _ := s.Reserved(ofWallet("w"), s.Running, 0, 0); signed.Int64() != 60 {
		t.Errorf("%v is reserved: a reset opens the window again", signed)
	}
}

func FuzzBatch(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	_ = history(f, rng, 4).Dump(func(b Batch) error {
		raw, err := b.Marshal()
		f.Add(raw)
		return err
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := UnmarshalBatch(raw)
		if err != nil {
			return
		}
		s := NewState(4)
		if s.Apply(b) != nil {
			return
		}
		if again := reload(t, s); !bytes.Equal(dump(t, again), dump(t, s)) {
			t.Error("a snapshot is another state")
		}
	})
}

// BenchmarkOpen is what reading a snapshot of a full device costs.
func BenchmarkOpen(b *testing.B) {
	s := NewState(10_000)
	for id := uint32(1); id <= 10_000; id++ {
		ok(b, s.Apply(Batch{Running: uint64(id), Records: []Record{tx(id, "w", fmt.Sprint("r", id)), signed(id, uint64(id), chains.Original),
			Ended{ID: id, State: Confirmed, Event: id, Block: chains.Head{Number: uint64(id), Hash: fmt.Sprintf("%064x", id)}}}}))
	}
	var frames [][]byte
	ok(b, s.Dump(func(batch Batch) error {
		raw, err := batch.Marshal()
		frames = append(frames, raw)
		return err
	}))
	b.ReportAllocs()
	for b.Loop() {
		fresh := NewState(10_000)
		for _, raw := range frames {
			batch, err := UnmarshalBatch(raw)
			ok(b, err)
			ok(b, fresh.Apply(batch))
		}
	}
}
