// Package amount reads and writes quantities of coin. There is no floating
// point in it and no rounding: an amount that does not fit is an error.
package amount

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// ErrAmount is what every refusal here wraps.
var ErrAmount = errors.New("bad amount")

// units are the suffixes of a native amount and their decimals.
var units = []struct {
	suffix   string
	decimals int
}{
	{"gwei", 9}, {"wei", 0}, {"ether", 18},
}

// limit is 2^256, the first amount that is too large for any chain here.
var limit = new(big.Int).Lsh(big.NewInt(1), 256)

// Native reads an amount of native coin: digits alone are the smallest unit; a
// decimal with a suffix wei, gwei or ether is that unit
// (at-commands.md, section 6, "Amounts").
func Native(text string) (*big.Int, error) {
	for _, u := range units {
		if num, ok := strings.CutSuffix(text, u.suffix); ok {
			return scaled(text, num, u.decimals)
		}
	}
	return scaled(text, text, 0)
}

// Asset reads an amount of an asset with the given decimals: digits alone are
// the smallest unit; a decimal with the suffix whole is counted in units of the
// asset.
func Asset(text string, decimals int) (*big.Int, error) {
	if num, ok := strings.CutSuffix(text, "whole"); ok {
		return scaled(text, num, decimals)
	}
	return scaled(text, text, 0)
}

// scaled returns num * 10^decimals; whole is the text for the error.
func scaled(whole, num string, decimals int) (*big.Int, error) {
	bad := func(why string) (*big.Int, error) {
		if len(whole) > 100 {
			whole = whole[:100]
		}
		return nil, fmt.Errorf("%w %q: %s", ErrAmount, whole, why)
	}
	intPart, frac, point := strings.Cut(num, ".")
	switch {
	case len(num) > 100:
		return bad("too long")
	case intPart == "" || (point && frac == ""):
		return bad("a number needs digits on both sides of its point")
	case !digits(intPart) || !digits(frac):
		return bad("want decimal digits and perhaps a unit")
	case point && num == whole:
		return bad("a fraction needs a unit")
	case len(frac) > decimals:
		return bad(fmt.Sprintf("more than %d decimals", decimals))
	}
	v, ok := new(big.Int).SetString(intPart+frac+strings.Repeat("0", decimals-len(frac)), 10)
	if !ok || v.Cmp(limit) >= 0 {
		return bad("more than 2^256-1")
	}
	return v, nil
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
