/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Line by line, each copied into a small buffer; see the header. */

#include "service/stopped.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

#define STOPPED_HEADER   "supervisord-stopped 1"
#define STOPPED_LINE_MAX 128                       /* a name has at most 64 */
#define STOPPED_TIME_MAX INT64_C(253402300799)     /* the end of the year 9999 */
#define STOPPED_UID_MAX  ((int64_t) UINT32_MAX - 1)

typedef struct StoppedReader {
        const char *file;
        unsigned line;
        Diag *diag;
        size_t wrong; /* lines that were passed over */
        StoppedHandler handler;
        void *userdata;
} StoppedReader;

static void stopped_remark(StoppedReader *reader, const char *name) {
        if (reader->wrong++ >= STOPPED_FINDINGS_MAX)
                return;
        if (name)
                diag_add(reader->diag, SEVERITY_WARNING, reader->file, reader->line, NULL,
                         "there is no daemon \"%s\", the line is ignored", name);
        else
                diag_add(reader->diag, SEVERITY_WARNING, reader->file, reader->line, NULL,
                         "this is not the name of a daemon that an operator stopped, with who and "
                         "when; the line is ignored");
}

/* Cuts `line` at its next blank; what is behind it, or NULL. */
static char *stopped_cut(char *line) {
        char *blank = strchr(line, ' ');

        if (!blank)
                return NULL;
        *blank = '\0';
        return blank + 1;
}

/* A line without its end: "NAME" or "NAME UID SECONDS". False: it is none. */
static bool stopped_parse(char *line, Hold *ret) {
        char *uid_text = stopped_cut(line), *when_text;
        int64_t uid, when;

        *ret = (Hold){ .uid = HOLD_NO_UID };
        if (line[0] == '\0' || !uid_text)
                return line[0] != '\0';
        when_text = stopped_cut(uid_text);
        if (!when_text || parse_int(uid_text, 0, STOPPED_UID_MAX, &uid) != 0 ||
            parse_int(when_text, 0, STOPPED_TIME_MAX, &when) != 0)
                return false;
        *ret = (Hold){ .uid = (uid_t) uid, .when = (usec_t) when * USEC_PER_SEC };
        return true;
}

static void stopped_read_line(StoppedReader *reader, const char *text, size_t length) {
        char line[STOPPED_LINE_MAX];
        Hold hold;

        if (length >= sizeof(line) || memchr(text, '\0', length)) {
                stopped_remark(reader, NULL);
                return;
        }
        memcpy(line, text, length);
        line[length] = '\0';
        if (!stopped_parse(line, &hold))
                stopped_remark(reader, NULL);
        else if (!reader->handler(reader->userdata, line, &hold))
                stopped_remark(reader, line);
}

static bool stopped_is_header(const char *text, size_t length) {
        return length == strlen(STOPPED_HEADER) && memcmp(text, STOPPED_HEADER, length) == 0;
}

void stopped_read(const char *file,
                  const char *text,
                  size_t size,
                  Diag *diag,
                  StoppedHandler handler,
                  void *userdata) {
        StoppedReader reader = {
                .file = file,
                .diag = diag,
                .handler = handler,
                .userdata = userdata,
        };

        for (size_t length; size > 0 || reader.line == 0; text += length, size -= length) {
                const char *end = size > 0 ? memchr(text, '\n', size) : NULL;

                length = end ? (size_t) (end - text) : size;
                if (++reader.line > 1)
                        stopped_read_line(&reader, text, length);
                else if (!stopped_is_header(text, length)) {
                        diag_add(diag, SEVERITY_WARNING, file, 1, NULL,
                                 "it does not begin with \"" STOPPED_HEADER "\", all of it is "
                                 "ignored");
                        return;
                }
                length += end != NULL;
        }
        if (reader.wrong > STOPPED_FINDINGS_MAX)
                diag_add(diag, SEVERITY_WARNING, file, 0, NULL, "%zu further %s ignored",
                         reader.wrong - STOPPED_FINDINGS_MAX,
                         PLURAL(reader.wrong - STOPPED_FINDINGS_MAX, "line is", "lines are"));
}

void stopped_write_begin(FILE *stream) {
        fputs(STOPPED_HEADER "\n", stream);
}

void stopped_write(FILE *stream, const char *name, const Hold *hold) {
        if (hold->uid == HOLD_NO_UID)
                fprintf(stream, "%s\n", name);
        else
                fprintf(stream, "%s %" PRIu32 " %" PRIu64 "\n", name, (uint32_t) hold->uid,
                        hold->when / USEC_PER_SEC);
}
