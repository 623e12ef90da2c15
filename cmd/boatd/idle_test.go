//go:build !arm && !race

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

var switchesShape = regexp.MustCompile(`(?m)^voluntary_ctxt_switches:\s+([0-9]+)$`)

// switches counts how often any thread of a process has gone to sleep: each time
// it was awake before.
func switches(t *testing.T, pid int) int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	sum := 0
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		m := switchesShape.FindSubmatch(b)
		if err != nil || m == nil {
			t.Fatalf("%s: %v", task, err)
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// TestIdle: with nothing open boatd sleeps, although two hosts have channels open
// and it has talked with its network. The few that are allowed are the Go
// runtime's, which looks around at most every two minutes.
func TestIdle(t *testing.T) {
	t.Parallel()
	stage := bench(t, `-- config --
[at]
allow_key_import = true
-- script --
> AT+BOATPWD="","2580","13572468"
< OK
> AT+BOATKEYIMP="w0",0,"x:{46*32}"
< OK
> AT+BOATWALADD="w0","dev"
< +BOATWALADD: "w0","0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
< OK
! fund 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F 1ether
> AT+BOATSEND="w0","a","0x0000000000000000000000000000000000009001","1gwei"
< +BOATSEND: 1
< OK
> AT+BOATTXWAI=1,2,60
< +BOATTXWAI: 1,2,0,0,0,"{h=hash}"
< OK
! mine 3
> AT+BOATTXWAI=1,4,60
< +BOATTXWAI: 1,4,0,3,1,"{h}"
< OK
`)
	uart, err := stage.Dial("uart")
	if err != nil {
		t.Fatal(err)
	}
	defer uart.Close()
	local, err := stage.Dial("local")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	// What was just done is tidied up first, for longer where the machine is
	// busy; then it is quiet. A timer that was left running is in every window.
	const span, most, windows = 10 * time.Second, 10, 6
	before := switches(t, stage.Pid())
	for range windows {
		<-time.After(span)
		now := switches(t, stage.Pid())
		n := now - before
		t.Logf("%d wake-ups in %v", n, span)
		if n <= most {
			return
		}
		before = now
	}
	t.Errorf("never at most %d wake-ups in %v with nothing to do, in %d times that", most, span, windows)
}
