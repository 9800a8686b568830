/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * service/stopped with whatever stands in the state directory: what is taken is a name with sound
 * numbers, everything else is a warning, of which there are not too many; and what is written is
 * read as the same.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/stopped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_NAME "/var/lib/supervisord/stopped"

/* assert(3) would be silent in a release build. */
static void fuzz_require(bool holds) {
        if (!holds)
                abort();
}

typedef struct Taken {
        FILE *stream; /* all of it, written again */
        size_t count;
} Taken;

static bool fuzz_on_daemon(void *userdata, const char *name, const Hold *hold) {
        Taken *taken = userdata;

        fuzz_require(strlen(name) > 0 && strlen(name) < 128 && !strpbrk(name, " \n"));
        fuzz_require(hold->when % USEC_PER_SEC == 0);
        fuzz_require(hold->uid != HOLD_NO_UID || hold->when == 0);
        if (name[0] == 'x')
                return false;
        stopped_write(taken->stream, name, hold);
        taken->count++;
        return true;
}

/* What is taken from a text, as a text; malloc'ed. */
static char *fuzz_read(const char *text, size_t size, size_t *ret_findings) {
        Taken taken = { 0 };
        Diag *diag = NULL;
        char *again = NULL;
        size_t length;

        taken.stream = open_memstream(&again, &length);
        fuzz_require(taken.stream && diag_new(&diag) == 0);
        stopped_write_begin(taken.stream);
        stopped_read(FILE_NAME, text, size, diag, fuzz_on_daemon, &taken);
        fuzz_require(fclose(taken.stream) == 0 && strlen(again) == length);
        fuzz_require(diag_count(diag) <= STOPPED_FINDINGS_MAX + 1 && diag_errors(diag) == 0);
        fuzz_require(taken.count <= size);
        *ret_findings = diag_count(diag);
        diag_free(diag);
        return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* A copy of exactly its length, so that a sanitizer sees a read behind the end. */
        char *text = malloc(size > 0 ? size : 1);
        size_t findings;

        fuzz_require(text);
        if (size > 0)
                memcpy(text, data, size);

        char *once = fuzz_read(text, size, &findings);
        char *twice = fuzz_read(once, strlen(once), &findings);
        fuzz_require(findings == 0 && strcmp(once, twice) == 0);
        free(once);
        free(twice);
        free(text);
        return 0;
}
