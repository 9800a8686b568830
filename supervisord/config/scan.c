/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Token by token. Nesting is bounded because libconfig walks groups recursively, and the work of
 * one text because libconfig compares each setting with all that stand before it in its group.
 * Pure, nothing here can block.
 */

#include "config/scan.h"

#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "config/load.h"

#define SCAN_WORK_MAX     (50u * 1000 * 1000) /* comparisons of names, about a second */
#define SCAN_WORK_SETTING 50u                 /* what one setting costs in time and memory */

#define SCAN_NUMBER_MAX ((size_t) 20) /* digits of one that a finding shows */

#define SCAN_BLANKS " \t"
#define SCAN_SPACE  " \t\n\r\f"
#define SCAN_DIGITS "0123456789"
#define SCAN_WORD   SCAN_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_*-+."

SettingOrigin scan_here(const ScanFile *file) {
        return (SettingOrigin) { .file = file->name, .line = file->line };
}

bool scan_is_directive(const ScanFile *file, const char *word) {
        const char *before = file->at;

        if (strncmp(file->at, word, strlen(word)) != 0)
                return false;
        while (before > file->start && strchr(SCAN_BLANKS, before[-1]))
                before--;
        return before == file->start || before[-1] == '\n';
}

/* Moves on to `end`, counting lines. */
static void scan_skip_to(ScanFile *file, const char *end) {
        for (; file->at < end; file->at++)
                file->line += *file->at == '\n';
}

static int scan_comment(Scan *scan, ScanFile *file) {
        const char *end = strstr(file->at + 2, "*/");

        if (!end) {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this comment has no end; write \"*/\" behind it");
                return CONFIG_E_INVALID;
        }
        scan_skip_to(file, end + 2);
        return 0;
}

/* A text is a value, an element or the continuation of a text. */
static bool scan_may_be_text(const Scan *scan) {
        char kind = scan->brackets[scan->depth].kind;

        switch (scan->before) {
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

static int scan_text(Scan *scan, ScanFile *file) {
        const char *end = file->at + 1;

        /* libconfig 1.5 never releases a text that it finds elsewhere. */
        if (!scan_may_be_text(scan)) {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "a text cannot stand here; write NAME = before it, or look for a missing "
                         "\",\" or quote");
                return CONFIG_E_INVALID;
        }
        while (*end != '"' && *end != '\0')
                end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
        if (*end == '\0') {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "a text that begins here has no end; close its quotes");
                return CONFIG_E_INVALID;
        }
        scan_skip_to(file, end + 1);
        return 0;
}

/* Decimal digits that stand without quotes and mean the same to every libconfig. */
static int scan_number(Scan *scan, const ScanFile *file, const char *digits, size_t count) {
        char number[sizeof("2147483647")] = "";
        int shown = (int) MIN_OF(count, SCAN_NUMBER_MAX);
        int64_t value;

        /* 1.7 reads it as octal, others as decimal. */
        if (digits[0] == '0' && count > 1) {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "the number %.*s begins with 0; leave that out, or write an octal mode in "
                         "quotes",
                         shown, digits);
                return CONFIG_E_INVALID;
        }
        /* 1.5 cuts off what does not fit into an int. */
        if (count < sizeof(number))
                memcpy(number, digits, count);
        if (parse_int(number, 0, INT_MAX, &value) == 0)
                return 0;
        diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                 "the number %.*s%s is too large without quotes; write it in quotes", shown, digits,
                 count > SCAN_NUMBER_MAX ? "…" : "");
        return CONFIG_E_INVALID;
}

/* A name, a number or a truth value. */
static int scan_word(Scan *scan, ScanFile *file) {
        const char *digits = file->at + strspn(file->at, "+-");
        size_t count = strspn(digits, SCAN_DIGITS);

        file->at += strspn(file->at, SCAN_WORD);
        return count > 0 && digits + count == file->at ? scan_number(scan, file, digits, count) : 0;
}

static int scan_open(Scan *scan, ScanFile *file) {
        if (scan->depth == SCAN_BRACKETS_MAX) {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "here are more than %d brackets within each other; close some",
                         SCAN_BRACKETS_MAX);
                return CONFIG_E_INVALID;
        }
        scan->brackets[++scan->depth] = (ScanBracket) { .kind = *file->at,
                                                        .origin = scan_here(file) };
        file->at++;
        return 0;
}

static char scan_closing(char opening) {
        return opening == '{' ? '}' : opening == '[' ? ']' : ')';
}

static int scan_close(Scan *scan, ScanFile *file) {
        const ScanBracket *open = &scan->brackets[scan->depth];
        char closing = *file->at;

        if (scan->depth == file->depth) {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this \"%c\" closes nothing; remove it, or one too many before it",
                         closing);
                return CONFIG_E_INVALID;
        }
        if (closing != scan_closing(open->kind)) {
                diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                         "this \"%c\" does not match the \"%c\" of line %u; write \"%c\" first",
                         closing, open->kind, open->origin.line, scan_closing(open->kind));
                return CONFIG_E_INVALID;
        }
        scan->depth--;
        file->at++;
        return 0;
}

/* A name before = or : is compared with all names before it in its group. */
static int scan_member(Scan *scan, ScanFile *file) {
        ScanBracket *bracket = &scan->brackets[scan->depth];

        file->at++;
        scan->work += SCAN_WORK_SETTING + bracket->members++;
        if (scan->work <= SCAN_WORK_MAX)
                return 0;
        diag_add(scan->diag, SEVERITY_ERROR, file->name, file->line, NULL,
                 "there are far too many settings or elements together, %zu up to here; "
                 "is it the right file?",
                 bracket->members);
        return CONFIG_E_INVALID;
}

static int scan_token(Scan *scan, ScanFile *file) {
        switch (*file->at) {
        case '"':
                return scan_text(scan, file);
        case '{':
        case '[':
        case '(':
                return scan_open(scan, file);
        case '}':
        case ']':
        case ')':
                return scan_close(scan, file);
        case '=':
        case ':':
                return scan_member(scan, file);
        case ',':
                if (scan->brackets[scan->depth].kind != '{')
                        return scan_member(scan, file);
                break;
        default:
                if (strchr(SCAN_WORD, *file->at))
                        return scan_word(scan, file);
        }
        file->at++;
        return 0;
}

int scan_step(Scan *scan, ScanFile *file) {
        char first = *file->at;
        int r;

        if (strchr(SCAN_SPACE, first)) {
                scan_skip_to(file, file->at + 1);
                return 0;
        }
        if (first == '#' || strncmp(file->at, "//", 2) == 0) {
                scan_skip_to(file, file->at + strcspn(file->at, "\n"));
                return 0;
        }
        if (strncmp(file->at, "/*", 2) == 0)
                return scan_comment(scan, file);
        r = scan_token(scan, file);
        scan->before = first;
        return r;
}

int scan_end(Scan *scan, const ScanFile *file) {
        const ScanBracket *open = &scan->brackets[scan->depth];

        if (scan->depth == file->depth)
                return 0;
        diag_add(scan->diag, SEVERITY_ERROR, open->origin.file, open->origin.line, NULL,
                 "this \"%c\" is never closed; write \"%c\" where it ends", open->kind,
                 scan_closing(open->kind));
        return CONFIG_E_INVALID;
}
