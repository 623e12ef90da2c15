// Package packager holds the checks of boatd's packages, and the versions of the
// programs that make and check them. A module of its own: none of it reaches a
// device. `make packages-check` runs them on what `make packages` has made, as
// root: accounts and owners are what much of it is about.
package packager
