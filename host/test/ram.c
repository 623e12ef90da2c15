/*
 * What a host keeps in RAM: the gate on sizes weighs it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "../boat.h"

struct boat boat;
struct boat_ring ring;
uint8_t ring_bytes[256];
