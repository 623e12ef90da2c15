//go:build !arm

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/ops"
	"github.com/boatd/boatd/internal/transcript/rig"
	"github.com/spf13/pflag"
)

// Everything that nobody who is given a bundle may see.
const (
	opsPIN   = "Zx81pinZx"
	opsPUK   = "Qq77pukQq"
	opsRef   = "ord.4711.jane"
	opsSlot  = "slot-contents-17"
	opsUser  = "nodeuser"
	opsWord  = "nodepassword"
	opsPath  = "pathapikey0123456789"
	opsQuery = "querykey98765"
)

var opsKey = strings.Repeat("a7c3e1", 11)[:64]

// operated is a bench with secrets of every kind, a transaction that waits, one
// that has ended, and a network that cannot be reached.
func operated(t *testing.T) *rig.Stage {
	t.Helper()
	return bench(t, strings.NewReplacer("$PIN", opsPIN, "$PUK", opsPUK, "$KEY", opsKey, "$REF", opsRef, "$SLOT", hex.EncodeToString([]byte(opsSlot)),
		"$URL", "https://"+opsUser+":"+opsWord+"@127.0.0.1:9/v3/"+opsPath+"?key="+opsQuery).Replace(`-- config --
[at]
allow_key_import = true
[metrics]
socket = "$DIR/metrics"
[[channel]]
name = "uart"
type = "pty"
link = "$DIR/uart"
[[channel]]
name = "local"
type = "unix"
path = "$DIR/local"
[[network]]
name = "dev"
protocol = "ethereum"
endpoints = ["$NODE"]
chain_id = 1337
insecure_http = true
daily_bytes = 10000000
[[network]]
name = "far"
protocol = "ethereum"
endpoints = ["$URL"]
chain_id = 5
-- script --
> AT+BOATPWD="","$PIN","$PUK"
< OK
> AT+BOATKEYIMP="w0",0,"x:$KEY"
< OK
> AT+BOATWALADD="w0","dev"
< +BOATWALADD: "w0","{a=address}"
< OK
> AT+BOATWALADD="w1","far","w0"
< +BOATWALADD: "w1","{b=address}"
< OK
! fund {a} 1ether
> AT+BOATSEND="w0","$REF","0x0000000000000000000000000000000000009001","1gwei"
< +BOATSEND: 1
< OK
> AT+BOATTXWAI=1,2,60
< +BOATTXWAI: 1,2,0,0,0,"{h=hash}"
< OK
! mine 3
> AT+BOATTXWAI=1,4,60
< +BOATTXWAI: 1,4,0,{c=int},{n=int},"{h}"
< OK
> AT+BOATSEND="w1","$REF","0x0000000000000000000000000000000000009001","1gwei"
< +BOATSEND: 2
< OK
> AT+BOATDATAHX=0,0,"$SLOT"
< +BOATDATAHX: 0,{l=int},"{d=[0-9a-f]{8}}"
< OK
> AT+BOATPIN="$PUK"
< +CME ERROR: 16
> AT+NOSUCH="$PIN"
< ERROR
! log network work failed.*far
`))
}

