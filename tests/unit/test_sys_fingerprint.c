/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/fingerprint: every way to change a file or a directory is seen, and nothing else is. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/fingerprint.h"
#include "unit.h"

static char directory[48];

static void setup(void) {
        (void) strcpy(directory, "/tmp/test-fingerprint-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void teardown(void) {
        char command[96];

        snprintf(command, sizeof(command), "rm -rf %s", directory);
        ck_assert_int_eq(system(command), 0);
}

/* A path in the directory; a few of them at a time. */
static const char *in(const char *name) {
        static char paths[4][96];
        static unsigned next;
        char *path = paths[next++ % ELEMENTSOF(paths)];

        snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
        return path;
}

static void write_file(const char *name, const char *content) {
        int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t) strlen(content));
        fd_close(fd);
}

/* So that a change of the same size at the same tick of the kernel's clock is seen too. */
static void set_time(const char *name, time_t seconds) {
        const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

        ck_assert_int_eq(utimensat(AT_FDCWD, in(name), times, 0), 0);
}

static uint64_t take(const char *name) {
        return fingerprint_take(in(name));
}

#define assert_same(name, before)    ck_assert_uint_eq(take(name), (before))
#define assert_changed(name, before) ck_assert_uint_ne(take(name), (before))

START_TEST(a_file_by_what_stat_says) {
        write_file("f", "one");
        set_time("f", 1000);
        uint64_t before = take("f");

        assert_same("f", before);
        int fd = open(in("f"), O_RDONLY | O_CLOEXEC); /* reading is no change */
        ck_assert_int_ge(fd, 0);
        fd_close(fd);
        assert_same("f", before);

        set_time("f", 1001);
        assert_changed("f", before);
        before = take("f");
        write_file("f", "longer");
        assert_changed("f", before);

        /* replaced as a whole, by one of the same size and time */
        write_file("f", "same");
        set_time("f", 1000);
        before = take("f");
        write_file("g", "SAME");
        set_time("g", 1000);
        ck_assert_int_eq(rename(in("g"), in("f")), 0);
        assert_changed("f", before);
}
END_TEST

START_TEST(coming_and_going) {
        uint64_t missing = take("f");

        assert_same("f", missing);
        write_file("f", "");
        uint64_t there = take("f");
        ck_assert_uint_ne(there, missing);
        ck_assert_int_eq(unlink(in("f")), 0);
        assert_same("f", missing);
        ck_assert_int_eq(mkdir(in("f"), 0755), 0);
        assert_changed("f", missing);
        assert_changed("f", there);
}
END_TEST

START_TEST(links_count_by_what_they_mean) {
        write_file("f", "one");
        set_time("f", 1000);
        write_file("g", "two");
        ck_assert_int_eq(symlink("f", in("link")), 0);
        uint64_t before = take("link");

        ck_assert_uint_eq(before, take("f"));
        set_time("f", 2000);
        assert_changed("link", before);
        before = take("link");
        ck_assert_int_eq(unlink(in("link")), 0);
        ck_assert_int_eq(symlink("g", in("link")), 0);
        assert_changed("link", before);
}
END_TEST

START_TEST(a_directory_by_its_entries) {
        ck_assert_int_eq(mkdir(in("d"), 0755), 0);
        uint64_t empty = take("d");

        write_file("d/a", "one");
        set_time("d/a", 1000);
        uint64_t one = take("d");
        ck_assert_uint_ne(one, empty);
        assert_same("d", one);
        set_time("d/a", 1001);
        assert_changed("d", one);

        one = take("d");
        write_file("d/b", "");
        assert_changed("d", one);
        ck_assert_int_eq(unlink(in("d/b")), 0);
        assert_same("d", one); /* it is as it was, whatever its own times say */
        ck_assert_int_eq(rename(in("d/a"), in("d/c")), 0);
        assert_changed("d", one);

        /* one level: of a directory below, its own times count */
        ck_assert_int_eq(mkdir(in("d/below"), 0755), 0);
        one = take("d");
        set_time("d/below", 1000);
        assert_changed("d", one);
}
END_TEST

START_TEST(editors_are_not_noticed) {
        ck_assert_int_eq(mkdir(in("d"), 0755), 0);
        write_file("d/a", "one");
        uint64_t before = take("d");

        write_file("d/.a.swp", "x");
        assert_same("d", before);
        ck_assert_int_eq(unlink(in("d/.a.swp")), 0);
        assert_same("d", before);
}
END_TEST

START_TEST(dangling_links_and_loops_have_one_too) {
        ck_assert_int_eq(mkdir(in("d"), 0755), 0);
        ck_assert_int_eq(symlink("nowhere", in("d/dangling")), 0);
        ck_assert_int_eq(symlink("loop", in("d/loop")), 0);
        uint64_t before = take("d");

        assert_same("d", before);
        write_file("d/nowhere", "");
        assert_changed("d", before);
        ck_assert_uint_ne(take("d/loop"), take("d/missing"));
}
END_TEST

START_TEST(nobody_is_waited_for) {
        ck_assert_int_eq(mkfifo(in("fifo"), 0600), 0);
        ck_assert_int_eq(mkdir(in("d"), 0755), 0);
        ck_assert_int_eq(mkfifo(in("d/fifo"), 0600), 0);
        assert_same("fifo", take("fifo"));
        assert_same("d", take("d"));
        assert_same("fifo/", take("fifo/"));
}
END_TEST

/* One too many: the directory as a whole, which sees who comes and goes. */
START_TEST(a_large_directory_counts_as_a_whole) {
        char name[32];

        ck_assert_int_eq(mkdir(in("d"), 0755), 0);
        for (int i = 0; i <= FINGERPRINT_ENTRIES_MAX; i++) {
                snprintf(name, sizeof(name), "d/%d", i);
                ck_assert_int_eq(mknod(in(name), S_IFREG | 0644, 0), 0);
        }
        set_time("d", 1000);
        uint64_t before = take("d");

        write_file("d/7", "more");
        assert_same("d", before);
        ck_assert_int_eq(unlink(in("d/7")), 0);
        write_file("d/7", "");
        assert_changed("d", before);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/fingerprint");
        TCase *tcase = tcase_create("fingerprint");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_file_by_what_stat_says);
        tcase_add_test(tcase, coming_and_going);
        tcase_add_test(tcase, links_count_by_what_they_mean);
        tcase_add_test(tcase, a_directory_by_its_entries);
        tcase_add_test(tcase, editors_are_not_noticed);
        tcase_add_test(tcase, dangling_links_and_loops_have_one_too);
        tcase_add_test(tcase, nobody_is_waited_for);
        tcase_add_test(tcase, a_large_directory_counts_as_a_whole);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
