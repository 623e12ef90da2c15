//go:build !arm

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/ops"
	"github.com/boatd/boatd/internal/transcript"
	"github.com/boatd/boatd/internal/transcript/rig"
)

// bench starts boatd on a bench and plays a transcript on it.
func bench(t *testing.T, text string) *rig.Stage {
	t.Helper()
	tr, err := transcript.Parse(t.Name(), text)
	if err != nil {
		t.Fatal(err)
	}
	stage, err := rig.NewStage(t.Context(), tr, boatdUnderTest(t), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
	})
	playOn(t, stage, tr)
	return stage
}

func playOn(t *testing.T, stage *rig.Stage, tr *transcript.Transcript) {
	t.Helper()
	if err := new(transcript.Player).Play(t.Context(), tr, stage); err != nil {
		t.Fatalf("%v\n\nlog:\n%s", err, stage.Log())
	}
}

// more plays another script on a bench.
func more(t *testing.T, stage *rig.Stage, script string) {
	t.Helper()
	tr, err := transcript.Parse(t.Name(), "-- script --\n"+script)
	if err != nil {
		t.Fatal(err)
	}
	playOn(t, stage, tr)
}

func TestClient(t *testing.T) {
	t.Parallel()
	stage := bench(t, "-- script --\n> AT+BOATPWD=\"\",\"2580\",\"13572468\"\n< OK\n> AT+BOATWALADD=\"w0\",\"dev\"\n< +BOATWALADD: \"w0\",\"{a=address}\"\n< OK\n")
	config := "--config=" + stage.Path("boatd.toml")
	for _, c := range []struct {
		stdin  string
		args   []string
		status int
		out    string
	}{
		{"", []string{"at", config, "AT+BOATPIN?", "AT+BOATWALLST?"}, exitFailed, "+BOATPIN: 10,\"PIN\"\nOK\nerror: AT+BOATWALLST?: ERROR\n"},
		{"", []string{"at", config, `AT+CMEE=1;+BOATPIN="2580"`, "AT+BOATWALLST?", "AT+BOATSTAT=\"x\"", "AT"}, exitFailed, "OK\n+BOATWALLST: \"w0\",\"dev\",\"w0\"\nOK\nerror: AT+BOATSTAT: +CME ERROR: 7011\n"},
		{"AT+BOATPIN?\n\n  AT  \n", []string{"at", config}, exitDone, "+BOATPIN: 10,\"PIN\"\nOK\nOK\n"},
		{"", []string{"at", "--socket", stage.Path("local"), "AT"}, exitDone, "OK\n"},
		{"", []string{"at", config, "AT+BOATPIN?;+BOATDATAWR=0,5"}, exitUsage, "error: data mode needs a real terminal\nhint: AT+BOATDATAHX fills a slot in segments\n"},
		{"", []string{"at", config, "--pin", "AT"}, exitUsage, "error: there is no terminal to ask for the PIN at\n"},
		{"", []string{"health", config}, exitDone, "healthy\n"},
		{"", []string{"status", config}, exitDone, "boatd     " + testVersion + ", built 2026-01-01, start 1, up "},
	} {
		status, stdout, stderr := cli(c.stdin, nil, c.args...)
		if status != c.status || !strings.HasPrefix(stdout+stderr, c.out) {
			t.Errorf("boatd %q: status %d, want %d\n%s%s", c.args, status, c.status, stdout, stderr)
		}
	}
	// A list may have the line that was typed in it.
	if _, stdout, _ := cli("", nil, "at", config, "AT+CLAC"); !strings.Contains(stdout, "\nAT+CLAC\n") || !strings.Contains(stdout, "\nAT+BOATSEND\n") {
		t.Errorf("AT+CLAC is not in\n%s", stdout)
	}
	_, stdout, _ := cli("", nil, "status", "--json", config)
	var s ops.Report
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || s.Schema != ops.Schema || s.Source != "at" || !s.Ready["journal"] || !s.Ready["keys"] || s.Starts != 1 ||
		!slices.Equal(s.Stores, []string{"soft"}) || s.Keys["active"] != 1 || s.PIN.State != "PIN" || s.Oldest != nil ||
		len(s.Networks) != 1 || s.Networks[0].Name != "dev" || s.Networks[0].State != "not contacted" || s.Networks[0].Answered != -1 {
		t.Errorf("%v: %+v", err, s)
	}
}

