/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/permit: what a daemon's user may do with a path, by owner, group, further groups and
 * others, at each directory on the way.
 */

#include "config/permit.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "configs.h"
#include "unit.h"

#define SOMEONE 12345
#define FRIENDS 12346
#define OTHERS  12347

static char folder[CONFIGS_FOLDER_MAX];
static gid_t groups[] = { OTHERS };
static DaemonConfig web;

static void setup(void) {
        configs_folder_make(folder);
        ck_assert_int_eq(chmod(folder, 0755), 0);
        web = (DaemonConfig){
                .identity = { .switch_user = true,
                              .uid = SOMEONE,
                              .gid = FRIENDS,
                              .groups = groups,
                              .group_count = 1 },
        };
}

static void teardown(void) {
        configs_folder_remove(folder);
}

static void make_directory(const char *name, uid_t uid, gid_t gid, mode_t mode) {
        CLEANUP(freep) char *path = configs_path(folder, name);

        ck_assert_int_eq(mkdir(path, 0700), 0);
        ck_assert_int_eq(chown(path, uid, gid), 0);
        ck_assert_int_eq(chmod(path, mode), 0);
}

static void make_file(const char *name, uid_t uid, mode_t mode) {
        CLEANUP(freep) char *path = configs_path(folder, name);

        configs_write(folder, name, "4711\n");
        ck_assert_int_eq(chown(path, uid, FRIENDS), 0);
        ck_assert_int_eq(chmod(path, mode), 0);
}

static void expect(const char *name, int outcome) {
        CLEANUP(freep) char *path = configs_path(folder, name);
        size_t length;

        ck_assert_int_eq(permit_make(&web, path, &length), outcome);
}

static void expect_text(const char *name, const char *before, const char *at, const char *after) {
        CLEANUP(freep) char *path = configs_path(folder, name), *where = configs_path(folder, at);
        char text[PERMIT_TEXT_MAX], wanted[PERMIT_TEXT_MAX];
        size_t length;

        int r = permit_make(&web, path, &length);
        (void) snprintf(wanted, sizeof(wanted), "%s%s%s", before, where, after);
        ck_assert_str_eq(permit_text(text, r, path, length), wanted);
}

START_TEST(test_as_ourselves) {
        web.identity.switch_user = false;
        expect("x", 0);
        expect("nowhere/x", PERMIT_E_MISSING);
        expect_text("nowhere/x/y", "the directory ", "nowhere", " does not exist");
}
END_TEST

START_TEST(test_directory) {
        make_directory("own", SOMEONE, 0, 0700);
        make_directory("own-closed", SOMEONE, FRIENDS, 0077);
        make_directory("friends", 0, FRIENDS, 0730);
        make_directory("friends-closed", 0, FRIENDS, 0707);
        make_directory("further", 0, OTHERS, 0730);
        make_directory("strangers", 0, 0, 0770);
        make_directory("open", 0, 0, 0777);
        make_directory("readable", 0, 0, 0755);
        expect("own/x", 0);
        expect("own-closed/x", PERMIT_E_ENTER);
        expect("friends/x", 0);
        expect("friends-closed/x", PERMIT_E_ENTER);
        expect("further/x", 0);
        expect("strangers/x", PERMIT_E_ENTER);
        expect("open/x", 0);
        expect("readable/x", PERMIT_E_WRITE);
        expect("nowhere/x", PERMIT_E_MISSING);
        web.identity.switch_user = false; /* as ourselves */
        expect("strangers/x", 0);
}
END_TEST

START_TEST(test_way) {
        make_directory("closed", 0, 0, 0700);
        make_directory("closed/open", 0, 0, 0777);
        make_directory("closed/open/x", 0, 0, 0777);
        make_directory("pass", 0, 0, 0711);
        make_directory("pass/open", SOMEONE, 0, 0700);
        make_file("file", 0, 0644);
        expect("closed/open/x/y", PERMIT_E_ENTER);
        expect("pass/open/x", 0);
        expect("file/x", PERMIT_E_MISSING);
        expect("a//b", PERMIT_E_MISSING);
        expect_text("closed/open/x/y", "its user may not enter ", "closed", "");
        expect_text("pass/x", "its user may not write into ", "pass", "");
}
END_TEST

/* supervisord removes what is there; so the directory counts, where it is root. */
START_TEST(test_file) {
        make_directory("own", SOMEONE, 0, 0700);
        make_directory("readable", 0, 0, 0755);
        make_file("own/of-root", 0, 0644);
        make_file("readable/of-root", 0, 0644);
        make_file("readable/of-friends", 0, 0664);
        make_file("readable/own", SOMEONE, 0600);
        expect("own/of-root", 0);
        expect("readable/of-root", PERMIT_E_WRITE);
        expect("readable/of-friends", 0);
        expect("readable/own", 0);
}
END_TEST

static bool is_prepared(const char *name) {
        CLEANUP(freep) char *path = configs_path(folder, name);

        return permit_is_prepared(&web, path);
}

START_TEST(test_prepared) {
        make_directory("own", SOMEONE, 0, 0700);
        make_directory("readable", 0, 0, 0755);
        make_file("own/own", SOMEONE, 0600);
        make_file("readable/own", SOMEONE, 0600);
        make_file("readable/of-root", 0, 0644);
        make_directory("readable/directory", SOMEONE, 0, 0700);
        ck_assert(!is_prepared("own/own"));
        ck_assert(is_prepared("readable/own"));
        ck_assert(!is_prepared("readable/of-root"));
        ck_assert(!is_prepared("readable/directory"));
        ck_assert(!is_prepared("readable/nothing"));
        web.identity.switch_user = false;
        ck_assert(!is_prepared("readable/own"));
}
END_TEST

/* Where supervisord is nobody special: another one's file in /tmp stays. */
START_TEST(test_kept) {
        int status;

        make_directory("sticky", 0, 0, 01777);
        make_file("sticky/of-root", 0, 0644);
        make_file("sticky/own", SOMEONE, 0644);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (setgid(FRIENDS) != 0 || setuid(SOMEONE) != 0)
                        _exit(100);
                web.identity.switch_user = false;
                expect("sticky/of-root", PERMIT_E_KEPT);
                expect("sticky/own", 0);
                expect("sticky/nothing", 0);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("config/permit");
        TCase *tcase = tcase_create("permit");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_as_ourselves);
        if (geteuid() == 0) { /* only root can be somebody else */
                tcase_add_test(tcase, test_directory);
                tcase_add_test(tcase, test_way);
                tcase_add_test(tcase, test_file);
                tcase_add_test(tcase, test_prepared);
                tcase_add_test(tcase, test_kept);
        }
        suite_add_tcase(suite, tcase);
        return unit_main(suite);
}
