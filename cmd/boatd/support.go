package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/internal/ops"
	"github.com/boatd/boatd/internal/scrub"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func supportFlags(flags *pflag.FlagSet) {
	socketFlag(flags)
	flags.String("output", "", "file to write, mode 0600; default: standard output")
}

// runSupport writes a bundle for whoever is to help: a tar.gz of short texts. A
// part that cannot be had is there as the reason why.
func runSupport(e *env, flags *pflag.FlagSet) (err error) {
	out := e.stdout
	name, _ := flags.GetString("output")
	if file, ok := e.stdout.(*os.File); name == "" && ok && term.IsTerminal(int(file.Fd())) {
		return &exitError{code: exitUsage, err: errors.New("a bundle is no text for a terminal"), hint: "name a file with --output"}
	}
	if name != "" {
		file, openErr := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if openErr != nil {
			return fmt.Errorf("making the bundle: %w", openErr)
		}
		defer func() {
			if err = errors.Join(err, file.Close()); err != nil {
				err = errors.Join(err, os.Remove(name)) // half a bundle would be in the way of the next
			}
		}()
		out = file
	}
	b := gather(e, flags)
	if err := b.write(out); err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	fmt.Fprintln(e.stderr, b.verdict)
	return nil
}

// A bundle is what is gathered. Everything in it passes the scrubber when it is
// written.
type bundle struct {
	clean   *scrub.Scrubber
	verdict string // whether the daemon answered
	parts   []bundlePart
}

type bundlePart struct{ name, text string }

func (b *bundle) add(name, text string) { b.parts = append(b.parts, bundlePart{name, text}) }

// try adds a part, or why it cannot be had.
func (b *bundle) try(name string, text []byte, err error) {
	if err != nil {
		text = []byte("not available: " + err.Error() + "\n")
	}
	b.add(name, string(text))
}

func gather(e *env, flags *pflag.FlagSet) *bundle {
	b := &bundle{clean: scrub.New()}
	var out bytes.Buffer
	err := runVersion(&env{stdout: &out}, flags)
	b.try("version.txt", out.Bytes(), err)
	cfg, problems, err := readConfig(e, flags)
	if err != nil || cfg == nil {
		b.add("config.txt", "the configuration has problems; values are left out\n"+withoutValues(problems.String()))
		b.verdict = "the configuration cannot be used: the bundle has nothing of the daemon"
		b.system("")
		return b
	}
	for _, n := range cfg.Networks {
		var words []string
		for _, endpoint := range n.Options.List("endpoints") {
			words = append(words, scrub.Words(endpoint)...)
		}
		b.clean = b.clean.With(words...)
	}
	out.Reset()
	err = cfg.Effective(&out)
	b.try("config.txt", out.Bytes(), err)
	b.add("config-problems.txt", withoutValues(problems.String()))
	b.daemon(e, flags, cfg)
	b.journal(cfg)
	b.devices(cfg)
	b.system(cfg.StateDir)
	return b
}

// quoted is a value in a message about the configuration, with the quotes that are
// escaped in it.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// withoutValues takes out of messages what was written in the file: it may be an
// endpoint with a key that is not even a URL.
func withoutValues(problems string) string { return quoted.ReplaceAllString(problems, `"..."`) }

// daemon adds what the running daemon says.
func (b *bundle) daemon(e *env, flags *pflag.FlagSet, cfg *config.Config) {
	quiet := *e
	var warnings bytes.Buffer
	quiet.stderr = &warnings
	r, err := report(&quiet, flags)
	b.verdict = "the daemon answered"
	if err != nil {
		b.verdict = "the daemon does not answer: " + err.Error()
	}
	b.add("daemon.txt", b.verdict+"\n"+warnings.String())
	if err != nil {
		return
	}
	text, err := json.MarshalIndent(r, "", "  ")
	b.try("status.json", append(text, '\n'), err)
	var out bytes.Buffer
	err = r.Print(&out)
	b.try("status.txt", out.Bytes(), err)
	for name, path := range map[string]string{"metrics.txt": ops.PathMetrics, "log.txt": ops.PathLog} {
		if cfg.Metrics.Socket == "" {
			b.add(name, "not available: metrics.socket is not set\n")
			continue
		}
		text, err := ops.Get(cfg.Metrics.Socket, path)
		b.try(name, text, err)
	}
}

