/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Findings, in the order in which they were made until they are sorted. What cannot be kept for
 * want of memory is counted, so that a refusal stays a refusal. Only diag_print() can block.
 */

#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

typedef struct DiagEntry {
        Finding finding;
        size_t rank;   /* of its file, by first appearance */
        size_t number; /* its own place in the order of appearance */
} DiagEntry;

struct Diag {
        DiagEntry *entries;
        size_t count;
        size_t capacity;
        size_t errors; /* those lost included */
        size_t lost;
};

int diag_new(Diag **ret) {
        Diag *diag = calloc(1, sizeof(Diag));

        if (!diag)
                return -ENOMEM;
        *ret = diag;
        return 0;
}

static void diag_finding_done(Finding *finding) {
        free(finding->file);
        free(finding->setting);
        free(finding->text);
}

Diag *diag_free(Diag *diag) {
        if (!diag)
                return NULL;
        for (size_t i = 0; i < diag->count; i++)
                diag_finding_done(&diag->entries[i].finding);
        free(diag->entries);
        free(diag);
        return NULL;
}

/* A copy with control characters made visible; NULL of NULL. */
static int diag_copy(const char *text, char **ret) {
        char *copy = NULL;

        if (text) {
                size_t size = 4 * strlen(text) + 1;

                copy = malloc(size);
                if (!copy)
                        return -ENOMEM;
                format_visible(copy, size, text);
        }
        *ret = copy;
        return 0;
}

static bool diag_same_file(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Searches from the end, as findings about one file come one after the other. */
static size_t diag_rank(const Diag *diag, const char *file) {
        size_t next = 0;

        for (size_t i = diag->count; i-- > 0;) {
                const DiagEntry *entry = &diag->entries[i];

                if (diag_same_file(entry->finding.file, file))
                        return entry->rank;
                next = MAX_OF(next, entry->rank + 1);
        }
        return next;
}

static int diag_reserve(Diag *diag) {
        size_t capacity = diag->capacity > 0 ? 2 * diag->capacity : 16;
        DiagEntry *grown;

        if (diag->count < diag->capacity)
                return 0;
        grown = reallocarray(diag->entries, capacity, sizeof(DiagEntry));
        if (!grown)
                return -ENOMEM;
        diag->entries = grown;
        diag->capacity = capacity;
        return 0;
}

/* Fills `finding`, as far as the memory goes. */
static int diag_finding_init(Finding *finding,
                             const char *file,
                             const char *setting,
                             const char *text) {
        int r;

        r = diag_copy(file, &finding->file);
        if (r < 0)
                return r;
        r = diag_copy(setting, &finding->setting);
        if (r < 0)
                return r;
        return diag_copy(text, &finding->text);
}

void diag_add(Diag *diag,
              Severity severity,
              const char *file,
              unsigned line,
              const char *setting,
              const char *format,
              ...) {
        Finding finding = { .severity = severity, .line = line };
        CLEANUP(freep) char *text = NULL;
        va_list arguments;
        int r;

        if (severity == SEVERITY_ERROR)
                diag->errors++;

        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0) {
                text = NULL; /* undefined after a failure */
                diag->lost++;
                return;
        }

        if (diag_reserve(diag) < 0 || diag_finding_init(&finding, file, setting, text) < 0) {
                diag_finding_done(&finding);
                diag->lost++;
                return;
        }

        diag->entries[diag->count] = (DiagEntry) {
                .finding = finding,
                .rank = diag_rank(diag, finding.file),
                .number = diag->count,
        };
        diag->count++;
}

size_t diag_count(const Diag *diag) {
        return diag->count;
}

size_t diag_errors(const Diag *diag) {
        return diag->errors;
}

const Finding *diag_get(const Diag *diag, size_t index) {
        return index < diag->count ? &diag->entries[index].finding : NULL;
}

static int diag_compare_numbers(size_t a, size_t b) {
        return (a > b) - (a < b);
}

static int diag_compare(const void *left, const void *right) {
        const DiagEntry *a = left, *b = right;
        const char *a_setting = a->finding.setting ?: "", *b_setting = b->finding.setting ?: "";
        int r;

        r = diag_compare_numbers(a->rank, b->rank);
        if (r == 0)
                r = diag_compare_numbers(a->finding.line, b->finding.line);
        if (r == 0)
                r = strcmp(a_setting, b_setting);
        /* qsort(3) does not keep the order by itself. */
        if (r == 0)
                r = diag_compare_numbers(a->number, b->number);
        return r;
}

void diag_sort(Diag *diag) {
        if (diag->count > 0)
                qsort(diag->entries, diag->count, sizeof(DiagEntry), diag_compare);
}

char *finding_text(const Finding *finding) {
        const char *warning = finding->severity == SEVERITY_WARNING ? "warning: " : "";
        const char *setting = finding->setting ?: "", *colon = finding->setting ? ": " : "";
        char *text;
        int r;

        if (!finding->file)
                r = asprintf(&text, "%s%s%s%s", setting, colon, warning, finding->text);
        else if (finding->line == 0)
                r = asprintf(&text, "%s: %s%s%s%s", finding->file, setting, colon, warning,
                             finding->text);
        else
                r = asprintf(&text, "%s:%u: %s%s%s%s", finding->file, finding->line, setting, colon,
                             warning, finding->text);
        return r < 0 ? NULL : text;
}

void diag_print(const Diag *diag, FILE *stream) {
        size_t lost = diag->lost;

        for (size_t i = 0; i < diag->count; i++) {
                CLEANUP(freep) char *text = finding_text(&diag->entries[i].finding);

                if (text)
                        (void) fprintf(stream, "%s\n", text);
                else
                        lost++;
        }
        if (lost > 0)
                (void) fprintf(stream, "%zu more %s cannot be shown: out of memory\n", lost,
                               PLURAL(lost, "finding", "findings"));
}
