/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/notify: what systemd is told, word by word; and silence where there is no systemd.
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "sys/notify.h"
#include "unit.h"

static int listener;

/* An abstract socket in the place of systemd's. */
static void setup(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char name[64];
        int length = snprintf(name, sizeof(name), "@test-notify-%d", getpid());

        memcpy(address.sun_path, name, (size_t) length);
        address.sun_path[0] = '\0';
        listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(
                bind(listener, (struct sockaddr *) &address,
                     (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) length)),
                0);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void teardown(void) {
        listener = fd_close(listener);
        ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
}

static void assert_told(const char *wanted) {
        char text[2048] = "";

        ck_assert_int_ge(recv(listener, text, sizeof(text) - 1, 0), 0);
        ck_assert_str_eq(text, wanted);
}

static void assert_silence(void) {
        char byte;

        ck_assert_int_eq(recv(listener, &byte, 1, 0), -1);
}

START_TEST(test_states) {
        notify_ready("running: 5 of 5 daemons");
        assert_told("READY=1\nSTATUS=running: 5 of 5 daemons");
        notify_ready(NULL);
        assert_told("READY=1");
        notify_stopping("freeze: 1 of 5");
        assert_told("STOPPING=1\nSTATUS=freeze: 1 of 5");
        notify_stopping(NULL);
        assert_told("STOPPING=1");
        notify_status("100 % of db");
        assert_told("STATUS=100 % of db");
        notify_status(NULL);
        assert_told("STATUS=");
        assert_silence();
        ck_assert_ptr_nonnull(getenv("NOTIFY_SOCKET"));
}
END_TEST

/* systemd wants the time with it (Type=notify-reload). */
START_TEST(test_reloading) {
        const usec_t now = 1234567890;

        clock_use(&now);
        notify_reloading("checking");
        assert_told("RELOADING=1\nMONOTONIC_USEC=1234567890\nSTATUS=checking");
        notify_reloading(NULL);
        assert_told("RELOADING=1\nMONOTONIC_USEC=1234567890");
        clock_use(NULL);
}
END_TEST

START_TEST(test_extend) {
        notify_extend(30 * USEC_PER_SEC);
        assert_told("EXTEND_TIMEOUT_USEC=30000000");
}
END_TEST

START_TEST(test_long_status) {
        char status[4096], text[4096] = "";

        memset(status, 'x', sizeof(status));
        status[sizeof(status) - 1] = '\0';
        notify_ready(status);
        ck_assert_int_gt(recv(listener, text, sizeof(text) - 1, 0), 512);
        ck_assert_int_eq(strncmp(text, "READY=1\nSTATUS=xxx", 18), 0);
}
END_TEST

START_TEST(test_nobody_listens) {
        unsetenv("NOTIFY_SOCKET");
        notify_ready("here");
        notify_extend(1);
        assert_silence();

        setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
        notify_stopping("there");
        setenv("NOTIFY_SOCKET", "nonsense", 1);
        notify_status("nowhere");
        assert_silence();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/notify");
        TCase *tcase = tcase_create("notify");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_states);
        tcase_add_test(tcase, test_reloading);
        tcase_add_test(tcase, test_extend);
        tcase_add_test(tcase, test_long_status);
        tcase_add_test(tcase, test_nobody_listens);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
