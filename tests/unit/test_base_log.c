/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/log: the form of a line on stderr, the fields in the journal, and that a reader who does
 * not read stops nobody. The journal is a socket of the test's own in a mount namespace; where
 * none may be made, those tests are left out, and the output says so.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "unit.h"

#define JOURNAL_DIRECTORY "/run/systemd/journal"
#define JOURNAL_SOCKET    JOURNAL_DIRECTORY "/socket"
#define DATE              "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "
#define DATE_LENGTH       24

static int reader = -1;
static regex_t date;

/* A pipe in packet mode (pipe(2)) in place of stderr: one read gives what one write wrote. */
static void setup_stderr(void) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
        /* Only the reading end is to be non-blocking: the log has to cope with any stderr. */
        ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_DIRECT), 0);
        ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
        fd_close(fds[1]);
        reader = fds[0];
        ck_assert_int_eq(regcomp(&date, DATE, REG_EXTENDED | REG_NOSUB), 0);

        ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
        log_open(LOG_STDERR);
        log_set_priority(LOG_INFO);
}

static void teardown_stderr(void) {
        regfree(&date);
        reader = fd_close(reader);
}

/* The next line without its date, or "" for none. */
static const char *next_line(void) {
        static char line[2 * PIPE_BUF];
        ssize_t n;

        n = read(reader, line, sizeof(line) - 1);
        if (n < 0) {
                ck_assert_int_eq(errno, EAGAIN);
                return "";
        }
        line[n] = '\0';
        ck_assert_int_eq(regexec(&date, line, 0, NULL, 0), 0);
        return line + DATE_LENGTH;
}

START_TEST(test_stderr) {
        const LogContext web = { .daemon = "web" };
        const LogContext full = {
                .message = MESSAGE_DAEMON_READY,
                .daemon = "web",
                .phase = "drain",
                .fields = (const char *const[]) { "PORT=80", NULL },
        };

        log_write(LOG_WARNING, &web, "text");
        ck_assert_str_eq(next_line(), "warning: web: text\n");
        log_write(LOG_INFO, &full, "%s is %d", "text", 7);
        ck_assert_str_eq(next_line(), "web: text is 7\n");
        log_write(LOG_INFO, NULL, "%s", "");
        ck_assert_str_eq(next_line(), "\n");
        ck_assert_str_eq(next_line(), "");
}
END_TEST

START_TEST(test_stderr_priorities) {
        static const char *const lines[] = {
                "emergency: text\n", "alert: text\n", "critical: text\n", "error: text\n",
                "warning: text\n",   "text\n",        "text\n",           "debug: text\n",
        };

        log_set_priority(LOG_DEBUG);
        for (int priority = LOG_EMERG; priority <= LOG_DEBUG; priority++) {
                log_write(priority, NULL, "text");
                ck_assert_str_eq(next_line(), lines[priority]);
        }
        log_notice("text");
        ck_assert_str_eq(next_line(), "text\n");
        log_debug("text");
        ck_assert_str_eq(next_line(), "debug: text\n");
}
END_TEST

START_TEST(test_priority) {
        ck_assert_int_eq(log_get_priority(), LOG_INFO);
        log_debug("dropped");
        log_info("written");
        ck_assert_str_eq(next_line(), "written\n");

        log_set_priority(LOG_ERR);
        ck_assert_int_eq(log_get_priority(), LOG_ERR);
        log_warning("dropped");
        log_error("written");
        ck_assert_str_eq(next_line(), "error: written\n");
        ck_assert_str_eq(next_line(), "");
}
END_TEST

START_TEST(test_stderr_control_characters) {
        const LogContext forged = { .daemon = "we\nb" };

        log_write(LOG_INFO, &forged, "a\tb\nc\033[2Jd\177");
        ck_assert_str_eq(next_line(), "we\\x0ab: a\tb\\x0ac\\x1b[2Jd\\x7f\n");
}
END_TEST

