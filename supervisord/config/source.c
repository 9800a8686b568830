/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The expansion. It knows of libconfig's language only what it needs: comments, strings, brackets
 * and @include at the begin of a line. What it lets pass, libconfig still judges.
 *
 * Nesting is bounded because libconfig walks groups recursively, and the work of one text because
 * libconfig compares each setting with all that stand before it in its group. Blocks where
 * read_file() does.
 */

#include "config/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/read_file.h"

#define SOURCE_INCLUDES_MAX 10                   /* files within each other, as in libconfig */
#define SOURCE_BRACKETS_MAX 32                   /* within each other; our settings need four */
#define SOURCE_WORK_MAX     (50u * 1000 * 1000) /* comparisons of names, about a second */

#define SOURCE_INCLUDE "@include"
#define SOURCE_BLANKS  " \t"
#define SOURCE_SPACE   " \t\n\r\f"

typedef struct SourceBracket {
        char kind;            /* what opened it; 0 for the outside of all */
        SettingOrigin origin; /* where */
        size_t members;       /* settings or elements so far */
} SourceBracket;

/* One expansion, all its files together. */
typedef struct SourceReader {
        Config *config;
        Diag *diag;
        Source source;
        size_t capacity;
        unsigned lines; /* complete ones in source.text */
        SourceBracket brackets[SOURCE_BRACKETS_MAX + 1];
        unsigned depth;    /* brackets[depth] is the innermost open one */
        unsigned includes; /* files within each other */
        size_t work;
        char before; /* what stands before, blanks and comments aside; '"' after a text */
} SourceReader;

/* One file of it. */
typedef struct SourceFile {
        const char *name;
        const char *start;
        const char *kept; /* what stands before it is in source.text */
        const char *at;   /* what is looked at */
        unsigned line;    /* of `at` */
        unsigned depth;   /* brackets that were open before it */
} SourceFile;

static int source_read(SourceReader *reader, const char *name, const char *text);

static SettingOrigin source_here(const SourceFile *file) {
        return (SettingOrigin) { .file = file->name, .line = file->line };
}

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
static int source_begin_part(SourceReader *reader, const SourceFile *file) {
        Source *source = &reader->source;
        SourcePart *grown;

        grown = reallocarray(source->parts, source->part_count + 1, sizeof(SourcePart));
        if (!grown)
                return -ENOMEM;
        source->parts = grown;
        source->parts[source->part_count++] = (SourcePart) { .line = reader->lines + 1,
                                                             .origin = source_here(file) };
        return 0;
}

/* Appends what was looked at since the last time, and `end`. */
static int source_keep(SourceReader *reader, SourceFile *file, const char *end) {
        Source *source = &reader->source;
        size_t size = (size_t) (file->at - file->kept), needed = source->size + size + strlen(end);

        if (needed > CONFIG_FILE_MAX) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "up to here more than %u MiB were read with all included files; "
                         "does a file include itself?",
                         CONFIG_FILE_MAX >> 20);
                return CONFIG_E_INVALID;
        }
        if (needed + 1 > reader->capacity) {
                size_t capacity = 2 * needed + 1;
                char *grown = realloc(source->text, capacity);

                if (!grown)
                        return -ENOMEM;
                source->text = grown;
                reader->capacity = capacity;
        }
        memcpy(source->text + source->size, file->kept, size);
        strcpy(source->text + source->size + size, end);
        for (size_t i = source->size; i < needed; i++)
                reader->lines += source->text[i] == '\n';
        source->size = needed;
        file->kept = file->at;
        return 0;
}

/* Moves on to `end`, counting lines. */
static void source_skip_to(SourceFile *file, const char *end) {
        for (; file->at < end; file->at++)
                file->line += *file->at == '\n';
}

static int source_skip_comment(SourceReader *reader, SourceFile *file) {
        const char *end = strstr(file->at + 2, "*/");

        if (!end) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this comment has no end; write \"*/\" behind it");
                return CONFIG_E_INVALID;
        }
        source_skip_to(file, end + 2);
        return 0;
}

/* A text is a value, an element or the continuation of a text. */
static bool source_may_be_string(const SourceReader *reader) {
        char kind = reader->brackets[reader->depth].kind;

        switch (reader->before) {
        case ',':
                return kind == '[' || kind == '(';
        case '=':
        case ':':
        case '[':
        case '(':
        case '"':
                return true;
        default:
                return false;
        }
}

static int source_skip_string(SourceReader *reader, SourceFile *file) {
        const char *end = file->at + 1;

        /* libconfig 1.5 never releases a text that it finds elsewhere. */
        if (!source_may_be_string(reader)) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "a text cannot stand here; write NAME = before it, or look for a missing "
                         "\",\" or quote");
                return CONFIG_E_INVALID;
        }
        while (*end != '"' && *end != '\0')
                end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
        if (*end == '\0') {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "a text that begins here has no end; close its quotes");
                return CONFIG_E_INVALID;
        }
        source_skip_to(file, end + 1);
        return 0;
}

static int source_open_bracket(SourceReader *reader, SourceFile *file) {
        if (reader->depth == SOURCE_BRACKETS_MAX) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "here are more than %d brackets within each other; close some",
                         SOURCE_BRACKETS_MAX);
                return CONFIG_E_INVALID;
        }
        reader->brackets[++reader->depth] = (SourceBracket) { .kind = *file->at,
                                                              .origin = source_here(file) };
        file->at++;
        return 0;
}

