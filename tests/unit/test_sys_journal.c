/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/journal: what journald gets to see, with a socket in its place; nothing waits for it. And the
 * unit that we are in, in cgroups that are named like units.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/file.h"
#include "place.h"
#include "sys/journal.h"
#include "unit.h"

#define STREAM_PATH "/run/systemd/journal/stdout"

static Place program;

static unsigned count_descriptors(void) {
        DIR *entries = opendir("/proc/self/fd");
        unsigned count = 0;

        ck_assert_ptr_nonnull(entries);
        while (readdir(entries))
                count++;
        (void) closedir(entries);
        return count;
}

static int listen_as_journald(int backlog) {
        const struct sockaddr_un address = { AF_UNIX, STREAM_PATH };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(mkdir("/run/systemd/journal", 0755), 0);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, backlog), 0);
        return fd;
}

/* In these, /run is ours alone. */

typedef struct StreamCase {
        const char *identifier, *unit;
        int priority;
        const char *header;
} StreamCase;

static const StreamCase stream_cases[] = {
        { "web", "supervisord.service", LOG_INFO, "web\nsupervisord.service\n6\n1\n0\n0\n0\n" },
        { "web", NULL, LOG_ERR, "web\n\n3\n1\n0\n0\n0\n" },
        { "", "", LOG_EMERG, "\n\n0\n1\n0\n0\n0\n" },
        { "a b%s%n", "x.scope", LOG_DEBUG, "a b%s%n\nx.scope\n7\n1\n0\n0\n0\n" },
};

static void stream(void *userdata) {
        const StreamCase *c = userdata;
        size_t length = strlen(c->header);
        char text[256] = "";
        int journald, peer, fd;

        place_hide_run(false);
        journald = listen_as_journald(8);
        ck_assert_int_eq(journal_stream_open(c->identifier, c->unit, c->priority, &fd), 0);
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(write(fd, "line\n", 5), 5);
        ck_assert_int_eq(fd_close(fd), -1);

        /* All of it is there although nobody has accepted the connection yet. */
        peer = accept(journald, NULL, NULL);
        ck_assert_int_eq(recv(peer, text, length, MSG_WAITALL), (ssize_t) length);
        ck_assert_str_eq(text, c->header);
        memset(text, 0, sizeof(text));
        ck_assert_int_eq(recv(peer, text, sizeof(text), MSG_WAITALL), 5);
        ck_assert_str_eq(text, "line\n");
        fd_close(peer);
        fd_close(journald);
}

START_TEST(test_stream) {
        place_run(NULL, stream, (void *) &stream_cases[_i]);
}
END_TEST

/* Nothing can be read from it, and journald finds out. */
static void one_way(void *userdata) {
        int journald, peer, fd;
        char byte;

        (void) userdata;
        place_hide_run(false);
        journald = listen_as_journald(8);
        ck_assert_int_eq(journal_stream_open("web", NULL, LOG_INFO, &fd), 0);
        peer = accept(journald, NULL, NULL);
        ck_assert_int_eq(read(fd, &byte, 1), 0);
        ck_assert_int_eq(send(peer, "x", 1, MSG_NOSIGNAL), -1);
        ck_assert_int_eq(errno, EPIPE);
        fd_close(fd);
        fd_close(peer);
        fd_close(journald);
}

START_TEST(test_one_way) {
        place_run(NULL, one_way, NULL);
}
END_TEST

static void assert_absent(void) {
        unsigned before = count_descriptors();
        int fd = 4711;

        ck_assert_int_eq(journal_stream_open("web", NULL, LOG_INFO, &fd), JOURNAL_E_ABSENT);
        ck_assert_int_eq(fd, 4711);
        ck_assert_uint_eq(count_descriptors(), before);
}

