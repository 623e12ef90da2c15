package config

import (
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum"
)

// protocols is a registry with one protocol that wants endpoints.
func protocols() *chains.Registry {
	return chains.NewRegistry(chains.Protocol{
		Name: "ethereum",
		Check: func(c chains.Config) (errs []chains.OptionError) {
			if len(c.Options.List("endpoints")) == 0 {
				errs = append(errs, chains.OptionError{Option: "endpoints", Problem: "there is none", Hint: "name a node"})
			}
			for _, e := range c.Options.List("endpoints") {
				if strings.Contains(e, "wrong") {
					errs = append(errs, chains.OptionError{Option: "endpoints", Problem: "bad URL " + e})
				}
			}
			return errs
		},
	})
}

// load reads text as the file boatd.toml in a directory of its own.
func load(t testing.TB, text string, env []string, flags map[string]string) (*Config, Problems) {
	t.Helper()
	put(t, text)
	return Load("boatd.toml", env, flags, protocols())
}

// put makes text the file boatd.toml of a new working directory.
func put(t testing.TB, text string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("boatd.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// must is load of a configuration without problems.
func must(t testing.TB, text string) *Config {
	t.Helper()
	c, ps := load(t, text, nil, nil)
	if len(ps) > 0 {
		t.Fatalf("problems:\n%s", ps)
	}
	return c
}

// channel makes a configuration whole whose subject is something else.
const channel = "[[channel]]\nname = \"local\"\ntype = \"unix\"\npath = \"/run/at\"\n"

func TestDefaults(t *testing.T) {
	c := must(t, channel)
	want := Config{
		StateDir: "/data/boatd",
		Log:      Log{"info", "console", "stderr"},
		AT:       AT{PINRequired: true},
		Channels: []Channel{{Name: "local", Type: "unix", Path: "/run/at"}},
		Net:      Net{AllowedHosts: []string{}, KeyExchange: "classic"},
		Keystore: Keystore{"soft", []string{"soft:"}, "auto",
			[]string{"/proc/device-tree/serial-number", "/sys/devices/soc0/serial_number"}},
		Journal:  Journal{10000, 64},
		settings: c.settings,
	}
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
}

func TestEveryKey(t *testing.T) {
	c := must(t, `
state_dir = "/state"
allow_volatile_state = true
[log]
level = "debug"
format = "json"
target = "syslog"
[at]
pin_required = false
require_ref = true
allow_key_import = true
allow_key_export = true
allow_digest_signing = true
open_reset = true
legacy = false
[[channel]]
name = "uart"
type = "serial"
device = "/dev/ttyHS0"
baud = 921600
flow = "rtscts"
cmux = false
[[channel]]
name = "bench"
type = "pty"
link = "/run/at"
[net]
allow_add = true
allowed_hosts = ["rpc.example.org", "10.0.0.1"]
allowed_prefixes = ["10.0.0.0/8", "fd00::/8"]
key_exchange = "hybrid"
[[network]]
name = "n"
protocol = "ethereum"
endpoints = ["https://a", "https://b"]
chain_id = 5
confirmations = 0
max_fee_per_gas = "100gwei"
external_use = true
at_may_set = ["low_balance", "external_use"]
[keystore]
minimum = "soft"
stores = ["soft:"]
seal = "device"
device_ids = ["/id"]
[journal]
keep_ended = 8
queue_max = 1
[metrics]
socket = "/run/metrics"
[policy]
file = ""
owner_key = ""
[audit]
max_kib = 256
[[limit]]
wallet = "w0"
per_transaction = "0.1ether"
per_day = "5"
recipients = ["0x71562b71999873DB5b286dF957af199Ec94617F7"]
`)
	tenth, _ := new(big.Int).SetString("100000000000000000", 10)
	want := Config{
		StateDir: "/state", AllowVolatileState: true,
		Log: Log{"debug", "json", "syslog"},
		AT:  AT{false, true, true, true, true, true},
		Channels: []Channel{
			{Name: "uart", Type: "serial", Device: "/dev/ttyHS0", Baud: 921600, Flow: "rtscts"},
			{Name: "bench", Type: "pty", Link: "/run/at"},
		},
		Net: Net{true, []string{"rpc.example.org", "10.0.0.1"},
			[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}, "hybrid"},
		Networks: []chains.Config{{Name: "n", Protocol: "ethereum", Options: chains.Options{
			"endpoints": "https://a,https://b", "chain_id": "5", "confirmations": "0", "max_fee_per_gas": "100gwei",
			"external_use": "true", "at_may_set": "low_balance,external_use",
		}}},
		Keystore: Keystore{"soft", []string{"soft:"}, "device", []string{"/id"}},
		Journal:  Journal{8, 1},
		Metrics:  Metrics{"/run/metrics"},
		Limits: []Limit{{"w0", tenth, big.NewInt(5),
			[]string{"0x71562b71999873DB5b286dF957af199Ec94617F7"}}},
		settings: c.settings,
	}
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
}

// TestEveryRowIsRead sets no key by name: a row without a field, or with the
// field of another row, shows here.
func TestEveryRowIsRead(t *testing.T) {
	for _, r := range rows {
		if r.later != (r.field == nil && !isOption(r)) {
			t.Errorf("%s: a key of this build needs a field, another none", r.full())
		}
	}
	seen := map[any]string{}
	var c Config
	for _, r := range rows {
		if r.field == nil || !single(r.table) {
			continue
		}
		field := r.field(&c)
		if other, taken := seen[field]; taken {
			t.Errorf("%s and %s fill the same field", r.full(), other)
		}
		seen[field] = r.full()
	}
}

func TestLayers(t *testing.T) {
	text := channel + "[log]\nlevel = \"warn\"\nformat = \"json\"\n[journal]\nqueue_max = 5\n"
	env := []string{"HOME=/", "BOATD_LOG_LEVEL=error", "BOATD_JOURNAL_QUEUE_MAX=6", "BOATD_STATE_DIR=/env",
		"BOATD_NET_ALLOWED_HOSTS=a.example,b.example", "BOATD_AT_REQUIRE_REF=true", "BOATD_KEYSTORE_DEVICE_IDS="}
	flags := map[string]string{"log.level": "debug", "state_dir": "/flag"}
	c, ps := load(t, text, env, flags)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	got := []any{c.Log.Level, c.Log.Format, c.Journal.QueueMax, c.StateDir, c.Net.AllowedHosts, c.AT.RequireRef, len(c.Keystore.DeviceIDs)}
	want := []any{"debug", "json", 6, "/flag", []string{"a.example", "b.example"}, true, 0}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var b strings.Builder
	if err := c.Effective(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`state_dir = "/flag" # --state_dir`, `level = "debug" # --log.level`, `format = "json" # boatd.toml:7`,
		`queue_max = 6 # BOATD_JOURNAL_QUEUE_MAX`, `open_reset = false # default`, `name = "local" # boatd.toml:2`,
	} {
		if !strings.Contains("\n"+b.String(), "\n"+line+"\n") {
			t.Errorf("effective lacks %q:\n%s", line, b.String())
		}
	}
}

func TestNoFile(t *testing.T) {
	c, ps := Load("", nil, map[string]string{"state_dir": "/s"}, protocols())
	if ps.Failed() || c.StateDir != "/s" {
		t.Fatalf("%+v\n%s", c, ps)
	}
	if len(ps) != 1 || !ps[0].Warning || ps[0].Key != "channel" {
		t.Errorf("want a warning that there is no channel:\n%s", ps)
	}
}

// TestConfigs loads what is shipped with the protocols of the product, as it is
// and with its examples switched on.
func TestConfigs(t *testing.T) {
	for name, want := range map[string]struct{ networks, limits int }{
		"boatd.toml": {1, 1}, "bench.toml": {1, 0},
	} {
		data, err := os.ReadFile(filepath.Join("..", "..", "configs", name))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { ship(t, string(data)) })
		t.Run(name+" with examples", func(t *testing.T) {
			c := ship(t, enable(string(data)))
			if len(c.Networks) != want.networks || len(c.Limits) != want.limits {
				t.Errorf("%d networks and %d limits", len(c.Networks), len(c.Limits))
			}
		})
	}
}

// ship loads a configuration as the product does.
func ship(t *testing.T, text string) *Config {
	t.Helper()
	put(t, text)
	c, ps := Load("boatd.toml", nil, nil, chains.NewRegistry(ethereum.Protocol))
	if len(ps) > 0 {
		t.Fatalf("problems:\n%s", ps)
	}
	return c
}

// enable switches examples on: lines that begin with # and no space.
func enable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if len(line) > 1 && line[0] == '#' && line[1] != ' ' {
			lines[i] = line[1:]
		}
	}
	return strings.Join(lines, "\n")
}

