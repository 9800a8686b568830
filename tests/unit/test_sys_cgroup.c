/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/cgroup: where our cgroup is (from texts as real machines have them), and on the machine
 * itself which cgroup becomes the root, with and without systemd, and why none can.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "place.h"
#include "sys/cgroup.h"
#include "sys/cgroup_locate.h"
#include "unit.h"

#define NOBODY 65534

#define V1_MOUNT "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n"

typedef struct LocateCase {
        const char *mountinfo, *membership;
        const char *path, *group; /* path NULL: unusable */
        const char *why;          /* part of it */
} LocateCase;

static const LocateCase locate_cases[] = {
        { /* unified, under systemd */
                "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
                "0::/system.slice/supervisord.service\n",
                "/sys/fs/cgroup/system.slice/supervisord.service",
                "/system.slice/supervisord.service", NULL },
        { /* hybrid, in the root */
                V1_MOUNT "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
                "9:name=systemd:/a\n1:cpu:/b\n0::/\n", "/sys/fs/cgroup/unified", "", NULL },
        { /* a cgroup namespace with its own mount */
                "900 899 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n", "0::/\n",
                "/sys/fs/cgroup", "", NULL },
        { /* a container without a cgroup namespace sees a part only */
                "900 899 0:26 /docker/0123 /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
                "0::/docker/0123/supervisor\n", "/sys/fs/cgroup/supervisor",
                "/docker/0123/supervisor", NULL },
        { "900 899 0:26 /docker/0123 /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/docker/0123\n",
                "/sys/fs/cgroup", "/docker/0123", NULL },
        { /* not the neighbour whose name begins alike */
                "900 899 0:26 /docker/012 /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
                "0::/docker/0123\n", NULL, NULL, "cannot be seen" },
        { /* mounted twice, the second one fits */
                "1 1 0:26 /other /mnt rw - cgroup2 cgroup rw\n"
                "2 1 0:26 / /sys/fs/cgroup rw master:1 propagate_from:2 - cgroup2 cgroup rw\n",
                "0::/x\n", "/sys/fs/cgroup/x", "/x", NULL },
        { /* mounted from outside of our namespace */
                "1 1 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/\n", NULL, NULL,
                "cannot be seen" },
        { /* a mount point with a blank and a backslash */
                "1 1 0:26 / /mnt/a\\040b\\134c rw - cgroup2 cgroup rw\n", "0::/x\n",
                "/mnt/a b\\c/x", "/x", NULL },
        { /* only v1 */ V1_MOUNT, "9:name=systemd:/a\n", NULL, NULL, "no cgroup v2" },
        { V1_MOUNT, "9:name=systemd:/a\n0::/\n", NULL, NULL, "no cgroup v2" },
        { /* the kernel knows v2, but it is nowhere for us */
                "1 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "1:cpu:/\n", NULL, NULL,
                "no cgroup v2" },
        { "", "", NULL, NULL, "no cgroup v2" },
        { /* cut short */ "1 1 0:26 - cgroup2 cgroup\n", "0::/\n", NULL, NULL, "no cgroup v2" },
        { /* a v1 mount that names cgroup2 elsewhere */
                "1 1 0:26 / /a rw - tmpfs cgroup2 rw\n", "0::/\n", NULL, NULL, "no cgroup v2" },
};

