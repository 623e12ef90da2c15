// Package ledger is what boatd knows, as a fold over the journal's records.
//
// A [Batch] of records is one frame of the journal: all of it happened or none
// of it did. [State.Apply] is the only thing that changes a [State], it does so
// without I/O, time or chance, and it refuses what cannot be true (a nonce used
// by two intents, a transaction that comes back from its end). [State.Dump]
// writes a state as batches again: that is a snapshot.
//
// Records are CBOR maps with small integers as keys (RFC 8949). A key, a number
// in an enumeration and a record's kind never change their meaning. A newer
// minor schema version adds kinds and keys. An older boatd carries records of
// unknown kinds along, in order; it ignores keys that it does not know and drops
// them when it rewrites the journal. So what must not be lost when a device goes
// back one version is a new kind, and a new key is something to do without.
package ledger
