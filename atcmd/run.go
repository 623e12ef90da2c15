package atcmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// abortFree is how long after its start no byte aborts a command: the line's
// own LF, or what the host sent before it could know.
const abortFree = 125 * time.Millisecond

const esc = 0x1b

// detailMax is the longest detail that AT+BOATERR tells.
const detailMax = 60

// A lineFailure is why a line did not end with OK.
type lineFailure struct {
	plain bool // ERROR whatever AT+CMEE says: the line does not parse
	err   *Error
	pos   int
}

// runLine executes a line and keeps it for A/.
func (s *Session) runLine(body []byte) {
	s.repeat = append(s.repeat[:0], body...)
	s.noRepeat = false
	s.execute(body)
	if s.noRepeat {
		s.forget()
	}
}

// runRepeat is A/ (V.250, 5.2.4): the last line again, whole.
func (s *Session) runRepeat() {
	if s.noRepeat {
		s.finish(&lineFailure{plain: true, err: fail(codeUnknown, "line is not kept"), pos: 1})
		return
	}
	s.execute(s.repeat)
}

// forget makes A/ refuse, and wipes the last line.
func (s *Session) forget() {
	s.noRepeat = true
	clear(s.repeat[:cap(s.repeat)])
	s.split.Wipe()
	s.parse.Wipe()
}

// execute runs the commands of a line and writes its final result.
func (s *Session) execute(body []byte) {
	s.urc.hostIsAwake()
	s.parse.Reset(body)
	failed := s.commands()
	if failed != nil && s.secretAhead() {
		s.noRepeat = true
	}
	s.finish(failed)
}

// commands runs one command after the other, until one fails.
func (s *Session) commands() *lineFailure {
	for {
		cmd, err := s.parse.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		row := s.server.config.Table.lookup(cmd.Name)
		if row != nil && row.once(cmd) {
			s.noRepeat = true
		}
		switch {
		case err != nil:
			return &lineFailure{plain: true, err: Fail(codeUnknown, err), pos: s.parse.Position()}
		case row == nil:
			return &lineFailure{plain: true, err: fail(codeUnknown, "no such command"), pos: cmd.Pos}
		case s.broken != nil || s.ctx.Err() != nil: // nobody is left who wants the rest
			return &lineFailure{err: fail(codeAborted, ""), pos: cmd.Pos}
		}
		if err := s.command(row, cmd); err != nil {
			return &lineFailure{err: err, pos: s.place(cmd, err.Param)}
		}
	}
}

// secretAhead says whether the rest of a line that failed holds what A/ must
// not repeat: the line would get further the next time. What does not parse
// may be anything.
func (s *Session) secretAhead() bool {
	for {
		cmd, err := s.parse.Next()
		if err != nil {
			return !errors.Is(err, io.EOF)
		}
		if row := s.server.config.Table.lookup(cmd.Name); row != nil && row.once(cmd) {
			return true
		}
	}
}

// place returns where in the line the fault is: argument i, behind the last
// one if it is missing, or with -1 the command.
func (s *Session) place(cmd *line.Command, i int) int {
	switch {
	case i < 0:
		return cmd.Pos
	case i < len(cmd.Args):
		return cmd.Args[i].Pos
	}
	return s.parse.Position()
}

// finish writes the final result of a line.
func (s *Session) finish(failed *lineFailure) {
	s.channel.lines.Add(1)
	if failed != nil {
		s.channel.failures.Add(1)
	}
	switch {
	case failed == nil:
		s.out = s.regs.appendResult(s.out, resultOK)
	case failed.plain:
		s.out = s.regs.appendResult(s.out, resultError)
	default:
		s.out = s.regs.appendFailure(s.out, failed.err.Code)
	}
	if failed != nil {
		s.failure = lastFailure{failed.err.Code, failed.pos, failed.err.detail()}
	}
	s.flush()
	s.after.release()
	s.finalAt = time.Now()
	s.active = s.finalAt
}

// command checks one command against its row and runs it.
func (s *Session) command(row *Command, cmd *line.Command) *Error {
	c := &Call{Form: Form(cmd.Form), session: s, row: row}
	if c.Form == Test && row.Forms&Test == 0 {
		if line := row.TestLine(); line != "" {
			c.Line(line)
		}
		s.out = append(s.out, c.out...)
		return nil
	}
	defer c.wipe()
	err := s.admit(c)
	if err == nil {
		err = c.bind(row, cmd)
	}
	if row.Burn && c.Form == Set {
		c.burn(cmd.Args)
	}
	if err != nil {
		return err
	}
	return s.run(c)
}

// admit says whether a command may run here and now, whatever its parameters.
func (s *Session) admit(c *Call) *Error {
	switch {
	case c.row.Forms&c.Form == 0:
		return fail(codeNotSupported, "the command has no such form")
	case c.row.Last && s.parse.More():
		return fail(codeNotAllowed, "the command must be the last in its line")
	case c.row.PIN && c.Form != Test && !s.Unlocked():
		if err := s.server.locked(); err != nil {
			return s.codeOf(c, err)
		}
	}
	return nil
}

// wipe clears the copies of slots that the command had.
func (c *Call) wipe() {
	for _, b := range c.secrets {
		clear(b)
	}
}

