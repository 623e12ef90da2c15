package atcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// Each case is a fresh session without echo: what the host sends, what it sees.
func TestSession(t *testing.T) {
	type step struct{ send, want string }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"nothing to do", []step{{"AT\r", ok}, {"at\r\n", ok}, {"AT;\r", ok}}},
		{"unknown", []step{{"AT+BOATNOTHING\r", bad}, {"AT+FOO=1\r", bad}, {"ATD123\r", bad}, {"AT+CMEE=1\r", ok}, {"AT+FOO\r", bad}}},
		{"does not parse", []step{{"AT+CMEE=1\r", ok}, {"AT+CMEE=a\r", bad}, {"AT+BOATSHOW=\"a\r", bad}, {"AT+BOATSHOW=\"\\4\"\r", bad}}},
		{"error reports", []step{
			{"AT+BOATFAIL=7044\r", bad},
			{"AT+CMEE=1\r", ok}, {"AT+BOATFAIL=7044\r", cme(7044)},
			{"AT+CMEE=2\r", ok}, {"AT+BOATFAIL=7044\r", info("+CME ERROR: insufficient funds")},
			{"AT+CMEE?\r", info("+CMEE: 2") + ok}, {"AT+CMEE=?\r", info("+CMEE: (0-2)") + ok},
			{"AT+CMEE=3\r", info("+CME ERROR: incorrect parameters")},
			{"AT+CMEE\r", info("+CME ERROR: operation not supported")},
		}},
		{"codes", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATFAIL=1\r", cme(100)},
			{"AT+BOATFAIL=7777\r", cme(7099)},
			{"AT+BOATPANIC\r", cme(7099)},
			{"AT\r", ok},
		}},
		{"numbers", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATNUMBER=1\r", info(`+BOATNUMBER: 1,1,0,""`) + ok},
			{"AT+BOATNUMBER=4294967295,9,\"left\"\r", info(`+BOATNUMBER: 4294967295,0,9,"left"`) + ok},
			{"AT+BOATNUMBER=7,,\"right\"\r", info(`+BOATNUMBER: 7,1,0,"right"`) + ok},
			{"AT+BOATNUMBER=7,,\r", info(`+BOATNUMBER: 7,1,0,""`) + ok},
			{"AT+BOATNUMBER=0\r", cme(50)},
			{"AT+BOATNUMBER=4294967296\r", cme(50)},
			{"AT+BOATNUMBER=1,10\r", cme(50)},
			{"AT+BOATNUMBER=1,2,\"up\"\r", cme(50)},
			{"AT+BOATNUMBER=1,2,\"left\",4\r", cme(50)},
			{"AT+BOATNUMBER=1,2,\"left\",\r", cme(50)},
			{"AT+BOATNUMBER=\"1\"\r", cme(50)},
			{"AT+BOATNUMBER=1,2,3\r", cme(50)},
			{"AT+BOATNUMBER=\r", cme(50)},
			{"AT+BOATNUMBER=,1\r", cme(50)},
			{"AT+BOATNUMBER=?\r", info(`+BOATNUMBER: (1-4294967295)[,(0-9)][,("left","right")]`) + ok},
		}},
		{"names and strings", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATSHOW=\"w.0\",\"\",\"a,b;c\"\r", info(`+BOATSHOW: 3,"772e30","","612c623b63"`) + ok},
			{"AT+BOATSHOW=\"w\",\"\\22\\0D\"\r", info(`+BOATSHOW: 2,"77","220d"`) + ok},
			{"AT+BOATSHOW=\"w\",\"@@x\"\r", info(`+BOATSHOW: 2,"77","4078"`) + ok},
			{"AT+BOATSHOW=\"w\",,\"x\"\r", cme(50)},
			{"AT+BOATSHOW=\"\"\r", cme(50)},
			{"AT+BOATSHOW=\"abcdefghijklmnopq\"\r", cme(24)},
			{"AT+BOATSHOW=\"a b\"\r", cme(25)},
			{"AT+BOATSHOW=\"RING\"\r", cme(25)},
			{"AT+BOATSHOW=\"w\",\"@\"\r", cme(50)},
			{"AT+BOATSHOW=\"w\",\"@8\"\r", cme(50)},
			{"AT+BOATSHOW=\"w\",\"@00\"\r", cme(50)},
			{"AT+BOATSHOW=\"w\",\"@0\"\r", cme(7061)},
		}},
		{"sources", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATSOURCE=\"t:abc\"\r", info("+BOATSOURCE: -1", `+BOATSOURCE: 0,3,"616263"`) + ok},
			{"AT+BOATSOURCE=\"x:00fF\"\r", info("+BOATSOURCE: -1", `+BOATSOURCE: 0,2,"00ff"`) + ok},
			{"AT+BOATSOURCE=\"t:\"\r", info("+BOATSOURCE: -1", `+BOATSOURCE: 0,0,""`) + ok},
			{"AT+BOATSOURCE=\"x:0\"\r", cme(50)},
			{"AT+BOATSOURCE=\"x:0g\"\r", cme(50)},
			{"AT+BOATSOURCE=\"y:00\"\r", cme(50)},
			{"AT+BOATSOURCE=\"\"\r", cme(50)},
			{"AT+BOATSOURCE=\"@@1\"\r", cme(50)},
			{"AT+BOATSOURCE=\"@7\"\r", cme(7061)},
			{"AT+BOATSOURCE=\"t:" + strings.Repeat("x", 101) + "\"\r", cme(24)},
		}},
		{"concatenation stops at the first failure", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATNUMBER=1;+BOATNUMBER=0;+BOATNUMBER=2\r", info(`+BOATNUMBER: 1,1,0,""`) + cme(50)},
			{"AT+BOATNUMBER=1;+NOTHING;+BOATNUMBER=2\r", info(`+BOATNUMBER: 1,1,0,""`) + bad},
			{"AT+BOATNUMBER=1;+BOATNUMBER=a\r", info(`+BOATNUMBER: 1,1,0,""`) + bad},
			{"AT+BOATNUMBER=1;;+BOATNUMBER=2;\r", info(`+BOATNUMBER: 1,1,0,""`, `+BOATNUMBER: 2,1,0,""`) + ok},
			{"ATE0V1Q0X4&C1&D2S0=0\r", ok},
			{"ATX1S0=7+BOATNUMBER=1;S0?X4\r", info(`+BOATNUMBER: 1,1,0,""`, "007") + ok},
		}},
		{"forms", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATSHOW\r", cme(4)}, {"AT+BOATSHOW?\r", cme(4)}, {"AT+BOATERR=1\r", cme(4)}, {"AT+BOATERR=?\r", ok},
		}},
		{"result codes as numbers", []step{
			{"ATV0\r", "0\r"}, {"AT+NOTHING\r", "4\r"}, {"AT+CMEE?\r", "+CMEE: 0\r\n0\r"},
			{"AT+CMEE=1\r", "0\r"}, {"AT+BOATFAIL=16\r", "+CME ERROR: 16\r"}, {"ATV1\r", ok},
		}},
		{"quiet", []step{{"ATQ1\r", ""}, {"AT+NOTHING\r", ""}, {"AT+CMEE?\r", info("+CMEE: 0")}, {"ATQ0\r", ok}}},
		{"other line characters", []step{
			{"ATS3=42S4=43\r", "*+OK*+"}, {"ATS3?*", "*+042*+*+OK*+"}, {"AT\r*", "*+OK*+"}, {"ATS3=13S4=10*", ok},
			{"ATS5=35\r", ok}, {"ATSX##S5?\r", info("035") + ok}, {"ATS3=128\r", bad},
		}},
		{"echo", []step{
			{"ATE1\r", ok}, {"at+cmee?\r\n", "at+cmee?\r" + info("+CMEE: 0") + ok},
			{"noiseAT\r", "AT\r" + ok}, {"ATE9\b0\r", "ATE9\b \b0\r" + ok}, {"AT\r", ok},
		}},
		{"repeat", []step{
			{"A/", ok}, {"AT+BOATNUMBER=1;+BOATNUMBER=2\r", info(`+BOATNUMBER: 1,1,0,""`, `+BOATNUMBER: 2,1,0,""`) + ok},
			{"A/", info(`+BOATNUMBER: 1,1,0,""`, `+BOATNUMBER: 2,1,0,""`) + ok},
			{"a/\rA/", info(`+BOATNUMBER: 1,1,0,""`, `+BOATNUMBER: 2,1,0,""`) + ok + info(`+BOATNUMBER: 1,1,0,""`, `+BOATNUMBER: 2,1,0,""`) + ok},
			{"AT+CMEE=1\r", ok},
			{"AT+BOATFAIL=4\r", cme(4)}, {"A/", cme(4)},
		}},
		{"secrets are not repeated", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATPIN=\"1234\"\r", ok}, {"A/", bad}, {"A/", bad},
			{"AT\r", ok}, {"A/", ok},
			{"AT+BOATPIN=\"9999\"\r", cme(16)}, {"A/", bad},
			{"AT+BOATPIN=\"1\"\r", cme(50)}, {"A/", bad},
			{"AT+BOATPIN=\"1234\r", bad}, {"A/", bad},
			{"AT+BOATFAIL=4;+BOATPIN=\"1234\"\r", cme(4)}, {"A/", bad},
			{"AT+BOATFAIL=4;+NOTHING;+BOATPIN=\"1234\"\r", cme(4)}, {"A/", bad},
			{"AT+BOATFAIL=4;+NOTHING;+BOATPIN=\"1234\r", cme(4)}, {"A/", bad},
			{"AT+BOATFAIL=4;+NOTHING\r", cme(4)}, {"A/", cme(4)},
			{"AT" + strings.Repeat("x", line.Max) + "\r", bad}, {"A/", bad},
		}},
		{"asking is repeated", []step{{"AT+CMEE=1\r", ok}, {"AT+BOATPIN?\r", ok}, {"A/", ok}, {"AT+BOATPIN=?\r", info(`+BOATPIN: "pin"`) + ok}, {"A/", info(`+BOATPIN: "pin"`) + ok}}},
		{"a slot that burns", []step{
			{"AT+CMEE=1\r", ok}, {"AT+BOATPIN=\"1234\"\r", ok},
			{"AT+BOATDATAHX=0,0,\"aa\"\r", info(`+BOATDATAHX: 0,1,"e401a57b"`) + ok},
			{"AT+BOATBURN=\"@0\",0\r", info(`+BOATBURN: 0,1,"aa"`) + ok}, {"AT+BOATDATALST?\r", ok},
			{"AT+BOATDATAHX=0,0,\"aa\"\r", info(`+BOATDATAHX: 0,1,"e401a57b"`) + ok},
			{"AT+BOATBURN=\"@0\",2\r", cme(50)}, {"AT+BOATDATALST?\r", ok},
		}},
		{"a pin is no slot", []step{{"AT+BOATPIN=\"@0@@\"\r", ok}, {"AT+BOATPRIVATE\r", ok}}},
		{"locked", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATPRIVATE\r", cme(7001)}, {"AT+BOATPRIVATE?\r", cme(7001)}, {"AT+BOATPRIVATE=?\r", ok},
			{"AT+BOATDATAHX=0,0,\"00\"\r", cme(7001)},
			{"AT+BOATDATAHX=99,a\r", bad}, {"AT+BOATDATAHX=99\r", cme(7001)},
			{"AT+BOATPIN=\"1234\"\r", ok}, {"AT+BOATPRIVATE\r", ok},
			{"AT+BOATLOCK\r", ok}, {"AT+BOATPRIVATE\r", cme(7001)},
		}},
		{"last failure", []step{
			{"AT+BOATERR?\r", info(`+BOATERR: 0,0,""`) + ok},
			{"AT+BOATFAIL=7041\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 7041,3,"because"`) + ok},
			{"AT+CMEE?;+BOATFAIL=16,0\r", info("+CMEE: 0") + bad}, {"AT+BOATERR?\r", info(`+BOATERR: 16,20,"because"`) + ok},
			{"AT+BOATFAIL=16,1\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 16,16,"because"`) + ok},
			{"AT+BOATFAIL=16,7\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 16,17,"because"`) + ok},
			{"AT+BOATNUMBER=1,99\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 50,17,"b is not from 0 to 9"`) + ok},
			{"AT+BOATNUMBER=\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 50,15,"parameter missing: a"`) + ok},
			{"AT+BOATNUMBER=1,2,\"left\",4\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 50,26,"too many parameters"`) + ok},
			{"AT+BOATFAIL=1\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 100,3,"node said _ok___"`) + ok},
			{"AT +BOATSHOW = abc\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 100,16,"line does not parse"`) + ok},
			{"ATE0;+NOTHING\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 100,6,"no such command"`) + ok},
			{"AT" + strings.Repeat("x", line.Max) + "\r", bad}, {"AT+BOATERR?\r", info(`+BOATERR: 100,2048,"line is too long"`) + ok},
		}},
		{"long lines", []step{
			{"AT" + strings.Repeat(" ", line.Max-2) + "\r", ok},
			{"AT" + strings.Repeat(" ", line.Max-1) + "\r\nAT\r", bad + ok},
			{"AT+" + strings.Repeat("x", 3*line.Max), ""}, {"AT\r", bad}, {"AT\r", ok},
		}},
		{"lines that are bugs do not leave", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATBAD=0\r", cme(7099)}, {"AT+BOATBAD=1\r", cme(7099)}, {"AT+BOATBAD=2\r", cme(7099)}, {"AT+BOATBAD=3\r", cme(7099)},
			{"AT+BOATBAD=4\r", cme(7099)}, {"AT+BOATBAD=5\r", cme(7099)}, {"AT+BOATBAD=7\r", cme(7099)},
			{"AT+BOATBAD=6\r", info("+BOATBAD: 1") + cme(7099)},
		}},
		{"profiles", []step{
			{"ATX1&C0S0=3+CMEE=1\r", ok}, {"AT&W\r", ok}, {"AT&F\r", ok},
			{"ATE0S0?+CMEE?\r", "ATE0S0?+CMEE?\r" + info("000", "+CMEE: 0") + ok},
			{"ATZ\r", ok}, {"ATS0?+CMEE?\r", info("003", "+CMEE: 1") + ok},
			{"ATZ1\r", cme(50)}, {"AT&W1\r", cme(50)}, {"AT&F0\r", ok}, {"ATE0\r", "ATE0\r" + ok},
		}},
		{"identity", []step{
			{"ATI\r", info("boatd", "bench", "1.2.3") + ok}, {"ATI3\r", info("boatd", "bench", "1.2.3") + ok},
			{"AT+CGMI;+GMI;+CGMM;+GMM;+CGMR;+GMR;+CGSN;+GSN\r", info("boatd", "boatd", "bench", "bench", "1.2.3", "1.2.3", "0042", "0042") + ok},
			{"AT+CGMI=?\r", ok}, {"AT+GCAP\r", info("+GCAP: +CGSM") + ok},
			{"ATH\r", ok}, {"ATH0\r", ok}, {"ATH1\r", bad}, {"AT+CFUN?\r", info("+CFUN: 1") + ok},
			{"AT+CCLK?\r", info(`+CCLK: "26/11/22,13:04:05+00"`) + ok},
		}},
		{"line settings without a line", []step{
			{"AT+IPR?\r", info("+IPR: 115200") + ok}, {"AT+IPR=9600\r", ok}, {"AT+IPR?\r", info("+IPR: 9600") + ok}, {"AT+IPR=1234\r", bad},
			{"AT+IPR=?\r", info("+IPR: (),(9600,19200,38400,57600,115200,230400,460800,921600)") + ok},
			{"AT+ICF?\r", info("+ICF: 3,3") + ok}, {"AT+ICF=3,1\r", ok}, {"AT+ICF?\r", info("+ICF: 3,1") + ok}, {"AT+ICF=2\r", bad}, {"AT+ICF=3\r", ok},
			{"AT+IFC?\r", info("+IFC: 0,0") + ok}, {"AT+IFC=2,2\r", ok}, {"AT+IFC?\r", info("+IFC: 2,2") + ok}, {"AT+IFC=1\r", ok}, {"AT+IFC?\r", info("+IFC: 1,2") + ok},
			{"AT+IFC=?;+ICF=?\r", info("+IFC: (0-2)[,(0-2)]", "+ICF: (3)[,(0-3)]") + ok},
		}},
		{"settings", []step{
			{"AT+CMEE=1\r", ok},
			{"AT+BOATCFG?\r", info(`+BOATCFG: "urc",0`, `+BOATCFG: "urchash",0`, `+BOATCFG: "hold",0`, `+BOATCFG: "linemax",120`,
				`+BOATCFG: "nettimeout",60`, `+BOATCFG: "autolock",0`, `+BOATCFG: "abort",0`, `+BOATCFG: "ri",0`, `+BOATCFG: "wake",0`) + ok},
			{"AT+BOATCFG=?\r", info(`+BOATCFG: "urc",(0-127)`, `+BOATCFG: "urchash",(0-1)`, `+BOATCFG: "hold",(0-1)`, `+BOATCFG: "linemax",(120-2048)`,
				`+BOATCFG: "nettimeout",(5-180)`, `+BOATCFG: "autolock",(0-86400)`, `+BOATCFG: "abort",(0-1)`, `+BOATCFG: "ri",(0-10000)`, `+BOATCFG: "wake",(0-10000)`) + ok},
			{"AT+BOATCFG=\"urc\",127\r", info(`+BOATCFG: "urc",127`) + ok},
			{"AT+BOATCFG=\"urc\",128\r", cme(50)}, {"AT+BOATCFG=\"linemax\",119\r", cme(50)}, {"AT+BOATCFG=\"URC\",1\r", cme(22)},
			{"AT+BOATCFG=\"speed\",1\r", cme(22)}, {"AT+BOATCFG=\"urc\"\r", cme(50)},
			{"AT+BOATCFG=\"autolock\",10\r", cme(7001)}, {"AT+BOATPIN=\"1234\"\r", ok},
			{"AT+BOATCFG=\"autolock\",10\r", info(`+BOATCFG: "autolock",10`) + ok},
		}},
		{"slots", []step{
			{"AT+CMEE=1\r", ok}, {"AT+BOATPIN=\"1234\"\r", ok}, {"AT+BOATDATALST?\r", ok},
			{"AT+BOATDATAHX=0,0,\"0A0b\"\r", info(`+BOATDATAHX: 0,2,"2ce423fd"`) + ok},
			{"AT+BOATDATAHX=0,2,\"ff\"\r", info(`+BOATDATAHX: 0,3,"3c206a82"`) + ok},
			{"AT+BOATDATAHX=0,2,\"ff\"\r", info(`+BOATDATAHX: 0,3,"3c206a82"`) + ok},
			{"AT+BOATDATAHX=0,1,\"0b\"\r", info(`+BOATDATAHX: 0,3,"3c206a82"`) + ok},
			{"AT+BOATDATARD=0,0,3\r", info(`+BOATDATARD: 0,3,"0a0bff"`) + ok},
			{"AT+BOATDATARD=0,1,1\r", info(`+BOATDATARD: 0,1,"0b"`) + ok},
			{"AT+BOATDATARD=0,1,3\r", cme(50)}, {"AT+BOATDATARD=0,0,0\r", cme(50)}, {"AT+BOATDATARD=0,0,513\r", cme(50)}, {"AT+BOATDATARD=1,0,1\r", cme(7061)},
			{"AT+BOATDATAHX=0,4,\"00\"\r", cme(50)}, {"AT+BOATDATAHX=8,0,\"00\"\r", cme(50)}, {"AT+BOATDATAHX=0,0,\"0\"\r", cme(50)},
			{"AT+BOATDATAHX=0,65537,\"00\"\r", cme(50)}, {"AT+BOATERR?\r", info(`+BOATERR: 50,17,"offset is not from 0 to 65536"`) + ok},
			{"AT+BOATDATAHX=7,0,\"40\"\r", info(`+BOATDATAHX: 7,1,"a4deae1d"`) + ok},
			{"AT+BOATDATALST?\r", info(`+BOATDATALST: 0,3,"3c206a82"`, `+BOATDATALST: 7,1,"a4deae1d"`) + ok},
			{"AT+BOATSOURCE=\"@0\"\r", info("+BOATSOURCE: 0", `+BOATSOURCE: 0,3,"0a0bff"`) + ok},
			{"AT+BOATSHOW=\"w\",\"@7\"\r", info(`+BOATSHOW: 2,"77","40"`) + ok},
			{"AT+BOATSHOW=\"@0\"\r", cme(25)},
			{"AT+BOATDATAHX=2,0,\"7730\"\r", info(`+BOATDATAHX: 2,2,"077ecd62"`) + ok},
			{"AT+BOATSHOW=\"@2\"\r", info(`+BOATSHOW: 1,"7730"`) + ok},
			{"AT+BOATDATAHX=0,0,\"\"\r", info(`+BOATDATAHX: 0,0,"00000000"`) + ok},
			{"AT+BOATDATADEL=7\r", ok}, {"AT+BOATDATADEL=7\r", ok}, {"AT+BOATSOURCE=\"@7\"\r", cme(7061)},
			{"AT+BOATLOCK\r", ok}, {"AT+BOATPIN=\"1234\"\r", ok}, {"AT+BOATDATALST?\r", ok},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, _ *bench, h *host) {
				for _, s := range c.steps {
					h.say(s.send, s.want)
				}
			})
		})
	}
}

// =? of every row answers at most one information line's worth, without a PIN.
func TestEveryTestForm(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		for _, c := range b.server.config.Table.Commands() {
			if !c.extended() {
				continue
			}
			h.send("AT" + c.Name + "=?\r")
			got := h.take()
			if !strings.HasSuffix(got, ok) || c.Name != "+BOATCFG" && len(strings.TrimSuffix(got, ok)) > infoMax {
				t.Errorf("%s=? answers %q", c.Name, got)
			}
		}
	})
}

func TestListCommands(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.send("AT+CLAC\r")
		want := ""
		for _, c := range b.server.config.Table.Commands() {
			want += info("AT" + c.Name)
		}
		if got := h.take(); got != want+ok {
			t.Errorf("got %q", got)
		}
	})
}

