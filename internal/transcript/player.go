package transcript

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// A Stage is what a transcript is played on.
type Stage interface {
	// Dial opens a channel as a host does.
	Dial(channel string) (io.ReadWriteCloser, error)
	// Do does one step: words[0] says what, the others with what.
	Do(ctx context.Context, words []string) error
}

// A Player plays transcripts. The zero value is usable.
type Player struct {
	// Patience is how long an expected byte may take; 0: 20 s.
	Patience time.Duration
	// Update writes what came in the place of what was expected, where that
	// captures nothing and names nothing.
	Update bool
}

// The player's times.
const (
	patience = 20 * time.Second
	silence  = 100 * time.Millisecond // at the end of a script
	settling = 400 * time.Millisecond // of an answer that is about to be written into a script
)

// A play is one transcript being played.
type play struct {
	*Player
	ctx   context.Context
	t     *Transcript
	stage Stage
	conns map[string]*conn
	known map[string]string
	sent  map[string]string // the last line sent on each channel
	edits []edit
}

// An edit replaces the lines of some steps.
type edit struct {
	from, to int // lines of the file
	lines    []string
}

// Play plays a transcript to its end or to the first thing that is not as it
// should be, which the error shows. With Update the transcript is changed where
// it was wrong; the caller writes it.
func (p *Player) Play(ctx context.Context, t *Transcript, stage Stage) error {
	pl := &play{Player: p, ctx: ctx, t: t, stage: stage, conns: map[string]*conn{}, known: map[string]string{}, sent: map[string]string{}}
	defer pl.drop()
	err := pl.run()
	for _, e := range slices.Backward(pl.edits) {
		t.replaceLines(e.from, e.to, e.lines)
	}
	return err
}

func (p *play) run() error {
	for i := 0; i < len(p.t.steps); i++ {
		s := &p.t.steps[i]
		var err error
		switch s.kind {
		case send:
			err = p.send(s)
		case expect:
			n := p.block(i)
			err = p.expectBlock(p.t.steps[i : i+n])
			i += n - 1
		case act:
			err = p.act(s)
		}
		if err != nil {
			return p.located(s, err)
		}
	}
	if err := p.quiet(silence); err != nil {
		return fmt.Errorf("%s: at the end: %w", p.t.Path, err)
	}
	return nil
}

// located says where an error is, unless it says so itself.
func (p *play) located(s *step, err error) error {
	var m *Mismatch
	if errors.As(err, &m) {
		return err
	}
	return fmt.Errorf("%s:%d: %s: %w", p.t.Path, s.line, s.source, err)
}

// block counts the steps from i on that expect something on one channel.
func (p *play) block(i int) int {
	n := 1
	for i+n < len(p.t.steps) && p.t.steps[i+n].kind == expect && p.t.steps[i+n].channel == p.t.steps[i].channel {
		n++
	}
	return n
}

func (p *play) patience() time.Duration {
	if p.Patience > 0 {
		return p.Patience
	}
	return patience
}

// conn returns an open channel.
func (p *play) conn(name string) (*conn, error) {
	if c := p.conns[name]; c != nil {
		return c, nil
	}
	c, err := p.open(name)
	if err != nil {
		return nil, err
	}
	const greeting, result = "ATE0+CMEE=1\r", "\r\nOK\r\n"
	if _, err := io.WriteString(c.rw, greeting); err != nil {
		return nil, fmt.Errorf("typing on %s: %w", name, err)
	}
	err = c.bytes(greeting+result, p.patience())
	if errors.Is(err, errOther) { // a terminal that was closed and opened faster than boatd runs is in the same session
		err = c.bytes(result, p.patience())
	}
	if err != nil {
		return nil, fmt.Errorf("after %q on %s: %w: %q", greeting, name, err, c.pending)
	}
	return c, nil
}

func (p *play) open(name string) (*conn, error) {
	if p.conns[name] != nil {
		return nil, fmt.Errorf("%s is open", name)
	}
	rw, err := p.stage.Dial(name)
	if err != nil {
		return nil, err
	}
	p.conns[name] = newConn(rw)
	return p.conns[name], nil
}

