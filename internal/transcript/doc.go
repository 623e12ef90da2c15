// Package transcript plays golden transcripts: what a host types and what it
// must see, byte by byte, over real terminals against a running boatd.
//
// A transcript is a text file in the txtar format: a comment that says what it
// shows, then sections that begin with a line "-- name --". The section "script"
// is played; what other sections mean is the stage's business (package rig: the
// configuration, the chain, files that lie beside them).
//
// # Script
//
// One step a line; empty lines and those that begin with # mean nothing.
//
//	> AT+BOATPIN?                 the host types this and a carriage return
//	< +BOATPIN: 10,"NONE"         it must see this line: CR LF, the text, CR LF
//	>= "AT\x1b"                   it sends exactly these bytes (a Go string)
//	<= "AT\r"                     it must see exactly these bytes
//	@local > AT                   the same on another channel than uart
//	! mine 3                      a step on the stage
//
// What is sent and seen is strict: every byte that comes on a channel must be
// expected, in order. At the end, and before a channel closes, nothing may be
// left. Channels are apart from each other: what comes on one waits there until
// the script speaks of it, so a channel that is not spoken of is a host that
// does not read.
//
// A channel opens when it is first used. The player then types
// ATE0+CMEE=1, as a host does that wants neither its echo nor bare errors.
//
// # Patterns
//
// In an expected line {name=regexp} matches what the expression matches and
// remembers it; {name} is what was remembered, there and in everything that is
// typed or done later. The braces inside the expression must balance. As the
// whole of an expression, these words stand for longer ones:
//
//	int      a decimal number
//	hash     64 hex digits
//	address  0x and 40 hex digits
//
// Everywhere, {text*n} stands for the text n times, n of at most four digits.
//
// # Steps of the player
//
//	! open uart       open a channel without typing anything
//	! close uart      close it; the next use opens it anew
//	! wait 1s         let time pass, where time is the subject
//	! quiet 300ms     let time pass in which nothing may come on any channel
//	! slot 0 NAME     fill a data slot of uart in data mode: with the section
//	                  "file NAME", in which names are replaced, or with what
//	                  deploys that contract of package contracts
//
// All other steps are the stage's. Those called restart, kill, stop and start
// close every channel first.
//
// # Examples for the manual
//
// A comment "#: +BOATSEND" makes the lines from there to the next empty line
// the manual's example of that command, "#: example TITLE" those of the worked
// example with that title.
package transcript
