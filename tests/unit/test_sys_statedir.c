/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/statedir: made once, one supervisor at a time, and what was written is there for the next.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/statedir.h"
#include "unit.h"

#define NOBODY 65534

static char base[32];
static char path[64];

static void setup(void) {
        (void) strcpy(base, "/tmp/test-statedir-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(base));
        ck_assert_int_eq(chmod(base, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/a/state", base);
        (void) umask(022);
}

static int remove_entry(const char *entry, const struct stat *st, int type, struct FTW *position) {
        (void) st;
        (void) type;
        (void) position;
        return remove(entry);
}

static void teardown(void) {
        ck_assert_int_eq(nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static StateDirectory *opened(void) {
        StateDirectory *directory = NULL;

        ck_assert_int_eq(state_directory_open(path, &directory), 0);
        ck_assert_ptr_nonnull(directory);
        ck_assert_str_eq(state_directory_path(directory), path);
        return directory;
}

static void assert_refused(int wanted) {
        StateDirectory *directory = NULL;

        ck_assert_int_eq(state_directory_open(path, &directory), wanted);
        ck_assert_ptr_null(directory);
}

START_TEST(test_made_and_kept) {
        StateDirectory *directory = opened();
        struct stat st;

        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
        ck_assert_ptr_null(state_directory_close(directory));
        ck_assert_int_eq(access(path, F_OK), 0);
        ck_assert_ptr_null(state_directory_close(NULL));

        ck_assert_int_eq(chmod(path, 0700), 0);
        state_directory_close(opened());
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700); /* as it was */
}
END_TEST

START_TEST(test_one_at_a_time) {
        StateDirectory *directory = opened();

        assert_refused(STATE_DIRECTORY_E_LOCKED);
        state_directory_close(directory);
        state_directory_close(opened());
}
END_TEST

START_TEST(test_in_the_way) {
        (void) snprintf(path, sizeof(path), "%s/file", base);
        fd_close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        assert_refused(-ENOTDIR);

        (void) snprintf(path, sizeof(path), "%s/file/state", base);
        assert_refused(-ENOTDIR);

        (void) snprintf(path, sizeof(path), "%s/link", base);
        ck_assert_int_eq(symlink("nothing", path), 0);
        assert_refused(-ENOENT);
}
END_TEST

/* In a process that is not root. */
static void open_as_nobody(void) {
        StateDirectory *directory = NULL;
        pid_t pid = fork();
        int status = 0;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
                        _exit(1);
                _exit(state_directory_open(path, &directory) == -EACCES ? 0 : 2);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}

START_TEST(test_no_permission) {
        open_as_nobody(); /* it cannot be made */
        state_directory_close(opened());
        open_as_nobody(); /* it cannot be written */
        state_directory_close(opened());
}
END_TEST

START_TEST(test_files) {
        StateDirectory *directory = opened();
        CLEANUP(freep) char *content = NULL;
        size_t size;

        ck_assert_int_eq(state_directory_read(directory, "a", 9, &content, &size), FILE_E_MISSING);
        ck_assert_int_eq(state_directory_write(directory, "a", "one\0two", 7), 0);
        ck_assert_int_eq(state_directory_read(directory, "a", 6, &content, &size),
                         FILE_E_TOO_LARGE);
        state_directory_close(directory);

        directory = opened();
        ck_assert_int_eq(state_directory_read(directory, "a", 7, &content, &size), 0);
        ck_assert_uint_eq(size, 7);
        ck_assert_mem_eq(content, "one\0two", 8);
        ck_assert_int_eq(state_directory_remove(directory, "a"), 0);
        ck_assert_int_eq(state_directory_remove(directory, "a"), 0);
        state_directory_close(directory);
}
END_TEST

START_TEST(test_directories) {
        StateDirectory *directory = opened();
        CLEANUP(freep) char *content = NULL;
        size_t size;

        ck_assert_int_lt(state_directory_write(directory, "below/a", "1", 1), 0);
        ck_assert_int_eq(state_directory_make(directory, "below"), 0);
        ck_assert_int_eq(state_directory_make(directory, "below"), 0);
        ck_assert_int_eq(state_directory_write(directory, "below/a", "1", 1), 0);
        ck_assert_int_eq(state_directory_read(directory, "below", 9, &content, &size),
                         FILE_E_NOT_REGULAR);
        ck_assert_int_eq(state_directory_make(directory, "below/a"), -ENOTDIR);

        (void) strcat(path, "/link");
        ck_assert_int_eq(symlink("below/a", path), 0);
        ck_assert_int_eq(state_directory_read(directory, "link", 9, &content, &size),
                         FILE_E_NOT_REGULAR);
        ck_assert_int_eq(state_directory_make(directory, "link"), -ENOTDIR);
        state_directory_close(directory);
}
END_TEST

static void count_name(void *userdata, const char *name) {
        unsigned *found = userdata;

        *found += strcmp(name, "a") == 0 ? 1 : strcmp(name, "b") == 0 ? 10 : 100;
}

START_TEST(test_names) {
        StateDirectory *directory = opened();
        unsigned found = 0;
        struct stat st;

        ck_assert_int_eq(state_directory_each(directory, "below", count_name, &found),
                         FILE_E_MISSING);
        ck_assert_int_eq(state_directory_make(directory, "below"), 0);
        ck_assert_int_eq(state_directory_each(directory, "below", count_name, &found), 0);
        ck_assert_uint_eq(found, 0);
        ck_assert_int_eq(state_directory_write_soon(directory, "below/a", "one", 3), 0);
        ck_assert_int_eq(state_directory_write_soon(directory, "below/a", "two", 3), 0);
        ck_assert_int_eq(state_directory_make(directory, "below/b"), 0);
        ck_assert_int_eq(state_directory_each(directory, "below", count_name, &found), 0);
        ck_assert_uint_eq(found, 11);
        ck_assert_int_lt(state_directory_each(directory, "below/a", count_name, &found), 0);

        (void) strcat(path, "/below");
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        (void) strcat(path, "/a");
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        state_directory_close(directory);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/statedir");
        TCase *tcase = tcase_create("statedir");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_made_and_kept);
        tcase_add_test(tcase, test_one_at_a_time);
        tcase_add_test(tcase, test_in_the_way);
        tcase_add_test(tcase, test_files);
        tcase_add_test(tcase, test_directories);
        tcase_add_test(tcase, test_names);
        if (getuid() == 0)
                tcase_add_test(tcase, test_no_permission);
        else
                unit_add_skipped(suite, "no permission", "only root can become somebody else");
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