// journal adds what the journal's file consists of, and what lies beside it.
func (b *bundle) journal(cfg *config.Config) {
	s, err := ops.SurveyJournal(cfg.StateDir)
	var text []byte
	if err == nil {
		text, err = json.MarshalIndent(s, "", "  ")
	}
	b.try("journal.json", append(text, '\n'), err)
	var out strings.Builder
	entries, err := os.ReadDir(cfg.StateDir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			fmt.Fprintf(&out, "%s %10d %s %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format(time.RFC3339), info.Name())
		}
	}
	b.try("state-files.txt", []byte(out.String()), err)
}

// devices adds which of the files that the configuration names are there, never
// what is in them.
func (b *bundle) devices(cfg *config.Config) {
	paths := append([]string{cfg.StateDir, cfg.Metrics.Socket}, cfg.Keystore.DeviceIDs...)
	for _, c := range cfg.Channels {
		paths = append(paths, c.Device, c.Link, c.Path)
	}
	var out strings.Builder
	for _, path := range paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			fmt.Fprintf(&out, "%s: %v\n", path, errors.Unwrap(err))
			continue
		}
		fmt.Fprintf(&out, "%s: %s, %d bytes\n", path, info.Mode(), info.Size())
	}
	b.add("devices.txt", out.String())
}

// system adds facts of the kernel and of the file system of a directory.
func (b *bundle) system(dir string) {
	var out strings.Builder
	for _, path := range []string{"/proc/version", "/etc/os-release", "/proc/uptime", "/proc/loadavg", "/proc/meminfo"} {
		text, err := os.ReadFile(path)
		if err != nil {
			text = []byte(err.Error() + "\n")
		}
		fmt.Fprintf(&out, "# %s\n%s\n", path, text)
	}
	if dir != "" {
		fmt.Fprintf(&out, "# file system of %s\n%s", dir, mountOf(dir))
	}
	b.add("system.txt", out.String())
}

// mountOf tells where a directory is mounted and how full that is. Of the mount
// only device, place, type and rw or ro: other options may have a password.
func mountOf(dir string) string {
	best, line := -1, "its mount is not known\n"
	mounts, _ := os.ReadFile("/proc/self/mounts") // without it nothing is known
	for entry := range strings.Lines(string(mounts)) {
		f := strings.Fields(entry)
		if len(f) < 4 || len(f[1]) <= best {
			continue
		}
		if inside := strings.TrimSuffix(f[1], "/") + "/"; !strings.HasPrefix(dir+"/", inside) {
			continue
		}
		best = len(f[1])
		line = fmt.Sprintf("%s on %s type %s %s\n", f[0], f[1], f[2], f[3][:min(2, len(f[3]))])
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return line + "statfs: " + err.Error() + "\n"
	}
	return line + fmt.Sprintf("%d of %d blocks of %d bytes are free, %d of %d inodes\n", st.Bavail, st.Blocks, st.Bsize, st.Ffree, st.Files)
}

const bundleReadme = `What boatd support gathered. There are no keys, PINs, references, slot contents,
payloads or URLs beyond their hosts in it: look through it before you pass it on.
A part that could not be had says why.
`

// write writes the bundle, every text cleaned.
func (b *bundle) write(w io.Writer) error {
	archive := ops.NewArchive(time.Now())
	for _, p := range append([]bundlePart{{"README.txt", bundleReadme}}, b.parts...) {
		archive.Add("boatd-support/"+p.name, b.clean.Text(p.text))
	}
	_, err := archive.WriteTo(w)
	return err
}
