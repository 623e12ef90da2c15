// Package wire is what a test and the agent in the box say to each other.
package wire

// Address is where the agent listens, in the box.
const Address = "10.0.2.15:7000"

// A Request asks for one thing: a shell command, or a connection.
type Request struct {
	Run  string `json:"run,omitempty"`  // for /bin/sh
	Size int64  `json:"size,omitempty"` // bytes that follow, for the command to read
	Dial string `json:"dial,omitempty"` // path of a Unix socket
}

// A Reply is followed by Size bytes that the command wrote.
type Reply struct {
	Error string `json:"error,omitempty"` // it could not be tried
	Exit  int    `json:"exit,omitempty"`
	Size  int64  `json:"size,omitempty"`
}