/* One write(2) and no more than a pipe takes as a whole, whatever the text. */
START_TEST(test_stderr_long) {
        char text[10000], name[1000];
        const LogContext context = { .daemon = name };
        const char *line;

        memset(text, 'x', sizeof(text) - 1);
        memset(name, '\n', sizeof(name) - 1);
        text[sizeof(text) - 1] = name[sizeof(name) - 1] = '\0';

        log_write(LOG_INFO, NULL, "%s", text);
        line = next_line();
        ck_assert_uint_eq(strlen(line), 2048 + 1);
        ck_assert_int_eq(line[2048], '\n');

        memset(text, '\001', sizeof(text) - 1);
        log_write(LOG_EMERG, &context, "%s", text);
        line = next_line();
        ck_assert_uint_le(DATE_LENGTH + strlen(line), PIPE_BUF);
        ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
        ck_assert_str_eq(next_line(), "");
}
END_TEST

/* The cut never goes through a letter. */
START_TEST(test_stderr_long_letters) {
        char text[2100];
        const char *line;

        memset(text, 'x', sizeof(text));
        (void) strcpy(text + 2047, "\303\244");
        log_write(LOG_INFO, NULL, "%s", text);
        line = next_line();
        ck_assert_uint_eq(strlen(line), 2047 + 1);

        (void) strcpy(text + 2046, "\303\244");
        log_write(LOG_INFO, NULL, "%s", text);
        line = next_line();
        ck_assert_uint_eq(strlen(line), 2048 + 1);
}
END_TEST

