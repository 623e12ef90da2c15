// Package boundary holds tests of what boatd is made of: which packages may
// reach a device, which versions are pinned, and that docs/dependencies.md tells
// the truth. The layers between the rooms are a linter's rule
// (internal/tools/depguard.yaml); here it is what they pull in with them.
package boundary