// TestStatusTellsAll: what an engineer is shown is so.
func TestStatusTellsAll(t *testing.T) {
	t.Parallel()
	stage := operated(t)
	config := "--config=" + stage.Path("boatd.toml")
	status, stdout, stderr := cli("", nil, "status", "--json", config)
	var r ops.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != exitDone || stderr != "" {
		t.Fatalf("%v, status %d\n%s%s", err, status, stdout, stderr)
	}
	if r.Schema != 1 || r.Source != "daemon" || r.Version != testVersion || r.Build != "2026-01-01" || r.Starts != 1 || !r.Ready["journal"] || !r.Ready["keys"] || !r.Ready["network"] {
		t.Errorf("%+v", r)
	}
	i := slices.IndexFunc(r.Channels, func(c ops.Channel) bool { return c.Name == "uart" })
	if i < 0 || r.Channels[i].Lines < 10 || r.Channels[i].Failures != 2 {
		t.Errorf("channels %+v", r.Channels)
	}
	if len(r.Networks) != 2 {
		t.Fatalf("networks %+v", r.Networks)
	}
	dev, far := r.Networks[0], r.Networks[1]
	if dev.State != "up" || dev.Height < 3 || dev.Requests == 0 || dev.Failures != 0 || dev.Sent == 0 || dev.Used == 0 || dev.Budget != 10_000_000 || dev.Answered < 0 {
		t.Errorf("%+v", dev)
	}
	if far.State != "down" || far.Requests == 0 || far.Failures != far.Requests || far.Answered != -1 || far.Why == "" || far.Open != 1 {
		t.Errorf("%+v", far)
	}
	waits := ops.Transaction{ID: 2, Wallet: "w1", State: "accepted", Code: 7040, Reason: "endpoint unreachable"}
	if len(r.Wallets) != 2 || r.Wallets[1].Open != 1 || len(r.Wallets[1].Waiting) != 1 || r.Oldest == nil {
		t.Fatalf("%+v, oldest %+v", r.Wallets, r.Oldest)
	}
	for _, got := range []ops.Transaction{r.Wallets[1].Waiting[0], *r.Oldest} {
		if got.Age = 0; got != waits {
			t.Errorf("%+v, not %+v", got, waits)
		}
	}
	if r.Open["accepted"] != 1 || r.Ended["confirmed"] != 1 || r.Keys["active"] != 1 || r.Protection != "soft" || r.Seal == "" || r.PIN != (ops.PIN{State: "PIN", Left: 9}) {
		t.Errorf("%+v %+v %+v %q %+v", r.Open, r.Ended, r.Keys, r.Protection, r.PIN)
	}
	if j := r.Journal; j.Bytes == 0 || j.Appends < 5 || j.Syncs < j.Appends || j.Failures != 0 || j.InDoubt || r.Flash.Size == 0 || r.Memory.Resident == 0 || r.Memory.Goroutines < 4 {
		t.Errorf("%+v %+v %+v", r.Journal, r.Flash, r.Memory)
	}
	if len(r.Log.Errors) == 0 || r.Log.Written["warn"] == 0 || r.Events.Retained == 0 {
		t.Errorf("%+v %+v", r.Log, r.Events)
	}
	_, stdout, _ = cli("", nil, "status", config)
	for _, want := range []string{"wallet    w1 on far with key w0: 1 open", "endpoint unreachable (7040)", "ready     journal, keys", "network   far: down"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
}

// TestMetricsSocket: curl's request is answered, and what is told moves.
func TestMetricsSocket(t *testing.T) {
	t.Parallel()
	stage := operated(t)
	metrics := func() map[string]string {
		text, err := ops.Get(stage.Path("metrics"), ops.PathMetrics)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
				all[name] = value
			}
		}
		return all
	}
	before := metrics()
	for name, want := range map[string]string{
		`boatd_build_info{version="` + testVersion + `",build="2026-01-01"}`: "1", "boatd_starts": "1", `boatd_ready{part="journal"}`: "1",
		`boatd_network_up{network="dev"}`: "1", `boatd_network_up{network="far"}`: "0", `boatd_transactions{state="confirmed"}`: "1",
		`boatd_wallet_open_transactions{wallet="w1",network="far"}`: "1", "boatd_pin_tries_left": "9", `boatd_keys{state="active"}`: "1",
	} {
		if before[name] != want {
			t.Errorf("%s is %q, not %s", name, before[name], want)
		}
	}
	more(t, stage, "> AT+BOATPIN=\""+opsPIN+"\"\n< OK\n> AT+BOATKEYGEN=\"k2\"\n< +BOATKEYGEN: \"k2\",\"secp256k1\",\"soft\"\n< OK\n")
	after := metrics()
	for _, name := range []string{"boatd_journal_appends_total", "boatd_journal_syncs_total", "boatd_flash_written_bytes_total", `boatd_at_lines_total{channel="uart"}`, `boatd_keys{state="active"}`} {
		if before[name] == "" || before[name] == after[name] {
			t.Errorf("%s is %q and %q", name, before[name], after[name])
		}
	}
	info, err := os.Stat(stage.Path("metrics"))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := ops.Get(stage.Path("metrics"), "/"); !errors.Is(err, ops.ErrReply) || !strings.Contains(err.Error(), http.StatusText(http.StatusNotFound)) {
		t.Error(err)
	}
}

// unpack returns the texts of a bundle.
func unpack(t *testing.T, bundle []byte) map[string]string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(bundle))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for archive := tar.NewReader(zip); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil || head.Mode != 0o600 {
			t.Fatal(head.Mode, err)
		}
		parts[strings.TrimPrefix(head.Name, "boatd-support/")] = string(text)
	}
}

// writings are how a secret may be written.
func writings(secret []byte) map[string]string {
	h := hex.EncodeToString(secret)
	all := map[string]string{"raw": string(secret), "hex": h, "HEX": strings.ToUpper(h)}
	for i := range 3 { // wherever it stands in what is encoded, but for its edges
		b := base64.RawStdEncoding.EncodeToString(append(make([]byte, i), secret...))
		b = b[(i*8+5)/6 : len(b)-2]
		all["base64 at "+string(rune('0'+i))], all["base64url at "+string(rune('0'+i))] = b, strings.NewReplacer("+", "-", "/", "_").Replace(b)
	}
	return all
}

