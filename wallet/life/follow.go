package life

import (
	"context"
	"errors"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
)

// lookDue returns when events should be looked for, the zero time for not at all.
func (s *sweep) lookDue() time.Time {
	if s.cfg.Follower == nil {
		return time.Time{}
	}
	return s.cfg.Follower.Due(s.net.Name)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// follow looks for events when it is time. What keeps transactions from moving is
// an error; everything else has a backoff of its own.
func (s *sweep) follow() error {
	due := s.lookDue()
	if due.IsZero() || !s.cfg.Bearer(s.net) || s.cfg.Nets.Exhausted(s.net.Name) > 0 {
		return nil
	}
	s.mu.Lock()
	due = later(later(due, s.line.resume), s.line.lookAfter)
	s.mu.Unlock()
	if s.cfg.Now().Before(due) {
		return nil
	}
	if err := s.cfg.Book.Sound(); err != nil {
		return err
	}
	if err := s.identify(); err != nil {
		return err
	}
	ctx, cancel := s.converse()
	defer cancel()
	err := s.cfg.Follower.Look(ctx, s.net)
	if hinders(err) {
		return err
	}
	s.looked(err)
	s.talked = true
	s.succeeded()
	return nil
}

// hinders says whether an error is one of the network, or of the flash, and not
// of the events.
func hinders(err error) bool {
	for _, kind := range []error{chains.ErrUnreachable, chains.ErrOtherChain, chains.ErrBudget, book.ErrFlash, context.DeadlineExceeded} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func (s *sweep) looked(err error) {
	if err == nil {
		s.mu.Lock()
		s.line.misses, s.line.lookAfter = 0, time.Time{}
		s.mu.Unlock()
		return
	}
	if s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	s.line.misses++
	misses := s.line.misses
	s.line.lookAfter = s.cfg.Now().Add(s.backoff(misses))
	s.mu.Unlock()
	level := s.cfg.Log.Info
	if misses == 1 {
		level = s.cfg.Log.Warn
	}
	level("contract events cannot be read", "net", s.net.Name, "err", err, "failures", misses)
}
