/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The main body of a fuzz target that is not built for libFuzzer: it feeds every file of the
 * target's corpus to it and prints TAP. The plan comes first, so that a file on which the target
 * dies is counted.
 *
 * The files are those named on the command line, or all of $FUZZ_CORPUS/TARGET, where TARGET is the
 * name of the program without "fuzz_".
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"

#define REPLAY_FILE_MAX (16u << 20) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_select(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

/* The input in a buffer of its exact size, so that ASan sees a read behind its end. */
static int replay_copy(const char *text, size_t size, uint8_t **ret) {
        uint8_t *data;

        data = malloc(size);
        if (!data && size > 0)
                return -ENOMEM;
        if (size > 0)
                memcpy(data, text, size);

        *ret = data;
        return 0;
}

static int replay_file(unsigned number, const char *directory, const char *name) {
        CLEANUP(freep) char *path = NULL;
        CLEANUP(freep) char *text = NULL;
        CLEANUP(freep) uint8_t *data = NULL;
        size_t size = 0;
        int r;

        r = asprintf(&path, "%s%s%s", directory, *directory ? "/" : "", name);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, REPLAY_FILE_MAX, 0, &text, &size);
        if (r == 0)
                r = replay_copy(text, size, &data);
        if (r == 0)
                LLVMFuzzerTestOneInput(data, size);
        printf("%s %u - %s\n", r == 0 ? "ok" : "not ok", number, name);
        fflush(stdout);
        return r;
}

static int replay_files(char **names, unsigned count) {
        int status = EXIT_SUCCESS;

        printf("1..%u\n", count);
        for (unsigned i = 0; i < count; i++)
                if (replay_file(i + 1, "", names[i]) != 0)
                        status = EXIT_FAILURE;
        return status;
}

static int replay_corpus(const char *corpus, const char *target) {
        CLEANUP(freep) char *directory = NULL;
        struct dirent **entries = NULL;
        int count, status = EXIT_SUCCESS;

        if (asprintf(&directory, "%s/%s", corpus, target) < 0)
                return EXIT_FAILURE;
        count = scandir(directory, &entries, replay_select, alphasort);
        if (count <= 0) {
                printf("1..1\nnot ok 1 - no corpus in %s\n", directory);
                return EXIT_FAILURE;
        }

        printf("1..%d\n", count);
        fflush(stdout);
        for (int i = 0; i < count; i++) {
                if (replay_file((unsigned) i + 1, directory, entries[i]->d_name) != 0)
                        status = EXIT_FAILURE;
                free(entries[i]);
        }
        free(entries);
        return status;
}

int main(int argc, char **argv) {
        const char *corpus = getenv("FUZZ_CORPUS");
        const char *target = program_invocation_short_name;

        if (argc > 1)
                return replay_files(argv + 1, (unsigned) argc - 1);
        if (!corpus) {
                fprintf(stderr, "Usage: %s FILE..., or with FUZZ_CORPUS= in the environment\n",
                        target);
                return EXIT_FAILURE;
        }
        if (strncmp(target, "fuzz_", strlen("fuzz_")) == 0)
                target += strlen("fuzz_");
        return replay_corpus(corpus, target);
}
