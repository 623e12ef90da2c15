package abi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// keywords are words of Solidity that may stand where a name could, and would
// then be taken for one.
var keywords = []string{
	"anonymous", "calldata", "constant", "constructor", "event", "external", "function", "indexed", "internal", "memory",
	"payable", "private", "public", "pure", "returns", "storage", "tuple", "view", "virtual",
}

// ParseFunction reads the signature of a function, with or without returns, or
// of a custom error. ErrSignature for what is none.
func ParseFunction(signature string) (*Function, error) {
	p := parser{text: signature}
	name, err := p.start()
	if err != nil {
		return nil, err
	}
	f := &Function{Name: name}
	if f.Inputs, err = p.list(0); err != nil {
		return nil, err
	}
	if p.peek() == '(' {
		if f.Outputs, err = p.list(0); err != nil {
			return nil, err
		}
	}
	if err := p.end(f.Inputs, f.Outputs); err != nil {
		return nil, err
	}
	return f, nil
}

// ParseConstructor reads the parameters of a constructor: (address,uint256) or
// constructor(address,uint256). ErrSignature for what is none.
func ParseConstructor(signature string) (*Function, error) {
	p := parser{text: signature}
	if len(signature) > maxSignature {
		return nil, p.fail("it has more than %d bytes", maxSignature)
	}
	if name := p.word(); name != "" && name != "constructor" {
		return nil, p.fail("want (types) or constructor(types)")
	}
	inputs, err := p.list(0)
	if err != nil {
		return nil, err
	}
	if err := p.end(inputs); err != nil {
		return nil, err
	}
	return &Function{Inputs: inputs}, nil
}

// ParseEvent reads the signature of an event. ErrSignature for what is none.
func ParseEvent(signature string) (*Event, error) {
	p := parser{text: signature, event: true}
	name, err := p.start()
	if err != nil {
		return nil, err
	}
	inputs, err := p.list(0)
	if err != nil {
		return nil, err
	}
	e := &Event{Name: name, Inputs: inputs}
	if len(e.indexed()) > maxIndexed {
		return nil, p.fail("more than %d parameters are indexed", maxIndexed)
	}
	if err := p.end(inputs); err != nil {
		return nil, err
	}
	return e, nil
}

// A parser reads a signature from left to right.
type parser struct {
	text  string
	at    int
	event bool // parameters of the outermost list may be indexed
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrSignature, p.at+1, fmt.Sprintf(format, args...))
}

// peek returns the next byte that is not a space; -1 at the end.
func (p *parser) peek() int {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
	if p.at == len(p.text) {
		return -1
	}
	return int(p.text[p.at])
}

func (p *parser) accept(c byte) bool {
	if p.peek() != int(c) {
		return false
	}
	p.at++
	return true
}

