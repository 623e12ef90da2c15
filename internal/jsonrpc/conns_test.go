package jsonrpc

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A connection that broke while it was idle costs nothing but a new one; a new
// one that breaks is an error.
func TestBrokenConnections(t *testing.T) {
	f := &far{}
	c := client(f, Options{})
	c.Do(t.Context(), ask("a")...)
	f.broken = 1
	calls := ask("b")
	if err := c.Do(t.Context(), calls...); err != nil || f.dials != 2 {
		t.Fatalf("error %v after %d connections", err, f.dials)
	}
	check(t, calls)
	f.ended = 2
	if err := c.Do(t.Context(), ask("b")...); err != nil || f.dials != 3 || f.misused != 0 {
		t.Errorf("error %v after %d connections, %d requests over one that has ended", err, f.dials, f.misused)
	}
	f.broken, f.ended = 99, 3
	if err := c.Do(t.Context(), ask("c")...); err == nil || f.dials != 4 {
		t.Errorf("error %v after %d connections", err, f.dials)
	}
}

func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{}
		c := client(f, Options{})
		c.Do(t.Context(), ask("a")...)
		// The connection that was used before is dead and nobody has said so.
		f.hang = func(dial int) bool { return dial == 1 }
		start := time.Now()
		calls := ask("b")
		if err := c.Do(t.Context(), calls...); err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
		check(t, calls)
		f.hang = func(int) bool { return true }
		start = time.Now()
		if err := c.Do(t.Context(), ask("c")...); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 20*time.Second {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
		f.hang = nil
		dials := f.dials
		c.Do(t.Context(), ask("d")...)
		time.Sleep(idleLimit - time.Second)
		c.Do(t.Context(), ask("e")...)
		time.Sleep(idleLimit - time.Second)
		c.Do(t.Context(), ask("f")...)
		if f.dials != dials+1 {
			t.Errorf("%d connections for three requests in a row", f.dials-dials)
		}
		time.Sleep(idleLimit + time.Second)
		c.Do(t.Context(), ask("g")...)
		if f.dials != dials+2 {
			t.Errorf("%d connections: an idle one was kept", f.dials-dials)
		}
	})
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{hang: func(int) bool { return true }}
		c := client(f, Options{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { c.Do(t.Context(), ask("a")...) })
		}
		synctest.Wait()
		if f.dials != maxConns {
			t.Errorf("%d connections at once", f.dials)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := c.Do(ctx, ask("b")...); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("waiting for a connection: %v after %v", err, time.Since(start))
		}
		wg.Wait()
	})
}

// A wideConn carries requests side by side, as HTTP/2 does.
type wideConn struct{ *farConn }

func (wideConn) Available() int { return 99 }

// Where one connection carries several requests there is only one, also while it
// is made; who has no more time leaves it to the others, and one that broke is not
// used again.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed atomic.Int32
		slow := time.Second
		f := &far{}
		f.respond = func(q []question, batch bool) (int, string, error) {
			f.mu.Unlock()
			time.Sleep(slow)
			f.mu.Lock()
			return 200, results(q, batch), nil
		}
		c := client(f, Options{Hello: func() []*Call { return ask("hello") }, Greet: func(func(...*Call) error, []*Call) error { return nil }})
		c.o.Connect = func(ctx context.Context) (Conn, error) {
			conn, err := f.connect(ctx)
			far := conn.(*farConn)
			return closingConn{wideConn{far}, func() { closed.Add(1) }}, err
		}
		both := func() {
			t.Helper()
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					calls := ask("a", "b")
					if err := c.Do(t.Context(), calls...); err != nil {
						t.Error(err)
					}
					check(t, calls)
				})
			}
			wg.Wait()
		}
		both()
		both()
		if f.dials != 1 || closed.Load() != 0 {
			t.Fatalf("%d connections, closed %v", f.dials, closed.Load())
		}
		// One gives up, the other one goes on.
		ctx, cancel := context.WithCancel(t.Context())
		f.hang = func(int) bool { return ctx.Err() == nil }
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := c.Do(ctx, ask("c")...); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		f.hang = nil
		both()
		if f.dials != 1 {
			t.Errorf("%d connections after somebody gave up", f.dials)
		}
		// It breaks under both: both are asked again, over one new connection.
		f.broken = 1
		both()
		if f.dials != 2 || closed.Load() != 1 {
			t.Errorf("%d connections, closed %v", f.dials, closed.Load())
		}
		// Closed while in use: closed when it is done.
		slow = time.Minute / 10
		wg.Go(func() { c.Do(t.Context(), ask("d")...) })
		synctest.Wait()
		c.Close()
		if closed.Load() != 1 {
			t.Errorf("%d closed under a request", closed.Load())
		}
		wg.Wait()
		if closed.Load() != 2 {
			t.Errorf("%d closed", closed.Load())
		}
	})
}

type closingConn struct {
	wideConn
	closed func()
}

func (c closingConn) Close() error { c.closed(); return c.wideConn.Close() }

func TestClose(t *testing.T) {
	f := &far{}
	c := client(f, Options{})
	c.Do(t.Context(), ask("a")...)
	c.Close()
	if err := c.Do(t.Context(), ask("b")...); !errors.Is(err, ErrClosed) || f.dials != 1 {
		t.Errorf("error %v after %d connections", err, f.dials)
	}
}

// TestAdmit: nothing goes out that is not admitted, neither a connection nor a
// request; one that is under way is finished, and nobody is greeted in vain.
func TestAdmit(t *testing.T) {
	closed := errors.New("closed")
	left := 3
	f := &far{}
	c := client(f, Options{Admit: func() error {
		if left == 0 {
			return closed
		}
		return nil
	}})
	f.respond = func(questions []question, batch bool) (int, string, error) {
		left--
		if batch && len(questions) > 2 {
			return 200, strings.Repeat("x", 9999), nil // too large: asked again in two parts
		}
		return 200, results(questions, batch), nil
	}
	calls := ask("a", "b", "c")
	if err := c.Do(t.Context(), calls...); err != nil || left != 0 {
		t.Fatalf("error %v, %d are left", err, left)
	}
	if err := c.Do(t.Context(), ask("d")...); !errors.Is(err, closed) || len(f.bodies) != 3 {
		t.Errorf("error %v after %d requests", err, len(f.bodies))
	}
	left = 2 // one too few
	dials := f.dials
	if err := c.Do(t.Context(), calls...); !errors.Is(err, closed) || len(f.bodies) != 5 || calls[0].Result != nil {
		t.Errorf("error %v after %d requests, %s", err, len(f.bodies), calls[0].Result)
	}
	f.ended = f.dials
	if err := c.Do(t.Context(), ask("d")...); !errors.Is(err, closed) || f.dials > dials+2 || len(f.bodies) != 5 {
		t.Errorf("error %v, %d connections, before %d", err, f.dials, dials)
	}
	left = 1
	f.broken = f.dials
	c.Do(t.Context(), ask("d")...)
	if left = 1; c.Do(t.Context(), ask("d")...) != nil || left != 0 {
		t.Error("it does not go on")
	}
}