// run executes a command beside the loop, which goes on watching the input.
func (s *Session) run(c *Call) *Error {
	if c.row.Class == ClassN || c.row.Last { // its time is the host's or the network's: nobody else waits for it
		s.flush()
		s.after.release()
	}
	limit := s.within(c)
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	s.overdue.Store(time.Now().Add(limit + hungTime).UnixNano())
	go s.do(ctx, c)
	aborted, err := s.await(c.row.Abort, cancel)
	s.overdue.Store(0)
	s.out = append(s.out, c.out...)
	switch {
	case c.err != nil:
		return s.internal("command wrote a bad line", "err", c.err)
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled) && (aborted || s.gone() || s.ctx.Err() != nil):
		return fail(codeAborted, "")
	}
	return s.codeOf(c, err)
}

// within returns the command's maximum response time.
func (s *Session) within(c *Call) time.Duration {
	if c.row.Within != nil {
		return c.row.Within(c)
	}
	if c.row.Class == ClassN {
		return time.Duration(s.channel.settings()[setNetTimeout]) * time.Second
	}
	return ClassTimes[c.row.Class]
}

// do runs in a goroutine of its own and always reports to done.
func (s *Session) do(ctx context.Context, c *Call) {
	var err error = fail(codeInternal, "command did not return")
	defer func() {
		if r := recover(); r != nil {
			err = s.internal("command panicked", "command", c.row.Name, "panic", r, "stack", string(debug.Stack()))
		}
		s.done <- err
	}()
	err = c.row.Run(ctx, c)
}

// codeOf turns what a command returned into what the host is told.
func (s *Session) codeOf(c *Call, err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e) && CodeText(e.Code) != "":
		return e
	case e != nil:
		return s.internal("command answered with an unknown code", "command", c.row.Name, "err", err)
	case errors.Is(err, context.DeadlineExceeded):
		return Fail(codeTimeout, err)
	}
	s.server.config.Log.Warn("command failed", "channel", s.channel.name, "command", c.row.Name, "err", err)
	return Fail(codeUnknown, err)
}

// internal logs a fault of boatd under a random id, by which the host's
// developer can find it.
func (s *Session) internal(what string, args ...any) *Error {
	var b [4]byte
	rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	s.server.config.Log.Error(what, append(args, "channel", s.channel.name, "id", id)...)
	return fail(codeInternal, fmt.Sprintf("id %s", id))
}

// await looks after the channel while a command runs: its lines leave, and
// input is held for later or aborts it.
func (s *Session) await(abortable bool, cancel context.CancelFunc) (aborted bool, err error) {
	s.flush()
	began := time.Now()
	for {
		if abortable && s.gone() {
			cancel() // nobody waits for it
		}
		in := s.in
		if len(s.held) >= line.Max && !abortable {
			in = nil // the port holds the rest
		}
		select {
		case b, ok := <-in:
			n := len(s.held)
			s.take(b, ok)
			if abortable && !aborted && time.Since(began) >= abortFree && s.abort(n) {
				aborted = true
				cancel()
			}
			if abortable {
				s.shed(n)
			}
		case b := <-s.output:
			s.out = append(s.out, b...)
			s.flush()
			s.written <- struct{}{}
		case want := <-s.want:
			s.data <- s.receive(want)
		case err := <-s.done:
			return aborted, err
		case <-s.wake:
			s.urc.pending = true
		case <-s.ping:
		}
	}
}

// gone says whether nobody is left who could read an answer.
func (s *Session) gone() bool {
	if s.broken != nil {
		return true
	}
	h, ok := s.port.(HalfCloser)
	return s.eof && !(ok && h.HalfClosed())
}

// shed drops what a host types ahead of a command that can be aborted and does
// not fit, whole lines of it, so that an abort and a hang-up are seen behind it.
// n is where the newest input begins.
func (s *Session) shed(n int) {
	if s.shedding {
		s.skip(n)
	}
	if len(s.held) <= line.Max {
		return
	}
	end := s.held[len(s.held)-1]
	keep := bytes.LastIndexByte(s.held[:line.Max], s.regs[regS3]) + 1
	clear(s.held[keep:])
	s.held = s.held[:keep]
	s.lost, s.shedding = true, end != s.regs[regS3]
}

// skip drops held input from n on up to the end of a line that is shed.
func (s *Session) skip(n int) {
	i := bytes.IndexByte(s.held[n:], s.regs[regS3])
	s.shedding = i < 0
	if i < 0 {
		i = len(s.held) - n - 1
	}
	rest := n + copy(s.held[n:], s.held[n+i+1:])
	clear(s.held[rest:])
	s.held = s.held[:rest]
}

// abort looks for a byte that aborts among what is held from n on, and takes
// it out. V.250, 5.6.1 lets any byte abort; here it is ESC unless the channel
// wants that.
func (s *Session) abort(n int) bool {
	anyByte := s.channel.settings()[setAbort] != 0
	for i := n; i < len(s.held); i++ {
		b := s.held[i]
		if b == esc || anyByte && b != 0 && b != '\n' {
			s.held = append(s.held[:i], s.held[i+1:]...)
			return true
		}
	}
	return false
}

// emit gives lines of a running command to the loop, and returns the buffer
// for the next ones.
func (s *Session) emit(out []byte) []byte {
	s.output <- out
	<-s.written
	clear(out)
	return out[:0]
}