static char source_closing(char opening) {
        return opening == '{' ? '}' : opening == '[' ? ']' : ')';
}

static int source_close_bracket(SourceReader *reader, SourceFile *file) {
        const SourceBracket *open = &reader->brackets[reader->depth];
        char closing = *file->at;

        if (reader->depth == file->depth) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this \"%c\" closes nothing; remove it, or look for one too many before it",
                         closing);
                return CONFIG_E_INVALID;
        }
        if (closing != source_closing(open->kind)) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this \"%c\" does not match the \"%c\" of line %u; write \"%c\" first",
                         closing, open->kind, open->origin.line, source_closing(open->kind));
                return CONFIG_E_INVALID;
        }
        reader->depth--;
        file->at++;
        return 0;
}

/* A name before = or : is compared with all names before it in its group. */
static int source_count_member(SourceReader *reader, SourceFile *file) {
        SourceBracket *bracket = &reader->brackets[reader->depth];

        file->at++;
        reader->work += bracket->members++;
        if (reader->work <= SOURCE_WORK_MAX)
                return 0;
        diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                 "there are far too many settings or elements together, %zu up to here; "
                 "is it the right file?",
                 bracket->members);
        return CONFIG_E_INVALID;
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

static int source_include_file(SourceReader *reader, const SourceFile *file, const char *name) {
        CLEANUP(freep) char *path = NULL, *text = NULL;
        const char *kept_path;
        size_t size;
        int r;

        path = source_include_path(file->name, name);
        if (!path)
                return -ENOMEM;
        if (reader->includes == SOURCE_INCLUDES_MAX) {
                diag_add(reader->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "more than %d files include each other; does \"%s\" include itself?",
                         SOURCE_INCLUDES_MAX, path);
                return CONFIG_E_INVALID;
        }
        r = read_file(path, source_here(file), reader->diag, &text, &size);
        if (r != 0)
                return r;
        r = config_add_file(reader->config, path, &kept_path);
        if (r < 0)
                return r;
        reader->includes++;
        r = source_read(reader, kept_path, text);
        reader->includes--;
        return r;
}

static int source_include(SourceReader *reader, SourceFile *file) {
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
        r = source_keep(reader, file, "");
        if (r == 0)
                r = source_include_file(reader, file, name);
        if (r != 0)
                return r;
        file->at = file->kept = at;
        return source_begin_part(reader, file);
}

/* Whether nothing but blanks stands before it on its line. */
static bool source_is_include(const SourceFile *file) {
        const char *before = file->at;

        if (strncmp(file->at, SOURCE_INCLUDE, strlen(SOURCE_INCLUDE)) != 0)
                return false;
        while (before > file->start && strchr(SOURCE_BLANKS, before[-1]))
                before--;
        return before == file->start || before[-1] == '\n';
}

/* Takes a character that means something, or what begins with it. */
static int source_token(SourceReader *reader, SourceFile *file) {
        switch (*file->at) {
        case '"':
                return source_skip_string(reader, file);
        case '{':
        case '[':
        case '(':
                return source_open_bracket(reader, file);
        case '}':
        case ']':
        case ')':
                return source_close_bracket(reader, file);
        case '=':
        case ':':
                return source_count_member(reader, file);
        case ',':
                if (reader->brackets[reader->depth].kind != '{')
                        return source_count_member(reader, file);
                break;
        case '@':
                if (source_is_include(file))
                        return source_include(reader, file);
                break;
        }
        file->at++;
        return 0;
}

/* Takes blanks, a comment or a token. */
static int source_step(SourceReader *reader, SourceFile *file) {
        char first = *file->at;
        int r;

        if (strchr(SOURCE_SPACE, first)) {
                source_skip_to(file, file->at + 1);
                return 0;
        }
        if (first == '#' || strncmp(file->at, "//", 2) == 0) {
                source_skip_to(file, file->at + strcspn(file->at, "\n"));
                return 0;
        }
        if (strncmp(file->at, "/*", 2) == 0)
                return source_skip_comment(reader, file);
        r = source_token(reader, file);
        reader->before = first;
        return r;
}

static int source_read(SourceReader *reader, const char *name, const char *text) {
        SourceFile file = { .name = name, .start = text, .kept = text, .at = text, .line = 1,
                            .depth = reader->depth };
        int r;

        r = source_begin_part(reader, &file);
        while (r == 0 && *file.at)
                r = source_step(reader, &file);
        /* A comment that ends the file has to end as a line. */
        if (r == 0)
                r = source_keep(reader, &file, "\n");
        if (r != 0)
                return r;
        if (reader->depth > file.depth) {
                const SourceBracket *open = &reader->brackets[reader->depth];

                diag_add(reader->diag, SEVERITY_ERROR, open->origin.file, open->origin.line, NULL,
                         "this \"%c\" is never closed; write \"%c\" where it ends", open->kind,
                         source_closing(open->kind));
                return CONFIG_E_INVALID;
        }
        return 0;
}

int source_expand(Config *config, const char *file, const char *text, Diag *diag, Source *ret) {
        SourceReader reader = { .config = config, .diag = diag };
        int r;

        r = source_read(&reader, file, text);
        if (r != 0) {
                source_clear(&reader.source);
                return r;
        }
        *ret = reader.source;
        return 0;
}
