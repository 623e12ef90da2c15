package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A far is a server without sockets: it answers "result of <method>" to every
// question, unless respond says otherwise.
type far struct {
	mu      sync.Mutex
	dials   int
	broken  int // connections up to this number break when they are used
	ended   int // connections up to this number say that they have ended
	misused int // requests over those
	bodies  []string
	respond func(questions []question, batch bool) (status int, body string, err error)
	hang    func(dial int) bool
}

type farConn struct {
	far  *far
	dial int
	gone bool
}

func (f *far) connect(context.Context) (Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	return &farConn{far: f, dial: f.dials}, nil
}

func (c *farConn) Err() error {
	if c.dial <= c.far.ended {
		return io.EOF
	}
	return nil
}

func (c *farConn) Close() error { c.gone = true; return nil }

func (c *farConn) RoundTrip(r *http.Request) (*http.Response, error) {
	f := c.far
	body, _ := io.ReadAll(r.Body)
	if f.hang != nil && f.hang(c.dial) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.dial <= f.ended {
		f.misused++
	}
	if c.dial <= f.broken || c.gone {
		return nil, io.ErrUnexpectedEOF
	}
	f.bodies = append(f.bodies, string(body))
	var questions []question
	batch := strings.HasPrefix(string(body), "[")
	if batch {
		json.Unmarshal(body, &questions)
	} else {
		questions = make([]question, 1)
		json.Unmarshal(body, &questions[0])
	}
	status, text, err := 200, results(questions, batch), error(nil)
	if f.respond != nil {
		status, text, err = f.respond(questions, batch)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text))}, nil
}

