//go:build e2e

package e2e

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/module"
	"github.com/boatd/boatd/internal/transcript"
	"github.com/boatd/boatd/internal/transcript/rig"
)

// A boxed is the boatd of a Debian in a box, as systemd runs it, for transcripts
// (rig.Machine). The channel uart is the module's UART. Its host has an end of
// the cable all the time: boatd does not see it come and go.
type boxed struct {
	ctx context.Context
	box *module.Box
}

var _ rig.Machine = (*boxed)(nil)

const boxConfig = "/run/box.toml"

// newBoxed has boatd read its configuration from where it can be written, over
// the one of the read-only root.
func newBoxed(t testing.TB, b *module.Box) *boxed {
	t.Helper()
	_, err := b.Run(t.Context(), `systemctl stop boatd; cp /etc/boatd/boatd.toml `+boxConfig+` && chgrp boatd `+boxConfig+` && chmod 640 `+boxConfig+` &&
		mount --bind `+boxConfig+` /etc/boatd/boatd.toml`, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &boxed{ctx: t.Context(), box: b}
}

func (b *boxed) Dir() string { return "/data/boatd" }

func (b *boxed) Channels() string {
	return uartChannel + `
[[channel]]
name = "local"
type = "unix"
path = "/run/boatd/at.sock"
`
}

// Node is this machine as the box sees it.
func (b *boxed) Node(url string) string { return strings.Replace(url, "127.0.0.1", "10.0.2.2", 1) }

func (b *boxed) Start(ctx context.Context, config string) error {
	if err := b.box.Put(ctx, boxConfig, []byte(config)); err != nil {
		return err
	}
	_, err := b.box.Run(ctx, "systemctl reset-failed boatd; systemctl start boatd", nil)
	return err
}

// Stop has systemd stop it; systemd says how it ended.
func (b *boxed) Stop() error {
	_, err := b.box.Run(b.ctx, `systemctl stop boatd && test "$(systemctl show -P Result boatd)" = success`, nil)
	return err
}

// Kill kills the process. systemd would start another one: it is told not to.
func (b *boxed) Kill() error {
	_, err := b.box.Run(b.ctx, "systemctl kill -s KILL boatd; systemctl stop boatd", nil)
	return err
}

func (b *boxed) Dial(channel string) (io.ReadWriteCloser, error) {
	switch channel {
	case "uart":
		return b.box.UART()
	case "local":
		return b.box.Dial(b.ctx, "/run/boatd/at.sock")
	}
	return nil, errors.New("there is no such channel in the box")
}

func (b *boxed) Log() string {
	log, err := b.box.Run(b.ctx, "journalctl -q -o cat -u boatd", nil)
	if err != nil {
		return err.Error()
	}
	return log
}

// Close leaves nothing for the next transcript.
func (b *boxed) Close() error {
	_, err := b.box.Run(b.ctx, "systemctl stop boatd; rm -rf /data/boatd/*; journalctl --rotate --vacuum-time=1s", nil)
	return err
}

// atLeisure are those in which the emulated processor computes or waits for long,
// and those of chains and contracts: they say nothing of the machine.
var atLeisure = []string{"access", "access-last-try", "keys-files", "v250-idle", "waiting",
	"chain-changes", "contracts", "hostile", "limits", "limits-key", "networks-added", "permits", "replace", "shapes", "things"}

// notHere says why a transcript cannot be played in the box; "" if it can.
func notHere(tr *transcript.Transcript) string {
	for _, section := range tr.Sections {
		if strings.HasPrefix(section.Name, "config") && strings.Contains(section.Text, "[[channel]]") {
			return "it has channels of its own"
		}
	}
	script := tr.Section("script").Text
	if strings.Contains(script, "v0.0.0-test") {
		return "it names the version of another build"
	}
	for _, line := range strings.Split(script, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "!" {
			continue
		}
		switch {
		case slices.Contains([]string{"isolate", "flash", "copy"}, words[1]):
			return "it does something to this machine"
		case words[1] == "close" && slices.Contains(words[2:], "uart"):
			return "it hangs up, and a UART of three wires has no hang-up"
		}
	}
	return ""
}

// TestE2EModuleTranscripts plays the golden transcripts on the module in a box,
// over its UART.
func TestE2EModuleTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../cmd/boatd/testdata/transcripts/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	o := module.Options{Images: moduleImages, Root: installed(t, module.Debian, ""), Data: filepath.Join(dir, "data"), Append: []string{"systemd.volatile=state"}}
	if err := module.Blank(o.Data, 64<<20); err != nil {
		t.Fatal(err)
	}
	b, err := module.Boot(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Kill()
	stage := newBoxed(t, b)
	played := 0
	for _, path := range paths {
		tr, err := transcript.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if slices.Contains(atLeisure, name) {
			continue
		}
		if why := notHere(tr); why != "" {
			t.Logf("%s is not for the box: %s", name, why)
			continue
		}
		played++
		t.Run(name, func(t *testing.T) {
			s, err := rig.NewStageOn(t.Context(), tr, stage, devchainProgram)
			if err != nil {
				t.Fatal(err)
			}
			player := &transcript.Player{Patience: time.Minute}
			if err := player.Play(t.Context(), tr, s); err != nil {
				t.Errorf("%v\n\nlog:\n%s", err, s.Log())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if played < 40 {
		t.Errorf("%d transcripts were played", played)
	}
}
