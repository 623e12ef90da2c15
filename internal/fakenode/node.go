package fakenode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/boatd/boatd/internal/jsonrpc"
)

// Faults are what a node does wrong. The zero value is a good node.
type Faults struct {
	Down      bool          // refuses connections and breaks those it has
	Hang      bool          // takes requests and never answers
	Slow      time.Duration // answers late
	Lose      bool          // does what it is asked and breaks the connection instead of answering
	Status    int           // answers with this HTTP status and no JSON
	Body      string        // answers this instead of JSON-RPC
	Huge      int           // puts so many spaces before every answer
	NoBatch   bool          // refuses batches
	WrongIDs  bool          // answers with ids nobody asked for
	Chaff     string        // is part of every error's message: `\r\nOK\r\n`
	Lag       uint64        // knows the chain only up to so many blocks below the newest
	Alternate uint64        // every second request is answered so many blocks below the newest
	ChainID   *big.Int      // claims another chain
	Genesis   *common.Hash  // claims another genesis block
	NoGenesis bool          // has pruned block 0
	NoFinal   bool          // has no tag "finalized"
	NoHeaders bool          // has no eth_getHeaderByNumber
	NoPrice   bool          // tells no effectiveGasPrice, as before EIP-1559
	NoTip     bool          // has neither eth_maxPriorityFeePerGas nor eth_feeHistory
	LogRange  uint64        // refuses to look for logs in more blocks
	Indexing  bool          // refuses look-ups of transactions, as geth does after its start
	Syncing   bool          // says that it is 1000 blocks behind
	Nonce     int64         // is added to every answer of eth_getTransactionCount
	// Errors and Results replace the answers to whole methods. A result is JSON.
	Errors  map[string]*jsonrpc.Error
	Results map[string]string
}

// A Node is one endpoint. It is an http.Handler.
type Node struct {
	chain    *Chain
	pool     map[common.Address]map[uint64]*types.Transaction
	faults   Faults
	starts   uint64 // connections of an earlier start are broken
	requests int
	calls    map[string]int
}

// Node returns the node behind a URL; a new one is made at the first call.
func (c *Chain) Node(rawURL string) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[rawURL]
	if n == nil {
		n = &Node{chain: c, pool: make(map[common.Address]map[uint64]*types.Transaction), calls: make(map[string]int)}
		c.nodes[rawURL] = n
	}
	return n
}

// SetFaults replaces all faults of a node.
func (n *Node) SetFaults(f Faults) {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	n.faults = f
}

// Restart breaks all connections of a node.
func (n *Node) Restart() {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	n.starts++
}

// Requests returns how many HTTP requests a node has taken.
func (n *Node) Requests() int {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	return n.requests
}

// Calls returns how often a method was called at a node.
func (n *Node) Calls(method string) int {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	return n.calls[method]
}

// Pooled returns how many transactions wait in a node's pool.
func (n *Node) Pooled() int {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	total := 0
	for _, byNonce := range n.pool {
		total += len(byNonce)
	}
	return total
}

var errBroken = errors.New("connection reset by fake")

// A conn leads to a node without sockets.
type conn struct {
	node  *Node
	start uint64
}

// Connect opens a connection to the node that has the URL.
func (c *Chain) Connect(ctx context.Context, u *url.URL) (jsonrpc.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := c.Node(u.String())
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.faults.Down {
		return nil, errors.New("connection refused by fake")
	}
	return &conn{n, n.starts}, nil
}

// Err says whether the connection is broken.
func (c *conn) Err() error {
	c.node.chain.mu.Lock()
	defer c.node.chain.mu.Unlock()
	if c.start != c.node.starts || c.node.faults.Down {
		return errBroken
	}
	return nil
}

// Close does nothing: there is nothing to free.
func (c *conn) Close() error { return nil }

// RoundTrip hands a request to the node.
func (c *conn) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, answer, err := c.node.handle(r.Context(), body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header),
		Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: r,
	}, nil
}

// ServeHTTP answers JSON-RPC over HTTP.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	status, answer, err := n.handle(r.Context(), body)
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's own way to break a connection
	}
	w.Header().Set("Content-Type", "application/json")
	if status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
	w.Write(answer)
}

type request struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *jsonrpc.Error  `json:"error,omitempty"`
}

func (n *Node) handle(ctx context.Context, body []byte) (int, []byte, error) {
	if err := n.wait(ctx); err != nil {
		return 0, nil, err
	}
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	n.requests++
	f := &n.faults
	switch {
	case f.Down:
		return 0, nil, errBroken
	case f.Status != 0:
		return f.Status, []byte("<html>no</html>"), nil
	case f.Body != "":
		return http.StatusOK, []byte(f.Body), nil
	}
	answer, err := n.answer(body)
	if err != nil {
		return http.StatusBadRequest, []byte(err.Error()), nil
	}
	if f.Lose {
		return 0, nil, errBroken
	}
	return http.StatusOK, append(bytes.Repeat([]byte{' '}, f.Huge), answer...), nil
}

// wait does what the faults of time say.
func (n *Node) wait(ctx context.Context) error {
	n.chain.mu.Lock()
	hang, slow := n.faults.Hang, n.faults.Slow
	n.chain.mu.Unlock()
	if hang {
		<-ctx.Done()
	}
	if slow > 0 {
		timer := time.NewTimer(slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// answer answers one question or a batch. The answers of a batch come in the
// reverse order, which JSON-RPC allows.
func (n *Node) answer(body []byte) ([]byte, error) {
	see := n.view()
	if !bytes.HasPrefix(body, []byte("[")) {
		var q request
		if err := json.Unmarshal(body, &q); err != nil {
			return nil, err
		}
		return json.Marshal(n.reply(q, see))
	}
	if n.faults.NoBatch {
		return json.Marshal(response{Version: "2.0", ID: []byte("null"), Error: &jsonrpc.Error{Code: -32600, Message: "batch requests are not supported"}})
	}
	var questions []request
	if err := json.Unmarshal(body, &questions); err != nil {
		return nil, err
	}
	answers := make([]response, len(questions))
	for i, q := range questions {
		answers[len(questions)-1-i] = n.reply(q, see)
	}
	return json.Marshal(answers)
}

// view returns the newest block that the node knows for this request.
func (n *Node) view() uint64 {
	tip, lag := n.chain.tip().number, n.faults.Lag
	if n.faults.Alternate > 0 && n.requests%2 == 0 {
		lag = n.faults.Alternate
	}
	return tip - min(lag, tip)
}

func (n *Node) reply(q request, see uint64) response {
	n.calls[q.Method]++
	if n.chain.watch != nil {
		params, _ := json.Marshal(q.Params)
		n.chain.watch(q.Method, string(params))
	}
	r := response{Version: "2.0", ID: q.ID}
	if n.faults.WrongIDs {
		r.ID = []byte("987654321")
	}
	if text, ok := n.faults.Results[q.Method]; ok {
		r.Result = []byte(text)
		return r
	}
	result, bad := any(nil), n.faults.Errors[q.Method]
	if bad == nil {
		result, bad = n.call(q, see)
	}
	if bad != nil {
		told := *bad
		told.Message += n.faults.Chaff
		r.Error = &told
		return r
	}
	out, err := json.Marshal(result)
	if err != nil {
		out = []byte(fmt.Sprintf("%q", err))
	}
	r.Result = out
	return r
}
