package transcript

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stageOf answers what is typed out of a map, and remembers the steps.
type stageOf struct {
	answers map[string]string

	mu    sync.Mutex
	steps []string
	lines []io.Writer
}

func (s *stageOf) Dial(channel string) (io.ReadWriteCloser, error) {
	if channel == "nowhere" {
		return nil, errors.New("no such channel")
	}
	host, boatd := net.Pipe()
	s.mu.Lock()
	s.lines = append(s.lines, boatd)
	s.mu.Unlock()
	go s.serve(boatd)
	return host, nil
}

func (s *stageOf) serve(boatd net.Conn) {
	in := bufio.NewReader(boatd)
	for {
		line, err := in.ReadString('\r')
		if err != nil {
			return
		}
		answer, ok := s.answers[strings.TrimSuffix(line, "\r")]
		switch {
		case line == "ATE0+CMEE=1\r":
			answer = line + "\r\nOK\r\n"
		case !ok:
			answer = "\r\nERROR\r\n"
		}
		io.WriteString(boatd, answer)
	}
}

// Do knows "say": it writes to the channel that was opened last.
func (s *stageOf) Do(_ context.Context, words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, strings.Join(words, " "))
	switch words[0] {
	case "say":
		go fmt.Fprintf(s.lines[len(s.lines)-1], "\r\n%s\r\n", words[1])
	case "fail":
		return errors.New("it failed")
	}
	return nil
}

var answers = map[string]string{
	"AT":       "\r\nOK\r\n",
	"ATI":      "\r\nboatd\r\n\r\nOK\r\n",
	"ATN":      "\r\n+N: 17,\"ab\"\r\n\r\nOK\r\n",
	"ATN=17":   "\r\nOK\r\n",
	"ATN=\"ab": "\r\nOK\r\n",
	"ATRAW":    "> ",
	"ATTWICE":  "\r\nOK\r\n\r\nOK\r\n",
	"ATSILENT": "",
	"ATHALF":   "\r\nO",
	"ATLONG":   "\r\nOK\r\n" + strings.Repeat("\r\nx\r\n", 3),
}

func script(lines string) string { return "about it\n-- script --\n" + lines }

func playText(t *testing.T, text string, p *Player) (*Transcript, *stageOf, error) {
	t.Helper()
	tr, err := Parse("t.txtar", text)
	if err != nil {
		t.Fatal(err)
	}
	if p.Patience == 0 {
		p.Patience = 200 * time.Millisecond
	}
	stage := &stageOf{answers: answers}
	return tr, stage, p.Play(t.Context(), tr, stage)
}

