package rig

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/boatd/boatd/internal/fakenode"
)

// A fake is a chain in memory with two nodes on loopback ports.
type fake struct {
	chain   *fakenode.Chain
	nodes   [2]*fakenode.Node
	urls    [2]string
	servers [2]*http.Server
}

// startFake makes a chain of fakenode.Options as JSON; "" for none.
func startFake(options string) (*fake, error) {
	var o fakenode.Options
	if strings.TrimSpace(options) != "" {
		if err := decodeStrict(options, &o); err != nil {
			return nil, fmt.Errorf("options of the chain: %w", err)
		}
	}
	f := &fake{chain: fakenode.New(o)}
	for i := range f.nodes {
		if err := f.serve(i, "127.0.0.1:0"); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// serve opens node i.
func (f *fake) serve(i int, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("opening a node: %w", err)
	}
	f.urls[i] = "http://" + l.Addr().String()
	f.nodes[i] = f.chain.Node(f.urls[i])
	f.servers[i] = &http.Server{Addr: l.Addr().String(), Handler: f.nodes[i]}
	go f.servers[i].Serve(l)
	return nil
}

// genesis starts the chain again from another first block. The nodes start
// again too, so that all connections break.
func (f *fake) genesis(args []string) error {
	f.chain.Reset(args[0])
	for i, s := range f.servers {
		if err := s.Close(); err != nil {
			return err
		}
		if err := f.serve(i, s.Addr); err != nil {
			return err
		}
	}
	return nil
}

func decodeStrict(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Close ends the nodes.
func (f *fake) Close() error {
	var errs []error
	for _, s := range f.servers {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
