/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * service/record_text with whatever lies in the state directory: refused, or a line of plain ASCII
 * that is taken again as it is, and that shows to readers nothing of what is not for their eyes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "service/record_text.h"

#define ID 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert(3) would be silent in a release build. */
static void fuzz_require(bool holds) {
        if (!holds)
                abort();
}

static void fuzz_check(RecordKind kind, const char *data, size_t size, bool full) {
        CLEANUP(freep) char *text = NULL, *again = NULL;

        if (record_text_check(data, size, kind, ID, full, &text) != 0) {
                fuzz_require(!text);
                return;
        }
        for (const char *byte = text; *byte; byte++)
                fuzz_require(*byte >= ' ' && (unsigned char) *byte < 128);
        fuzz_require(record_text_check(text, strlen(text), kind, ID, full, &again) == 0);
        fuzz_require(strcmp(text, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (RecordKind kind = 0; kind < RECORD_KIND_MAX_; kind++) {
                fuzz_check(kind, (const char *) data, size, true);
                fuzz_check(kind, (const char *) data, size, false);
        }
        return 0;
}
