/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/spawn_cached: what is in memory is found to be, and nothing else; nor what is in doubt. */

#include "sys/spawn_cached.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "spawning.h"
#include "sys/spawn_vfork.h"
#include "unit.h"

/* /tmp may be a file system without a disk. */
static char directory[] = "/var/tmp/test-spawn-cached-XXXXXX", path[256], *where;

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(directory));
        where = realpath(directory, NULL);
        ck_assert_ptr_nonnull(where);
        snprintf(path, sizeof(path), "%s/program", where);
}

static void teardown(void) {
        unlink(path);
        ck_assert_int_eq(rmdir(where), 0);
        free(where);
        memset(strchr(directory, '\0') - 6, 'X', 6);
}

static void write_program(const char *text) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        ck_assert_int_eq(fsync(fd), 0);
        fd_close(fd);
}

/* Whether the kernel did drop it: a file system in memory does not. */
static bool drop_program(void) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        unsigned char resident = 1;
        void *page;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
        page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
        ck_assert_ptr_ne(page, MAP_FAILED);
        ck_assert_int_eq(mincore(page, 1, &resident), 0);
        ck_assert_int_eq(munmap(page, 1), 0);
        fd_close(fd);
        return !(resident & 1);
}

/* A lookup that meets a mount or a rename elsewhere is in doubt: then it is asked again. */
static bool is_cached_now(const char *program, const char *from) {
        for (unsigned tries = 0; tries < 100; tries++)
                if (spawn_is_cached(program, from))
                        return true;
        return false;
}

START_TEST(test_at_hand) {
        char none[300];

        write_program("no matter what");
        ck_assert(is_cached_now(path, NULL));
        ck_assert(is_cached_now(path, where));
        snprintf(none, sizeof(none), "%s/none", where);
        ck_assert(!spawn_is_cached(none, NULL));
        ck_assert(!spawn_is_cached(path, none));
        ck_assert(!spawn_is_cached(path, path));
        ck_assert(!spawn_is_cached(where, NULL));
}
END_TEST

START_TEST(test_on_disk_only) {
        char text[8];
        int fd;

        write_program("no matter what");
        ck_assert(drop_program() ? !spawn_is_cached(path, NULL) : is_cached_now(path, NULL));
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(read(fd, text, sizeof(text)), sizeof(text));
        fd_close(fd);
        ck_assert(is_cached_now(path, NULL));
}
END_TEST

START_TEST(test_scripts) {
        static const struct {
                const char *text;
                bool cached;
        } scripts[] = {
                { "#!/bin/sh\n", true },       { "#! \t/bin/sh -e\nexit\n", true },
                { "#!/bin/sh", true },          { "#!/nonexistent/sh\n", false },
                { "#!\n", false },              { "#!", false },
                { "#!program\n", false }, /* itself, without an end */
        };

        for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
                write_program(scripts[i].text);
                ck_assert_msg(is_cached_now(path, where) == scripts[i].cached, "%s",
                              scripts[i].text);
        }
}
END_TEST

/* What spawn() makes of it: whether the exec is over when it returns. */
static bool spawns_at_once(const SpawnRequest *request) {
        Spawned spawned = spawning_start(request);
        bool at_once = spawned.report_fd < 0;

        ck_assert_int_eq(spawning_status(&spawned), 0);
        return at_once;
}

START_TEST(test_spawn) {
        SpawnRequest request = spawning_request(SPAWNING_TRUE);
        bool at_once = false;

        spawn_limit(SPAWN_COPYING);
        ck_assert(!spawns_at_once(&request));
        spawn_limit(SPAWN_SHARING);
        for (unsigned tries = 0; tries < 100 && !at_once; tries++)
                at_once = spawns_at_once(&request);
        ck_assert(at_once);
}
END_TEST

/* Nobody waits for whoever is to write into it. */
START_TEST(test_fifo) {
        ck_assert_int_eq(mkfifo(path, 0700), 0);
        ck_assert(!spawn_is_cached(path, NULL));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("spawn_cached");

        if (!is_cached_now("/bin/sh", NULL)) {
                unit_add_skipped(suite, "cached", "no openat2(2) with RESOLVE_CACHED");
                return unit_main(suite);
        }

        TCase *tcase = tcase_create("cached");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_at_hand);
        tcase_add_test(tcase, test_on_disk_only);
        tcase_add_test(tcase, test_scripts);
        tcase_add_test(tcase, test_fifo);
        if (SPAWN_VFORK_IS_BUILT_IN)
                tcase_add_test(tcase, test_spawn);
        suite_add_tcase(suite, tcase);
        return unit_main(suite);
}
