package chains

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/boatd/boatd/internal/amount"
)

// Options are a network's options by the names of the configuration file, each
// in its canonical text: decimal integers, amounts as written ("200gwei"),
// "true" or "false", lists joined by commas. An absent one has its default.
type Options map[string]string

// An OptionKind is the type of an option's text.
type OptionKind uint8

// The kinds of option.
const (
	Text    OptionKind = iota
	Integer            // 0 to 2^53
	Amount             // native coin, as package amount reads it
	Flag               // true or false
	List               // texts joined by commas
	Path               // a file: never set by AT
)

// A Direction says how an option of a network of the file may be changed by AT
// without being listed in at_may_set.
type Direction uint8

// The directions.
const (
	Fixed  Direction = iota // not at all
	Lower                   // only to less
	LowerN                  // only to less, and not from 0, which means none
	Raise                   // only to more
)

// An Option is a row of the closed table of network options.
type Option struct {
	Name     string
	Kind     OptionKind
	Default  string
	Tighten  Direction
	FileOnly bool // never by AT, whatever at_may_set lists
	Summary  string
}

// OptionTable is every key of [[network]] but name and protocol, in the order
// of the manual (configuration.md, "Network options by AT").
var OptionTable = []Option{
	{Name: "endpoints", Kind: List, Summary: "URLs of the network's nodes, best first"},
	{Name: "chain_id", Kind: Text, Summary: "the chain id that the nodes must have, decimal; empty: taken at first contact"},
	{Name: "confirmations", Kind: Integer, Default: "0", Tighten: Raise, Summary: "blocks until confirmed; 0: the protocol's own rule"},
	{Name: "max_fee_per_gas", Kind: Amount, Default: "200gwei", Tighten: Lower, Summary: "highest fee a unit of gas"},
	{Name: "max_tip", Kind: Amount, Default: "5gwei", Tighten: Lower, Summary: "highest tip a unit of gas"},
	{Name: "max_gas", Kind: Integer, Default: "5000000", Tighten: Lower, Summary: "highest gas limit of a transaction"},
	{Name: "max_total_fee", Kind: Amount, Default: "0.01ether", Tighten: Lower, Summary: "highest fee of a transaction in all"},
	{Name: "agree", Kind: Integer, Default: "1", Tighten: Raise, Summary: "endpoints that must agree before a transaction counts as confirmed"},
	{Name: "insecure_http", Kind: Flag, Default: "false", FileOnly: true, Summary: "allow plain http endpoints"},
	{Name: "external_use", Kind: Flag, Default: "false", Summary: "the accounts are also used elsewhere: follow the chain's nonce"},
	{Name: "bump_after", Kind: Integer, Default: "0", Summary: "seconds without inclusion until the fee is raised by itself; 0: never"},
	{Name: "bump_percent", Kind: Integer, Default: "12", Summary: "by how much, 10 or more"},
	{Name: "bump_max", Kind: Integer, Default: "3", Tighten: Lower, Summary: "how often"},
	{Name: "low_balance", Kind: Amount, Summary: "below it a wallet's balance is reported, once each time, when boatd comes to know it; none: never"},
	{Name: "daily_bytes", Kind: Integer, Default: "0", Tighten: LowerN, Summary: "bytes on the wire, TLS included, in 24 hours of running time; then all waits. 0: no bound"},
	{Name: "l1_fee_oracle", Kind: Text, Summary: "contract that tells a rollup's L1 fee"},
	{Name: "at_may_set", Kind: List, FileOnly: true, Summary: "options that AT may set freely"},
	{Name: "ca_file", Kind: Path, FileOnly: true, Summary: "certificates that are trusted instead of the system's"},
	{Name: "pin_sha256", Kind: List, FileOnly: true, Summary: "SHA-256 of public keys that a server must show, hex"},
	{Name: "client_cert", Kind: Path, FileOnly: true, Summary: "certificate for mutual TLS"},
	{Name: "client_key", Kind: Path, FileOnly: true, Summary: "its key"},
}

// LookupOption returns the row called name.
func LookupOption(name string) (Option, bool) {
	for _, o := range OptionTable {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}

// Text returns the option's text, or its default.
func (o Options) Text(name string) string {
	if s, ok := o[name]; ok {
		return s
	}
	row, ok := LookupOption(name)
	if !ok {
		panic("chains: no network option " + name)
	}
	return row.Default
}

// Integer returns the option as an integer; the text must have been checked.
func (o Options) Integer(name string) uint64 {
	n, _ := strconv.ParseUint(o.Text(name), 10, 53)
	return n
}

// Flag returns the option as a truth value.
func (o Options) Flag(name string) bool { return o.Text(name) == "true" }

// List returns the option's texts, none for an empty one.
func (o Options) List(name string) []string {
	s := o.Text(name)
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// Amount returns the option in the native coin's smallest unit, nil when it is
// empty; the text must have been checked.
func (o Options) Amount(name string) *big.Int {
	s := o.Text(name)
	if s == "" {
		return nil
	}
	v, err := amount.Native(s)
	if err != nil {
		return nil
	}
	return v
}

// CheckText says what is wrong with text as a value of this option.
func (row Option) CheckText(text string) error {
	switch row.Kind {
	case Integer:
		if _, err := strconv.ParseUint(text, 10, 53); err != nil || (len(text) > 1 && text[0] == '0') {
			return fmt.Errorf("%q is not a whole number", text)
		}
	case Amount:
		if text == "" {
			return nil
		}
		if _, err := amount.Native(text); err != nil {
			return err
		}
	case Flag:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
	}
	return nil
}

// Tightens says whether going from old to text only makes the option stricter.
// Both texts must have been checked.
func (row Option) Tightens(old, text string) bool {
	if row.Tighten == Fixed {
		return false
	}
	from, to := row.number(old), row.number(text)
	switch row.Tighten {
	case Lower:
		return to.Cmp(from) <= 0
	case LowerN:
		return to.Sign() > 0 && from.Sign() > 0 && to.Cmp(from) <= 0
	default:
		return to.Cmp(from) >= 0
	}
}

func (row Option) number(text string) *big.Int {
	if row.Kind == Amount {
		if v, err := amount.Native(text); err == nil {
			return v
		}
		return new(big.Int)
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return new(big.Int)
	}
	return n
}