// word returns the letters, digits, _ and $ that come next, perhaps none.
func (p *parser) word() string {
	p.peek()
	start := p.at
	for p.at < len(p.text) && isWord(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '_' || c == '$'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// start reads the name of a function or event.
func (p *parser) start() (string, error) {
	if len(p.text) > maxSignature {
		return "", p.fail("it has more than %d bytes", maxSignature)
	}
	name := p.word()
	switch {
	case name == "" || isDigit(name[0]):
		return "", p.fail("want a name and its types, like transfer(address,uint256)")
	case slices.Contains(keywords, name):
		return "", p.fail("leave out the word %q", name)
	case p.peek() != '(':
		return "", p.fail("want ( behind the name %.60q", name)
	}
	return name, nil
}

// end checks what can be checked only when all has been read.
func (p *parser) end(lists ...[]Param) error {
	if p.peek() >= 0 {
		return p.fail("nothing may follow but returns in parentheses, found %.60q", p.text[p.at:])
	}
	for _, l := range lists {
		if least(l) > maxEncoded {
			return p.fail("values of these types take more than %d bytes", maxEncoded)
		}
	}
	return nil
}

// list reads (type name, ...), which may be empty at depth 0.
func (p *parser) list(depth int) ([]Param, error) {
	if depth > maxDepth {
		return nil, p.fail("more than %d arrays and tuples inside each other", maxDepth)
	}
	if !p.accept('(') {
		return nil, p.fail("want (")
	}
	params := []Param{}
	if depth == 0 && p.accept(')') {
		return params, nil
	}
	for {
		param, err := p.param(depth)
		if err != nil {
			return nil, err
		}
		params = append(params, param)
		same := func(q Param) bool { return q.Name != "" && q.Name == param.Name }
		switch {
		case len(params) > maxParams:
			return nil, p.fail("more than %d types in a list", maxParams)
		case slices.ContainsFunc(params[:len(params)-1], same):
			return nil, p.fail("the name %.60q stands twice", param.Name)
		case p.accept(')'):
			return params, nil
		case !p.accept(','):
			return nil, p.fail("want , or ) behind a type and its name")
		}
	}
}

// param reads a type and what may follow it.
func (p *parser) param(depth int) (param Param, err error) {
	if param.Type, err = p.typ(depth); err != nil {
		return param, err
	}
	param.Name = p.word()
	if param.Name == "indexed" && p.event && depth == 0 {
		param.Indexed, param.Name = true, p.word()
	}
	switch {
	case param.Name == "":
	case isDigit(param.Name[0]):
		return param, p.fail("%.60q is no name", param.Name)
	case slices.Contains(keywords, param.Name):
		return param, p.fail("leave out the word %q", param.Name)
	}
	return param, nil
}

// typ reads a type; depth is how many tuples it stands in.
func (p *parser) typ(depth int) (t *Type, err error) {
	name := p.word()
	if p.peek() == '(' && (name == "" || name == "tuple") {
		t, err = p.tuple(depth)
	} else {
		t, err = p.elementary(name)
	}
	for err == nil && p.accept('[') {
		t, err = p.array(t)
	}
	if err == nil && depth+t.depth > maxDepth {
		err = p.fail("more than %d arrays and tuples inside each other", maxDepth)
	}
	return t, err
}

func (p *parser) tuple(depth int) (*Type, error) {
	fields, err := p.list(depth + 1)
	if err != nil {
		return nil, err
	}
	return p.bounded(newTuple(fields))
}

// array reads what follows the [ behind elem.
func (p *parser) array(elem *Type) (*Type, error) {
	digits := p.word()
	if !p.accept(']') {
		return nil, p.fail("want a number and ] or ] behind [")
	}
	if digits == "" {
		return newSlice(elem), nil
	}
	k, ok := number(digits, maxEncoded/wordSize)
	if !ok {
		return nil, p.fail("an array has 1 to %d elements, not %.60q", maxEncoded/wordSize, digits)
	}
	return p.bounded(newArray(elem, k))
}

func (p *parser) bounded(t *Type) (*Type, error) {
	if t.least > maxEncoded {
		return nil, p.fail("values of this type take more than %d bytes", maxEncoded)
	}
	return t, nil
}

// number reads 1 to limit, without leading zeros.
func number(digits string, limit int) (int, bool) {
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 1 && n <= limit && digits == strconv.Itoa(n)
}

// elementary finds the type called name.
func (p *parser) elementary(name string) (*Type, error) {
	for k, plain := range plainNames {
		if name != "" && name == plain {
			return newType(kind(k), 0), nil
		}
	}
	base := strings.TrimRight(name, "0123456789")
	digits := name[len(base):]
	switch base {
	case "uint":
		return p.integer(unsigned, name, digits)
	case "int":
		return p.integer(signed, name, digits)
	case "bytes":
		if n, ok := number(digits, wordSize); ok {
			return newType(fixedBytes, n), nil
		}
		return nil, p.fail("%.60q: bytes have 1 to 32 bytes", name)
	case "":
		return nil, p.fail("want a type")
	}
	if strings.HasPrefix(name, "fixed") || strings.HasPrefix(name, "ufixed") {
		return nil, p.fail("%.60q: fixed-point types are not supported", name)
	}
	return nil, p.fail("there is no type %.60q (a contract is an address, an enum a uint8, a struct a tuple)", name)
}

func (p *parser) integer(k kind, name, digits string) (*Type, error) {
	if digits == "" {
		return newType(k, 256), nil
	}
	bits, ok := number(digits, 256)
	if !ok || bits%8 != 0 {
		return nil, p.fail("%.60q: integers have 8 to 256 bits in steps of 8", name)
	}
	return newType(k, bits), nil
}
