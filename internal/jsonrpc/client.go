package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Call is a question and, after [Client.Do], its answer: exactly one of
// Result, Err and TooLarge is set.
type Call struct {
	Method string
	Params []any
	// Acts: the call changes something at the server. It is never sent before
	// the server has been greeted.
	Acts bool
	// Long: the server is not to blame for an answer that is too large. It is
	// TooLarge then, and no error of Do.
	Long bool

	TooLarge bool
	Result   json.RawMessage // "null" where that was the answer
	Err      *Error
}

// A Conn is one connection to one server; *http.ClientConn is one.
type Conn interface {
	RoundTrip(*http.Request) (*http.Response, error)
	Err() error // not nil once the connection cannot be used any more
	Close() error
}

// Options are what a client is made of.
type Options struct {
	URL     *url.URL
	Connect func(context.Context) (Conn, error)
	MaxBody int64         // of an answer, after decompression
	Timeout time.Duration // of one Do, whatever its context allows

	// Hello returns what is asked first on every new connection, and Greet
	// judges the answers: with an error the connection is closed and Do
	// returns that error. ask puts further questions over the same connection.
	// Both may be nil.
	//
	// Admit is asked before every connection and every HTTP request; its error is
	// Do's. It may be nil, too.
	Admit func() error
	Hello func() []*Call
	Greet func(ask func(...*Call) error, hello []*Call) error
}

const (
	// maxBatch stays below the smallest limit of a node's default
	// configuration (Besu, 50).
	maxBatch = 32
	// maxConns: one for the sweep and one for a command that should not wait
	// for it. Every connection costs a handshake, which a small processor feels:
	// where one connection carries both (HTTP/2), there is only one.
	maxConns = 2
	// idleLimit is shorter than the time after which mobile networks forget a
	// silent connection.
	idleLimit = 45 * time.Second
)

// A Client asks one server. Its methods may be called from several goroutines
// at once.
type Client struct {
	o       Options
	slots   chan struct{}
	opening chan struct{} // filled while a connection is made and greeted
	id      atomic.Uint64
	single  atomic.Bool // the server refuses batches

	mu     sync.Mutex
	live   []*session // that may be used, the one used last at the end
	closed bool
}

// A session is a connection and what is known of the far side.
type session struct {
	conn    Conn
	greeted bool
	opened  func() // lets others use it; nil once they may

	// Guarded by Client.mu.
	users  int
	failed bool        // nobody else may use it
	expiry *time.Timer // while nobody does
}

// room says whether a connection that is in use takes another request.
func (s *session) room() bool {
	c, ok := s.conn.(interface{ Available() int })
	return ok && c.Available() > 0
}

// New returns a client. It connects when it is first used.
func New(o Options) *Client {
	return &Client{o: o, slots: make(chan struct{}, maxConns), opening: make(chan struct{}, 1)}
}

// Close closes the connections that are idle and those in use when they are
// done; later calls of Do return ErrClosed.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, s := range slices.Clone(c.live) {
		c.drop(s)
	}
	return nil
}

// Do asks all calls, as one batch where the server takes batches, and fills
// them in. An error means that none of them may be believed. A call that the
// server answered with an error is not an error of Do.
//
// A question may reach the server twice: when a connection that had been idle
// breaks, it is asked again over a new one.
func (c *Client) Do(ctx context.Context, calls ...*Call) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for rest := calls; len(rest) > 0; {
		n := min(len(rest), maxBatch)
		if err := c.do(ctx, rest[:n]); err != nil {
			forget(calls)
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// forget takes back answers that may not be believed.
func forget(calls []*Call) {
	for _, call := range calls {
		call.Result, call.Err, call.TooLarge = nil, nil, false
	}
}

// do asks calls and cuts them in two when their answer is too large for one.
func (c *Client) do(ctx context.Context, calls []*Call) error {
	err := c.once(ctx, calls)
	switch {
	case !errors.Is(err, ErrTooLarge):
		return err
	case len(calls) == 1 && calls[0].Long:
		return c.long(ctx, calls[0], err)
	case len(calls) == 1:
		return err
	}
	half := len(calls) / 2
	if err := c.do(ctx, calls[:half]); err != nil {
		return err
	}
	return c.do(ctx, calls[half:])
}

// A greetedError is one of a request that held the greeting too.
type greetedError struct{ error }

func (e greetedError) Unwrap() error { return e.error }

// long says of a call that its answer was too large, which err tells. Where the
// greeting may have been what was, it asks again behind a greeting of its own.
func (c *Client) long(ctx context.Context, call *Call, err error) error {
	if errors.As(err, new(greetedError)) {
		conn, err := c.o.Connect(ctx)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		s := &session{conn: conn}
		defer conn.Close()
		if err := c.converse(ctx, s, nil); err != nil {
			return err
		}
		if err := c.ask(ctx, s, []*Call{call}); !errors.Is(err, ErrTooLarge) {
			return err
		}
	}
	call.TooLarge = true
	return nil
}

// admit says whether anything may go out now.
func (c *Client) admit() error {
	if c.o.Admit == nil {
		return nil
	}
	return c.o.Admit()
}

func (c *Client) once(ctx context.Context, calls []*Call) error {
	if err := c.admit(); err != nil {
		return err
	}
	s, err := c.take()
	if err != nil {
		return err
	}
	if s != nil {
		if err = c.reuse(ctx, s, calls); err == nil || !broken(err) || ctx.Err() != nil {
			return err
		}
	}
	return c.open(ctx, calls)
}

// broken says whether err may be the end of an old connection and nothing more.
func broken(err error) bool {
	var status StatusError
	return !errors.Is(err, ErrAnswer) && !errors.Is(err, ErrTooLarge) && !errors.As(err, &status)
}

// reuse tries a connection that was there before and may lead nowhere by now
// without anybody having said so: it leaves time for a new one.
func (c *Client) reuse(ctx context.Context, s *session, calls []*Call) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout/2)
	defer cancel()
	return c.use(ctx, s, calls)
}