func (p *play) send(s *step) error {
	c, err := p.conn(s.channel)
	if err != nil {
		return err
	}
	text := s.text
	if !s.raw {
		if text, err = expand(text, p.known); err != nil {
			return err
		}
		text += "\r"
	}
	p.sent[s.channel] = text
	if _, err := io.WriteString(c.rw, text); err != nil {
		return fmt.Errorf("typing: %w", err)
	}
	return nil
}

// expectBlock expects what some steps in a row say, or notes what came instead.
func (p *play) expectBlock(steps []step) error {
	c, err := p.conn(steps[0].channel)
	if err != nil {
		return err
	}
	c.mark()
	for i := range steps {
		got, err := p.expect(c, &steps[i])
		if err == nil {
			continue
		}
		if p.Update && fixed(steps) {
			c.settle(settling)
			c.take(len(c.pending))
			p.edits = append(p.edits, edit{steps[0].line, steps[len(steps)-1].line, scripted(steps[0].channel, c.taken)})
			return nil
		}
		return p.mismatch(c, &steps[i], got, err)
	}
	return nil
}

// fixed says whether steps can be replaced by what came.
func fixed(steps []step) bool {
	return !slices.ContainsFunc(steps, func(s step) bool { return s.pattern != nil && !s.pattern.fixed() })
}

// expect waits for what one step says. Of a line, it returns what came.
func (p *play) expect(c *conn, s *step) (got string, err error) {
	if s.raw {
		return "", c.bytes(s.text, p.patience())
	}
	if got, err = c.line(p.patience()); err != nil {
		return "", err
	}
	ok, err := s.pattern.match(got, p.known)
	if err == nil && !ok {
		err = errOther
	}
	return got, err
}

// act does a step of the player, or hands it to the stage.
func (p *play) act(s *step) error {
	words := slices.Clone(s.words)
	for i, w := range words {
		var err error
		if words[i], err = expand(w, p.known); err != nil {
			return err
		}
	}
	switch words[0] {
	case "open", "close", "wait", "quiet":
		if len(words) != 2 {
			return errors.New("want one word behind it")
		}
		return p.own(words[0], words[1])
	case "slot":
		if len(words) != 3 {
			return errors.New("want the number of a slot and a name behind it")
		}
		return p.fill(words[1], words[2])
	case "restart", "kill", "stop", "start":
		if err := p.closeAll(); err != nil {
			return err
		}
	}
	return p.stage.Do(p.ctx, words)
}

// own does a step of the player.
func (p *play) own(verb, word string) error {
	switch verb {
	case "open":
		_, err := p.open(word)
		return err
	case "close":
		return p.close(word)
	}
	d, err := time.ParseDuration(word)
	if err != nil {
		return err
	}
	if verb == "quiet" {
		return p.quiet(d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// close closes a channel on which nothing may be left.
func (p *play) close(name string) error {
	c := p.conns[name]
	if c == nil {
		return fmt.Errorf("%s is not open", name)
	}
	delete(p.conns, name)
	c.come()
	if err := c.close(); err != nil {
		return err
	}
	return unexpected(name, c)
}

func unexpected(name string, c *conn) error {
	if len(c.pending) == 0 {
		return nil
	}
	return fmt.Errorf("on %s came what was not expected:\n%s", name, indent(scripted(name, c.pending)))
}

func (p *play) closeAll() error {
	for _, name := range slices.Sorted(maps.Keys(p.conns)) {
		if err := p.close(name); err != nil {
			return err
		}
	}
	return nil
}

// quiet lets time pass in which nothing may come.
func (p *play) quiet(d time.Duration) error {
	names := slices.Sorted(maps.Keys(p.conns))
	until := time.Now().Add(d)
	for _, name := range names {
		c := p.conns[name]
		deadline := time.NewTimer(time.Until(until))
		err := c.more(deadline.C)
		deadline.Stop()
		if err == nil { // the rest of it, to show it
			c.settle(silence)
		} else if !errors.Is(err, ErrSilent) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := unexpected(name, c); err != nil {
			return err
		}
	}
	return nil
}

// drop closes what is open, whatever is left on it.
func (p *play) drop() {
	for _, c := range p.conns {
		c.close()
	}
}
