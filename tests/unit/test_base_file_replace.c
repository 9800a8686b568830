/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * file_replace(): all of the new content or the old one, and nothing beside it.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

#define LARGE 100000
#define ROOM  5000

static char directory[40];
static int directory_fd;

static void setup(void) {
        (void) strcpy(directory, "/tmp/test-file-replace-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        directory_fd = open(directory, O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory_fd, 0);
        (void) umask(022);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position) {
        (void) st;
        (void) type;
        (void) position;
        return remove(path);
}

static void teardown(void) {
        fd_close(directory_fd);
        ck_assert_int_eq(nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int replace(const char *name, const char *text) {
        return file_replace(directory_fd, name, text, strlen(text), 0640);
}

static void assert_content(const char *name, const char *wanted, size_t wanted_size) {
        CLEANUP(freep) char *content = NULL;
        size_t size;

        ck_assert_int_eq(file_read(directory_fd, name, LARGE, FILE_NO_SYMLINK, &content, &size), 0);
        ck_assert_uint_eq(size, wanted_size);
        ck_assert_mem_eq(content, wanted, size);
}

static void assert_text(const char *name, const char *wanted) {
        assert_content(name, wanted, strlen(wanted));
}

static bool is_there(const char *name) {
        return faccessat(directory_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(test_made_and_replaced) {
        struct stat st;

        ck_assert_int_eq(replace("state", "one\n"), 0);
        assert_text("state", "one\n");
        ck_assert_int_eq(fstatat(directory_fd, "state", &st, 0), 0);
        ck_assert_uint_eq(st.st_mode, S_IFREG | 0640);

        ck_assert_int_eq(replace("state", "longer than the first\n"), 0);
        assert_text("state", "longer than the first\n");
        ck_assert_int_eq(replace("state", ""), 0);
        assert_text("state", "");
        ck_assert(!is_there("state.new"));
}
END_TEST

START_TEST(test_any_content) {
        CLEANUP(freep) char *content = malloc(LARGE);

        ck_assert_ptr_nonnull(content);
        for (size_t i = 0; i < LARGE; i++)
                content[i] = (char) (i % 251);
        ck_assert_int_eq(file_replace(directory_fd, "state", content, LARGE, 0644), 0);
        assert_content("state", content, LARGE);
}
END_TEST

/* Whoever has it open still reads the old one. */
START_TEST(test_old_one_stays_whole) {
        CLEANUP(fd_closep) int fd = -1;
        char text[16] = "";

        ck_assert_int_eq(replace("state", "old"), 0);
        fd = openat(directory_fd, "state", O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(replace("state", "new"), 0);
        ck_assert_int_eq(read(fd, text, sizeof(text)), 3);
        ck_assert_str_eq(text, "old");
}
END_TEST

/* What was left by a process that was killed, or put there: never written through. */
START_TEST(test_left_behind) {
        ck_assert_int_eq(replace("precious", "precious"), 0);
        ck_assert_int_eq(symlinkat("precious", directory_fd, "state.new"), 0);
        ck_assert_int_eq(replace("state", "one"), 0);
        assert_text("precious", "precious");
        assert_text("state", "one");
        ck_assert(!is_there("state.new"));

        ck_assert_int_eq(symlinkat("precious", directory_fd, "link"), 0);
        ck_assert_int_eq(replace("link", "two"), 0); /* the link itself went */
        assert_text("precious", "precious");
        assert_text("link", "two");
}
END_TEST

START_TEST(test_in_the_way) {
        ck_assert_int_eq(mkdirat(directory_fd, "state", 0755), 0);
        ck_assert_int_eq(replace("state", "one"), -EISDIR);
        ck_assert(!is_there("state.new"));

        ck_assert_int_eq(replace("nothing/state", "one"), -ENOENT);
        ck_assert_int_eq(mkdirat(directory_fd, "other.new", 0755), 0);
        ck_assert_int_lt(replace("other", "one"), 0);
        ck_assert(!is_there("other"));
        ck_assert(is_there("other.new"));
}
END_TEST

/* As on a full disk: a part can be written, the rest not. */
START_TEST(test_no_room) {
        CLEANUP(freep) char *content = calloc(1, LARGE);
        struct rlimit limit = { .rlim_cur = ROOM, .rlim_max = RLIM_INFINITY }, before;

        ck_assert_ptr_nonnull(content);
        ck_assert_int_eq(replace("state", "old"), 0);
        (void) signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit.rlim_max = before.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);

        ck_assert_int_eq(file_replace(directory_fd, "state", content, LARGE, 0644), -EFBIG);
        assert_text("state", "old");
        ck_assert(!is_there("state.new"));
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/file, replacing");
        TCase *tcase = tcase_create("replace");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_made_and_replaced);
        tcase_add_test(tcase, test_any_content);
        tcase_add_test(tcase, test_old_one_stays_whole);
        tcase_add_test(tcase, test_left_behind);
        tcase_add_test(tcase, test_in_the_way);
        tcase_add_test(tcase, test_no_room);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
