//go:build e2e

package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// A proxy stands between boatd and a node. While it has a fault, it does what bad
// nodes, balancers and networks do; without one it changes nothing. It remembers
// the signed bytes that went through it.
type proxy struct {
	url    string
	server *httptest.Server

	mu    sync.Mutex
	node  *node
	fault fault
	raw   []string         // 0x and hex, each once
	heard func(raw string) // for each of them; may be nil
	asked int              // requests so far
}

// A fault is one kind of trouble. All of its parts may be nil.
type fault struct {
	// instead does the whole exchange; it may call forward or not.
	instead func(*exchange)
	// before may change a question on its way to the node.
	before func(*question)
	// after may change an answer on its way to boatd.
	after func(*question)
}

// An exchange is one HTTP request and what it asks.
type exchange struct {
	http.ResponseWriter
	proxy *proxy
	fault fault
	calls []*question
	batch bool
}

// A question is one JSON-RPC call and, when the node was asked, its answer.
type question struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method,omitempty"`
	Params  []json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage   `json:"result,omitempty"`
	Error   json.RawMessage   `json:"error,omitempty"`
}

// newProxy starts a proxy over plain http.
func newProxy(t testing.TB, n *node) *proxy { return startProxy(t, n, nil) }

// startProxy starts a proxy, over https if there is a TLS configuration.
func startProxy(t testing.TB, n *node, secure *tls.Config) *proxy {
	t.Helper()
	p := &proxy{node: n}
	p.server = httptest.NewUnstartedServer(p)
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0) // faults are what it would tell of
	if secure != nil {
		p.server.TLS, p.server.EnableHTTP2 = secure, true
		p.server.StartTLS()
	} else {
		p.server.Start()
	}
	p.url = p.server.URL
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// set makes f the proxy's fault from the next request on.
func (p *proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// heal ends the fault.
func (p *proxy) heal() { p.set(fault{}) }

// to puts another node behind the proxy. As when a server starts again, all
// connections end.
func (p *proxy) to(n *node) {
	p.mu.Lock()
	p.node = n
	p.mu.Unlock()
	p.server.CloseClientConnections()
}

// sent returns the signed bytes that boatd has sent so far.
func (p *proxy) sent() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.raw)
}

// requests counts what boatd has asked so far.
func (p *proxy) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // boatd has ended
	}
	x := &exchange{ResponseWriter: w, proxy: p, batch: bytes.HasPrefix(body, []byte("["))}
	if x.batch {
		err = json.Unmarshal(body, &x.calls)
	} else {
		x.calls = []*question{{}}
		err = json.Unmarshal(body, x.calls[0])
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.asked++
	x.fault = p.fault
	p.mu.Unlock()
	p.remember(x.calls)
	if x.fault.instead != nil {
		x.fault.instead(x)
		return
	}
	x.reply(x.forward())
}

func (p *proxy) remember(calls []*question) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range calls {
		var raw string
		if c.Method == "eth_sendRawTransaction" && json.Unmarshal(c.Params[0], &raw) == nil && !slices.Contains(p.raw, raw) {
			p.raw = append(p.raw, raw)
			if p.heard != nil {
				p.heard(raw)
			}
		}
	}
}

// reply writes an answer as a good node would.
func (x *exchange) reply(body []byte) {
	x.Header().Set("Content-Type", "application/json")
	x.Write(body) // boatd may have ended
}

// drop closes the connection without an answer.
func (x *exchange) drop() { panic(http.ErrAbortHandler) }

// forward asks the node and returns the body of the answer. Where there is no
// node, there is none for boatd either.
func (x *exchange) forward() []byte {
	for _, c := range x.calls {
		if x.fault.before != nil {
			x.fault.before(c)
		}
	}
	x.proxy.mu.Lock()
	url := x.proxy.node.url
	x.proxy.mu.Unlock()
	if err := relay(url, x.calls); err != nil {
		x.drop()
	}
	answers := make([]*question, len(x.calls))
	for i, c := range x.calls {
		if x.fault.after != nil {
			x.fault.after(c)
		}
		answers[i] = &question{Version: "2.0", ID: c.ID, Result: c.Result, Error: c.Error}
	}
	if x.batch {
		return encode(answers)
	}
	return encode(answers[0])
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // all of it was JSON already
	}
	return b
}

// relay puts questions to a node as one batch, which it answers in order, and
// fills the answers in.
func relay(url string, calls []*question) error {
	resp, err := client.Post(url, "application/json", bytes.NewReader(encode(calls)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answers []*question
	if err := json.Unmarshal(body, &answers); err != nil {
		return fmt.Errorf("%.200q: %w", body, err)
	}
	if len(answers) != len(calls) {
		return fmt.Errorf("%d answers to %d questions", len(answers), len(calls))
	}
	for i, a := range answers {
		calls[i].Result, calls[i].Error = a.Result, a.Error
	}
	return nil
}