// TestEffectiveReadsBack: what is shown as effective means the same when it is
// loaded.
func TestEffectiveReadsBack(t *testing.T) {
	text := channel + `
[[channel]]
name = "u\u0061rt"
type = "serial"
device = '/dev/tty"\é'
baud = 9600
[log]
level = "warn"
[net]
allowed_prefixes = ["10.0.0.0/8"]
[[network]]
name = "n1"
protocol = "ethereum"
endpoints = ["https://a.example"]
chain_id = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
[[network]]
name = "n2"
protocol = "ethereum"
endpoints = ["https://b.example"]
pin_sha256 = ["00", "11"]
insecure_http = true
[[limit]]
wallet = "w"
per_day = "1ether"
`
	first := must(t, text)
	var b strings.Builder
	if err := first.Effective(&b); err != nil {
		t.Fatal(err)
	}
	second := must(t, b.String())
	// The effective text names every option; compare what they mean.
	for i, n := range second.Networks {
		for _, o := range chains.OptionTable {
			if got, want := n.Options.Text(o.Name), first.Networks[i].Options.Text(o.Name); got != want {
				t.Errorf("%s.%s: %q became %q", n.Name, o.Name, want, got)
			}
		}
	}
	first.Networks, second.Networks, first.settings, second.settings = nil, nil, nil, nil
	if !reflect.DeepEqual(first, second) {
		t.Errorf("%+v became\n%+v", first, second)
	}
}