// results answers in the reverse order.
func results(questions []question, batch bool) string {
	var parts []string
	for _, q := range questions {
		parts = append([]string{fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":"of %s"}`, q.ID, q.Method)}, parts...)
	}
	if batch {
		return "[" + strings.Join(parts, ",") + "]"
	}
	return parts[0]
}

func client(f *far, o Options) *Client {
	o.URL, _ = url.Parse("https://far.example/rpc")
	o.Connect = f.connect
	if o.MaxBody == 0 {
		o.MaxBody = 4096
	}
	o.Timeout = 20 * time.Second
	return New(o)
}

func ask(methods ...string) []*Call {
	var calls []*Call
	for _, m := range methods {
		calls = append(calls, &Call{Method: m})
	}
	return calls
}

func check(t *testing.T, calls []*Call) {
	t.Helper()
	for _, c := range calls {
		if string(c.Result) != `"of `+c.Method+`"` || c.Err != nil {
			t.Errorf("%s: result %s, error %v", c.Method, c.Result, c.Err)
		}
	}
}

func TestBatch(t *testing.T) {
	f := &far{}
	c := client(f, Options{})
	calls := ask("a", "b", "c")
	if err := c.Do(t.Context(), calls...); err != nil {
		t.Fatal(err)
	}
	check(t, calls)
	if want := `[{"jsonrpc":"2.0","id":1,"method":"a","params":[]},`; len(f.bodies) != 1 || !strings.HasPrefix(f.bodies[0], want) {
		t.Errorf("sent %q", f.bodies)
	}
	calls = ask("d")
	if err := c.Do(t.Context(), calls...); err != nil {
		t.Fatal(err)
	}
	check(t, calls)
	if want := `{"jsonrpc":"2.0","id":4,"method":"d","params":[]}`; f.bodies[1] != want || f.dials != 1 {
		t.Errorf("sent %q over %d connections", f.bodies[1], f.dials)
	}
	many := ask(strings.Split(strings.Repeat("m ", 99)+"m", " ")...)
	if err := c.Do(t.Context(), many...); err != nil {
		t.Fatal(err)
	}
	check(t, many)
	if len(f.bodies) != 2+4 {
		t.Errorf("100 questions went in %d requests, want 4", len(f.bodies)-2)
	}
}

func TestBatchRefused(t *testing.T) {
	for name, refuse := range map[string]func() (int, string, error){
		"object": func() (int, string, error) {
			return 200, `{"id":null,"error":{"code":-32600,"message":"no batches"}}`, nil
		},
		"object 4": func() (int, string, error) { return 400, `{"error":{"code":-32600,"message":"no batches"}}`, nil },
		"400":      func() (int, string, error) { return 400, "bad request", nil },
		"413":      func() (int, string, error) { return 413, "", nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := &far{}
			f.respond = func(q []question, batch bool) (int, string, error) {
				if batch {
					return refuse()
				}
				return 200, results(q, false), nil
			}
			c := client(f, Options{})
			for range 2 {
				calls := ask("a", "b")
				if err := c.Do(t.Context(), calls...); err != nil {
					t.Fatal(err)
				}
				check(t, calls)
			}
			if len(f.bodies) != 1+2+2 {
				t.Errorf("%d requests: the refusal was not remembered: %q", len(f.bodies), f.bodies)
			}
		})
	}
}

// A server that is down for everybody is not one that refuses batches.
func TestBatchNotRefused(t *testing.T) {
	f := &far{respond: func([]question, bool) (int, string, error) { return 503, "later", nil }}
	c := client(f, Options{})
	var status StatusError
	if err := c.Do(t.Context(), ask("a", "b")...); !errors.As(err, &status) || status != 503 || len(f.bodies) != 1 {
		t.Errorf("error %v after %d requests", err, len(f.bodies))
	}
	f.respond = func([]question, bool) (int, string, error) {
		return 429, `{"error":{"code":-32005,"message":"too many"}}`, nil
	}
	if err := c.Do(t.Context(), ask("a", "b")...); !errors.As(err, &status) || status != 429 || len(f.bodies) != 2 {
		t.Errorf("error %v after %d requests", err, len(f.bodies))
	}
	// Every single question is refused, too: then nothing is learned about batches.
	f.respond = func(q []question, batch bool) (int, string, error) {
		if batch {
			return 200, `{"id":null,"error":{"code":-32000,"message":"starting"}}`, nil
		}
		return 200, fmt.Sprintf(`{"id":%d,"error":{"code":-32000,"message":"starting"}}`, q[0].ID), nil
	}
	calls := ask("a", "b")
	if err := c.Do(t.Context(), calls...); err != nil || calls[1].Err == nil {
		t.Errorf("error %v, answer %v", err, calls[1].Err)
	}
	f.respond, f.bodies = nil, nil
	if err := c.Do(t.Context(), ask("a", "b")...); err != nil || len(f.bodies) != 1 {
		t.Errorf("error %v after %d requests", err, len(f.bodies))
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		ok     bool
	}{
		{200, `{"id":1,"result":1}`, true},
		{200, `<html>login here</html>`, false},
		{200, ``, false},
		{400, `{"id":1,"error":{"code":-32602,"message":"x"}}`, true},
		{500, `{"id":1,"error":{"code":-32603,"message":"x"}}`, true},
		{500, `oops`, false},
		{301, `{"id":1,"result":1}`, false},
		{307, ``, false},
		{401, ``, false},
		{429, `{"id":1,"error":{"code":-32005,"message":"x"}}`, false},
	} {
		f := &far{respond: func([]question, bool) (int, string, error) { return c.status, c.body, nil }}
		if err := client(f, Options{}).Do(t.Context(), ask("a")...); (err == nil) != c.ok {
			t.Errorf("status %d with %q: error %v", c.status, c.body, err)
		}
		if len(f.bodies) != 1 {
			t.Errorf("status %d: %d requests", c.status, len(f.bodies))
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		body string
		ok   bool
	}{
		{`{"id":1,"result":null}`, true},
		{`{"jsonrpc":"2.0","id":1,"result":{"a":[1]}}`, true},
		{`{"id":1,"error":{"code":3,"message":"m","data":"0x"}}`, true},
		{`{"id":1,"result":null,"error":{"code":3,"message":"m"}}`, true},
		{`{"id":1,"result":null,"error":null}`, true},
		{` {"id":1,"result":1}`, true},
		{`{"id":1,"result":1,"error":{"code":3}}`, false},
		{`{"id":1}`, false},
		{`{"id":2,"result":1}`, false},
		{`{"id":"1","result":1}`, false},
		{`{"id":1.0,"result":1}`, false},
		{`{"id":-1,"result":1}`, false},
		{`{"id":null,"result":1}`, false},
		{`{"result":1}`, false},
		{`{"id":1,"error":{"code":"x"}}`, false},
		{`{"id":1,"error":"x"}`, false},
		{`{"id":1,"result":1}{"id":1,"result":2}`, false},
		{`[{"id":1,"result":1}]`, false},
		{`null`, false},
		{`[`, false},
		{strings.Repeat("[", 100000), false},
	} {
		call := &Call{Method: "a"}
		if err := unmarshal([]byte(c.body), []*Call{call}, 1, false); (err == nil) != c.ok {
			t.Errorf("%.60q: error %v", c.body, err)
		} else if err != nil && !errors.Is(err, ErrAnswer) {
			t.Errorf("%.60q: error %v is not ErrAnswer", c.body, err)
		}
	}
	for _, c := range []struct {
		body string
		ok   bool
	}{
		{`[{"id":2,"result":2},{"id":1,"result":1}]`, true},
		{`[{"id":1,"result":2}]`, false},
		{`[{"id":1,"result":2},{"id":1,"result":1}]`, false},
		{`[{"id":1,"result":2},{"id":3,"result":1}]`, false},
		{`[{"id":1,"result":2},{"id":2,"result":1},{"id":3,"result":1}]`, false},
		{`[{"id":1,"result":2},null]`, false},
		{`[]`, false},
		{`{"id":1,"result":1}`, false},
	} {
		if err := unmarshal([]byte(c.body), ask("a", "b"), 1, true); (err == nil) != c.ok {
			t.Errorf("%q: error %v", c.body, err)
		}
	}
}

// A long answer that is too large is said to be so; the others are there. What is
// too large about the greeting is the server's own fault.
func TestTooLargeLong(t *testing.T) {
	f := &far{}
	greeting := 0
	f.respond = func(q []question, batch bool) (int, string, error) {
		n := 0
		for _, one := range q {
			switch one.Method {
			case "hello":
				n += greeting
			case "long":
				n += 1 << 20
			}
		}
		return 200, strings.Repeat(" ", n) + results(q, batch), nil
	}
	options := Options{
		MaxBody: 1000,
		Hello:   func() []*Call { return ask("hello") },
		Greet:   func(_ func(...*Call) error, hello []*Call) error { return nil },
	}
	calls := ask("a", "long", "b", "c")
	calls[1].Long = true
	if err := client(f, options).Do(t.Context(), calls...); err != nil || !calls[1].TooLarge || calls[1].Result != nil || calls[1].Err != nil {
		t.Fatalf("%+v, %v", calls[1], err)
	}
	check(t, []*Call{calls[0], calls[2], calls[3]})
	one := ask("long")
	one[0].Long = true
	if err := client(f, options).Do(t.Context(), one...); err != nil || !one[0].TooLarge {
		t.Errorf("alone: %+v, %v", one[0], err)
	}
	greeting = 2000
	if err := client(f, options).Do(t.Context(), one...); !errors.Is(err, ErrTooLarge) || one[0].TooLarge {
		t.Errorf("behind a greeting that is too large: %+v, %v", one[0], err)
	}
	greeting = 0
	one[0].Long = false
	if err := client(f, options).Do(t.Context(), one...); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one that should be short: %v", err)
	}
}

// An answer that is too large for one request is asked for in parts.
func TestTooLarge(t *testing.T) {
	f := &far{}
	f.respond = func(q []question, batch bool) (int, string, error) {
		return 200, strings.Repeat(" ", 300*len(q)) + results(q, batch), nil
	}
	c := client(f, Options{MaxBody: 1000})
	calls := ask("a", "b", "c", "d", "e", "f", "g")
	if err := c.Do(t.Context(), calls...); err != nil {
		t.Fatal(err)
	}
	check(t, calls)
	f.respond = func(q []question, batch bool) (int, string, error) {
		return 200, strings.Repeat(" ", 10<<20) + results(q, batch), nil
	}
	if err := c.Do(t.Context(), ask("a", "b")...); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	f.respond = func(q []question, batch bool) (int, string, error) {
		return 200, results(q, batch) + strings.Repeat(" ", 1000-len(results(q, batch))), nil
	}
	if err := c.Do(t.Context(), ask("a")...); err != nil {
		t.Errorf("an answer of exactly the bound: %v", err)
	}
}

// Greeting: on every new connection, together with the first request, unless
// that acts.
func TestGreeting(t *testing.T) {
	f := &far{}
	var greeted int
	var verdict error
	o := Options{
		Hello: func() []*Call { return ask("hello1", "hello2") },
		Greet: func(more func(...*Call) error, hello []*Call) error {
			greeted++
			check(t, hello)
			extra := ask("extra")
			if err := more(extra...); err != nil {
				return err
			}
			check(t, extra)
			return verdict
		},
	}
	c := client(f, o)
	methods := func(body string) string {
		var list []string
		for part := range strings.SplitSeq(body, `"method":"`) {
			if name, _, ok := strings.Cut(part, `"`); ok && !strings.HasPrefix(part, "[{") && !strings.HasPrefix(part, "{") {
				list = append(list, name)
			}
		}
		return strings.Join(list, " ")
	}
	expect := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, b := range f.bodies {
			got = append(got, methods(b))
		}
		if strings.Join(got, " | ") != strings.Join(want, " | ") {
			t.Errorf("%s: sent %q, want %q", what, got, want)
		}
		f.bodies = nil
	}
	if err := c.Do(t.Context(), ask("a", "b")...); err != nil {
		t.Fatal(err)
	}
	expect("a new connection", "hello1 hello2 a b", "extra")
	c.Do(t.Context(), ask("c")...)
	expect("the same connection", "c")
	f.broken = f.dials
	act := &Call{Method: "send", Acts: true}
	if err := c.Do(t.Context(), act); err != nil {
		t.Fatal(err)
	}
	expect("a new connection and a call that acts", "hello1 hello2", "extra", "send")
	f.broken = f.dials
	verdict = errors.New("another chain")
	calls := ask("d")
	if err := c.Do(t.Context(), calls...); !errors.Is(err, verdict) || calls[0].Result != nil {
		t.Errorf("error %v", err)
	}
	act = &Call{Method: "send", Acts: true}
	if err := c.Do(t.Context(), act); !errors.Is(err, verdict) {
		t.Errorf("error %v", err)
	}
	expect("a connection that is not believed", "hello1 hello2 d", "extra", "hello1 hello2", "extra")
	if greeted != 4 {
		t.Errorf("greeted %d times", greeted)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`[{"jsonrpc":"2.0","id":8,"result":"0x1"},{"id":7,"error":{"code":-32000,"message":"OK\r\n","data":null}}]`), true)
	f.Add([]byte(`{"id":7,"result":{}}`), false)
	f.Add([]byte(`{"id":null,"error":{"code":1,"message":""}}`), true)
	f.Add([]byte(`[[[[`), true)
	f.Fuzz(func(t *testing.T, body []byte, batch bool) {
		calls := ask("a", "b")
		if !batch {
			calls = calls[:1]
		}
		if err := unmarshal(body, calls, 7, batch); err != nil {
			return
		}
		for _, c := range calls {
			if (c.Result == nil) == (c.Err == nil) {
				t.Fatalf("%q: result %q and error %v", body, c.Result, c.Err)
			}
			if c.Result != nil && !json.Valid(c.Result) {
				t.Fatalf("%q: result %q", body, c.Result)
			}
		}
	})
}
