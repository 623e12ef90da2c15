package module

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/boatd/boatd/internal/module/wire"
)

// Options say what is in a box.
type Options struct {
	Images   string   // the folder that image/build.sh made
	Root     string   // a disk image: raw, or qcow2 if it is called so
	Writable bool     // the root is
	Data     string   // the data disk, raw; "" for none
	WriteLog string   // where the data disk's writes are logged; "" not
	Append   []string // to the kernel's command line
	Node     string   // address on this machine that 10.0.2.100:80 in the box leads to
	Args     []string // to QEMU
}

// A Box is a running module.
type Box struct {
	dir   string
	cmd   *exec.Cmd
	ended chan struct{}
	agent string // the agent's address on this machine
	said  *tail  // QEMU's own words
}

// The times that a boot and a shutdown may take; the machine may be busy.
const (
	bootTime = 4 * time.Minute
	offTime  = time.Minute
)

// Boot is Start, and returns when the agent in the box answers.
func Boot(ctx context.Context, dir string, o Options) (*Box, error) {
	b, err := Start(dir, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for {
		try, stop := context.WithTimeout(ctx, 2*time.Second) // what is asked before there is a cable is lost
		_, err = b.Run(try, "true", nil)
		stop()
		if err == nil {
			return b, nil
		}
		select {
		case <-b.ended:
			return nil, fmt.Errorf("starting the box: it has ended: %s\n%s", b.said, b.Console())
		case <-ctx.Done():
			b.Kill()
			return nil, fmt.Errorf("starting the box: it does not answer: %w\n%s\n%s", err, b.said, b.Console())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Start switches a box on. What it needs lies in dir, whose path must be short
// (sockets).
func Start(dir string, o Options) (*Box, error) {
	for try := 1; ; try++ {
		b, err := start(dir, o)
		if err != nil {
			return nil, fmt.Errorf("starting the box: %w", err)
		}
		select {
		case <-b.ended:
		case <-time.After(settle):
			return b, nil
		}
		// The port for the agent was free, and is somebody else's now.
		if try == 5 || !strings.Contains(b.said.String(), "host forwarding") {
			return nil, fmt.Errorf("starting the box: it has ended: %s", b.said)
		}
	}
}

// settle is how long an emulator takes to find that it cannot start.
const settle = 300 * time.Millisecond

func start(dir string, o Options) (*Box, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	agent, err := freePort()
	if err != nil {
		return nil, err
	}
	b := &Box{dir: dir, agent: agent, ended: make(chan struct{}), said: &tail{}}
	args, err := b.arguments(o)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(b.uart()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	b.cmd = exec.Command("qemu-system-arm", args...)
	b.cmd.Stdout, b.cmd.Stderr = b.said, b.said
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = b.cmd.Wait() // how it ended, what it said tells
		close(b.ended)
	}()
	return b, nil
}

func (b *Box) arguments(o Options) ([]string, error) {
	mode := "box.root=ro"
	if o.Writable {
		mode = "box.root=rw"
	}
	network := "user,id=n0,ipv6=off,hostfwd=tcp:" + b.agent + "-" + wire.Address
	if o.Node != "" {
		network += ",guestfwd=tcp:10.0.2.100:80-cmd:socat - TCP:" + o.Node
	}
	args := []string{
		"-M", "virt,highmem=off", "-cpu", "cortex-a7", "-smp", "1", "-m", "256", "-accel", "tcg",
		"-display", "none", "-no-reboot", "-monitor", "none", "-nic", "none",
		"-kernel", filepath.Join(o.Images, "vmlinuz"), "-initrd", filepath.Join(o.Images, "initrd"),
		"-append", strings.Join(append([]string{"console=ttyAMA0 panic=-1 net.ifnames=0", mode}, o.Append...), " "),
		"-serial", "file:" + filepath.Join(b.dir, "console"),
		"-chardev", "socket,id=uart,path=" + b.uart() + ",server=on,wait=off", "-device", "pci-serial,chardev=uart",
		"-netdev", network, "-device", "virtio-net-pci,netdev=n0,romfile=",
	}
	root, err := rootDisk(o)
	if err != nil {
		return nil, err
	}
	args = append(args, root...)
	if o.Data != "" {
		data, err := dataDisk(o)
		if err != nil {
			return nil, err
		}
		args = append(args, data...)
	}
	return append(args, o.Args...), nil
}

func rootDisk(o Options) ([]string, error) {
	format := "raw"
	if strings.HasSuffix(o.Root, ".qcow2") {
		format = "qcow2"
	}
	readOnly := "on"
	if o.Writable {
		readOnly = "off"
	}
	path, err := filepath.Abs(o.Root)
	return []string{
		"-blockdev", "driver=file,node-name=rootfile,filename=" + path + ",read-only=" + readOnly + ",locking=off",
		"-blockdev", "driver=" + format + ",node-name=root,file=rootfile,read-only=" + readOnly,
		"-device", "virtio-blk-pci,drive=root,serial=root",
	}, err
}

func dataDisk(o Options) ([]string, error) {
	path, err := filepath.Abs(o.Data)
	if err != nil {
		return nil, err
	}
	device := []string{"-device", "virtio-blk-pci,drive=data,serial=data,write-cache=on"}
	if o.WriteLog == "" {
		return append([]string{"-blockdev", "driver=file,node-name=data,filename=" + path}, device...), nil
	}
	// QEMU writes a log, it does not make one.
	if err := os.WriteFile(o.WriteLog, nil, 0o644); err != nil {
		return nil, err
	}
	return append([]string{
		"-blockdev", "driver=file,node-name=datafile,filename=" + path + ",cache.no-flush=on",
		"-blockdev", "driver=file,node-name=log,filename=" + o.WriteLog + ",cache.no-flush=on",
		"-blockdev", "driver=blklogwrites,node-name=data,file=datafile,log=log,log-sector-size=512,cache.no-flush=off",
	}, device...), nil
}

// freePort returns a loopback address that nothing listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// UART connects to the module's UART, /dev/ttyS0 in the box, as soon as there is
// one. There is one wire: a second connection waits for the end of the first.
func (b *Box) UART() (net.Conn, error) {
	for {
		c, err := net.Dial("unix", b.uart())
		if err == nil {
			return c, nil
		}
		select {
		case <-b.ended:
			return nil, fmt.Errorf("connecting to the UART: the box has ended: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *Box) uart() string { return filepath.Join(b.dir, "uart") }

// Console returns what the kernel and the init have said.
func (b *Box) Console() string {
	text, err := os.ReadFile(filepath.Join(b.dir, "console"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Ended is closed when the emulator has ended.
func (b *Box) Ended() <-chan struct{} { return b.ended }

// Kill cuts the power.
func (b *Box) Kill() {
	_ = b.cmd.Process.Kill() // it has ended already, else
	<-b.ended
}

// Off has the box shut down in order.
func (b *Box) Off(ctx context.Context) error {
	if _, err := b.Run(ctx, "(sleep 0.2; poweroff) >/dev/null 2>&1 </dev/null &", nil); err != nil {
		return err
	}
	select {
	case <-b.ended:
		return nil
	case <-time.After(offTime):
		b.Kill()
		return fmt.Errorf("switching the box off: it does not end\n%s", b.Console())
	}
}

// An ExitError is a command in the box that failed.
type ExitError struct {
	Command string
	Status  int
	Output  string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("in the box: %s: exit status %d\n%s", e.Command, e.Status, e.Output)
}

// Run runs a shell command in the box, as root, and returns what it wrote to
// both its outputs. A status other than 0 is an [*ExitError].
func (b *Box) Run(ctx context.Context, command string, stdin []byte) (string, error) {
	c, in, a, err := b.ask(ctx, wire.Request{Run: command, Size: int64(len(stdin))}, stdin)
	if err != nil {
		return "", fmt.Errorf("in the box: %s: %w", command, err)
	}
	defer c.Close()
	out, err := io.ReadAll(io.LimitReader(in, a.Size))
	if err == nil && int64(len(out)) < a.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return string(out), fmt.Errorf("in the box: %s: %w", command, err)
	}
	if a.Exit != 0 {
		return string(out), &ExitError{Command: command, Status: a.Exit, Output: string(out)}
	}
	return string(out), nil
}

// Put writes a file in the box.
func (b *Box) Put(ctx context.Context, path string, content []byte) error {
	_, err := b.Run(ctx, "cat > '"+path+"'", content)
	return err
}

// Get reads a file in the box.
func (b *Box) Get(ctx context.Context, path string) ([]byte, error) {
	out, err := b.Run(ctx, "cat '"+path+"'", nil)
	return []byte(out), err
}

// Dial connects to a Unix socket in the box.
func (b *Box) Dial(ctx context.Context, path string) (io.ReadWriteCloser, error) {
	c, in, _, err := b.ask(ctx, wire.Request{Dial: path}, nil)
	if err != nil {
		return nil, fmt.Errorf("in the box: connecting to %s: %w", path, err)
	}
	return &conn{Conn: c, in: in}, nil
}

// ask sends a request and reads the line that answers it. The connection ends
// with ctx until then.
func (b *Box) ask(ctx context.Context, q wire.Request, stdin []byte) (net.Conn, *bufio.Reader, wire.Reply, error) {
	var a wire.Reply
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp4", b.agent)
	if err != nil {
		return nil, nil, a, err
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	line, err := json.Marshal(q)
	if err == nil {
		_, err = c.Write(append(append(line, '\n'), stdin...))
	}
	in := bufio.NewReader(c)
	if err == nil {
		line, err = in.ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		c.Close()
		return nil, nil, a, errors.Join(err, ctx.Err())
	}
	return c, in, a, nil
}

// A conn has some of its bytes in a buffer.
type conn struct {
	net.Conn
	in *bufio.Reader
}

func (c *conn) Read(p []byte) (int, error) { return c.in.Read(p) }

// A tail keeps the last words of a program.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.Len() > 1<<16 {
		t.b.Reset()
	}
	return t.b.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
