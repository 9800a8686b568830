/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The log: one line, one datagram to the journal or one write(2) to stderr, from buffers on the
 * stack. A reader that has stopped reading is waited for once and briefly, and after that not at
 * all until it reads again; its lines go to the other target, or nowhere. The one global is the
 * choice of the target.
 */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"

#define LOG_IDENTIFIER     "supervisord"
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
#define LOG_TEXT_MAX       2048
#define LOG_NAME_MAX       256
#define LOG_FIELDS_MAX     32
#define LOG_PATIENCE_MSEC  1000
#define LOG_TRIES_MAX      100

static struct {
        int priority;
        bool journal;
        bool journal_stuck, stderr_stuck; /* did not take the last line in time */
        int stderr_fd; /* never blocks, where that is possible */
        LogHook hook;
        void *userdata;
} log_state = { .priority = LOG_INFO, .stderr_fd = STDERR_FILENO };

static const LogContext log_context_none;

/* $JOURNAL_STREAM names the socket that systemd made stderr; it may be something else by now. */
static bool log_stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char expected[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void) snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t) st.st_dev,
                        (uintmax_t) st.st_ino);
        return strcmp(stream, expected) == 0;
}

/*
 * Daemons that inherit it may fill a pipe between a look whether it takes a line and the line. So
 * the line goes through a description of our own, which does not wait; theirs does, as they expect.
 */
static void log_open_stderr(void) {
        struct stat st;
        int fd = -1;

        if (log_state.stderr_fd != STDERR_FILENO)
                (void) close(log_state.stderr_fd);
        if (fstat(STDERR_FILENO, &st) == 0 && S_ISFIFO(st.st_mode))
                fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC |
                                                     (fcntl(STDERR_FILENO, F_GETFL) & O_DIRECT));
        log_state.stderr_fd = fd >= 0 ? fd : STDERR_FILENO; /* it may be somebody else's */
}

void log_open(LogTarget target) {
        log_state.journal = target == LOG_JOURNAL;
        if (target == LOG_AUTO)
                log_state.journal = log_stderr_is_journal();
        log_open_stderr();

        /* The zone's file is read now and not in the middle of a stop. */
        tzset();
}

void log_set_priority(int priority) {
        log_state.priority = priority;
}

int log_get_priority(void) {
        return log_state.priority;
}

bool log_is_journal(void) {
        return log_state.journal;
}

void log_use(LogHook hook, void *userdata) {
        log_state.hook = hook;
        log_state.userdata = userdata;
}

/* Whether a line can be written without waiting for ever; *stuck keeps how it went last time. */
static bool log_wait(int fd, bool *stuck) {
        struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
        int r;

        do
                r = poll(&pollfd, 1, *stuck ? 0 : LOG_PATIENCE_MSEC);
        while (r < 0 && errno == EINTR);
        *stuck = r == 0;
        return !*stuck;
}

/*
 * sd_journal_sendv(3) waits without an end for a journald that hangs, and drops the line if there
 * is none. A socket of our own, connected to the same address, tells both beforehand.
 */
static bool log_journal_takes(void) {
        static const struct sockaddr_un address = {
                .sun_family = AF_UNIX,
                .sun_path = LOG_JOURNAL_SOCKET,
        };
        CLEANUP(fd_closep) int fd = -1;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return true; /* no descriptor left, but sd-journal keeps one */
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return false;
        return log_wait(fd, &log_state.journal_stuck);
}

static void log_journal_field(struct iovec *fields, int *count, const char *field) {
        if (*count < LOG_FIELDS_MAX)
                fields[(*count)++] = (struct iovec) { (char *) field, strlen(field) };
}

