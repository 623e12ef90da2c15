/*
 * sign: libsecp256k1 alone, what boatd's signatures stand beside. It writes a
 * line for each of signing and recovering: name, instructions.
 *
 * The library is the copy of go-ethereum's module, compiled as cgo does it.
 */
#ifndef NDEBUG
#define NDEBUG
#endif
#include "src/secp256k1.c"
#include "src/modules/recovery/main_impl.h"
#include "src/precomputed_ecmult.c"
#include "src/precomputed_ecmult_gen.c"

#include "count.h"

int main(void)
{
	enum { N = 20 };
	volatile uint64_t *counts = open_counts();
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	secp256k1_ecdsa_recoverable_signature sigs[N];
	secp256k1_pubkey public;
	unsigned char key[32] = {1}, digests[N][32] = {{0}};
	uint64_t start = counts[0];

	for (int i = 0; i < N; i++) {
		digests[i][0] = (unsigned char)i;
		if (!secp256k1_ecdsa_sign_recoverable(ctx, &sigs[i], digests[i], key, NULL, NULL))
			return 1;
	}
	report("c-libsecp256k1-sign", (counts[0] - start) / N);
	start = counts[0];
	for (int i = 0; i < N; i++)
		if (!secp256k1_ecdsa_recover(ctx, &public, &sigs[i], digests[i]))
			return 1;
	report("c-libsecp256k1-recover", (counts[0] - start) / N);
	return 0;
}