func (c *Client) use(ctx context.Context, s *session, calls []*Call) error {
	err := c.converse(ctx, s, calls)
	c.give(s, err)
	return err
}

// open makes a connection and asks over it. If another one was made meanwhile
// that takes requests side by side, that one is used.
func (c *Client) open(ctx context.Context, calls []*Call) error {
	select {
	case c.opening <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	opened := sync.OnceFunc(func() { <-c.opening })
	defer opened()
	if s, err := c.take(); err != nil {
		return err
	} else if s != nil {
		opened()
		return c.use(ctx, s, calls)
	}
	if err := c.admit(); err != nil {
		return err
	}
	conn, err := c.o.Connect(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return c.use(ctx, &session{conn: conn, users: 1, opened: opened}, calls)
}

// converse greets the far side if that was not done yet, and asks calls.
func (c *Client) converse(ctx context.Context, s *session, calls []*Call) error {
	if s.greeted || c.o.Hello == nil {
		c.admitOthers(s)
		return c.ask(ctx, s, calls)
	}
	hello := c.o.Hello()
	first, rest := append(hello[:len(hello):len(hello)], calls...), []*Call(nil)
	if c.single.Load() || acts(calls) {
		first, rest = hello, calls
	}
	if err := c.ask(ctx, s, first); err != nil {
		return greetedError{err}
	}
	more := func(calls ...*Call) error { return c.ask(ctx, s, calls) }
	if err := c.o.Greet(more, hello); err != nil {
		return err
	}
	s.greeted = true
	c.admitOthers(s)
	return c.ask(ctx, s, rest)
}

// admitOthers lets others use a session that is new.
func (c *Client) admitOthers(s *session) {
	opened := s.opened
	if opened == nil {
		return
	}
	s.opened = nil
	c.mu.Lock()
	if !c.closed {
		c.live = append(c.live, s)
	}
	c.mu.Unlock()
	opened()
}

func acts(calls []*Call) bool {
	for _, call := range calls {
		if call.Acts {
			return true
		}
	}
	return false
}

// ask puts calls over s: together, or one by one where the server wants that.
func (c *Client) ask(ctx context.Context, s *session, calls []*Call) error {
	if len(calls) > 1 && !c.single.Load() {
		err := c.post(ctx, s.conn, calls, true)
		var refused batchRefused
		if !errors.As(err, &refused) {
			return err
		}
	}
	for i, call := range calls {
		if err := c.post(ctx, s.conn, calls[i:i+1], false); err != nil {
			return err
		}
		// Only a single question that was answered shows that the batch was
		// what the server did not like.
		if len(calls) > 1 && call.Err == nil {
			c.single.Store(true)
		}
	}
	return nil
}

// take returns a session that still works and takes a request, or nil.
func (c *Client) take() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	for _, s := range slices.Backward(slices.Clone(c.live)) {
		switch {
		case s.conn.Err() != nil:
			c.drop(s)
		case s.users == 0:
			s.expiry.Stop()
			s.users = 1
			return s, nil
		case s.room():
			s.users++
			return s, nil
		}
	}
	return nil, nil
}

// give keeps s for a later call, unless err says that it should not be used again.
// A caller who has no more time says nothing about a connection that others share.
func (c *Client) give(s *session, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users--
	if err != nil && !(errors.Is(err, context.Canceled) && s.room()) || c.closed || s.failed {
		c.drop(s)
		return
	}
	if s.users == 0 {
		s.expiry = time.AfterFunc(idleLimit, func() { c.expire(s) })
	}
	if i := slices.Index(c.live, s); i >= 0 {
		c.live = append(slices.Delete(c.live, i, i+1), s)
	}
}

// drop has nobody use s any more, and closes it when nobody does. c.mu is held.
func (c *Client) drop(s *session) {
	s.failed = true
	c.live = slices.DeleteFunc(c.live, func(x *session) bool { return x == s })
	if s.users == 0 {
		if s.expiry != nil {
			s.expiry.Stop()
		}
		s.conn.Close()
	}
}

// expire closes s if nobody has taken it meanwhile.
func (c *Client) expire(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.users == 0 && !s.failed {
		c.drop(s)
	}
}
