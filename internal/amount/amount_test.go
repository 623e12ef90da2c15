package amount

import (
	"errors"
	"math/big"
	"strings"
	"testing"
)

func TestNative(t *testing.T) {
	highest := new(big.Int).Sub(limit, big.NewInt(1)).String()
	for text, want := range map[string]string{
		"0": "0", "7": "7", "007": "7", "0wei": "0", "12wei": "12", "1gwei": "1000000000", "1.5gwei": "1500000000",
		"0.000000001gwei": "1", "1ether": "1000000000000000000", "0.1ether": "100000000000000000",
		"0.000000000000000001ether": "1", "1.0ether": "1000000000000000000", highest: highest,
	} {
		got, err := Native(text)
		if err != nil || got.String() != want {
			t.Errorf("%q is %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "-1", "+1", "1.5", "1.", ".5", ".", "1.5wei", "0.0000000001gwei", "0.0000000000000000001ether",
		"1e18", "0x10", "1 ether", "1ether ", " 1", "1_000", "1,5ether", "ether", "1whole", "1Ether", "1.2.3ether", "１",
		limit.String(), "115792089237316195423570985008687907853269984665640564039458ether", strings.Repeat("9", 101), strings.Repeat("0", 200) + "1",
	} {
		if got, err := Native(text); !errors.Is(err, ErrAmount) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	if _, err := Native(strings.Repeat("x", 5000)); len(err.Error()) > 200 {
		t.Errorf("a message of %d bytes", len(err.Error()))
	}
}

func TestAsset(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals int
		want     string // "" refused
	}{
		{"5", 6, "5"}, {"5whole", 6, "5000000"}, {"0.000001whole", 6, "1"}, {"0.0000001whole", 6, ""}, {"3whole", 0, "3"},
		{"1.5whole", 0, ""}, {"1ether", 18, ""}, {"1.5", 18, ""}, {"1whole", 77, "1" + strings.Repeat("0", 77)}, {"2whole", 78, ""},
	} {
		got, err := Asset(c.text, c.decimals)
		if (err == nil) != (c.want != "") || (err == nil && got.String() != c.want) {
			t.Errorf("%q with %d decimals is %v, %v, want %q", c.text, c.decimals, got, err, c.want)
		}
	}
}

// FuzzAmount: what is taken is exact: written in smallest units it is the same.
func FuzzAmount(f *testing.F) {
	for _, s := range []string{"1", "1.5ether", "0.1gwei", "12whole", "-3", "1e9", "..", "9999999999999999999999ether"} {
		f.Add(s, 18)
	}
	f.Fuzz(func(t *testing.T, text string, decimals int) {
		for _, read := range []func() (*big.Int, error){
			func() (*big.Int, error) { return Native(text) },
			func() (*big.Int, error) { return Asset(text, decimals&63) },
		} {
			v, err := read()
			if err != nil {
				continue
			}
			again, err := Native(v.String())
			if v.Sign() < 0 || v.Cmp(limit) >= 0 || err != nil || again.Cmp(v) != 0 {
				t.Errorf("%q is %v, read again as %v, %v", text, v, again, err)
			}
		}
	})
}
