//go:build race

package main

// raceEnabled: the boatd under test looks for races too.
const raceEnabled = true