// A fault of boatd is logged under the id that the host can ask for.
func TestInternalIsLogged(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		for _, send := range []string{"AT+BOATPANIC\r", "AT+BOATBAD=1\r", "AT+BOATFAIL=7777\r"} {
			h.say(send, bad)
			h.send("AT+BOATERR?\r")
			var id string
			if _, err := fmt.Sscanf(h.take(), "\r\n+BOATERR: 7099,3,\"id %8s\"\r\n", &id); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.log.String(), "id="+id) {
				t.Errorf("%q: id %s is not in the log\n%s", send, id, b.log)
			}
		}
	})
}

func TestHexLines(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("AT+BOATPIN=\"1234\"\r", ok)
		value := bytes.Repeat([]byte{0xa5}, 500)
		h.send(fmt.Sprintf("AT+BOATDATAHX=1,0,\"%x\"\r", value))
		h.take()
		for _, c := range []struct{ lineMax, step int }{{120, 32}, {154, 32}, {155, 64}, {1000, 480}, {2048, 500}} {
			h.send(fmt.Sprintf("AT+BOATCFG=\"linemax\",%d\r", c.lineMax))
			h.take()
			want := ""
			for at := 0; at < len(value); at += c.step {
				part := value[at:min(at+c.step, len(value))]
				line := info(fmt.Sprintf("+BOATDATARD: %d,500,\"%x\"", at, part))
				if len(line) > c.lineMax {
					t.Errorf("linemax %d: line of %d bytes", c.lineMax, len(line))
				}
				want += line
			}
			h.say("AT+BOATDATARD=1,0,500\r", want+ok)
		}
	})
}

