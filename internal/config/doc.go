// Package config reads boatd's configuration: one TOML file, the environment
// over it and command-line flags over that.
//
// Everything that is known about a key is a row of one table (schema.go): its
// type, default, check and meaning. The checks, the values that a running boatd
// shows and the reference manual docs/configuration.md are made from the rows,
// so they cannot disagree.
//
// A file's way through it:
//
//	bytes -> viper (syntax, layers) -> outline (which key stands in which line)
//	      -> shape (unknown keys, tables where values belong)
//	      -> values (types and checks, row by row) -> rules (across keys) -> Config
//
// Nothing stops at the first mistake: [Load] returns every problem it can see,
// each with the place to mend. With an error among them there is no Config.
package config