func TestCredentialsAreNotShown(t *testing.T) {
	secret := "https://user:s3cret@rpc.example.org:8443/v3/s3cret?key=s3cret"
	network := "[[network]]\nname = \"n\"\nprotocol = \"ethereum\"\nendpoints = [\"%\"]\n"
	c := must(t, channel+strings.ReplaceAll(network, "%", secret))
	if got := c.Networks[0].Options.List("endpoints"); !slices.Equal(got, []string{secret}) {
		t.Errorf("the network gets %q", got)
	}
	var b strings.Builder
	if err := c.Effective(&b); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); strings.Contains(s, "s3cret") || !strings.Contains(s, `endpoints = ["https://rpc.example.org:8443"]`) {
		t.Errorf("effective:\n%s", s)
	}
	for _, bad := range []string{
		secret + "&wrong", secret + ",x", secret + `", "` + secret, "https://us er:s3cret@wrong/",
		"wrong:s3cret%zz@://s3cret", `https://u:s3cret@h/\u0001`, secret + strings.Repeat("s3cret", 20) + "wrong",
	} {
		_, ps := load(t, channel+strings.ReplaceAll(network, "%", bad), nil, nil)
		if !ps.Failed() || strings.Contains(ps.String(), "s3cret") {
			t.Errorf("%s:\n%s", bad, ps)
		}
	}
}

func TestReference(t *testing.T) {
	checkGolden(t, filepath.Join("..", "..", "docs", "configuration.md"), func(b *strings.Builder) error { return Reference(b) })
}
