package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/boatd/boatd/internal/transcript"
)

// A Stage is a bench for one transcript (transcript.Stage).
type Stage struct {
	t       *transcript.Transcript
	machine Machine
	here    *here // the machine, if it is this one; else nil
	fake    *fake // nil: dev
	dev     Node  // nil: fake
	url     string
	log     logBuffer // of the chain
}

// NewStage builds a bench in a directory of its own, which Close removes, and
// starts boatd on it. devchain is the program of the development chain, for
// transcripts that want it.
func NewStage(ctx context.Context, t *transcript.Transcript, boatd []string, devchain string) (*Stage, error) {
	return newStage(ctx, &Stage{t: t}, boatd, devchain)
}

// NewStageOver is NewStage over a node that runs already, whatever chain the
// transcript names. The stage closes it.
func NewStageOver(ctx context.Context, t *transcript.Transcript, boatd []string, url string, n Node) (*Stage, error) {
	return newStage(ctx, &Stage{t: t, dev: n, url: url}, boatd, "")
}

// NewStageOn is NewStage on another machine, which has a boatd of its own. The
// stage closes it.
func NewStageOn(ctx context.Context, t *transcript.Transcript, m Machine, devchain string) (*Stage, error) {
	return newStage(ctx, &Stage{t: t, machine: m}, nil, devchain)
}

func newStage(ctx context.Context, s *Stage, boatd []string, devchain string) (*Stage, error) {
	if err := s.build(ctx, boatd, devchain); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: building the stage: %w", s.t.Path, err), s.Close())
	}
	return s, nil
}

func (s *Stage) build(ctx context.Context, boatd []string, devchain string) (err error) {
	if s.machine == nil {
		if s.here, err = newHere(boatd, s.t); err != nil {
			return err
		}
		s.machine = s.here
	}
	if err := s.startChain(devchain); err != nil {
		return err
	}
	return s.start(ctx, "")
}

func (s *Stage) startChain(devchain string) (err error) {
	if s.dev != nil {
		return nil
	}
	period, real, err := Devchain(s.t)
	if err != nil {
		return err
	}
	if real {
		var d *DevChain
		if d, err = StartDevChain(devchain, period, &s.log); err == nil {
			s.dev, s.url = d, d.URL
		}
		return err
	}
	text := ""
	if section := s.t.Section("chain"); section != nil {
		text = section.Text
	}
	s.fake, err = startFake(text)
	return err
}

// Devchain says whether a transcript wants a development chain, and the time
// between its blocks; 0 where they come on command.
func Devchain(t *transcript.Transcript) (period time.Duration, wanted bool, err error) {
	section := t.Section("chain")
	if section == nil {
		return 0, false, nil
	}
	words := strings.Fields(section.Text)
	if len(words) == 0 || words[0] != "devchain" {
		return 0, false, nil
	}
	if len(words) > 1 {
		period, err = time.ParseDuration(words[1])
	}
	return period, true, err
}

// start starts boatd with one of the transcript's configurations.
func (s *Stage) start(ctx context.Context, name string) error {
	text, err := s.config(name)
	if err != nil {
		return err
	}
	if err := s.machine.Start(ctx, text); err != nil {
		return fmt.Errorf("%w\n%s", err, s.Log())
	}
	return nil
}

// config lays a section over the small configuration.
func (s *Stage) config(name string) (string, error) {
	section := s.t.Section(strings.TrimSpace("config " + name))
	own := ""
	switch {
	case section != nil:
		own = section.Text
	case name != "":
		return "", fmt.Errorf("there is no section %q", "config "+name)
	}
	text := "state_dir = \"$DIR/state\"\nallow_volatile_state = true\n"
	if !strings.Contains(own, "[log]") {
		text += "[log]\nlevel = \"debug\"\n"
	}
	if !strings.Contains(own, "[[channel]]") {
		text += s.machine.Channels()
	}
	if !strings.Contains(own, "[[network]]") {
		text += smallNetwork
	}
	node, node2 := "", ""
	if s.dev != nil {
		node = s.url
	} else {
		node, node2 = s.fake.urls[0], s.fake.urls[1]
	}
	return strings.NewReplacer("$DIR", s.machine.Dir(), "$NODE2", s.machine.Node(node2), "$NODE", s.machine.Node(node)).Replace(text + own), nil
}

const smallNetwork = `
[[network]]
name = "dev"
protocol = "ethereum"
endpoints = ["$NODE"]
chain_id = 1337
insecure_http = true
`

// Dial opens a channel. One of type unix can have several sessions: local,
// local.2 and so on.
func (s *Stage) Dial(channel string) (io.ReadWriteCloser, error) {
	name, _, _ := strings.Cut(channel, ".")
	c, err := s.machine.Dial(filepath.Base(name))
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", channel, err)
	}
	return c, nil
}

var errComplaint = errors.New("boatd's log has what should never be in it")

// Close ends boatd and the chain and removes the directory. It is an error if
// the log tells of a race or a panic.
func (s *Stage) Close() error {
	var errs []error
	if s.machine != nil {
		for _, bad := range []string{"DATA RACE", "panic: ", "panicked", "fatal error:"} {
			if text := s.Log(); strings.Contains(text, bad) {
				errs = append(errs, fmt.Errorf("%w: %q:\n%s", errComplaint, bad, text))
			}
		}
		errs = append(errs, s.machine.Close())
	}
	if s.dev != nil {
		errs = append(errs, s.dev.Close())
	}
	if s.fake != nil {
		errs = append(errs, s.fake.Close())
	}
	return errors.Join(errs...)
}

// Path returns the path of a file in the directory of a stage on this machine:
// "boatd.toml" is the configuration that was used last, "state" the state
// directory.
func (s *Stage) Path(name string) string { return filepath.Join(s.here.dir, name) }

// Pid returns the process id of a boatd on this machine, 0 while it does not run.
func (s *Stage) Pid() int { return s.here.boatd.Pid() }

// Quit has a boatd on this machine write what it is doing into the log, and ends
// it.
func (s *Stage) Quit() error { return s.here.boatd.Quit() }

// Log returns what boatd and the chain have logged so far.
func (s *Stage) Log() string { return s.machine.Log() + s.log.String() }

// A logBuffer gathers what several processes write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