// TestSecondBoatd: two cannot share a state directory.
func TestSecondBoatd(t *testing.T) {
	t.Parallel()
	stage := bench(t, "-- script --\n> AT\n< OK\n")
	status, _, stderr := cli("", nil, "run", "--config", stage.Path("boatd.toml"))
	if status != exitFailed || !strings.Contains(stderr, "locking the state directory") {
		t.Errorf("status %d:\n%s", status, stderr)
	}
	more(t, stage, "> AT+BOATREADY?\n< +BOATREADY: {m=int},1,{u=int}\n< OK\n")
}

// TestHealthTellsOfKeys: a boatd whose keys do not open is not healthy.
func TestHealthTellsOfKeys(t *testing.T) {
	t.Parallel()
	stage := bench(t, `-- config --
[keystore]
device_ids = ["$DIR/serial"]
-- file serial --
1
-- file other --
2
-- script --
> AT+BOATPWD="","2580","13572468"
< OK
> AT+BOATKEYGEN="k"
< +BOATKEYGEN: "k","secp256k1","soft"
< OK
! copy other serial
! restart
`)
	status, _, stderr := cli("", nil, "health", "--config", stage.Path("boatd.toml"))
	if status != exitUnhealthy || !strings.Contains(stderr, "the keys cannot be opened") {
		t.Errorf("status %d:\n%s", status, stderr)
	}
}

// orders are many, and then SIGTERM comes: what was answered is there afterwards
// and happens once.
func TestTerminatedAtWork(t *testing.T) {
	t.Parallel()
	var script strings.Builder
	script.WriteString(`about
-- config --
[at]
allow_key_import = true
-- script --
> AT+BOATPWD="","2580","13572468"
< OK
> AT+BOATKEYIMP="w0",0,"x:{46*32}"
< OK
> AT+BOATWALADD="w0","dev"
< +BOATWALADD: "w0","0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
< OK
! fund 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F 1ether
`)
	const rounds = 12
	for i := range rounds {
		ref := string(rune('a' + i))
		send := `> AT+BOATSEND="w0","` + ref + `","0x0000000000000000000000000000000000009001","1gwei"` + "\n< +BOATSEND: {" + ref
		script.WriteString(send + "=int}\n< OK\n! restart\n> AT+BOATPIN=\"2580\"\n< OK\n" + send + "}\n< OK\n")
		if i%4 == 3 {
			script.WriteString("! mine 1\n")
		}
	}
	script.WriteString("> AT+BOATTXWAI={l},2,60\n< +BOATTXWAI: {l},{s=[234]},0,{c=int},{b=int},\"{h=hash}\"\n< OK\n! mine 3\n> AT+BOATTXWAI={l},4,60\n< +BOATTXWAI: {l},4,0,{c=int},{b=int},\"{h}\"\n< OK\n")
	script.WriteString("! effects 0x0000000000000000000000000000000000009001 12\n! nonce 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F 12\n")
	bench(t, script.String())
}