// Every slot holds 64 KiB and no more.
func TestSlotFull(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("AT+CMEE=1\r", ok)
		h.say("AT+BOATPIN=\"1234\"\r", ok)
		hex := strings.Repeat("00", 1000)
		at := 0
		for ; at+1000 <= slotMax; at += 1000 {
			h.send(fmt.Sprintf("AT+BOATDATAHX=1,%d,\"%s\"\r", at, hex))
			h.take()
		}
		h.say(fmt.Sprintf("AT+BOATDATAHX=1,%d,\"%s\"\r", at, hex), cme(7062))
		h.send(fmt.Sprintf("AT+BOATDATAHX=1,%d,\"%s\"\r", at, hex[:2*(slotMax-at)]))
		if got := h.take(); !strings.Contains(got, "+BOATDATAHX: 1,65536,") {
			t.Errorf("filling answered %q", got)
		}
		h.say("AT+BOATDATAHX=1,65536,\"00\"\r", cme(7062))
	})
}

// Slots are taken when used and wiped, not only dropped, at lock and at the end.
func TestSlotsAreWiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		s := b.server.all()[0]
		for n := range s.slots.data {
			if s.slots.data[n] != nil {
				t.Errorf("slot %d has memory before its use", n)
			}
		}
		h.send("ATE0\rAT+BOATPIN=\"1234\"\rAT+BOATDATAHX=1,0,\"aabb\"\r")
		first := s.slots.data[1]
		h.send("AT+BOATLOCK\r")
		h.send("AT+BOATPIN=\"1234\"\rAT+BOATDATAHX=2,0,\"ccdd\"\r")
		second := s.slots.data[2]
		h.close()
		if !bytes.Equal(first, make([]byte, 2)) || !bytes.Equal(second, make([]byte, 2)) {
			t.Errorf("slots still hold %x and %x", first, second)
		}
		if s.Unlocked() {
			t.Error("session is unlocked after its end")
		}
		if err := s.SetSlot(0, []byte{1}); err != nil || s.Slot(0) != nil {
			t.Errorf("slot after the end: %v, %x", err, s.Slot(0))
		}
	})
}

