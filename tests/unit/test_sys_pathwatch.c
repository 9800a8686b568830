/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/pathwatch: whatever may change what is at a path is told, however its directories come and
 * go, and what happens beside it is not.
 *
 * A test is a list of steps. After each a second file is renamed; its event comes behind all those
 * of the step, and then it is seen what was told meanwhile.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/loop.h"
#include "sys/pathwatch.h"
#include "unit.h"

#define STEPS_MAX 16

typedef enum StepKind {
        STEP_END = 0,
        STEP_MKDIR,
        STEP_RMDIR,
        STEP_WRITE, /* creates or changes a file */
        STEP_TOUCH, /* its times only */
        STEP_CHMOD,
        STEP_UNLINK,
        STEP_RENAME,  /* a to b */
        STEP_SYMLINK, /* b names a */
        STEP_HARDLINK,
        STEP_READ,
        STEP_MKDIR_AND_WRITE, /* directory a, then file b in it, at once */
        STEP_REPLACE,         /* directory a by a new one with file b, at once */
        STEP_HOLD,            /* keeps directory a open */
} StepKind;

typedef enum Told {
        QUIET,
        TOLD,
        ANY, /* not promised either way */
} Told;

typedef struct Step {
        StepKind kind;
        Told told;
        const char *a, *b;
} Step;

typedef struct PathCase {
        const char *path;
        Step steps[STEPS_MAX];
} PathCase;

static const PathCase cases[] = {
        { "pid", { /* the directory is there */
                { STEP_WRITE, TOLD, "pid", NULL },
                { STEP_WRITE, TOLD, "pid", NULL },
                { STEP_READ, QUIET, "pid", NULL },
                { STEP_CHMOD, TOLD, "pid", NULL },
                { STEP_TOUCH, TOLD, "pid", NULL },
                { STEP_UNLINK, TOLD, "pid", NULL },
                { STEP_WRITE, QUIET, "pid.new", NULL },
                { STEP_RENAME, TOLD, "pid.new", "pid" },
                { STEP_RENAME, TOLD, "pid", "pid.old" },
                { STEP_HARDLINK, TOLD, "pid.old", "pid" },
                { STEP_UNLINK, TOLD, "pid", NULL },
                { STEP_SYMLINK, TOLD, "pid.old", "pid" },
        } },
        { "pid", { /* neighbours */
                { STEP_WRITE, QUIET, "pi", NULL },
                { STEP_WRITE, QUIET, "pid2", NULL },
                { STEP_MKDIR, QUIET, "x", NULL },
                { STEP_WRITE, QUIET, "x/pid", NULL },
                { STEP_UNLINK, QUIET, "x/pid", NULL },
                { STEP_RMDIR, QUIET, "x", NULL },
        } },
        { "a/b/c/pid", { /* down and up again, one after the other */
                { STEP_WRITE, QUIET, "pid", NULL },
                { STEP_MKDIR, QUIET, "b", NULL },
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_MKDIR, QUIET, "a/c", NULL },
                { STEP_MKDIR, TOLD, "a/b", NULL },
                { STEP_MKDIR, TOLD, "a/b/c", NULL },
                { STEP_WRITE, QUIET, "a/b/pid", NULL },
                { STEP_WRITE, TOLD, "a/b/c/pid", NULL },
                { STEP_UNLINK, TOLD, "a/b/c/pid", NULL },
                { STEP_RMDIR, TOLD, "a/b/c", NULL },
                { STEP_MKDIR, TOLD, "a/b/c", NULL },
                { STEP_WRITE, TOLD, "a/b/c/pid", NULL },
        } },
        { "a/pid", { /* no time between the directory and the file */
                { STEP_MKDIR_AND_WRITE, TOLD, "a", "a/pid" },
                { STEP_WRITE, TOLD, "a/pid", NULL },
                { STEP_REPLACE, TOLD, "a", "a/pid" },
                { STEP_WRITE, TOLD, "a/pid", NULL },
        } },
        { "a/b/pid", { /* moved away, at either height, and something else put there */
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_MKDIR, TOLD, "a/b", NULL },
                { STEP_RENAME, TOLD, "a/b", "a/old" },
                { STEP_WRITE, QUIET, "a/old/pid", NULL },
                { STEP_MKDIR, TOLD, "a/b", NULL },
                { STEP_WRITE, TOLD, "a/b/pid", NULL },
                { STEP_RENAME, TOLD, "a", "old" },
                { STEP_WRITE, QUIET, "old/b/pid", NULL },
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_WRITE, QUIET, "old/b/pid", NULL },
                { STEP_MKDIR_AND_WRITE, TOLD, "a/b", "a/b/pid" },
                { STEP_UNLINK, TOLD, "a/b/pid", NULL },
        } },
        { "a/b/pid", { /* a whole subtree appears in one move */
                { STEP_MKDIR, QUIET, "x", NULL },
                { STEP_MKDIR_AND_WRITE, QUIET, "x/b", "x/b/pid" },
                { STEP_RENAME, TOLD, "x", "a" },
                { STEP_WRITE, TOLD, "a/b/pid", NULL },
        } },
        { "a/pid", { /* deleted while somebody still stands in it: its inode lives on */
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_HOLD, QUIET, "a", NULL },
                { STEP_RMDIR, TOLD, "a", NULL },
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_WRITE, TOLD, "a/pid", NULL },
        } },
        { "a/pid", { /* through a symbolic link, which then leads elsewhere */
                { STEP_MKDIR, QUIET, "x", NULL },
                { STEP_MKDIR, QUIET, "y", NULL },
                { STEP_SYMLINK, TOLD, "x", "a" },
                { STEP_WRITE, TOLD, "x/pid", NULL },
                { STEP_UNLINK, TOLD, "a", NULL },
                { STEP_WRITE, QUIET, "x/pid", NULL },
                { STEP_SYMLINK, TOLD, "y", "a" },
                { STEP_WRITE, QUIET, "x/pid", NULL },
                { STEP_WRITE, TOLD, "y/pid", NULL },
        } },
        { "a/pid", { /* what the link leads to is moved away */
                { STEP_MKDIR, QUIET, "x", NULL },
                { STEP_SYMLINK, TOLD, "x", "a" },
                { STEP_RENAME, TOLD, "x", "y" },
                { STEP_WRITE, QUIET, "y/pid", NULL },
                { STEP_UNLINK, ANY, "a", NULL },
                { STEP_SYMLINK, TOLD, "y", "a" },
                { STEP_WRITE, TOLD, "y/pid", NULL },
        } },
        { "a/pid", { /* something in the way that is no directory */
                { STEP_WRITE, ANY, "a", NULL },
                { STEP_WRITE, QUIET, "a", NULL },
                { STEP_UNLINK, ANY, "a", NULL },
                { STEP_SYMLINK, ANY, "a", "a" }, /* to itself */
                { STEP_UNLINK, ANY, "a", NULL },
                { STEP_MKDIR_AND_WRITE, TOLD, "a", "a/pid" },
        } },
        { ".//a///pid/", { /* slashes too many */
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_WRITE, TOLD, "a/pid", NULL },
        } },
        { "a", { /* a directory is something as well */
                { STEP_MKDIR, TOLD, "a", NULL },
                { STEP_RMDIR, TOLD, "a", NULL },
        } },
};

