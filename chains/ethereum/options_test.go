package ethereum_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum"
)

func TestCheck(t *testing.T) {
	good := chains.Options{"endpoints": "https://a.example/key"}
	with := func(pairs ...string) chains.Options {
		o := chains.Options{}
		for k, v := range good {
			o[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			o[pairs[i]] = pairs[i+1]
		}
		return o
	}
	highest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)).String()
	above := new(big.Int).Lsh(big.NewInt(1), 256).String()
	for _, c := range []struct {
		name    string
		options chains.Options
		added   bool
		bad     string // the option that is wrong
	}{
		{"good", good, false, ""},
		{"none", chains.Options{}, false, "endpoints"},
		{"empty", with("endpoints", ""), false, "endpoints"},
		{"http", with("endpoints", "http://a.example"), false, "endpoints"},
		{"http allowed", with("endpoints", "http://a.example", "insecure_http", "true"), false, ""},
		{"http by AT", with("endpoints", "http://a.example", "insecure_http", "true"), true, "endpoints"},
		{"user", with("endpoints", "https://me:pw@a.example"), false, ""},
		{"user by AT", with("endpoints", "https://me:pw@a.example"), true, "endpoints"},
		{"ws", with("endpoints", "wss://a.example"), false, "endpoints"},
		{"no host", with("endpoints", "https:///x"), false, "endpoints"},
		{"no URL", with("endpoints", "a.example"), false, "endpoints"},
		{"control", with("endpoints", "https://a.exa\nmple"), false, "endpoints"},
		{"fragment", with("endpoints", "https://a.example/#x"), false, "endpoints"},
		{"twice", with("endpoints", "https://a.example,https://a.example"), false, "endpoints"},
		{"port", with("endpoints", "https://a.example:8545,https://[2001:db8::1]:8545/x?y=z"), false, ""},
		{"id", with("chain_id", "11155111"), false, ""},
		{"high id", with("chain_id", highest), false, ""},
		{"too high id", with("chain_id", above), false, "chain_id"},
		{"id 0", with("chain_id", "0"), false, "chain_id"},
		{"hex id", with("chain_id", "0x1"), false, "chain_id"},
		{"signed id", with("chain_id", "+1"), false, "chain_id"},
		{"padded id", with("chain_id", "01"), false, "chain_id"},
		{"bump", with("bump_percent", "10"), false, ""},
		{"low bump", with("bump_percent", "9"), false, "bump_percent"},
		{"high bump", with("bump_percent", "1001"), false, "bump_percent"},
		{"agree", with("endpoints", "https://a.example,https://b.example", "agree", "2"), false, ""},
		{"agree of too many", with("agree", "2"), false, "agree"},
		{"agree of none", with("agree", "0"), false, "agree"},
		{"gas", with("max_gas", "20999"), false, "max_gas"},
		{"fee", with("max_fee_per_gas", "1.5"), false, "max_fee_per_gas"},
		{"oracle", with("l1_fee_oracle", "0x420000000000000000000000000000000000000F"), false, ""},
		{"bad oracle", with("l1_fee_oracle", "0x42"), false, "l1_fee_oracle"},
		{"pin", with("pin_sha256", strings.Repeat("0a", 32)), false, ""},
		{"short pin", with("pin_sha256", "0a"), false, "pin_sha256"},
		{"base64 pin", with("pin_sha256", strings.Repeat("zz", 32)), false, "pin_sha256"},
		{"half a pair", with("client_cert", "/x"), false, "client_cert"},
		{"no pair", with("client_cert", "/nowhere/c.pem", "client_key", "/nowhere/k.pem"), false, "client_cert"},
		{"no CA", with("ca_file", "/nowhere/ca.pem"), false, "ca_file"},
	} {
		problems := ethereum.Protocol.Check(chains.Config{Name: "n", Options: c.options, Added: c.added})
		if (len(problems) == 0) != (c.bad == "") || c.bad != "" && problems[0].Option != c.bad {
			t.Errorf("%s: %+v, want %q", c.name, problems, c.bad)
		}
		for _, p := range problems {
			if p.Problem == "" || p.Hint == "" || strings.Contains(p.Problem, "pw") {
				t.Errorf("%s: %+v", c.name, p)
			}
		}
	}
	several := ethereum.Protocol.Check(chains.Config{Options: with("endpoints", "ftp://a", "chain_id", "x", "agree", "0")})
	if len(several) != 3 {
		t.Errorf("not all problems at once: %+v", several)
	}
	if _, err := ethereum.Protocol.Open(chains.Config{Name: "n"}, chains.Deps{}); err == nil {
		t.Error("opened without an endpoint")
	}
	if _, err := ethereum.Protocol.Open(chains.Config{Name: "n", Options: good, Added: true}, chains.Deps{}); err == nil {
		t.Error("opened a host that is not allowed")
	}
	if _, err := ethereum.Protocol.Open(chains.Config{Name: "n", Options: good, Added: true}, chains.Deps{AllowedHosts: []string{"a.example"}}); err != nil {
		t.Error(err)
	}
}