static void absent(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        assert_absent();
        ck_assert_int_eq(rmdir("/run/systemd"), 0);
        assert_absent();
        fd_close(open("/run/systemd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        assert_absent();
}

/* The socket of a journald that has ended. */
static void dead(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        fd_close(listen_as_journald(8));
        assert_absent();
}

static void forbidden(void *userdata) {
        int journald;

        (void) userdata;
        place_hide_run(false);
        journald = listen_as_journald(8);
        ck_assert_int_eq(chmod(STREAM_PATH, 0), 0);
        ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
        assert_absent();
        fd_close(journald);
}

/* One that accepts nothing any more must not stop us. */
static void busy(void *userdata) {
        int journald, fds[64];
        unsigned count = 0;

        (void) userdata;
        place_hide_run(false);
        journald = listen_as_journald(2);
        while (count < ELEMENTSOF(fds)
               && journal_stream_open("web", NULL, LOG_INFO, &fds[count]) == 0)
                count++;
        ck_assert_uint_gt(count, 0);
        ck_assert_uint_lt(count, ELEMENTSOF(fds));
        assert_absent();
        while (count > 0)
                fd_close(fds[--count]);
        fd_close(journald);
}

static void (*const absences[])(void *userdata) = { absent, dead, forbidden, busy };

START_TEST(test_absent) {
        place_run(NULL, absences[_i], NULL);
}
END_TEST

/* A break would begin the next field of the header. */
START_TEST(test_line_break) {
        int fd = 4711;

        ck_assert_int_eq(journal_stream_open("web\nx", NULL, LOG_INFO, &fd), -EINVAL);
        ck_assert_int_eq(journal_stream_open("web", "a\nb.service", LOG_INFO, &fd), -EINVAL);
        ck_assert_int_eq(fd, 4711);
}
END_TEST

typedef struct UnitCase {
        const char *groups[4]; /* one below the other */
        const char *unit;      /* NULL: that of the test program itself */
} UnitCase;

static const UnitCase unit_cases[] = {
        { { "system.slice", "a.service" }, "a.service" },
        { { "b.service", "supervisor" }, "b.service" },
        { { "user@0.service", "app.slice", "c.service" }, "c.service" },
        { { "session-1.scope" }, "session-1.scope" },
        { { "d.service", "e.service.daemon" }, "d.service" },
        { { "f.service", "g.scope", "h" }, "g.scope" },
        { { "i.service", "init.scope" }, "i.service" },
        { { "j.slice", "k.socket" }, NULL },
        { { ".service.x", "service" }, NULL },
        { { "plain" }, NULL },
};

static void own_unit(void *userdata) {
        const char *expected = userdata, *unit = journal_own_unit();

        if (!expected) {
                ck_assert_ptr_null(unit);
                return;
        }
        ck_assert_ptr_nonnull(unit);
        ck_assert_str_eq(unit, expected);
}

START_TEST(test_own_unit) {
        const UnitCase *c = &unit_cases[_i];
        const char *outer = journal_own_unit();
        CLEANUP(freep) char *own = outer ? strdup(outer) : NULL;
        Place place;
        char name[32];

        snprintf(name, sizeof(name), "unit.%d.%d", (int) getpid(), _i);
        place_make_below(&program, name, &place);
        for (size_t i = 0; i < ELEMENTSOF(c->groups) && c->groups[i]; i++)
                place_make_below(&place, c->groups[i], &place);
        place_run(&place, own_unit, c->unit ? (void *) c->unit : own);
}
END_TEST

/* As long as names can be. */
START_TEST(test_own_unit_longest) {
        char name[256];
        Place place;

        memset(name, 'n', sizeof(name));
        memcpy(name + 255 - strlen(".service"), ".service", strlen(".service") + 1);
        place_make_below(&program, name, &place);
        place_run(&place, own_unit, (void *) name);
}
END_TEST

static Suite *make_suite(const char *unable) {
        Suite *suite = suite_create("journal");
        TCase *open = tcase_create("open"), *tcase;

        tcase_add_test(open, test_line_break);
        suite_add_tcase(suite, open);
        if (unable) {
                unit_add_skipped(suite, "stream and unit", unable);
                return suite;
        }

        tcase = tcase_create("stream");
        tcase_add_loop_test(tcase, test_stream, 0, ELEMENTSOF(stream_cases));
        tcase_add_test(tcase, test_one_way);
        tcase_add_loop_test(tcase, test_absent, 0, ELEMENTSOF(absences));
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("unit");
        tcase_add_loop_test(tcase, test_own_unit, 0, ELEMENTSOF(unit_cases));
        tcase_add_test(tcase, test_own_unit_longest);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        const char *unable = place_make(&program);
        int status;

        status = unit_main(make_suite(unable));
        if (!unable)
                place_remove(&program);
        return status;
}