// No copy of a PIN stays in the buffers of a session.
func TestSecretsAreWiped(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		s := b.server.all()[0]
		h.say("ATE1\r", ok)
		h.send("AT\r")
		h.take()
		read := h.port.buf
		for _, line := range []string{"AT+BOATPIN=\"S3cr3t\"\r", "AT+BOATFAIL=4;+BOATPIN=\"S3cr3t\"\r", "AT+BOATPIN=\"S3cr3t\r"} {
			h.send(line)
			h.take()
			for name, buf := range map[string][]byte{"line": s.split.Line(), "echo": s.split.Echo(), "repeat": s.repeat, "held": s.held, "out": s.out, "read": read} {
				if bytes.Contains(buf[:cap(buf)], []byte("cr3t")) {
					t.Errorf("%q: %s still holds %q", line, name, buf[:cap(buf)])
				}
			}
		}
	})
}

func TestPINNotRequired(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		b.locked = nil
		h.say("AT+BOATPRIVATE\r", ok)
		b.locked = fail(7002, "")
		h.say("AT+CMEE=1;+BOATPRIVATE\r", cme(7002))
	})
}

func TestLockAll(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		other := b.open()
		h.say("AT+CMEE=1;+BOATPIN=\"1234\"\r", ok)
		other.say("ATE0\r", "ATE0\r"+ok)
		other.say("AT+BOATPIN=\"1234\"\r", ok)
		b.server.LockAll()
		h.say("AT+BOATPRIVATE\r", cme(7001))
		other.say("AT+BOATPRIVATE\r", bad)
		other.close()
	})
}