func TestGoodScripts(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":         "",
		"a line":          "> AT\n< OK\n",
		"information":     "> ATI\n< boatd\n< OK\n",
		"comments":        "# so\n\n> AT\n# and\n< OK\n",
		"captures":        "> ATN\n< +N: {n=int},\"{s=[a-z]+}\"\n< OK\n> ATN={n}\n< OK\n> ATN=\"{s}\n< OK\n> ATN\n< +N: {n},\"{s}\"\n< OK\n",
		"raw":             ">= \"AT\\rATRAW\\r\"\n<= \"\\r\\nOK\\r\\n> \"\n",
		"two channels":    "> AT\n@local > ATI\n< OK\n@local < boatd\n@local < OK\n",
		"opened bare":     "! open uart\n> AT\n< OK\n",
		"closed":          "> AT\n< OK\n! close uart\n> AT\n< OK\n",
		"said unasked":    "> AT\n< OK\n! say hello\n< hello\n",
		"quiet":           "> AT\n< OK\n! quiet 20ms\n! say x\n< x\n",
		"repetition":      "> AT{N*1}\n< +N: 1{7*1},\"ab\"\n< OK\n",
		"braces are text": "> AT{}\n< ERROR\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := playText(t, script(text), &Player{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBadScripts: whatever is not as expected fails, and says where.
func TestBadScripts(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"wrong line":      {"> AT\n< KO\n", "t.txtar:4"},
		"wrong result":    {"> AT\n< ERROR\n", `got       < OK`},
		"wrong middle":    {"> ATN\n< +N: 18,\"ab\"\n< OK\n", `expected  < +N: 18,"ab"`},
		"wrong pattern":   {"> ATN\n< +N: {n=[a-z]+},\"ab\"\n< OK\n", "t.txtar:4"},
		"part of a line":  {"> ATN\n< +N: {n=int}\n< OK\n", "t.txtar:4"},
		"wrong capture":   {"> ATN\n< +N: {n=int},\"{n}\"\n< OK\n", "not known yet"},
		"missing line":    {"> AT\n< OK\n< OK\n", "nothing came"},
		"extra line":      {"> ATTWICE\n< OK\n", "came what was not expected"},
		"extra, then on":  {"> ATTWICE\n< OK\n> ATI\n< boatd\n", "t.txtar:6"},
		"extra at close":  {"> ATTWICE\n< OK\n! quiet 50ms\n", "came what was not expected"},
		"said and unseen": {"> AT\n< OK\n! say hello\n", "< hello"},
		"silence":         {"> ATSILENT\n< OK\n", "nothing"},
		"half a line":     {"> ATHALF\n< OK\n", `<= "\r\nO"`},
		"no framing":      {"> ATRAW\n< >\n", "does not begin a line"},
		"wrong raw":       {"> ATRAW\n<= \"< \"\n", "other bytes came"},
		"more than raw":   {"> ATRAW\n<= \">\"\n", `<= " "`},
		"another channel": {"> AT\n@local < OK\n", "local: nothing came"},
		"left on another": {"> AT\n< OK\n@local > AT\n", "on local"},
		"not quiet":       {"> AT\n< OK\n! say hello\n! quiet 200ms\n", "t.txtar:6"},
		"unknown name":    {"> AT{n}\n< OK\n", "not known yet"},
		"a step fails":    {"! fail\n", "t.txtar:3: ! fail: it failed"},
		"no channel":      {"@nowhere > AT\n", "no such channel"},
		"opened twice":    {"> AT\n< OK\n! open uart\n", "uart is open"},
		"closed twice":    {"! close uart\n", "uart is not open"},
		"no time":         {"! wait soon\n", "soon"},
		"no word":         {"! wait\n", "one word"},
		"left at kill":    {"> ATLONG\n< OK\n! wait 50ms\n! kill\n", "came what was not expected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := playText(t, script(c.text), &Player{})
			if err == nil {
				t.Error("it passes")
			} else if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error does not say %q:\n%v", c.want, err)
			}
		})
	}
}

// TestMismatchText: a failure shows what was typed, expected and got, in the
// script's own words.
func TestMismatchText(t *testing.T) {
	_, _, err := playText(t, script("> AT\n< OK\n@local > ATN\n@local < +N: 17,\"ac\"\n@local < OK\n"), &Player{})
	const want = `t.txtar:6: local: other bytes came
    typed     "ATN\r"
    expected  @local < +N: 17,"ac"
    got       @local < +N: 17,"ab"
    and then  @local < OK`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestStepsCloseChannels(t *testing.T) {
	_, stage, err := playText(t, script("> AT\n< OK\n> ATN\n< +N: {n=int},\"ab\"\n< OK\n! restart with {n}\n> AT\n< OK\n"), &Player{})
	if err != nil || len(stage.lines) != 2 || stage.steps[0] != "restart with 17" {
		t.Errorf("%v, %d channels were opened, steps %q", err, len(stage.lines), stage.steps)
	}
}

// TestUpdate: what came is written in the place of what was expected, but not
// over what captures or names something.
func TestUpdate(t *testing.T) {
	tr, _, err := playText(t, script("# begin\n> ATI\n< wrong\n< and\n< more\n\n> ATN\n< OK\n> AT\n> ATRAW\n< no\n# end\n"), &Player{Update: true})
	const want = "about it\n-- script --\n# begin\n> ATI\n< boatd\n< OK\n\n> ATN\n< +N: 17,\"ab\"\n< OK\n> AT\n> ATRAW\n< OK\n<= \"> \"\n# end\n"
	if err != nil || tr.String() != want {
		t.Errorf("%v\n%s", err, tr)
	}
	if _, _, err := playText(t, tr.String(), &Player{}); err != nil {
		t.Errorf("what was written does not pass: %v", err)
	}
	text := script("> ATN\n< +N: {n=int},\"xx\"\n< KO\n")
	if tr, _, err := playText(t, text, &Player{Update: true}); err == nil || tr.String() != text {
		t.Errorf("a pattern was overwritten (%v):\n%s", err, tr)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr, err := Parse("t.txtar", script("! wait 1h\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := new(Player).Play(ctx, tr, &stageOf{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
