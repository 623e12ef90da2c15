package route

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestDefault4(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for text, want := range map[string]bool{
		"":   false,
		head: false,
		head + "rmnet0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n": true,
		head + "rmnet0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n": false,
		head + "rmnet0\t00000000\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n": false,
		head + "lo\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n":     false,
		"rmnet0 00000000": false,
	} {
		if got := hasDefault4(strings.NewReader(text)); got != want {
			t.Errorf("hasDefault4(%q) = %v", text, got)
		}
	}
}

func TestDefault6(t *testing.T) {
	zeros := strings.Repeat("0", 32)
	gateway := "fe800000000000000000000000000001"
	for text, want := range map[string]bool{
		"": false,
		zeros + " 00 " + zeros + " 00 " + gateway + " 00000400 00000001 00000000 00000003 rmnet0\n":   true,
		zeros + " 00 " + zeros + " 00 " + zeros + " ffffffff 00000001 00000000 00200200       lo\n":   false,
		zeros + " 40 " + zeros + " 00 " + gateway + " 00000400 00000001 00000000 00000003 rmnet0\n":   false,
		gateway + " 00 " + zeros + " 00 " + gateway + " 00000400 00000001 00000000 00000003 rmnet0\n": false,
	} {
		if got := hasDefault6(strings.NewReader(text)); got != want {
			t.Errorf("hasDefault6(%q) = %v", text, got)
		}
	}
}

func TestWatchEnds(t *testing.T) {
	w, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		w.Run(ctx, func(bool) {})
		close(done)
	}()
	cancel()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("Run goes on after its context has ended")
	}
}
