package ethereum

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// gasCap is the most gas that Ethereum allows a transaction (EIP-7825).
const gasCap = 1 << 24

// options are a network's options, read.
type options struct {
	endpoints []*url.URL
	chainID   string // decimal; "" where the first contact decides
	depth     uint64 // blocks until final; 0: the tag "finalized"
	agree     int
	maxFee    *big.Int // a unit of gas
	maxTip    *big.Int // a unit of gas
	maxTotal  *big.Int // a transaction
	maxGas    uint64   // a transaction
	bump      int64    // percent
	oracle    string   // "" for none
	tls       jsonrpc.TLSOptions
}

// check reports what is wrong with a network's options.
func check(c chains.Config) []chains.OptionError {
	opt, problems := read(c)
	if opt.tls.CAFile != "" {
		if _, err := jsonrpc.ReadCAs(opt.tls.CAFile); err != nil {
			problems = append(problems, chains.OptionError{Option: "ca_file", Problem: err.Error(), Hint: "a file of PEM certificates"})
		}
	}
	pair := jsonrpc.TLSOptions{ClientCert: opt.tls.ClientCert, ClientKey: opt.tls.ClientKey}
	if pair.ClientCert != "" && pair.ClientKey != "" {
		if _, err := pair.Config(); err != nil {
			problems = append(problems, chains.OptionError{Option: "client_cert", Problem: err.Error(), Hint: "a PEM certificate, and its key in client_key"})
		}
	}
	return problems
}

// read reads a network's options and collects what is wrong with them.
func read(c chains.Config) (options, []chains.OptionError) {
	var problems []chains.OptionError
	bad := func(option, hint, format string, args ...any) {
		problems = append(problems, chains.OptionError{Option: option, Problem: fmt.Sprintf(format, args...), Hint: hint})
	}
	for _, row := range chains.OptionTable {
		if text, ok := c.Options[row.Name]; ok {
			if err := row.CheckText(text); err != nil {
				bad(row.Name, row.Summary, "%v", err)
			}
		}
	}
	if len(problems) > 0 {
		return options{}, problems
	}
	o := options{
		chainID: c.Options.Text("chain_id"), depth: c.Options.Integer("confirmations"), agree: int(min(c.Options.Integer("agree"), 1000)),
		maxFee: amountOf(c, "max_fee_per_gas"), maxTip: amountOf(c, "max_tip"), maxTotal: amountOf(c, "max_total_fee"),
		maxGas: min(c.Options.Integer("max_gas"), gasCap), bump: int64(min(c.Options.Integer("bump_percent"), 1001)),
		oracle: c.Options.Text("l1_fee_oracle"),
		tls: jsonrpc.TLSOptions{
			CAFile: c.Options.Text("ca_file"), Pins: c.Options.List("pin_sha256"),
			ClientCert: c.Options.Text("client_cert"), ClientKey: c.Options.Text("client_key"),
		},
	}
	o.endpoints = readEndpoints(c, bad)
	if err := checkChainID(o.chainID); err != nil {
		bad("chain_id", "a decimal number from 1 up to 2^256-1, or empty", "%v", err)
	}
	if o.bump < 10 || o.bump > 1000 {
		bad("bump_percent", "nodes refuse less than 10", "%d is not between 10 and 1000", o.bump)
	}
	if o.agree < 1 || len(o.endpoints) > 0 && o.agree > len(o.endpoints) {
		bad("agree", "from 1 to the number of endpoints", "%d endpoints cannot be asked, there are %d", o.agree, len(o.endpoints))
	}
	if o.maxGas < plainGas {
		bad("max_gas", "a plain transfer needs 21000", "%d is too little for any transaction", o.maxGas)
	}
	if o.oracle != "" {
		if _, err := (codec{}).ParseAddress(o.oracle); err != nil {
			bad("l1_fee_oracle", "a contract's address, or empty", "%v", err)
		}
	}
	for _, pin := range o.tls.Pins {
		if b, err := hex.DecodeString(pin); err != nil || len(b) != sha256.Size {
			bad("pin_sha256", "64 hex digits each", "%q is not a SHA-256", pin)
		}
	}
	if (o.tls.ClientCert == "") != (o.tls.ClientKey == "") {
		bad("client_cert", "set client_cert and client_key, or neither", "one of client_cert and client_key is missing")
	}
	return o, problems
}

// amountOf returns an amount; an empty one, which CheckText lets pass, is zero.
func amountOf(c chains.Config, name string) *big.Int {
	if v := c.Options.Amount(name); v != nil {
		return v
	}
	return new(big.Int)
}

func readEndpoints(c chains.Config, bad func(option, hint, format string, args ...any)) []*url.URL {
	var urls []*url.URL
	seen := make(map[string]bool)
	for _, text := range c.Options.List("endpoints") {
		u, err := readURL(text, c)
		switch {
		case err != nil:
			bad("endpoints", "want https, a host, and perhaps a port and a path", "%v", err)
		case seen[u.String()]:
			bad("endpoints", "name every endpoint once", "%s is named twice", u.Host)
		default:
			seen[u.String()] = true
			urls = append(urls, u)
		}
	}
	if len(c.Options.List("endpoints")) == 0 {
		bad("endpoints", "want https, a host, and perhaps a port and a path", "no endpoint")
	}
	return urls
}

// readURL reads an endpoint. Its errors show the host at most: the rest of a
// URL is often a key.
func readURL(text string, c chains.Config) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 1024:
		return nil, fmt.Errorf("not a URL")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("a URL without a host")
	case u.Fragment != "":
		return nil, fmt.Errorf("%s: a fragment means nothing here", u.Host)
	case u.Scheme == "https":
	case u.Scheme != "http":
		return nil, fmt.Errorf("%s: scheme %q", u.Host, u.Scheme)
	case c.Added:
		return nil, fmt.Errorf("%s: only https may be added by AT", u.Host)
	case !c.Options.Flag("insecure_http"):
		return nil, fmt.Errorf("%s: plain http needs insecure_http = true", u.Host)
	}
	if c.Added && u.User != nil {
		return nil, fmt.Errorf("%s: user information in a URL that was added by AT", u.Host)
	}
	return u, nil
}

func checkChainID(text string) error {
	if text == "" {
		return nil
	}
	v, ok := new(big.Int).SetString(text, 10)
	if !ok || v.Sign() <= 0 || v.BitLen() > 256 || v.String() != text {
		return fmt.Errorf("%.80q is not a chain id", text)
	}
	return nil
}
