/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A configuration of whatever bytes: it is read and resolved, or refused with a finding. What is
 * taken can be dumped, and the dump reads back to an equal configuration without a finding.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert(3) would be silent in a release build. */
static void fuzz_require(bool holds) {
        if (!holds)
                abort();
}

/* Reads and resolves; NULL: refused. */
static Config *fuzz_read(const char *text, Diag *diag) {
        Config *config = NULL;
        int r;

        fuzz_require(config_new(&config) == 0);
        /* No directory that could hold files to be included. */
        r = config_read_text(text, "/nonexistent/fuzz.conf", diag, config);
        if (r == 0)
                r = config_resolve(config, diag);
        fuzz_require(r == 0 || r == CONFIG_E_INVALID);
        fuzz_require(r == 0 || diag_errors(diag) > 0);
        return diag_errors(diag) == 0 ? config : config_unref(config);
}

static char *fuzz_dump(const Config *config) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        fuzz_require(stream && config_dump(config, stream) == 0 && fclose(stream) == 0);
        return text;
}

static void fuzz_compare(const Config *a, const Config *b) {
        for (size_t i = 0; i < schema_supervisor_count; i++)
                fuzz_require(value_equal(&schema_supervisor[i], &a->supervisor, &b->supervisor));
        fuzz_require(a->daemon_count == b->daemon_count);
        for (size_t i = 0; i < a->daemon_count; i++) {
                fuzz_require(strcmp(a->daemons[i].name, b->daemons[i].name) == 0);
                for (size_t j = 0; j < schema_daemon_count; j++)
                        fuzz_require(
                                value_equal(&schema_daemon[j], &a->daemons[i], &b->daemons[i]));
        }
}

/* A configuration that stands has what is needed to run it. */
static void fuzz_check(const Config *config) {
        CLEANUP(freep) unsigned *order = calloc(config->daemon_count + 1, sizeof(unsigned));

        fuzz_require(config->daemon_count > 0 && graph_size(config->graph) == config->daemon_count);
        fuzz_require(order && graph_order(config->graph, order) == 0);
        for (size_t i = 0; i < config->daemon_count; i++) {
                const DaemonConfig *daemon = &config->daemons[i];

                fuzz_require(daemon->index == i && daemon->command && daemon->command[0]);
                fuzz_require(daemon->output.identifier && daemon->ready.on != READY_AUTO);
                fuzz_require(daemon->freeze.method != FREEZE_AUTO);
                fuzz_require(daemon->drain.until != DRAIN_AUTO && daemon->stop.count > 0);
        }
}

/* Findings are printable whatever they quote. */
static void fuzz_findings(const Diag *diag) {
        for (size_t i = 0; i < diag_count(diag); i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(diag, i));

                fuzz_require(text && !strpbrk(text, "\n\r\x1b"));
        }
}

static void fuzz_text(const char *text) {
        CLEANUP(diag_freep) Diag *diag = NULL, *clean = NULL;
        CLEANUP(config_unrefp) Config *config = NULL, *again = NULL;
        CLEANUP(freep) char *dump = NULL;

        fuzz_require(diag_new(&diag) == 0 && diag_new(&clean) == 0);
        config = fuzz_read(text, diag);
        diag_sort(diag);
        fuzz_findings(diag);
        if (!config)
                return;
        fuzz_check(config);
        dump = fuzz_dump(config);
        again = fuzz_read(dump, clean);
        fuzz_require(again && diag_errors(clean) == 0);
        fuzz_compare(config, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        fuzz_text(text);
        return 0;
}
