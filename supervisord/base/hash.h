/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * FNV-1a, 64 bits: tells things apart. Nobody is kept from making two that are equal.
 */

#include <stddef.h>
#include <stdint.h>

#define HASH_BASIS UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

/* Begins with HASH_BASIS. */
static inline uint64_t hash_add(uint64_t hash, const void *data, size_t size) {
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ bytes[i]) * HASH_PRIME;
        return hash;
}
