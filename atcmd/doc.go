// Package atcmd is an AT command server: ITU-T V.250 as profiled by 3GPP
// TS 27.007, with sessions, data mode, slots and sequenced unsolicited result
// codes. It knows nothing of chains, keys or money: commands are rows of a
// [Table] that other rooms fill.
//
// A byte's way through it:
//
//	Port -> line.Splitter (pure: bytes to lines) -> Session -> line.Parser (pure:
//	line to commands) -> row and arguments checked -> Command.Run(Call) ->
//	framing (E, V, Q, S3, S4) -> Port
//
// A session has three goroutines at most. The reader carries bytes. The loop
// owns everything else and is the only one that writes: answers, echo and
// unsolicited codes leave through it, which is what keeps them apart. A running
// command is the third; while it runs the loop looks after the channel, takes
// the command's lines, and holds what the host sends.
//
// Every time in here is a timer of the loop that runs only while something is
// due, so a session whose host is silent does not wake up.
package atcmd
