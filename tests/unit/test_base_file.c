/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/file: whole files up to their limit, and nothing else; what is in the way has a name.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strv.h"
#include "unit.h"

#define NOBODY 65534

static char directory[32];
static int directory_fd;

static void setup(void) {
        (void) strcpy(directory, "/tmp/test-file-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0777), 0);
        directory_fd = open(directory, O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory_fd, 0);
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

static void make_file(const char *name, const char *content, size_t size) {
        int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, content, size), (ssize_t) size);
        fd_close(fd);
}

static void make_big_file(const char *name, size_t size) {
        CLEANUP(freep) char *content = malloc(size);

        ck_assert_ptr_nonnull(content);
        for (size_t i = 0; i < size; i++)
                content[i] = (char) (i % 251);
        make_file(name, content, size);
}

static void assert_read(const char *name,
                        size_t limit,
                        FileFlags flags,
                        const char *expected,
                        size_t expected_size) {
        CLEANUP(freep) char *content = NULL;
        size_t size = 0;

        ck_assert_int_eq(file_read(directory_fd, name, limit, flags, &content, &size), 0);
        ck_assert_uint_eq(size, expected_size);
        ck_assert_mem_eq(content, expected, expected_size);
        ck_assert_int_eq(content[size], '\0');
}

/* Whatever the reason: nothing is returned. */
static void assert_no_read(const char *name, size_t limit, FileFlags flags, int expected) {
        char *content = NULL;
        size_t size = 4711;

        ck_assert_int_eq(file_read(directory_fd, name, limit, flags, &content, &size), expected);
        ck_assert_ptr_null(content);
        ck_assert_uint_eq(size, 4711);
}

START_TEST(test_fd_close) {
        int fd = dup(directory_fd);

        ck_assert_int_ge(fd, 0);
        errno = EXDEV;
        ck_assert_int_eq(fd_close(fd), -1);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_int_eq(fcntl(fd, F_GETFD), -1);

        errno = EXDEV;
        ck_assert_int_eq(fd_close(fd), -1); /* EBADF stays inside */
        ck_assert_int_eq(fd_close(-1), -1);
        ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(test_read) {
        make_file("text", "one\ntwo\n", 8);
        make_file("zeros", "a\0b\0", 4);
        make_file("empty", "", 0);

        assert_read("text", 100, 0, "one\ntwo\n", 8);
        assert_read("text", 100, FILE_NO_SYMLINK | FILE_ANY_TYPE, "one\ntwo\n", 8);
        assert_read("zeros", 100, 0, "a\0b\0", 4);
        assert_read("empty", 100, 0, "", 0);
        assert_read("empty", 0, 0, "", 0);
}
END_TEST

START_TEST(test_read_limit) {
        static const size_t sizes[] = { 1, 8, 4093, 4094, 4095, 4096, 4097, 8192, 100000 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                CLEANUP(freep) char *content = NULL;
                size_t size;
                char name[16];

                (void) snprintf(name, sizeof(name), "%zu", sizes[i]);
                make_big_file(name, sizes[i]);
                for (FileFlags flags = 0; flags <= FILE_ANY_TYPE; flags += FILE_ANY_TYPE) {
                        assert_no_read(name, sizes[i] - 1, flags, FILE_E_TOO_LARGE);
                        assert_no_read(name, 0, flags, FILE_E_TOO_LARGE);
                }
                ck_assert_int_eq(file_read(directory_fd, name, sizes[i], 0, &content, &size), 0);
                ck_assert_uint_eq(size, sizes[i]);
                for (size_t k = 0; k < size; k++)
                        ck_assert_int_eq(content[k], (char) (k % 251));
        }
}
END_TEST

/* A size of 0 in stat(2) says nothing: the limit holds for what comes. */
START_TEST(test_read_endless) {
        CLEANUP(freep) char *content = NULL;
        size_t size = 0;

        assert_no_read("/dev/zero", 1 << 20, FILE_ANY_TYPE, FILE_E_TOO_LARGE);
        assert_no_read("/proc/self/status", 100, FILE_ANY_TYPE, FILE_E_TOO_LARGE);
        assert_no_read("/proc/self/status", 100, 0, FILE_E_TOO_LARGE);

        ck_assert_int_eq(
                file_read(AT_FDCWD, "/proc/self/status", 1 << 20, FILE_ANY_TYPE, &content, &size),
                0);
        ck_assert_uint_gt(size, 100);
        ck_assert_ptr_nonnull(strstr(content, "\nPid:\t"));
}
END_TEST

/* Announced by stat(2): refused without reading a terabyte. */
START_TEST(test_read_sparse) {
        CLEANUP(fd_closep) int fd = -1;

        fd = openat(directory_fd, "sparse", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t) 1 << 40), 0);
        assert_no_read("sparse", 1 << 20, 0, FILE_E_TOO_LARGE);
}
END_TEST

