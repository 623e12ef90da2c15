package ops

import "errors"

// ErrReply is an answer that is none of boatd's.
var ErrReply = errors.New("the answer is not boatd's")

// errRequest is what a socket is asked that does not speak HTTP/1.
var errRequest = errors.New("this is no request of HTTP/1")