START_TEST(test_errno) {
        errno = EXDEV;
        log_info("%m");
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_str_eq(next_line(), "Invalid cross-device link\n");
        log_debug("dropped");
        ck_assert_int_eq(errno, EXDEV);

        ck_assert_int_eq(close(STDERR_FILENO), 0);
        errno = EXDEV;
        log_info("into the void");
        ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Nobody reads: what does not fit is lost, the program goes on (or this test times out). */
START_TEST(test_stderr_stuck) {
        unsigned taken = 0, later = 0;

        for (unsigned i = 0; i < 1000; i++)
                log_info("line");
        while (*next_line())
                taken++;
        ck_assert_uint_gt(taken, 0);
        ck_assert_uint_lt(taken, 1000);

        log_info("again");
        ck_assert_str_eq(next_line(), "again\n");
        for (unsigned i = 0; i < taken; i++)
                log_info("line");
        while (*next_line())
                later++;
        ck_assert_uint_eq(later, taken);
}
END_TEST

static struct {
        unsigned calls;
        int priority;
        LogContext context;
        char text[64];
} seen;

static void hook(void *userdata, int priority, const LogContext *context, const char *text) {
        ck_assert_ptr_eq(userdata, &seen);
        seen.calls++;
        seen.priority = priority;
        seen.context = *context;
        (void) snprintf(seen.text, sizeof(seen.text), "%s", text);
        errno = EPERM;
}

START_TEST(test_hook) {
        const LogContext context = {
                .message = MESSAGE_DAEMON_READY,
                .daemon = "web",
                .phase = "drain",
        };

        memset(&seen, 0, sizeof(seen));
        log_use(hook, &seen);
        errno = EXDEV;
        log_write(LOG_NOTICE, &context, "ready\nin %d s", 3);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_int_eq(seen.priority, LOG_NOTICE);
        ck_assert_int_eq(seen.context.message, MESSAGE_DAEMON_READY);
        ck_assert_str_eq(seen.context.daemon, "web");
        ck_assert_str_eq(seen.context.phase, "drain");
        ck_assert_str_eq(seen.text, "ready\\x0ain 3 s");

        log_info("without context");
        ck_assert_int_eq(seen.context.message, MESSAGE_NONE);
        ck_assert_ptr_null(seen.context.daemon);
        log_debug("dropped");
        ck_assert_uint_eq(seen.calls, 2);
        ck_assert_str_eq(next_line(), "");

        log_use(NULL, NULL);
        log_info("to stderr");
        ck_assert_str_eq(next_line(), "to stderr\n");
        ck_assert_uint_eq(seen.calls, 2);
}
END_TEST

static void set_journal_stream(uintmax_t device, uintmax_t inode) {
        char text[64];

        (void) snprintf(text, sizeof(text), "%ju:%ju", device, inode);
        ck_assert_int_eq(setenv("JOURNAL_STREAM", text, 1), 0);
}

START_TEST(test_target) {
        struct stat st;

        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        log_open(LOG_AUTO);
        ck_assert(!log_is_journal());

        set_journal_stream(st.st_dev, st.st_ino);
        log_open(LOG_AUTO);
        ck_assert(log_is_journal());
        log_open(LOG_STDERR);
        ck_assert(!log_is_journal());

        /* Inherited, but stderr was redirected since. */
        set_journal_stream(st.st_dev, st.st_ino + 1);
        log_open(LOG_AUTO);
        ck_assert(!log_is_journal());
        set_journal_stream(st.st_dev + 1, st.st_ino);
        log_open(LOG_AUTO);
        ck_assert(!log_is_journal());
        ck_assert_int_eq(setenv("JOURNAL_STREAM", "garbage", 1), 0);
        log_open(LOG_AUTO);
        ck_assert(!log_is_journal());

        log_open(LOG_JOURNAL);
        ck_assert(log_is_journal());

        set_journal_stream(st.st_dev, st.st_ino);
        ck_assert_int_eq(close(STDERR_FILENO), 0);
        log_open(LOG_AUTO);
        ck_assert(!log_is_journal());
}
END_TEST

/* Without privileges: root of a user namespace in which we are the only user. */
static int enter_user_namespace(void) {
        char users[32], groups[32];

        (void) snprintf(users, sizeof(users), "0 %u 1", geteuid());
        (void) snprintf(groups, sizeof(groups), "0 %u 1", getegid());
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return -1;
        if (file_write(AT_FDCWD, "/proc/self/setgroups", "deny") != 0 ||
            file_write(AT_FDCWD, "/proc/self/uid_map", users) != 0 ||
            file_write(AT_FDCWD, "/proc/self/gid_map", groups) != 0)
                return -1;
        return 0;
}

/* A /run of our own, whatever there is on this machine. */
static int enter_namespace(void) {
        if (unshare(CLONE_NEWNS) < 0 && enter_user_namespace() < 0)
                return -1;
        if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        return mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m");
}

static bool may_enter_namespace(void) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
                _exit(enter_namespace() == 0 ? 0 : 1);
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static int journal = -1;

static void setup_journal(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

        setup_stderr();
        ck_assert_int_eq(enter_namespace(), 0);
        ck_assert_int_eq(directory_make(JOURNAL_DIRECTORY, 0755), 0);
        journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(journal, 0);
        ck_assert_int_eq(bind(journal, (struct sockaddr *) &address, sizeof(address)), 0);
        log_open(LOG_JOURNAL);
}

static void teardown_journal(void) {
        journal = fd_close(journal);
        teardown_stderr();
}

/* The next datagram of the journal's native protocol, or "" for none. */
static const char *next_entry(void) {
        static char entry[65536];
        ssize_t n = recv(journal, entry, sizeof(entry) - 1, 0);

        if (n < 0) {
                ck_assert_int_eq(errno, EAGAIN);
                return "";
        }
        entry[n] = '\0';
        return entry;
}

START_TEST(test_journal) {
        const LogContext context = {
                .message = MESSAGE_DAEMON_READY,
                .daemon = "web",
                .phase = "drain",
                .fields = (const char *const[]) { "PORT=80", "PEER=here", NULL },
        };
        char expected[512];

        errno = EXDEV;
        log_write(LOG_WARNING, &context, "took\n%d s", 3);
        ck_assert_int_eq(errno, EXDEV);
        (void) snprintf(expected, sizeof(expected),
                        "MESSAGE=web: took\\x0a3 s\nPRIORITY=4\nSYSLOG_IDENTIFIER=supervisord\n"
                        "MESSAGE_ID=%s\nSUPERVISOR_DAEMON=web\nSUPERVISOR_PHASE=drain\n"
                        "PORT=80\nPEER=here\n",
                        message_id_text(MESSAGE_DAEMON_READY));
        ck_assert_str_eq(next_entry(), expected);

        log_info("plain");
        ck_assert_str_eq(next_entry(),
                         "MESSAGE=plain\nPRIORITY=6\nSYSLOG_IDENTIFIER=supervisord\n");
        ck_assert_str_eq(next_entry(), "");
        ck_assert_str_eq(next_line(), ""); /* nothing twice */
}
END_TEST

START_TEST(test_journal_long) {
        char text[10000], name[1000];
        const LogContext context = { .daemon = name };
        const char *entry;

        memset(text, '\001', sizeof(text) - 1);
        memset(name, 'n', sizeof(name) - 1);
        text[sizeof(text) - 1] = name[sizeof(name) - 1] = '\0';
        log_write(LOG_INFO, &context, "%s", text);
        entry = next_entry();
        ck_assert_uint_eq(strcspn(entry, "\n"), strlen("MESSAGE=: ") + 256 + 2048);
        ck_assert_ptr_nonnull(strstr(entry, "\nSUPERVISOR_DAEMON=nnn"));
}
END_TEST

START_TEST(test_journal_many_fields) {
        const char *fields[101] = { NULL };
        const LogContext context = { .daemon = "web", .fields = fields };
        const char *entry;

        for (size_t i = 0; i < 100; i++)
                fields[i] = "KEY=value";
        log_write(LOG_INFO, &context, "text");
        entry = next_entry();
        ck_assert_ptr_nonnull(strstr(entry, "\nSUPERVISOR_DAEMON=web\nKEY=value\n"));
}
END_TEST

/* A line that the journal does not take is read on stderr. */
START_TEST(test_journal_fallback) {
        const LogContext wrong = { .fields = (const char *const[]) { "no field", NULL } };

        log_write(LOG_INFO, &wrong, "wrong field");
        ck_assert_str_eq(next_line(), "wrong field\n");

        journal = fd_close(journal);
        log_info("nobody listens");
        ck_assert_str_eq(next_line(), "nobody listens\n");
        ck_assert_int_eq(unlink(JOURNAL_SOCKET), 0);
        log_info("no socket");
        ck_assert_str_eq(next_line(), "no socket\n");
}
END_TEST

/* A journald that hangs stops nobody (or this test times out), and no line is lost or twice. */
START_TEST(test_journal_stuck) {
        unsigned written = 0, entries = 0, lines = 0;

        /* Until the socket is full, and a good while longer. */
        for (; lines < 100; written++) {
                log_info("line");
                while (*next_line())
                        lines++;
        }
        while (*next_entry())
                entries++;
        ck_assert_uint_gt(entries, 0);
        ck_assert_uint_eq(entries + lines, written);

        log_info("again");
        ck_assert_ptr_nonnull(strstr(next_entry(), "MESSAGE=again\n"));
}
END_TEST

static TCase *make_stderr_case(void) {
        TCase *tcase = tcase_create("stderr");

        tcase_add_checked_fixture(tcase, setup_stderr, teardown_stderr);
        tcase_add_test(tcase, test_stderr);
        tcase_add_test(tcase, test_stderr_priorities);
        tcase_add_test(tcase, test_priority);
        tcase_add_test(tcase, test_stderr_control_characters);
        tcase_add_test(tcase, test_stderr_long);
        tcase_add_test(tcase, test_stderr_long_letters);
        tcase_add_test(tcase, test_errno);
        tcase_add_test(tcase, test_stderr_stuck);
        tcase_add_test(tcase, test_hook);
        tcase_add_test(tcase, test_target);
        return tcase;
}

static TCase *make_journal_case(void) {
        TCase *tcase = tcase_create("journal");

        tcase_add_checked_fixture(tcase, setup_journal, teardown_journal);
        tcase_add_test(tcase, test_journal);
        tcase_add_test(tcase, test_journal_long);
        tcase_add_test(tcase, test_journal_many_fields);
        tcase_add_test(tcase, test_journal_fallback);
        tcase_add_test(tcase, test_journal_stuck);
        return tcase;
}

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/log");

        suite_add_tcase(suite, make_stderr_case());
        if (may_enter_namespace())
                suite_add_tcase(suite, make_journal_case());
        else
                printf("# journal tests left out: no mount namespace may be made here\n");
        return suite;
}

int main(void) {
        return unit_main_apart(make_suite());
}