START_TEST(test_read_missing) {
        make_file("file", "x", 1);
        assert_no_read("nothing", 100, 0, FILE_E_MISSING);
        assert_no_read("nothing/file", 100, 0, FILE_E_MISSING);
        assert_no_read("file/below", 100, 0, FILE_E_MISSING);
        assert_no_read("", 100, 0, FILE_E_MISSING);
}
END_TEST

START_TEST(test_read_denied) {
        make_file("secret", "x", 1);
        ck_assert_int_eq(fchmodat(directory_fd, "secret", 0, 0), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(seteuid(NOBODY), 0);

        assert_no_read("secret", 100, 0, FILE_E_DENIED);
        ck_assert_int_eq(file_write(directory_fd, "secret", "y"), FILE_E_DENIED);
        ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

START_TEST(test_read_not_regular) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(mkdirat(directory_fd, "directory", 0755), 0);
        ck_assert_int_eq(mkfifoat(directory_fd, "fifo", 0644), 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);

        assert_no_read("directory", 100, 0, FILE_E_NOT_REGULAR);
        assert_no_read("directory", 100, FILE_ANY_TYPE, FILE_E_NOT_REGULAR);
        assert_no_read("socket", 100, 0, FILE_E_NOT_REGULAR);
        assert_no_read("/dev/null", 100, 0, FILE_E_NOT_REGULAR);
        /* Neither of them waits for a writer. */
        assert_no_read("fifo", 100, 0, FILE_E_NOT_REGULAR);
        assert_read("fifo", 100, FILE_ANY_TYPE, "", 0);
}
END_TEST

START_TEST(test_read_symlink) {
        make_file("file", "x", 1);
        ck_assert_int_eq(symlinkat("file", directory_fd, "link"), 0);
        ck_assert_int_eq(symlinkat("circle", directory_fd, "circle"), 0);
        ck_assert_int_eq(symlinkat("nothing", directory_fd, "dangling"), 0);

        assert_read("link", 100, 0, "x", 1);
        assert_no_read("link", 100, FILE_NO_SYMLINK, FILE_E_NOT_REGULAR);
        assert_no_read("circle", 100, 0, FILE_E_NOT_REGULAR);
        assert_no_read("dangling", 100, 0, FILE_E_MISSING);
        assert_no_read("dangling", 100, FILE_NO_SYMLINK, FILE_E_NOT_REGULAR);
}
END_TEST

/* The descriptor does not stay open, whatever the outcome. */
START_TEST(test_read_closes) {
        int before = dup(directory_fd), after;

        fd_close(before);
        make_file("file", "x", 1);
        assert_read("file", 100, 0, "x", 1);
        assert_no_read("file", 0, 0, FILE_E_TOO_LARGE);
        assert_no_read(".", 100, 0, FILE_E_NOT_REGULAR);
        ck_assert_int_eq(file_write(directory_fd, "file", "y"), 0);
        after = dup(directory_fd);
        ck_assert_int_eq(after, before);
        fd_close(after);
}
END_TEST

START_TEST(test_write) {
        make_file("file", "a long text", 11);
        ck_assert_int_eq(file_write(directory_fd, "file", "short"), 0);
        assert_read("file", 100, 0, "short", 5);

        ck_assert_int_eq(file_write(directory_fd, "nothing", "x"), FILE_E_MISSING);
        assert_no_read("nothing", 100, 0, FILE_E_MISSING); /* not made */
        ck_assert_int_eq(file_write(directory_fd, ".", "x"), FILE_E_NOT_REGULAR);
        ck_assert_int_eq(mkfifoat(directory_fd, "fifo", 0644), 0);
        ck_assert_int_eq(file_write(directory_fd, "fifo", "x"), FILE_E_NOT_REGULAR);
        /* What the kernel thinks of the text is no outcome of ours. */
        ck_assert_int_eq(file_write(AT_FDCWD, "/proc/self/oom_score_adj", "text"), -EINVAL);
        ck_assert_int_eq(file_write(AT_FDCWD, "/dev/full", "text"), -ENOSPC);
}
END_TEST

/* The path of an entry of the test's directory; valid until the next call. */
static const char *path_of(const char *name) {
        static char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

START_TEST(test_stat) {
        struct stat st;

        make_file("file", "text", 4);
        ck_assert_int_eq(symlinkat("file", directory_fd, "link"), 0);
        ck_assert_int_eq(mkfifoat(directory_fd, "fifo", 0644), 0);
        ck_assert_int_eq(file_stat(directory_fd, "link", &st), 0); /* followed */
        ck_assert(S_ISREG(st.st_mode));
        ck_assert_int_eq(st.st_size, 4);
        ck_assert_int_eq(file_stat(directory_fd, "fifo", &st), 0);
        ck_assert(S_ISFIFO(st.st_mode));
        ck_assert_int_eq(file_stat(directory_fd, "nothing", &st), FILE_E_MISSING);
        ck_assert_int_eq(file_stat(directory_fd, "file/below", &st), FILE_E_MISSING);

        ck_assert_int_eq(mkdirat(directory_fd, "directory", 0), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(seteuid(NOBODY), 0);
        ck_assert_int_eq(file_stat(directory_fd, "directory/below", &st), FILE_E_DENIED);
        ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

static void assert_no_append(const char *name, int expected) {
        int fd = 4711;

        ck_assert_int_eq(file_open_append(path_of(name), 0644, &fd), expected);
        ck_assert_int_eq(fd, 4711);
}

START_TEST(test_open_append) {
        struct stat st;

        (void) umask(022);
        for (unsigned i = 0; i < 2; i++) {
                CLEANUP(fd_closep) int fd = -1;

                ck_assert_int_eq(file_open_append(path_of("log"), 0640, &fd), 0);
                ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
                ck_assert_int_eq(write(fd, "line\n", 5), 5);
                ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
                ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
                                 O_WRONLY | O_APPEND);
        }
        assert_read("log", 100, 0, "line\nline\n", 10);
        ck_assert_int_eq(file_stat(directory_fd, "log", &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);

        ck_assert_int_eq(symlinkat("log", directory_fd, "link"), 0);
        ck_assert_int_eq(symlinkat("planted", directory_fd, "dangling"), 0);
        ck_assert_int_eq(mkfifoat(directory_fd, "fifo", 0644), 0);
        assert_no_append("link", FILE_E_NOT_REGULAR);
        assert_no_append("dangling", FILE_E_NOT_REGULAR);
        assert_no_append("fifo", FILE_E_NOT_REGULAR);
        assert_no_append(".", FILE_E_NOT_REGULAR);
        assert_no_append("nothing/log", FILE_E_MISSING);
        assert_no_read("planted", 100, 0, FILE_E_MISSING); /* nor made behind the link */
}
END_TEST

START_TEST(test_open_standard) {
        struct stat null, st;

        ck_assert_int_eq(stat("/dev/null", &null), 0);
        fd_close(STDIN_FILENO);
        fd_close(STDERR_FILENO);
        ck_assert_int_eq(file_open_standard(), 0);
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd += STDERR_FILENO) {
                ck_assert_int_eq(fstat(fd, &st), 0);
                ck_assert_uint_eq(st.st_rdev, null.st_rdev);
                ck_assert_int_eq(fcntl(fd, F_GETFD), 0); /* for the children, too */
        }
        ck_assert_int_eq(file_open_standard(), 0); /* nothing to do */
}
END_TEST

START_TEST(test_duplicate) {
        struct stat one, other;
        int copy = -1;

        ck_assert_int_eq(file_duplicate(directory_fd, &copy), 0);
        ck_assert_int_gt(copy, STDERR_FILENO);
        ck_assert_int_ne(copy, directory_fd);
        ck_assert_int_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fstat(directory_fd, &one), 0);
        ck_assert_int_eq(fstat(copy, &other), 0);
        ck_assert_uint_eq(one.st_ino, other.st_ino);
        fd_close(copy);

        ck_assert_int_eq(file_duplicate(copy, &copy), -EBADF);
}
END_TEST

static bool is_there(const char *name) {
        return faccessat(directory_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(test_remove) {
        make_file("file", "x", 1);
        ck_assert_int_eq(symlinkat("file", directory_fd, "link"), 0);
        ck_assert_int_eq(mkfifoat(directory_fd, "fifo", 0644), 0);
        ck_assert_int_eq(mkdirat(directory_fd, "empty", 0755), 0);
        ck_assert_int_eq(mkdirat(directory_fd, "full", 0755), 0);
        ck_assert_int_eq(mkdirat(directory_fd, "full/empty", 0755), 0);

        ck_assert_int_eq(file_remove(path_of("link")), 0);
        ck_assert(!is_there("link"));
        ck_assert(is_there("file")); /* the link itself went */
        ck_assert_int_eq(file_remove(path_of("file/below")), 0);
        ck_assert_int_eq(file_remove(path_of("file")), 0);
        ck_assert(!is_there("file"));
        ck_assert_int_eq(file_remove(path_of("fifo")), 0);
        ck_assert(!is_there("fifo"));
        ck_assert_int_eq(file_remove(path_of("empty")), 0);
        ck_assert(!is_there("empty"));

        ck_assert_int_eq(file_remove(path_of("nothing")), 0);
        ck_assert_int_eq(file_remove(path_of("full")), -ENOTEMPTY);
        ck_assert(is_there("full/empty"));
}
END_TEST

static int make_directory(const char *below, mode_t mode) {
        return directory_make(path_of(below), mode);
}

static void assert_directory(const char *name, mode_t mode) {
        struct stat st;

        ck_assert_int_eq(fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert(S_ISDIR(st.st_mode));
        ck_assert_uint_eq(st.st_mode & 07777, mode);
}

START_TEST(test_directory) {
        (void) umask(022);
        ck_assert_int_eq(make_directory("a", 0700), 0);
        ck_assert_int_eq(make_directory("a/b/c", 0777), 0);
        ck_assert_int_eq(make_directory("a//d/./e//", 0750), 0);
        assert_directory("a", 0700); /* as it was */
        assert_directory("a/b", 0755);
        assert_directory("a/b/c", 0755);
        assert_directory("a/d/e", 0750);
        ck_assert_int_eq(make_directory("a/b/c", 0700), 0);
        assert_directory("a/b/c", 0755);

        ck_assert_int_eq(directory_make("/", 0755), 0);
        ck_assert_int_eq(fchdir(directory_fd), 0);
        ck_assert_int_eq(directory_make("relative/path", 0755), 0);
        assert_directory("relative/path", 0755);
        ck_assert_int_eq(directory_make("", 0755), -ENOENT);
        ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(test_directory_in_the_way) {
        make_file("file", "x", 1);
        ck_assert_int_eq(symlinkat(".", directory_fd, "link"), 0);
        ck_assert_int_eq(symlinkat("nothing", directory_fd, "dangling"), 0);

        ck_assert_int_eq(make_directory("file", 0755), -ENOTDIR);
        ck_assert_int_eq(make_directory("file/below", 0755), -ENOTDIR);
        ck_assert_int_eq(make_directory("dangling/below", 0755), -ENOENT);
        ck_assert_int_eq(make_directory("link/below", 0755), 0);
        assert_directory("below", 0755);
        ck_assert_int_eq(directory_make("/proc/nothing", 0755), -ENOENT);
}
END_TEST

/* ---- directory_list() ---- */

START_TEST(test_list) {
        CLEANUP(strv_freep) char **names = NULL;

        ck_assert_int_eq(directory_list(directory, &names), 0);
        ck_assert_ptr_null(names);
        make_file("one", "", 0);
        make_file(".hidden", "", 0);
        make_file("two", "", 0);
        ck_assert_int_eq(directory_list(directory, &names), 0);
        ck_assert_uint_eq(strv_length(names), 2);
        ck_assert(strv_contains(names, "one") && strv_contains(names, "two"));
}
END_TEST

START_TEST(test_list_of_nothing) {
        char **names = NULL;

        ck_assert_int_eq(directory_list("/proc/nothing", &names), FILE_E_MISSING);
        make_file("file", "", 0);
        ck_assert_int_eq(directory_list(path_of("file"), &names), FILE_E_MISSING);
        ck_assert_int_eq(directory_list("", &names), FILE_E_MISSING);
        ck_assert_ptr_null(names);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/file");
        TCase *tcase = tcase_create("file");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_fd_close);
        tcase_add_test(tcase, test_read);
        tcase_add_test(tcase, test_read_limit);
        tcase_add_test(tcase, test_read_endless);
        tcase_add_test(tcase, test_read_sparse);
        tcase_add_test(tcase, test_read_missing);
        tcase_add_test(tcase, test_read_denied);
        tcase_add_test(tcase, test_read_not_regular);
        tcase_add_test(tcase, test_read_symlink);
        tcase_add_test(tcase, test_read_closes);
        tcase_add_test(tcase, test_write);
        tcase_add_test(tcase, test_stat);
        tcase_add_test(tcase, test_open_append);
        tcase_add_test(tcase, test_open_standard);
        tcase_add_test(tcase, test_duplicate);
        tcase_add_test(tcase, test_remove);
        tcase_add_test(tcase, test_directory);
        tcase_add_test(tcase, test_directory_in_the_way);
        tcase_add_test(tcase, test_list);
        tcase_add_test(tcase, test_list_of_nothing);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
