package transcript

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/boatd/boatd/internal/contracts"
)

// A filling is what "! slot" puts into a data slot: a section "file NAME" with
// names replaced, or what deploys a contract of package contracts.
type filling struct {
	text string // of a section, without the last line's end
	code []byte // of a contract
}

func (t *Transcript) filling(name string) (filling, error) {
	if s := t.Section("file " + name); s != nil {
		return filling{text: strings.TrimSuffix(s.Text, "\n")}, nil
	}
	c, err := contracts.Load(name)
	if err != nil {
		return filling{}, err
	}
	code, err := hex.DecodeString(c.Bytecode)
	return filling{code: code}, err
}

// fill puts bytes into a slot in data mode, as a host does.
func (p *play) fill(slot, name string) error {
	f, err := p.t.filling(name)
	if err != nil {
		return err
	}
	data := string(f.code)
	if f.code == nil {
		if data, err = expand(f.text, p.known); err != nil {
			return err
		}
	}
	c, err := p.conn(defaultChannel)
	if err != nil {
		return err
	}
	size := fmt.Sprintf("+BOATDATAWR: %s,%d", slot, len(data))
	for _, turn := range []struct{ typed, seen string }{
		{fmt.Sprintf("AT+BOATDATAWR=%s,%d\r", slot, len(data)), crlf + size + crlf + "> "},
		{data, fmt.Sprintf("%s%s,\"%08x\"%s%sOK%s", crlf, size, crc32.ChecksumIEEE([]byte(data)), crlf, crlf, crlf)},
	} {
		if _, err := io.WriteString(c.rw, turn.typed); err != nil {
			return fmt.Errorf("typing: %w", err)
		}
		if err := c.bytes(turn.seen, p.patience()); err != nil {
			return fmt.Errorf("%w: %q", err, c.pending)
		}
	}
	return nil
}

// filled is the step as the manual has it.
func (t *Transcript) filled(s *step) []string {
	slot, name := s.words[1], s.words[2]
	f, err := t.filling(name)
	if err != nil {
		return s.shown()
	}
	size := "<n>"
	body := []string{"(what deploys " + name + ")"}
	if f.code != nil {
		size = fmt.Sprint(len(f.code))
	} else if p, err := compile(f.text); err == nil {
		body = strings.Split(p.shown(), "\n")
	}
	lines := append([]string{"AT+BOATDATAWR=" + slot + "," + size, "+BOATDATAWR: " + slot + "," + size, "> "}, body...)
	return append(lines, "+BOATDATAWR: "+slot+","+size+`,"<crc32>"`, "OK")
}
