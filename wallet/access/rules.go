package access

import "fmt"

// A rule is what a code must look like.
type rule struct {
	name     string
	min, max int // bytes
}

var (
	pinRule = rule{"PIN", 4, 32}
	pukRule = rule{"PUK", 8, 32}
)

// check says whether text could be such a code: 0-9, A-Z, a-z and the length.
func (r rule) check(text []byte) error {
	if len(text) < r.min || len(text) > r.max {
		return fmt.Errorf("%w: a %s has %d to %d characters", ErrMalformed, r.name, r.min, r.max)
	}
	for _, b := range text {
		if !('0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z') {
			return fmt.Errorf("%w: a %s has only 0-9, A-Z and a-z", ErrMalformed, r.name)
		}
	}
	return nil
}

// checkNew also refuses what is guessed first: one character repeated, and runs
// up or down such as 1234 and edcba.
func checkNew(r rule, text []byte) error {
	if err := r.check(text); err != nil {
		return err
	}
	step := int(text[1]) - int(text[0])
	if step < -1 || step > 1 {
		return nil
	}
	for i := 2; i < len(text); i++ {
		if int(text[i])-int(text[i-1]) != step {
			return nil
		}
	}
	return fmt.Errorf("%w: one character or a run is no %s", ErrTrivial, r.name)
}