static char directory[32];
static int held;
static Loop *loop;

static void setup(void) {
        (void) strcpy(directory, "/tmp/test-pathwatch-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chdir(directory), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        held = -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position) {
        (void) st;
        (void) type;
        (void) position;
        return remove(path);
}

static void teardown(void) {
        held = fd_close(held);
        loop = loop_free(loop);
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert_int_eq(nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void write_file(const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(write(fd, "1\n", 2), 2);
        fd_close(fd);
}

static void make_directory(const char *path) {
        ck_assert_msg(mkdir(path, 0755) == 0, "%s: %s", path, strerror(errno));
}

static void read_some(const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        char buffer[2];

        ck_assert_int_eq(read(fd, buffer, sizeof(buffer)), 2);
        fd_close(fd);
}

static void step_do(const Step *step) {
        int r = 0;

        switch (step->kind) {
        case STEP_END:
                break;
        case STEP_MKDIR:
                make_directory(step->a);
                break;
        case STEP_RMDIR:
                r = rmdir(step->a);
                break;
        case STEP_WRITE:
                write_file(step->a);
                break;
        case STEP_TOUCH:
                r = utimensat(AT_FDCWD, step->a, NULL, 0);
                break;
        case STEP_CHMOD:
                r = chmod(step->a, 0600);
                break;
        case STEP_UNLINK:
                r = unlink(step->a);
                break;
        case STEP_RENAME:
                r = rename(step->a, step->b);
                break;
        case STEP_SYMLINK:
                r = symlink(step->a, step->b);
                break;
        case STEP_HARDLINK:
                r = link(step->a, step->b);
                break;
        case STEP_READ:
                read_some(step->a);
                break;
        case STEP_MKDIR_AND_WRITE:
                make_directory(step->a);
                write_file(step->b);
                break;
        case STEP_REPLACE:
                r = nftw(step->a, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
                make_directory(step->a);
                write_file(step->b);
                break;
        case STEP_HOLD:
                held = open(step->a, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = held;
                break;
        }
        ck_assert_msg(r >= 0, "%s: %s", step->a, strerror(errno));
}

/* A run of steps. */
typedef struct Run {
        const PathCase *script;
        unsigned at;
        unsigned told; /* since the step was done */
} Run;

static int on_path(void *userdata) {
        ((Run *) userdata)->told++;
        return 0;
}

/* One event for the name that is watched: it comes and goes in turns. */
static void run_mark(const Run *run) {
        if (run->at % 2 == 0)
                ck_assert_int_eq(rename(".mark/off", ".mark/on"), 0);
        else
                ck_assert_int_eq(rename(".mark/on", ".mark/off"), 0);
}

/* Everything that the step has brought about was told by now. */
static void run_check(const Run *run, const Step *step) {
        if (step->told == QUIET)
                ck_assert_msg(run->told == 0, "step %u was told %u times", run->at, run->told);
        if (step->told == TOLD)
                ck_assert_msg(run->told > 0, "step %u was not told", run->at);
}

static int on_mark(void *userdata) {
        Run *run = userdata;

        run_check(run, &run->script->steps[run->at++]);
        if (run->script->steps[run->at].kind == STEP_END)
                return loop_exit(loop, 42);

        run->told = 0;
        step_do(&run->script->steps[run->at]);
        run_mark(run);
        return 0;
}

static PathWatch *watch(const char *name, LoopHandler handler, void *userdata) {
        PathWatch *watched;
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        ck_assert_int_eq(pathwatch_new(loop, path, handler, userdata, &watched), 0);
        return watched;
}

START_TEST(test_steps) {
        Run run = { .script = &cases[_i] };
        PathWatch *watched, *mark;

        make_directory(".mark");
        write_file(".mark/off");
        watched = watch(run.script->path, on_path, &run);
        mark = watch(".mark/on", on_mark, &run);

        step_do(&run.script->steps[0]);
        run_mark(&run);
        ck_assert_int_eq(loop_run(loop), 42);
        ck_assert_ptr_null(pathwatch_free(watched));
        ck_assert_ptr_null(pathwatch_free(mark));
}
END_TEST

/* What is there at the beginning is not told. */
START_TEST(test_quiet_at_first) {
        static const PathCase quiet = { "", { { STEP_WRITE, QUIET, "other", NULL } } };
        Run run = { .script = &quiet };
        PathWatch *watched, *mark;

        make_directory(".mark");
        write_file(".mark/off");
        make_directory("a");
        write_file("a/pid");
        watched = watch("a/pid", on_path, &run);
        mark = watch(".mark/on", on_mark, &run);
        step_do(&quiet.steps[0]);
        run_mark(&run);
        ck_assert_int_eq(loop_run(loop), 42);
        pathwatch_free(watched);
        pathwatch_free(mark);
}
END_TEST

/* Something is in the way from the beginning. */
START_TEST(test_in_the_way) {
        static const PathCase script = { "", {
                { STEP_UNLINK, TOLD, "a", NULL },
                { STEP_MKDIR_AND_WRITE, TOLD, "a", "a/pid" },
        } };
        Run run = { .script = &script };
        PathWatch *watched, *mark;

        make_directory(".mark");
        write_file(".mark/off");
        if (_i == 0)
                write_file("a");
        else
                ck_assert_int_eq(symlink("a", "a"), 0);
        watched = watch("a/pid", on_path, &run);
        mark = watch(".mark/on", on_mark, &run);
        step_do(&script.steps[0]);
        run_mark(&run);
        ck_assert_int_eq(loop_run(loop), 42);
        pathwatch_free(watched);
        pathwatch_free(mark);
}
END_TEST

/* The handler frees the watch: its own, and another one for which an event is waiting. */
typedef struct Pair {
        PathWatch *own, *other;
        unsigned *called;
} Pair;

static int on_path_free(void *userdata) {
        Pair *pair = userdata;

        ++*pair->called;
        pair->own = pathwatch_free(pair->own);
        pair->other = pathwatch_free(pair->other);
        return loop_exit(loop, 42);
}

START_TEST(test_free_inside) {
        unsigned called = 0;
        Pair pair = { .called = &called };

        make_directory("a");
        pair.own = watch("a/pid", on_path_free, &pair);
        pair.other = watch("a/pid", on_path_free, &pair);
        if (_i == 0)
                write_file("a/pid");
        else
                ck_assert_int_eq(rmdir("a"), 0);
        ck_assert_int_eq(loop_run(loop), 42);
        ck_assert_uint_eq(called, 1);
        ck_assert_ptr_null(pair.own);
}
END_TEST

static int on_path_fail(void *userdata) {
        (void) userdata;
        return -ENOTRECOVERABLE;
}

START_TEST(test_failure_ends_the_loop) {
        PathWatch *watched = watch("pid", on_path_fail, NULL);

        write_file("pid");
        ck_assert_int_eq(loop_run(loop), -ENOTRECOVERABLE);
        pathwatch_free(watched);
}
END_TEST

START_TEST(test_bad_path) {
        static const char *const paths[] = { "", "/", "//", "pid", "a/pid", "./pid" };
        PathWatch *watched = NULL;

        ck_assert_int_eq(pathwatch_new(loop, paths[_i], on_path, NULL, &watched), -EINVAL);
        ck_assert_ptr_null(watched);
        ck_assert_ptr_null(pathwatch_free(NULL));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("pathwatch");
        TCase *tcase = tcase_create("watch");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_steps, 0, ELEMENTSOF(cases));
        tcase_add_test(tcase, test_quiet_at_first);
        tcase_add_loop_test(tcase, test_in_the_way, 0, 2);
        tcase_add_loop_test(tcase, test_free_inside, 0, 2);
        tcase_add_test(tcase, test_failure_ends_the_loop);
        tcase_add_loop_test(tcase, test_bad_path, 0, 6);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