START_TEST(test_locate) {
        const LocateCase *c = &locate_cases[_i];
        CLEANUP(freep) char *mountinfo = strdup(c->mountinfo), *membership = strdup(c->membership);
        CLEANUP(freep) char *path = NULL, *group = NULL;
        const char *why = NULL;
        int r;

        r = cgroup_locate(mountinfo, membership, &path, &group, &why);
        if (!c->path) {
                ck_assert_int_eq(r, CGROUP_E_UNUSABLE);
                ck_assert_ptr_nonnull(strstr(why, c->why));
                ck_assert_ptr_null(path);
                return;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_str_eq(path, c->path);
        ck_assert_str_eq(group, c->group);
        ck_assert_ptr_null(why);
}
END_TEST

static Place program; /* for all tests of this run */
static Place place;   /* of one test */

/* A name of its own for each: a test that fails leaves it behind until the end of the program. */
static void setup(void) {
        char name[32];

        snprintf(name, sizeof(name), "own.%d", (int) getpid());
        place_make_below(&program, name, &place);
}

static void teardown(void) {
        place_remove(&place);
}

static void delegate(const Place *to, const char *attribute) {
        ck_assert_int_eq(setxattr(to->path, attribute, "1", 1, 0), 0);
}

/* The cgroup of this process as /proc says it. */
static void assert_in(const char *group, const char *below) {
        char line[1024], expected[1024];
        FILE *stream = fopen("/proc/self/cgroup", "re");
        bool found = false;

        ck_assert_ptr_nonnull(stream);
        snprintf(expected, sizeof(expected), "0::%s%s\n", group, below);
        while (fgets(line, sizeof(line), stream))
                if (strncmp(line, "0::", 3) == 0) {
                        ck_assert_str_eq(line, expected);
                        found = true;
                }
        (void) fclose(stream);
        ck_assert(found);
}

static CgroupRoot *assert_opens(const char *instance) {
        CgroupRoot *root = NULL;
        const char *why = "";
        int r;

        r = cgroup_root_open(instance, &root, &why);
        ck_assert_msg(r == 0, "%d: %s", r, why);
        return root;
}

static void assert_unusable(const char *part) {
        CgroupRoot *root = NULL;
        const char *why = NULL;

        ck_assert_int_eq(cgroup_root_open("i", &root, &why), CGROUP_E_UNUSABLE);
        ck_assert_ptr_nonnull(why);
        ck_assert_msg(strstr(why, part) != NULL, "%s", why);
        ck_assert_ptr_null(root);
}

static bool exists(const char *directory, const char *name) {
        char path[1024];

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        return access(path, F_OK) == 0;
}

/* Cgroups below a directory. */
static unsigned count_below(const char *path) {
        struct stat st;

        ck_assert_int_eq(stat(path, &st), 0);
        return (unsigned) st.st_nlink - 2;
}

static void delegated(void *userdata) {
        CgroupRoot *root;

        place_hide_run(userdata != NULL);
        root = assert_opens("i");
        ck_assert_str_eq(cgroup_root_path(root), place.path);
        ck_assert_str_eq(cgroup_root_group(root), place.group);
        assert_in(place.group, "/supervisor");

        /* What was given to us stays, and so does the cgroup that we are in. */
        ck_assert_ptr_null(cgroup_root_close(root));
        ck_assert(exists(place.path, "supervisor"));
        ck_assert_uint_eq(count_below(place.path), 1);
}

static const char *const delegate_attributes[] = { "user.delegate", "trusted.delegate" };

START_TEST(test_delegated) {
        delegate(&place, delegate_attributes[_i]);
        place_run(&place, delegated, NULL);
        /* A later run finds supervisor/ there. */
        place_run(&place, delegated, &place);
}
END_TEST

/* As systemd 254 starts us with DelegateSubgroup=supervisor. */
START_TEST(test_delegated_subgroup) {
        Place supervisor;

        delegate(&place, "user.delegate");
        place_make_below(&place, "supervisor", &supervisor);
        place_run(&supervisor, delegated, &place);
}
END_TEST

static void not_delegated(void *userdata) {
        (void) userdata;
        place_hide_run(true);
        assert_unusable("Delegate=yes");
        assert_in(place.group, "");
        ck_assert_uint_eq(count_below(place.path), 0);
}

START_TEST(test_not_delegated) {
        ck_assert_int_eq(setxattr(place.path, "user.delegate", "0", 1, 0), 0);
        place_run(&place, not_delegated, NULL);
}
END_TEST

/* Neither is the parent ours only because our cgroup has that name, nor the other way round. */
static void not_delegated_below(void *userdata) {
        (void) userdata;
        place_hide_run(true);
        assert_unusable("Delegate=yes");
}

START_TEST(test_subgroup_not_delegated) {
        Place below;

        place_make_below(&place, _i == 0 ? "supervisor" : "xsupervisor", &below);
        if (_i == 1)
                delegate(&place, "user.delegate");
        place_run(&below, not_delegated_below, NULL);
}
END_TEST

/* … and without systemd the name means nothing either. */
static void named_supervisor(void *userdata) {
        const Place *own = userdata;
        CgroupRoot *root;

        place_hide_run(false);
        root = assert_opens("i");
        ck_assert_int_eq(strncmp(cgroup_root_path(root), own->path, strlen(own->path)), 0);
        ck_assert_int_eq(cgroup_root_path(root)[strlen(own->path)], '/');
        ck_assert_int_eq(strncmp(cgroup_root_group(root), own->group, strlen(own->group)), 0);
        ck_assert_int_eq(cgroup_root_group(root)[strlen(own->group)], '/');
        assert_in(own->group, "");
        cgroup_root_close(root);
}

START_TEST(test_named_supervisor) {
        Place below;

        place_make_below(&place, "supervisor", &below);
        place_run(&below, named_supervisor, &below);
}
END_TEST

static void without_systemd(void *userdata) {
        CgroupRoot *first, *second;
        char below[1024];

        (void) userdata;
        place_hide_run(false);
        first = assert_opens("first");
        ck_assert_int_eq(strncmp(cgroup_root_path(first), place.path, strlen(place.path)), 0);
        ck_assert_int_eq(strncmp(cgroup_root_path(first) + strlen(place.path), "/supervisord.", 13),
                         0);
        ck_assert_str_eq(cgroup_root_group(first) + strlen(place.group),
                         cgroup_root_path(first) + strlen(place.path));
        ck_assert(exists(cgroup_root_path(first), "cgroup.procs"));
        assert_in(place.group, "");

        /* Another instance has a root of its own. */
        second = assert_opens("second");
        ck_assert_str_ne(cgroup_root_path(first), cgroup_root_path(second));
        ck_assert_uint_eq(count_below(place.path), 2);

        /* Empty cgroups below it do not keep it. */
        snprintf(below, sizeof(below), "%s/left.daemon", cgroup_root_path(second));
        ck_assert_int_eq(mkdir(below, 0755), 0);
        cgroup_root_close(second);
        ck_assert_uint_eq(count_below(place.path), 1);
        cgroup_root_close(first);
        ck_assert_uint_eq(count_below(place.path), 0);
}

START_TEST(test_without_systemd) {
        place_run(&place, without_systemd, NULL);
}
END_TEST

/* A run that crashed left the root, with a cgroup in which a process still lives. */
static void reuse(void *userdata) {
        CgroupRoot *crashed, *root;
        char below[1024];
        Place left = { "", "" };
        pid_t pid;

        (void) userdata;
        place_hide_run(false);
        crashed = assert_opens("i");
        snprintf(below, sizeof(below), "%s/left.daemon", cgroup_root_path(crashed));
        ck_assert_int_eq(mkdir(below, 0755), 0);
        snprintf(left.path, sizeof(left.path), "%.900s", below);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                place_enter(&left);
                (void) raise(SIGSTOP);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);

        root = assert_opens("i");
        ck_assert_str_eq(cgroup_root_path(root), cgroup_root_path(crashed));
        cgroup_root_close(crashed);
        ck_assert_msg(exists(below, "cgroup.procs"), "a populated cgroup was removed");
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        cgroup_root_close(root);
        ck_assert_uint_eq(count_below(place.path), 0);
}

