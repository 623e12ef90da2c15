// Package logs writes the daemon's log, and bounds what that costs.
//
// The rooms log with log/slog; zap encodes. In between stands a [Limiter]: lines
// of one kind (level, message and subject) are let through so often and no more,
// and what was left out is counted and told. So neither a node that answers
// nonsense nor a host that types garbage can fill the flash by way of the log,
// however fast they are. The newest lines stay in memory for whoever looks for
// a fault.
package logs
