/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * control: many clients at once, those that wait, are gone, do not read or may not, and the news
 * that all of them are told.
 */

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strv.h"
#include "serving.h"
#include "stub_service.h"
#include "unit.h"

#define PER_PROCESS 16
#define PER_CLIENT  16

/* Ends a call that a handler waits for; each answer is counted. */
static int count_answer(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        unsigned *counts = userdata;

        (void) error;
        counts[sd_bus_message_is_method_error(message, NULL) > 0]++;
        return 0;
}

static void process_until(sd_bus *bus, const unsigned *counts, unsigned wanted) {
        while (counts[0] + counts[1] < wanted) {
                int r = sd_bus_process(bus, NULL);

                ck_assert_int_ge(r, 0);
                if (r == 0)
                        ck_assert_int_gt(sd_bus_wait(bus, 20 * USEC_PER_SEC), 0);
        }
}

static void call_slow(sd_bus *bus, const char *member, unsigned *counts) {
        ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                                  member, count_answer, counts,
                                                  serving_types(member), 1, "slow", 0),
                         0);
}

/* Others are answered meanwhile, and each gets its own answer in the end. */
START_TEST(test_slow) {
        CLIENT(first);
        CLIENT(second);
        unsigned counts[2] = {};

        call_slow(first, "Start", counts);
        call_slow(first, "Stop", counts);
        while (sd_bus_process(first, NULL) > 0)
                ;
        serving_expect_property(second, "Mode", "running");
        serving_expect_property(first, "Mode", "running");
        ck_assert_uint_eq(counts[0] + counts[1], 0);
        ck_assert_int_ge(serving_signal(second, "slow", SIGUSR1), 0);
        process_until(first, counts, 2);
        ck_assert_uint_eq(counts[0], 2);
}
END_TEST

START_TEST(test_client_gone) {
        for (int i = 0; i < 20; i++) {
                CLIENT(bus);
                unsigned counts[2] = {};

                call_slow(bus, "Start", counts);
                serving_expect_property(bus, "Mode", "running");
        }
        CLIENT(other);
        ck_assert_int_ge(serving_signal(other, "slow", SIGUSR1), 0);
        serving_expect_property(other, "Status", STUB_STATUS "1");
}
END_TEST

START_TEST(test_too_many_calls) {
        CLIENT(bus);
        CLIENT(other);
        unsigned counts[2] = {};

        for (int i = 0; i < PER_CLIENT + 3; i++)
                call_slow(bus, "Restart", counts);
        process_until(bus, counts, 3);
        ck_assert_uint_eq(counts[1], 3);
        ck_assert_int_ge(serving_signal(other, "slow", SIGUSR1), 0);
        process_until(bus, counts, PER_CLIENT + 3);
        ck_assert_uint_eq(counts[0], PER_CLIENT);
        counts[0] = counts[1] = 0;
        call_slow(bus, "Restart", counts); /* there is room again */
        serving_expect_property(bus, "Mode", "running");
        ck_assert_uint_eq(counts[1], 0);
}
END_TEST

/* Who waits for a drain hears that somebody else called it off. */
START_TEST(test_thaw) {
        CLIENT(bus);
        CLIENT(other);
        unsigned counts[2] = {};

        call_slow(bus, "Drain", counts);
        call_slow(bus, "Start", counts);
        serving_expect_property(bus, "Mode", "running");
        ck_assert_uint_eq(counts[0] + counts[1], 0);
        sd_bus_message_unref(serving_call(other, "Thaw", "slow", NULL));
        process_until(bus, counts, 1);
        ck_assert_uint_eq(counts[1], 1);
        serving_expect_error(other, "Thaw", "slow", CONTROL_ERROR_NOT_FROZEN, "slow is running");
        /* also if it is the same one */
        call_slow(bus, "Drain", counts);
        call_slow(bus, "Thaw", counts);
        process_until(bus, counts, 3);
        ck_assert_uint_eq(counts[0], 1);
        ck_assert_uint_eq(counts[1], 2);
}
END_TEST

/* Answered, and so is what it cancels. */
START_TEST(test_shutdown) {
        CLIENT(bus);
        CLIENT(other);
        unsigned counts[2] = {};

        call_slow(other, "Start", counts);
        serving_expect_property(other, "Mode", "running");
        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Shutdown",
                                            NULL, NULL, "b", 1),
                         0);
        ck_assert_int_eq(serving_wait(), 7);
        process_until(other, counts, 1);
        ck_assert_uint_eq(counts[1], 1);
}
END_TEST

typedef struct Told {
        unsigned daemons, statuses, sets;
        char last[64];
} Told;

static int on_told(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Told *told = userdata;
        const char *name, *state, *reason, *status;
        uint64_t deadline;
        uint32_t pid;

        (void) error;
        if (sd_bus_message_is_signal(message, CONTROL_INTERFACE, "DaemonChanged") > 0) {
                ck_assert_int_gt(sd_bus_message_read(message, CONTROL_CHANGED, &name, &state, &pid,
                                                     &reason, &status, &deadline),
                                 0);
                told->daemons++;
        } else if (sd_bus_message_is_signal(message, CONTROL_INTERFACE, "SetChanged") > 0)
                told->sets++;
        else if (sd_bus_message_is_signal(message, CONTROL_INTERFACE, "StatusChanged") > 0) {
                ck_assert_int_gt(sd_bus_message_read(message, "s", &name), 0);
                snprintf(told->last, sizeof(told->last), "%s", name);
                told->statuses++;
        }
        return 0;
}

static void process_until_told(sd_bus *bus, const Told *told, const char *last) {
        while (strcmp(told->last, last) != 0) {
                int r = sd_bus_process(bus, NULL);

                ck_assert_int_ge(r, 0);
                if (r == 0)
                        ck_assert_int_gt(sd_bus_wait(bus, 20 * USEC_PER_SEC), 0);
        }
}

