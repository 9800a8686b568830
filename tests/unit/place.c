/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Uses nothing of what the tests test. The cgroup is removed also if the test has failed: a program
 * makes it before its first test and removes it after its last.
 */

#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define TEXT_MAX 256

static bool place_read_own_group(char *group, size_t size) {
        FILE *stream = fopen("/proc/self/cgroup", "re");
        char line[TEXT_MAX];
        bool found = false;

        while (stream && fgets(line, sizeof(line), stream))
                if (strncmp(line, "0::/", 4) == 0) {
                        line[strcspn(line, "\n")] = '\0';
                        snprintf(group, size, "%s", strcmp(line, "0::/") == 0 ? "" : line + 3);
                        found = true;
                }
        if (stream)
                (void) fclose(stream);
        return found;
}

/* Where cgroup v2 is mounted; all of it, or the paths will not fit and nothing can be made. */
static bool place_find_mount(char *path, size_t size) {
        FILE *mounts = setmntent("/proc/self/mounts", "re");
        const struct mntent *entry;
        bool found = false;

        while (mounts && !found && (entry = getmntent(mounts)))
                if (strcmp(entry->mnt_type, "cgroup2") == 0) {
                        snprintf(path, size, "%s", entry->mnt_dir);
                        found = true;
                }
        if (mounts)
                (void) endmntent(mounts);
        return found;
}

const char *place_make(Place *place) {
        char mount[TEXT_MAX], group[TEXT_MAX];

        if (!place_find_mount(mount, sizeof(mount)) || !place_read_own_group(group, sizeof(group)))
                return "no cgroup v2 here";
        snprintf(place->path, sizeof(place->path), "%s%s/test.%d", mount, group, (int) getpid());
        snprintf(place->group, sizeof(place->group), "%s/test.%d", group, (int) getpid());
        if (geteuid() != 0)
                return "needs root";
        return mkdir(place->path, 0755) == 0 ? NULL : "no cgroup can be made here";
}

/* Directories only: the files of a cgroup go with it. */
static void place_remove_below(const char *path) {
        DIR *directory = opendir(path);
        const struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                char below[sizeof(((Place *) NULL)->path) + TEXT_MAX + 2];

                if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0
                    || strcmp(entry->d_name, "..") == 0)
                        continue;
                snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
                place_remove_below(below);
        }
        if (directory)
                (void) closedir(directory);
        (void) rmdir(path);
}

void place_remove(const Place *place) {
        char path[sizeof(place->path) + TEXT_MAX], text[TEXT_MAX] = "";
        int fd;

        place_leave(place);
        place_write(place, "cgroup.freeze", "0");
        place_write(place, "cgroup.kill", "1");
        snprintf(path, sizeof(path), "%s/cgroup.events", place->path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        while (fd >= 0 && pread(fd, text, sizeof(text) - 1, 0) > 0 && strstr(text, "populated 1"))
                (void) poll(&(struct pollfd){ .fd = fd, .events = POLLPRI }, 1, 100);
        if (fd >= 0)
                (void) close(fd);
        place_remove_below(place->path);
}

void place_make_below(const Place *place, const char *name, Place *ret) {
        Place below;

        snprintf(below.path, sizeof(below.path), "%.900s/%s", place->path, name);
        snprintf(below.group, sizeof(below.group), "%.900s/%s", place->group, name);
        ck_assert_msg(mkdir(below.path, 0755) == 0, "%s: %s", below.path, strerror(errno));
        *ret = below;
}

void place_write(const Place *place, const char *file, const char *text) {
        char path[sizeof(place->path) + TEXT_MAX];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", place->path, file);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        if (write(fd, text, strlen(text)) < 0)
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
        (void) close(fd);
}

void place_enter(const Place *place) {
        place_write(place, "cgroup.procs", "0");
}

void place_leave(const Place *place) {
        place_write(place, "../cgroup.procs", "0");
}

void place_run(const Place *place, void (*function)(void *userdata), void *userdata) {
        int status;
        pid_t pid;

        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (place)
                        place_enter(place);
                ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
                ck_assert_int_eq(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
                function(userdata);
                exit(42);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 42, "the child failed: %#x",
                      status);
}

void place_hide_run(bool systemd) {
        ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
        ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
        if (systemd)
                ck_assert_int_eq(mkdir("/run/systemd/system", 0755), 0);
}
