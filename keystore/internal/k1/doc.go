// Package k1 is the public half of secp256k1 for the packages below keystore: by
// libsecp256k1 with cgo, which takes constant time, else by decred's library, whose
// multiplication takes a time that depends on the key.
package k1

// Size is the length of a private key in bytes, big-endian.
const Size = 32