// TestServiceManager: what sd_notify(3) wants is told, in order.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "boatd")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dir + "/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	config := filepath.Join(dir, "boatd.toml")
	text := "state_dir = \"" + dir + "/state\"\nallow_volatile_state = true\n[[channel]]\nname = \"local\"\ntype = \"unix\"\npath = \"" + dir + "/local\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := boatdUnderTest(t)
	cmd := exec.Command(command[0], append(command[1:], "run", "--config", config)...)
	cmd.Env = append(cmd.Environ(), "NOTIFY_SOCKET="+dir+"/notify", "WATCHDOG_USEC=600000000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if err := manager.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	hear := func(want string) {
		t.Helper()
		buf := make([]byte, 256)
		n, err := manager.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("heard %q (%v), not %s", buf[:n], err, want)
		}
	}
	hear("READY=1")
	hear("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir + "/local"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// TestNoSecretIsKept: PIN, PUK and a private key are in no log, at whatever
// level, and in no file.
func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	const pin, puk = "Zx81pinZx", "Qq77pukQq"
	key := strings.Repeat("a7c3e1", 11)[:64]
	stage := bench(t, strings.NewReplacer("$PIN", pin, "$PUK", puk, "$KEY", key).Replace(`-- config --
[at]
allow_key_import = true
[log]
level = "debug"
-- script --
> AT+BOATPWD="","$PIN","$PUK"
< OK
> AT+BOATKEYIMP="w0",0,"x:$KEY"
< OK
> AT+BOATDATAHX=0,0,"$KEY"
< +BOATDATAHX: 0,32,"{c=[0-9a-f]{8}}"
< OK
> AT+BOATKEYIMP="w1",0,"@0"
< OK
> AT+BOATKEYIMP="w1",0,"x:$KEY","$PIN"
< +CME ERROR: 50
> AT+BOATKEYIMP="w1",1,"x:$KEY","$PIN"
< +CME ERROR: 50
> AT+BOATKEYIMP="$PIN",0,"x:$KEYff"
< +CME ERROR: 50
> AT+BOATWALADD="w0","dev"
< +BOATWALADD: "w0","{a=address}"
< OK
! fund {a} 1ether
> AT+BOATSEND="w0","","0x0000000000000000000000000000000000009001","1gwei"
< +BOATSEND: 1
< OK
> AT+BOATTXWAI=1,2,60
< +BOATTXWAI: 1,2,0,0,0,"{h=hash}"
< OK
> AT+BOATPIN="$PUK"
< +CME ERROR: 16
> AT+BOATPIN="$PIN!"
< +CME ERROR: 50
> AT+BOATPIN="$PUK","$PIN"
< +CME ERROR: 3
> AT+BOATPIN="$PIN
< ERROR
> AT+BOATPIN="$PIN";+NOSUCH="$PUK"
< ERROR
> AT+BOATPWD="$PIN","$PIN","$PUK"
< +CME ERROR: 50
> AT+BOATRESET=2,"$PUK"
< +CME ERROR: 16
> AT+BOATERR?
< +BOATERR: 16,3,"{why=[^"]*}"
< OK
! log w0
! restart
> AT+BOATPIN="$PIN"
< OK
`))
	raw, err := hex.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{"PIN": []byte(pin), "PUK": []byte(puk), "key": raw, "key in hex": []byte(key), "KEY IN HEX": []byte(strings.ToUpper(key))}
	look := func(where string, b []byte) {
		for name, s := range secrets {
			if bytes.Contains(b, s) {
				t.Errorf("%s has the %s in it", where, name)
			}
		}
	}
	log := stage.Log()
	if !strings.Contains(log, "wrong PIN or PUK") || !strings.Contains(log, "key made") {
		t.Errorf("this is no log of it:\n%s", log)
	}
	look("the log", []byte(log))
	files := 0
	err = filepath.WalkDir(stage.Path("state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		look(path, b)
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestHalfClosed: a client that has sent all that it wanted to gets its answer,
// also of a command that it could abort.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	stage := bench(t, "-- script --\n> AT+BOATFEE=\"dev\"\n< +BOATFEE: \"{a=[0-9]+}\",\"{b=[0-9]+}\",\"{c=[0-9]+}\"\n< OK\n")
	conn, err := net.Dial("unix", stage.Path("local"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "ATE0+CMEE=1\rAT+BOATFEE=\"dev\"\r"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "\r\n+BOATFEE: ") || !strings.HasSuffix(string(answer), "\r\nOK\r\n") {
		t.Errorf("%q, %v", answer, err)
	}
}

// TestHealthWhenFull: clients that fill the socket do not make the daemon look
// ill.
func TestHealthWhenFull(t *testing.T) {
	t.Parallel()
	stage := bench(t, "-- script --\n> AT\n< OK\n")
	for range 8 {
		conn, err := net.Dial("unix", stage.Path("local"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for range 2 {
		if status, _, stderr := cli("", nil, "health", "--config", stage.Path("boatd.toml")); status != 0 {
			t.Errorf("status %d:\n%s", status, stderr)
		}
	}
}
