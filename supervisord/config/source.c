/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The expansion of a text: what stands between two @include lines is copied as it is. Blocks where
 * read_file() does.
 */

#include "config/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/read_file.h"
#include "config/scan.h"

#define SOURCE_INCLUDES_MAX 100 /* in one text; also bounds how deep they include each other */

#define SOURCE_INCLUDE "@include"
#define SOURCE_BLANKS  " \t"

/* One expansion, all its files together. */
typedef struct SourceReader {
        Config *config;
        Diag *diag;
        Scan scan;
        Source source;
        size_t capacity;
        unsigned lines;    /* complete ones in source.text */
        unsigned includes; /* files so far */
} SourceReader;

static int source_read(SourceReader *reader, const char *name, const char *text);

void source_clear(Source *source) {
        free(source->text);
        free(source->parts);
        *source = (Source) {};
}

SettingOrigin source_place(const Source *source, unsigned line) {
        size_t low = 0, high = source->part_count;
        const SourcePart *part;

        /* The last part that begins at or before the line. */
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;

                if (source->parts[middle].line <= line)
                        low = middle;
                else
                        high = middle;
        }
        part = &source->parts[low];
        return (SettingOrigin) { .file = part->origin.file,
                                 .line = part->origin.line + (line - part->line) };
}

/* From here on the lines are those of `file`. */
static int source_begin_part(SourceReader *reader, const ScanFile *file) {
        Source *source = &reader->source;
        SourcePart *grown;

        grown = reallocarray(source->parts, source->part_count + 1, sizeof(SourcePart));
        if (!grown)
                return -ENOMEM;
        source->parts = grown;
        source->parts[source->part_count++] = (SourcePart) { .line = reader->lines + 1,
                                                             .origin = scan_here(file) };
        return 0;
}

static int source_append(SourceReader *reader, const char *text, size_t size) {
        Source *source = &reader->source;
        size_t needed = source->size + size;

        if (needed + 1 > reader->capacity) {
                size_t capacity = 2 * needed + 1;
                char *grown = realloc(source->text, capacity);

                if (!grown)
                        return -ENOMEM;
                source->text = grown;
                reader->capacity = capacity;
        }
        memcpy(source->text + source->size, text, size);
        source->text[needed] = '\0';
        for (size_t i = 0; i < size; i++)
                reader->lines += text[i] == '\n';
        source->size = needed;
        return 0;
}

/* Appends what was looked at since `kept`. */
static int source_keep(SourceReader *reader, const ScanFile *file, const char *kept) {
        size_t size = (size_t) (file->at - kept);

        if (reader->source.size + size > CONFIG_FILE_MAX) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "up to here more than %u MiB were read with all included files; "
                         "does a file include itself?",
                         CONFIG_FILE_MAX >> 20);
                return CONFIG_E_INVALID;
        }
        return source_append(reader, kept, size);
}

/* The name between the quotes at *at, malloc'ed, and *at behind it; NULL: not of that form. */
static char *source_include_name(const char **at) {
        size_t length = strcspn(*at + 1, "\"\n");
        char *name;

        if (length == 0 || (*at)[length + 1] != '"')
                return NULL;
        name = strndup(*at + 1, length);
        *at += length + 2;
        return name;
}

/* `name` as seen from the directory of `file`. */
static char *source_include_path(const char *file, const char *name) {
        const char *slash = strrchr(file, '/');
        char *path;
        int r;

        if (name[0] == '/' || !slash)
                return strdup(name);
        r = asprintf(&path, "%.*s%s", (int) (slash + 1 - file), file, name);
        return r < 0 ? NULL : path;
}

/* Only a comment may follow: what stands there would begin a line of the expanded text. */
static bool source_is_line_end(const char *at) {
        at += strspn(at, SOURCE_BLANKS "\r");
        return *at == '\0' || *at == '\n' || *at == '#' || (at[0] == '/' && at[1] == '/');
}

static int source_include_file(SourceReader *reader, const ScanFile *file, const char *name) {
        CLEANUP(freep) char *path = NULL, *text = NULL;
        const char *kept_path;
        size_t size;
        int r;

        path = source_include_path(file->name, name);
        if (!path)
                return -ENOMEM;
        if (reader->includes == SOURCE_INCLUDES_MAX) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "more than %d files are included; does \"%s\" include itself?",
                         SOURCE_INCLUDES_MAX, path);
                return CONFIG_E_INVALID;
        }
        r = read_file(path, scan_here(file), reader->diag, &text, &size);
        if (r != 0)
                return r;
        r = config_add_file(reader->config, path, &kept_path);
        if (r < 0)
                return r;
        reader->includes++;
        return source_read(reader, kept_path, text);
}

/* Puts the file in the place of its line. */
static int source_include(SourceReader *reader, ScanFile *file) {
        CLEANUP(freep) char *name = NULL;
        const char *at = file->at + strlen(SOURCE_INCLUDE);
        int r;

        at += strspn(at, SOURCE_BLANKS);
        if (*at == '"')
                name = source_include_name(&at);
        if (!name || !source_is_line_end(at)) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this is no @include; write @include \"FILE\" on a line of its own");
                return CONFIG_E_INVALID;
        }
        r = source_include_file(reader, file, name);
        if (r != 0)
                return r;
        file->at = at;
        return source_begin_part(reader, file);
}

/* Takes everything up to the next @include, and that. */
static int source_read_part(SourceReader *reader, ScanFile *file) {
        const char *kept = file->at;
        int r;

        while (*file->at && !scan_is_directive(file, SOURCE_INCLUDE)) {
                r = scan_step(&reader->scan, file);
                if (r != 0)
                        return r;
        }
        r = source_keep(reader, file, kept);
        if (r != 0 || !*file->at)
                return r;
        return source_include(reader, file);
}

static int source_read(SourceReader *reader, const char *name, const char *text) {
        ScanFile file = { .name = name, .start = text, .at = text, .line = 1,
                          .depth = reader->scan.depth };
        int r;

        r = source_begin_part(reader, &file);
        while (r == 0 && *file.at)
                r = source_read_part(reader, &file);
        if (r != 0)
                return r;
        /* A comment at the end of the file has to end as a line. */
        r = source_append(reader, "\n", 1);
        return r < 0 ? r : scan_end(&reader->scan, &file);
}

int source_expand(Config *config, const char *file, const char *text, Diag *diag, Source *ret) {
        SourceReader reader = { .config = config, .diag = diag, .scan = { .diag = diag } };
        int r;

        r = source_read(&reader, file, text);
        if (r != 0) {
                source_clear(&reader.source);
                return r;
        }
        *ret = reader.source;
        return 0;
}