// secretsOf are what must not be in a bundle, with the sealed files whole.
func secretsOf(t *testing.T, stage *rig.Stage) map[string][]byte {
	t.Helper()
	key, err := hex.DecodeString(opsKey)
	if err != nil {
		t.Fatal(err)
	}
	device, err := os.ReadFile(filepath.Join(stage.Path("state"), "device.key"))
	if err != nil || len(device) < 32 {
		t.Fatal(len(device), err)
	}
	digest := sha256.Sum256(key)
	return map[string][]byte{"PIN": []byte(opsPIN), "PUK": []byte(opsPUK), "key": key, "reference": []byte(opsRef), "slot": []byte(opsSlot),
		"user": []byte(opsUser), "password": []byte(opsWord), "API key in a path": []byte(opsPath), "API key in a query": []byte(opsQuery),
		"device key": device[len(device)-32:], "half a key": key[:16], "digest": digest[:]}
}

func lookFor(t *testing.T, secrets map[string][]byte, parts map[string]string) {
	t.Helper()
	for name, secret := range secrets {
		for form, text := range writings(secret) {
			for part, content := range parts {
				if strings.Contains(content, text) {
					t.Errorf("%s has the %s (%s) in it", part, name, form)
				}
			}
		}
	}
}

// windowSize is so long that nothing shares as many bytes by accident.
const windowSize = 18

