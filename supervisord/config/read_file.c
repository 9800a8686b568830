/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a file must be before its text is looked at. A configuration names programs that run as
 * root: whoever can write it is root. The check goes by name and so does the open after it; who
 * could exchange the file in between can write its directory, and no check would help against that.
 * Never waits on a FIFO; what can block is a file system that hangs.
 */

#include "config/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "config/load.h"

PRINTF_LIKE(4, 5)
static int read_file_refuse(const char *path,
                            SettingOrigin from,
                            Diag *diag,
                            const char *format,
                            ...) {
        CLEANUP(freep) char *text = NULL;
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0)
                return -ENOMEM;
        if (from.file)
                diag_add(diag, SEVERITY_ERROR, from.file, from.line, NULL, "\"%s\" %s", path, text);
        else
                diag_add(diag, SEVERITY_ERROR, path, 0, NULL, "it %s", text);
        return CONFIG_E_INVALID;
}

/* What file_read() and file_stat() had to say. */
static int read_file_settle(int r, const char *path, SettingOrigin from, Diag *diag) {
        switch (r) {
        case 0:
                return 0;
        case FILE_E_MISSING:
                return read_file_refuse(path, from, diag, "does not exist; %s",
                                        from.file ? "write that file or remove this line"
                                                  : "write that file or name another one");
        case FILE_E_TOO_LARGE:
                return read_file_refuse(path, from, diag,
                                        "is larger than %u MiB; is it the right file?",
                                        CONFIG_FILE_MAX >> 20);
        case FILE_E_NOT_REGULAR:
                return read_file_refuse(path, from, diag,
                                        "is a directory, FIFO, socket or device; "
                                        "put a regular file there");
        case FILE_E_DENIED:
                return read_file_refuse(path, from, diag,
                                        "may not be read by uid %u; run supervisord as root or "
                                        "give that user the permission",
                                        geteuid());
        default:
                return read_file_refuse(path, from, diag, "cannot be read: %s", strerror(-r));
        }
}

int read_file_trust(const char *path, SettingOrigin from, const struct stat *st, Diag *diag) {
        if (st->st_mode & S_IWOTH)
                return read_file_refuse(path, from, diag,
                                        "can be written by everybody; run: chmod o-w %s", path);
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return read_file_refuse(path, from, diag,
                                        "belongs to uid %u, who is neither root nor the user of "
                                        "supervisord; run: chown root %s",
                                        st->st_uid, path);
        return 0;
}

/* A byte that no text holds, or `size`. */
static size_t read_file_find_binary(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++) {
                unsigned char byte = (unsigned char) text[i];

                if (byte == 0x7f || (byte < ' ' && (byte < '\t' || byte > '\r')))
                        return i;
        }
        return size;
}

/* libconfig would stop at a NUL and say nothing. */
static int read_file_check_text(const char *path, const char *text, size_t size, Diag *diag) {
        size_t at = read_file_find_binary(text, size);
        unsigned line = 1;

        if (at == size)
                return 0;
        for (size_t i = 0; i < at; i++)
                line += text[i] == '\n';
        diag_add(diag, SEVERITY_ERROR, path, line, NULL,
                 "there is a byte 0x%02x, which no text holds; is it the right file?",
                 (unsigned char) text[at]);
        return CONFIG_E_INVALID;
}

int read_file(const char *path, SettingOrigin from, Diag *diag, char **ret, size_t *ret_size) {
        CLEANUP(freep) char *text = NULL;
        struct stat st;
        size_t size;
        int r;

        r = read_file_settle(file_stat(AT_FDCWD, path, &st), path, from, diag);
        if (r != 0)
                return r;
        if (S_ISREG(st.st_mode)) {
                r = read_file_trust(path, from, &st, diag);
                if (r != 0)
                        return r;
        }
        r = read_file_settle(file_read(AT_FDCWD, path, CONFIG_FILE_MAX, 0, &text, &size), path,
                             from, diag);
        if (r != 0)
                return r;
        r = read_file_check_text(path, text, size, diag);
        if (r != 0)
                return r;
        *ret = TAKE(text);
        *ret_size = size;
        return 0;
}