START_TEST(test_reuse) {
        place_run(&place, reuse, NULL);
}
END_TEST

static void read_only(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        /* A mount of the directory upon itself can be read-only without the others being so. */
        ck_assert_int_eq(mount(place.path, place.path, "none", MS_BIND, NULL), 0);
        ck_assert_int_eq(
                mount("none", place.path, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
        assert_unusable("not writable");
        ck_assert_uint_eq(count_below(place.path), 0);
}

START_TEST(test_read_only) {
        if (_i == 1)
                delegate(&place, "user.delegate");
        place_run(&place, read_only, NULL);
}
END_TEST

static void unprivileged(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
        assert_unusable("not writable");
}

/* May make cgroups, but not move processes out of ours. */
static void half_privileged(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        ck_assert_int_eq(chown(place.path, NOBODY, NOBODY), 0);
        ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
        assert_unusable("not writable");
        ck_assert_uint_eq(count_below(place.path), 0);
}

START_TEST(test_unprivileged) {
        place_run(&place, unprivileged, NULL);
        place_run(&place, half_privileged, NULL);
}
END_TEST

static void at_its_limit(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        assert_unusable("cgroup.max.descendants");
}

START_TEST(test_limit) {
        place_write(&place, "cgroup.max.descendants", "0");
        place_run(&place, at_its_limit, NULL);
}
END_TEST

static void not_mounted(void *userdata) {
        (void) userdata;
        place_hide_run(false);
        ck_assert_int_eq(mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL), 0);
        assert_unusable("cannot be found");
}

START_TEST(test_not_mounted) {
        place_run(&place, not_mounted, NULL);
}
END_TEST

/* In a cgroup namespace whose root is our cgroup, as containers have it. */
static void in_namespace(void *userdata) {
        CgroupRoot *root;

        (void) userdata;
        place_hide_run(false);
        ck_assert_int_eq(unshare(CLONE_NEWCGROUP), 0);
        ck_assert_int_eq(mkdir("/run/cgroup", 0755), 0);
        ck_assert_int_eq(mount("cgroup2", "/run/cgroup", "cgroup2", 0, NULL), 0);

        root = assert_opens("i");
        ck_assert_int_eq(strncmp(cgroup_root_path(root), "/run/cgroup/supervisord.", 24), 0);
        ck_assert_str_eq(cgroup_root_group(root), cgroup_root_path(root) + strlen("/run/cgroup"));
        cgroup_root_close(root);
        ck_assert_uint_eq(count_below(place.path), 0);
}

START_TEST(test_in_namespace) {
        place_run(&place, in_namespace, NULL);
}
END_TEST

START_TEST(test_remove) {
        char path[2048];
        Place a, b, c;
        int status;
        pid_t pid;

        place_make_below(&place, "a", &a);
        place_make_below(&a, "b", &b);
        place_make_below(&a, "c", &c);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                place_enter(&c);
                (void) raise(SIGSTOP);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);

        /* What is empty goes even so. */
        ck_assert_int_eq(cgroup_remove(a.path), CGROUP_E_BUSY);
        ck_assert_int_eq(access(b.path, F_OK), -1);
        ck_assert_int_eq(access(c.path, F_OK), 0);

        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(cgroup_remove(a.path), 0);
        ck_assert_int_eq(access(a.path, F_OK), -1);
        ck_assert_int_eq(cgroup_remove(a.path), 0);

        snprintf(path, sizeof(path), "%s/cgroup.procs", place.path);
        ck_assert_int_lt(cgroup_remove(path), 0);
}
END_TEST

static Suite *make_suite(const char *unable) {
        Suite *suite = suite_create("cgroup");
        TCase *locate = tcase_create("locate"), *root;

        tcase_add_loop_test(locate, test_locate, 0, ELEMENTSOF(locate_cases));
        suite_add_tcase(suite, locate);
        if (unable) {
                unit_add_skipped(suite, "root", unable);
                return suite;
        }

        root = tcase_create("root");
        tcase_add_checked_fixture(root, setup, teardown);
        tcase_add_loop_test(root, test_delegated, 0, ELEMENTSOF(delegate_attributes));
        tcase_add_test(root, test_delegated_subgroup);
        tcase_add_test(root, test_not_delegated);
        tcase_add_loop_test(root, test_subgroup_not_delegated, 0, 2);
        tcase_add_test(root, test_named_supervisor);
        tcase_add_test(root, test_without_systemd);
        tcase_add_test(root, test_reuse);
        tcase_add_loop_test(root, test_read_only, 0, 2);
        tcase_add_test(root, test_unprivileged);
        tcase_add_test(root, test_limit);
        tcase_add_test(root, test_not_mounted);
        tcase_add_test(root, test_in_namespace);
        tcase_add_test(root, test_remove);
        suite_add_tcase(suite, root);
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