static bool log_write_journal(int priority, const LogContext *context, const char *text) {
        char message[sizeof("MESSAGE=: ") + LOG_NAME_MAX + LOG_TEXT_MAX];
        char name[LOG_NAME_MAX + 1] = "", level[sizeof("PRIORITY=7")];
        char id[sizeof("MESSAGE_ID=") + 32], daemon[sizeof("SUPERVISOR_DAEMON=") + LOG_NAME_MAX];
        char phase[sizeof("SUPERVISOR_PHASE=") + LOG_NAME_MAX];
        struct iovec fields[LOG_FIELDS_MAX];
        int count = 0;

        if (!log_journal_takes())
                return false;

        if (context->daemon)
                format_visible(name, sizeof(name), context->daemon);
        (void) snprintf(message, sizeof(message), "MESSAGE=%s%s%s", name, name[0] ? ": " : "",
                        text);
        (void) snprintf(level, sizeof(level), "PRIORITY=%d", LOG_PRI(priority));
        log_journal_field(fields, &count, message);
        log_journal_field(fields, &count, level);
        log_journal_field(fields, &count, "SYSLOG_IDENTIFIER=" LOG_IDENTIFIER);
        if (context->message != MESSAGE_NONE) {
                (void) snprintf(id, sizeof(id), "MESSAGE_ID=%s", message_id_text(context->message));
                log_journal_field(fields, &count, id);
        }
        if (context->daemon) {
                (void) snprintf(daemon, sizeof(daemon), "SUPERVISOR_DAEMON=%s", context->daemon);
                log_journal_field(fields, &count, daemon);
        }
        if (context->phase) {
                (void) snprintf(phase, sizeof(phase), "SUPERVISOR_PHASE=%s", context->phase);
                log_journal_field(fields, &count, phase);
        }
        for (size_t i = 0; context->fields && context->fields[i]; i++)
                log_journal_field(fields, &count, context->fields[i]);

        return sd_journal_sendv(fields, count) >= 0;
}

/* What is no everyday line says how grave it is. */
static const char *log_priority_word(int priority) {
        static const char *const words[] = {
                [LOG_EMERG] = "emergency: ", [LOG_ALERT] = "alert: ",     [LOG_CRIT] = "critical: ",
                [LOG_ERR] = "error: ",       [LOG_WARNING] = "warning: ", [LOG_NOTICE] = "",
                [LOG_INFO] = "",             [LOG_DEBUG] = "debug: ",
        };

        return words[LOG_PRI(priority)];
}

/* Others write as well, so what was free is taken now and then. */
static void log_write_line(const char *line, size_t length) {
        for (unsigned tries = 0; tries < LOG_TRIES_MAX; tries++) {
                if (!log_wait(log_state.stderr_fd, &log_state.stderr_stuck))
                        return;
                /* another failure has nowhere left to be told */
                if (write(log_state.stderr_fd, line, length) >= 0 || errno != EAGAIN)
                        return;
        }
}

/* A line is never longer than PIPE_BUF, so that it stays whole beside those of other writers. */
static void log_write_stderr(int priority, const LogContext *context, const char *text) {
        char name[LOG_NAME_MAX + 1] = "", line[PIPE_BUF], date[32];
        struct timespec now;
        struct tm local;
        size_t length;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        if (!localtime_r(&now.tv_sec, &local) ||
            strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local) == 0)
                date[0] = '\0';
        if (context->daemon)
                format_visible(name, sizeof(name), context->daemon);

        (void) snprintf(line, sizeof(line), "%s.%03ld %s%s%s%s", date, now.tv_nsec / 1000000,
                        log_priority_word(priority), name, name[0] ? ": " : "", text);
        length = strlen(line);
        line[length++] = '\n'; /* in place of the NUL */
        log_write_line(line, length);
}

void log_write_v(int priority, const LogContext *context, const char *format, va_list arguments) {
        /* `raw` is longer by a byte, so that format_visible() sees every cut and makes it clean. */
        char raw[LOG_TEXT_MAX + 2], text[LOG_TEXT_MAX + 1];
        int saved = errno;

        if (LOG_PRI(priority) > log_state.priority)
                return;
        if (!context)
                context = &log_context_none;

        if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
                return;
        format_visible(text, sizeof(text), raw);

        if (log_state.hook)
                log_state.hook(log_state.userdata, priority, context, text);
        else if (!log_state.journal || !log_write_journal(priority, context, text))
                log_write_stderr(priority, context, text);
        errno = saved;
}

void log_write(int priority, const LogContext *context, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        log_write_v(priority, context, format, arguments);
        va_end(arguments);
}