// lookForJournal looks for any piece of the journal: so for TLS sessions, sealed
// keys and whatever else it holds.
func lookForJournal(t *testing.T, stage *rig.Stage, parts map[string]string) {
	t.Helper()
	journal, err := os.ReadFile(filepath.Join(stage.Path("state"), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	journal = bytes.TrimRight(journal, "\x00")
	seen := map[string]string{} // what stands in a part in as many characters as a window's writings have
	for part, text := range parts {
		for _, size := range []int{windowSize, windowSize / 3 * 4, 2 * windowSize} {
			for i := range max(0, len(text)-size) {
				seen[text[i:i+size]] = part
			}
		}
	}
	zeros := make([]byte, windowSize/2)
	for i := range max(0, len(journal)-windowSize) {
		w := journal[i : i+windowSize]
		if bytes.Contains(w, zeros) {
			continue
		}
		for _, form := range []string{string(w), base64.StdEncoding.EncodeToString(w), base64.URLEncoding.EncodeToString(w), hex.EncodeToString(w)} {
			if part := seen[form]; part != "" {
				t.Fatalf("%s has a piece of the journal in it: %q", part, w)
			}
		}
	}
	if len(journal) < 1000 {
		t.Errorf("the journal has only %d bytes", len(journal))
	}
}

// TestSupportHasNoSecret: a bundle has what helps and none of the secrets, with
// the daemon running and without it, and where the configuration is wrong.
func TestSupportHasNoSecret(t *testing.T) {
	t.Parallel()
	stage := operated(t)
	config := "--config=" + stage.Path("boatd.toml")
	secrets := secretsOf(t, stage)
	// What is looked for is found where it is.
	text, err := os.ReadFile(stage.Path("boatd.toml"))
	if err != nil || !strings.Contains(string(text), opsPath) || !strings.Contains(string(text), opsWord) {
		t.Fatalf("the configuration has no secrets: %v", err)
	}
	out := stage.Path("bundle.tar.gz")
	if status, stdout, stderr := cli("", nil, "support", config, "--output", out); status != exitDone || stdout != "" || stderr != "the daemon answered\n" {
		t.Fatalf("status %d\n%s%s", status, stdout, stderr)
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	bundle, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	parts := unpack(t, bundle)
	for part, want := range map[string]string{
		"README.txt": "references", "version.txt": "boatd unknown", "config.txt": `endpoints = ["https://127.0.0.1:9"]`, "status.json": `"schema": 1`, "status.txt": "wallet    w1",
		"metrics.txt": "boatd_starts 1", "log.txt": "boatd starts", "journal.json": `"wallet": 2`, "state-files.txt": "device.key", "devices.txt": "local: S", "system.txt": "MemTotal", "daemon.txt": "the daemon answered",
	} {
		if !strings.Contains(parts[part], want) {
			t.Errorf("%s: %q is not in\n%s", part, want, parts[part])
		}
	}
	lookFor(t, secrets, parts)
	lookForJournal(t, stage, parts)

	more(t, stage, "! stop\n")
	status, stdout, stderr := cli("", nil, "support", config)
	if status != exitDone || !strings.HasPrefix(stderr, "the daemon does not answer: ") {
		t.Fatalf("status %d\n%s", status, stderr)
	}
	parts = unpack(t, []byte(stdout))
	if !strings.Contains(parts["daemon.txt"], "does not answer") || !strings.Contains(parts["journal.json"], `"wallet": 2`) || parts["status.json"] != "" || !strings.Contains(parts["config.txt"], "127.0.0.1:9") {
		t.Errorf("%v", parts)
	}
	lookFor(t, secrets, parts)

	for _, wrong := range []string{strings.Replace(string(text), `"https://node`, `"htps:/node`, 1), string(text) + "\n[log]\nlevle = \"" + opsPath + "\"\n[[network]]\n" + opsPath} {
		path := write(t, "boatd.toml", wrong)
		status, stdout, stderr := cli("", nil, "support", "--config", path)
		parts := unpack(t, []byte(stdout))
		if status != exitDone || !strings.Contains(stderr, "cannot be used") || !strings.Contains(parts["config.txt"], ".toml:") {
			t.Errorf("status %d\n%s%v", status, stderr, parts)
		}
		lookFor(t, secrets, parts)
	}
}

// TestGarbageIsNotLogged: a host that types nonsense at full speed fills no log.
func TestGarbageIsNotLogged(t *testing.T) {
	t.Parallel()
	stage := bench(t, "-- script --\n> AT\n< OK\n")
	conn, err := stage.Dial("local")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before := len(stage.Log())
	const lines = 20_000
	go func() {
		garbage := "AT+BOATSEND=\"\xff\r\x00AT+NOSUCH\rAT+BOATPIN=\"9\"\rAT" + strings.Repeat("z", 100) + "\r"
		_, _ = io.WriteString(conn, "ATE0\r"+strings.Repeat(garbage, lines/4)+"AT+BOATPIN?\r") // the answer tells
	}()
	var seen strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), "+BOATPIN: 10") {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(buf[:n])
	}
	if grown := len(stage.Log()) - before; grown > 10_000 {
		t.Errorf("%d lines of garbage are %d bytes of log", lines, grown)
	}
}

// TestBundleIsCleaned: also what should never have come as far as a bundle.
func TestBundleIsCleaned(t *testing.T) {
	path := write(t, "boatd.toml", strings.Replace(goodConfig, `state_dir = "/data/boatd"`, `state_dir = "`+t.TempDir()+`"`, 1))
	b := gather(&env{environ: []string{}}, configured(t, path))
	b.add("leak.txt", "post https://user:word@rpc.example.org/v3/0123456789abcdef?key=5ecret: key 0123456789abcdef, 5ecret, "+
		hex.EncodeToString([]byte("0123456789abcdef"))+" "+base64.StdEncoding.EncodeToString([]byte("0123456789abcdef"))+" "+opsKey)
	var out bytes.Buffer
	if err := b.write(&out); err != nil {
		t.Fatal(err)
	}
	parts := unpack(t, out.Bytes())
	if !strings.HasPrefix(parts["leak.txt"], "post https://rpc.example.org") {
		t.Errorf("%q", parts["leak.txt"])
	}
	key, err := hex.DecodeString(opsKey)
	if err != nil {
		t.Fatal(err)
	}
	lookFor(t, map[string][]byte{"API key": []byte("0123456789abcdef"), "query": []byte("5ecret"), "password": []byte("word@"), "key": key}, parts)
}

// configured returns the flags of a command line that names a configuration.
func configured(t *testing.T, path string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("support", pflag.ContinueOnError)
	configFlags(flags)
	supportFlags(flags)
	if err := flags.Parse([]string{"--config", path}); err != nil {
		t.Fatal(err)
	}
	return flags
}

// TestValuesAreLeftOut: of what was written in a configuration that is wrong
// nothing is left, quotes in it or not.
func TestValuesAreLeftOut(t *testing.T) {
	for _, value := range []string{opsPath, `https://h/"` + opsPath, `\` + opsPath, opsWord + `\"` + opsPath + `"`} {
		got := withoutValues(fmt.Sprintf("boatd.toml:3: endpoints: %q is no URL\nboatd.toml:4: %q\n", value, value))
		if want := "boatd.toml:3: endpoints: \"...\" is no URL\nboatd.toml:4: \"...\"\n"; got != want {
			t.Errorf("%q: %q", value, got)
		}
	}
}
