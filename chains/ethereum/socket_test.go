package ethereum_test

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
)

// The whole way over TCP, TLS and HTTP: bytes are counted, a server that went
// away and came back as another chain is found out on its first connection,
// and nothing is left when the network is closed.
func TestSockets(t *testing.T) {
	before := runtime.NumGoroutine()
	chain := fakenode.New(fakenode.Options{})
	servers := make([]*httptest.Server, 2)
	var list []string
	pems := filepath.Join(t.TempDir(), "ca.pem")
	for i := range servers {
		servers[i] = httptest.NewUnstartedServer(chain.Node(urls[i]))
		servers[i].EnableHTTP2 = i == 1
		servers[i].Config.ErrorLog = log.New(io.Discard, "", 0)
		servers[i].StartTLS()
		list = append(list, servers[i].URL)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: servers[0].Certificate().Raw})
	if err := os.WriteFile(pems, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var told []string
	net, err := ethereum.Protocol.Open(chains.Config{Name: "tls", Options: chains.Options{"endpoints": strings.Join(list, ","), "ca_file": pems}},
		chains.Deps{Rand: zeros{}, Now: func() time.Time { return now }, TrustedTime: time.Now,
			Quarantine: func(endpoint string, _ chains.Identity) { told = append(told, endpoint) }})
	if err != nil {
		t.Fatal(err)
	}
	account, err := chaintest.NewSigner("secp256k1", 1).Account(net)
	if err != nil {
		t.Fatal(err)
	}
	chain.Fund(account.Address, ether(3))
	balance := func(what string, ok bool) {
		t.Helper()
		v, err := net.(chains.Balancer).Balance(t.Context(), account.Address)
		if ok != (err == nil) || ok && v.Cmp(ether(3)) != 0 {
			t.Errorf("%s: %v, %v", what, v, err)
		}
	}
	for range 3 {
		balance("first", true)
	}
	status := net.(chains.Meter).Status()
	if status.Up != 1 || status.BytesSent < 1000 || status.BytesReceived < 1500 || status.Answered != now.Unix() {
		t.Errorf("%+v", status)
	}
	servers[0].CloseClientConnections()
	chain.Node(urls[0]).SetFaults(fakenode.Faults{ChainID: ether(1)})
	balance("over the second", true)
	if len(told) != 1 || told[0] != servers[0].URL {
		t.Errorf("told %v", told)
	}
	servers[1].CloseClientConnections()
	balance("over the second again", true)
	net.(io.Closer).Close()
	for _, s := range servers {
		s.Close()
	}
	balance("closed", false)
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 1000 {
			buf := make([]byte, 1<<16)
			t.Fatalf("goroutines are left:\n%s", buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
		<-time.After(time.Millisecond) // they end by themselves; there is nothing to wait for
	}
}

// A network that came by AT does not reach a loopback address under any name.
func TestAddedNetwork(t *testing.T) {
	s := httptest.NewTLSServer(fakenode.New(fakenode.Options{}).Node(urls[0]))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		n, err := ethereum.Protocol.Open(
			chains.Config{Name: "at", Added: true, Options: chains.Options{"endpoints": "https://" + net.JoinHostPort(host, port)}},
			chains.Deps{Rand: zeros{}, Now: time.Now, TrustedTime: time.Now, AllowedHosts: []string{"127.0.0.1", "localhost"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Identify(context.Background())
		if err == nil || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