// TestChannelCounts: lines and failures of a channel are counted over all of its
// sessions, ended ones too.
func TestChannelCounts(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		before := b.server.Channels()
		other, local := b.open(), b.openOn("local", newMemPort(), nil)
		h.say("AT\r", ok)
		h.say("AT+NOSUCH\r", bad)
		other.say("ATE0\r", "ATE0\r"+ok)
		local.say("ATE0;+NOSUCH\r", "ATE0;+NOSUCH\r"+bad)
		after := b.server.Channels()
		want := []ChannelCount{{"local", 1, 1, 1}, {"uart", 2, before[0].Lines + 3, before[0].Failures + 1}}
		if len(before) != 1 || before[0].Sessions != 1 || !slices.Equal(after, want) {
			t.Errorf("%+v, then %+v, not %+v", before, after, want)
		}
		other.close()
		local.close()
		want[0].Sessions, want[1].Sessions = 0, 1
		if got := b.server.Channels(); !slices.Equal(got, want) {
			t.Errorf("%+v, not %+v", got, want)
		}
	})
}

// An unlocked session does not unlock another one of its channel.
func TestUnlockIsPerSession(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("AT+BOATPIN=\"1234\"\r", ok)
		other := b.open()
		other.say("ATE0\r", "ATE0\r"+ok)
		other.say("AT+BOATPRIVATE\r", bad)
		other.close()
	})
}

func TestSettingsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		h.send("ATE0+CMEE=2;&W;+BOATCFG=\"linemax\",200;+BOATCFG=\"linemax\",200;&W\r")
		if b.settings.saves != 2 {
			t.Errorf("%d writes for two changes", b.settings.saves)
		}
		h.close()

		again := newBench(t)
		again.settings = b.settings
		again.server.config.Settings = b.settings
		h = again.open()
		h.say("AT+CMEE?\r", "AT+CMEE?\r"+info("+CMEE: 0")+ok)
		h.say("ATZ\r", "ATZ\r"+ok)
		h.say("AT+CMEE?\r", info("+CMEE: 2")+ok)
		h.send("AT+BOATCFG?\r")
		if got := h.take(); !strings.Contains(got, `"linemax",200`) {
			t.Errorf("settings are %q", got)
		}
		other := again.openOn("other", newMemPort(), nil)
		other.send("AT+BOATCFG?\r")
		if got := other.take(); !strings.Contains(got, `"linemax",120`) {
			t.Errorf("settings of another channel are %q", got)
		}
		other.close()
		h.close()
	})
}

// A flash that fails fails the command alone, and nothing is half changed.
func TestSettingsFail(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench, h *host) {
		h.say("AT+CMEE=1\r", ok)
		b.settings.err = errors.New("no space")
		h.say("AT+BOATCFG=\"linemax\",200\r", cme(23))
		h.say("AT&W\r", cme(23))
		h.send("AT+BOATCFG?\r")
		if got := h.take(); !strings.Contains(got, `"linemax",120`) {
			t.Errorf("settings are %q", got)
		}
		other := b.openOn("other", newMemPort(), nil)
		other.say("ATE0\r", "ATE0\r"+ok)
		other.close()
	})
}

func TestServeErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		h.port.Close()
		if err := <-h.done; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("port failed, session ended with %v", err)
		}
		h = b.open()
		h.stop()
		if err := <-h.done; !errors.Is(err, context.Canceled) {
			t.Errorf("context ended, session with %v", err)
		}
		empty := b.openOn("empty", newMemPort(), emptyPort{newMemPort()})
		if err := <-empty.done; !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("port reads nothing, session ended with %v", err)
		}
		if n := len(b.server.all()); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// An emptyPort is one whose Read returns at once and nothing.
type emptyPort struct{ *memPort }

func (emptyPort) Read([]byte) (int, error) { return 0, nil }

// What a host sent before it closed is executed, and answered if it still reads.
func TestLinesBeforeHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := b.open()
		h.port.in <- []byte("ATE0\rAT+CMEE?\rAT+NOT")
		close(h.port.in)
		if err := <-h.done; err != nil {
			t.Errorf("session ended with %v", err)
		}
		if got, want := h.take(), "ATE0\r"+ok+info("+CMEE: 0")+ok; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestNewServerRefuses(t *testing.T) {
	table, err := NewTable(StandardRows())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{
		{},
		{Table: table, Identity: Identity{Model: "RINGO"}},
		{Table: table, Identity: Identity{Serial: "1\r\n2"}},
		{Table: table, Identity: Identity{Manufacturer: strings.Repeat("x", 117)}},
	} {
		if _, err := NewServer(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c.Identity, err)
		}
	}
}

// A server with nothing but a table works.
func TestBareServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		table, _ := NewTable(StandardRows(), ChannelRows(), b.rows())
		var err error
		if b.server, err = NewServer(Config{Table: table}); err != nil {
			t.Fatal(err)
		}
		h := b.open()
		h.say("ATE0\r", "ATE0\r"+ok)
		h.say("ATI\r", ok)
		h.say("AT+CMEE=1;+CGSN\r", cme(4))
		h.say("AT+BOATPRIVATE\r", cme(7001))
		h.say("AT+BOATCFG=\"urc\",1\r", info(`+BOATCFG: "urc",1`)+ok)
		h.close()
	})
}