START_TEST(test_news) {
        CLIENT(bus);
        CLIENT(other);
        Told told = {};

        ck_assert_int_ge(sd_bus_add_filter(bus, NULL, on_told, &told), 0);
        serving_expect_property(bus, "Mode", "running"); /* from now on it is told */
        ck_assert_int_ge(serving_signal(other, "web", SIGUSR2), 0);
        process_until_told(bus, &told, STUB_STATUS "1");
        ck_assert_uint_eq(told.daemons, 4);
        ck_assert_uint_eq(told.sets, 0);
        ck_assert_int_ge(serving_signal(other, "web", SIGHUP), 0);
        process_until_told(bus, &told, STUB_STATUS "2");
        ck_assert_uint_eq(told.sets, 1);
        ck_assert_uint_eq(told.daemons, 4);
}
END_TEST

/* Who does not read gets less, and the last state at last; nobody else notices. */
START_TEST(test_slow_reader) {
        const unsigned changes = 300; /* more than fits; its patience ends after 10 s */
        CLIENT(bus);
        CLIENT(other);
        Told told = {};
        char last[64];

        ck_assert_int_ge(sd_bus_add_filter(bus, NULL, on_told, &told), 0);
        serving_expect_property(bus, "Mode", "running");
        for (unsigned i = 0; i < changes; i++)
                ck_assert_int_ge(serving_signal(other, "web", SIGUSR2), 0);
        snprintf(last, sizeof(last), STUB_STATUS "%u", changes);
        process_until_told(bus, &told, last);
        ck_assert_uint_ge(told.daemons, 4);
        ck_assert_uint_lt(told.statuses, changes);
        serving_expect_property(bus, "Status", last);
}
END_TEST

START_TEST(test_connections_of_a_process) {
        sd_bus *buses[PER_PROCESS];
        char byte;

        for (size_t i = 0; i < PER_PROCESS; i++) {
                buses[i] = serving_client();
                serving_expect_property(buses[i], "Mode", "running");
        }
        int fd = serving_connect();
        ck_assert_int_eq(read(fd, &byte, 1), 0);
        close(fd);
        serving_expect_property(buses[PER_PROCESS - 1], "Mode", "running");
        for (size_t i = 0; i < PER_PROCESS; i++)
                sd_bus_flush_close_unref(buses[i]);
        serving_expect();
}
END_TEST

static unsigned count_descriptors(void) {
        char name[64];
        unsigned count = 0;

        for (int fd = 0; fd < 256; fd++) {
                struct stat st;

                snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int) serving_pid, fd);
                count += lstat(name, &st) == 0;
        }
        return count;
}

START_TEST(test_nothing_leaks) {
        serving_expect();
        unsigned before = count_descriptors();

        for (int i = 0; i < 200; i++) {
                CLEANUP(fd_closep) int fd = serving_connect();

                ck_assert_int_ge(fd, 0);
                /* it may have been hung up on already */
                if (i % 2 == 0)
                        (void) send(fd, "\0AUTH EXTERNAL\r\nDATA\r\n", 23, MSG_NOSIGNAL);
        }
        /* the one that was served just before may still be among them */
        while (count_descriptors() > before + 1) {
                serving_expect();
                (void) usleep(1000);
        }
}
END_TEST

/* Records of reloads, but not what was in the configuration. */
static bool sees_part_of_records(sd_bus *bus) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **texts = NULL;

        return sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "ListRecords", NULL,
                                  &reply, "stu", "reload", (uint64_t) 0, 1u) >= 0 &&
               sd_bus_message_read_strv(reply, &texts) >= 0 && strv_length(texts) == 1 &&
               strncmp(texts[0], "reload 0 before 0  ", 19) == 0;
}

/* In a process of another user and group: what it may do, as the exit status. */
static int ask_as(gid_t gid) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (setgroups(1, &gid) < 0 || setgid(4444) < 0 || setuid(65534) < 0)
                return 100;
        int fd = serving_connect();
        sd_bus *bus = NULL;
        if (fd < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
            sd_bus_start(bus) < 0)
                return 0;
        sd_bus_message *list = serving_call(bus, "ListDaemons", NULL, NULL);
        sd_bus_message *start = serving_call(bus, "Start", "web", &error);
        int level = (list != NULL) + (start != NULL);
        if (level == 1 && strcmp(error.name, CONTROL_ERROR_DENIED) != 0)
                level = 101;
        if (level == 1 && !sees_part_of_records(bus))
                level = 102;
        sd_bus_message_unref(list);
        sd_bus_message_unref(start);
        sd_bus_flush_close_unref(bus);
        return level;
}

START_TEST(test_access) {
        static const gid_t groups[] = { 4545, SERVING_READER_GID, SERVING_ADMIN_GID };
        int status;

        serving_expect();
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(ask_as(groups[_i]));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), _i);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("control/server");
        TCase *cases = tcase_create("server");

        tcase_add_checked_fixture(cases, serving_setup, serving_teardown);
        tcase_add_test(cases, test_slow);
        tcase_add_test(cases, test_client_gone);
        tcase_add_test(cases, test_too_many_calls);
        tcase_add_test(cases, test_thaw);
        tcase_add_test(cases, test_shutdown);
        tcase_add_test(cases, test_news);
        tcase_add_test(cases, test_slow_reader);
        tcase_add_test(cases, test_connections_of_a_process);
        tcase_add_test(cases, test_nothing_leaks);
        if (geteuid() == 0)
                tcase_add_loop_test(cases, test_access, 0, 3);
        suite_add_tcase(suite, cases);
        if (geteuid() != 0)
                unit_add_skipped(suite, "access", "only root can change its groups");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
