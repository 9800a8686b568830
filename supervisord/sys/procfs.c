/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/procfs.h"

/*
 * Reads into buffers on the stack, so that a stop can look around without memory. A process may
 * vanish between any two calls: ENOENT before the open, ESRCH between open and read.
 */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

#define PROCFS_PATH_MAX   64
#define PROCFS_STAT_MAX   1024
#define PROCFS_STATUS_MAX (2 * PATH_MAX)
#define PROCFS_CGROUP_MAX (2 * PATH_MAX) /* v1 hierarchies come before ours */

/* The errno of a failed call as an outcome where it is one. */
static int procfs_failure(void) {
        return errno == ENOENT || errno == ESRCH ? PROCFS_E_GONE : errno_negative();
}

static int procfs_open(int dirfd, pid_t pid, const char *file, int *ret) {
        char path[PROCFS_PATH_MAX];
        int fd;

        (void) snprintf(path, sizeof(path), "%d/%s", pid, file);
        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return procfs_failure();

        *ret = fd;
        return 0;
}

static int procfs_open_root(int *ret) {
        int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno_negative();
        *ret = fd;
        return 0;
}

/* Reads as much as fits and ends it with a NUL. */
static int procfs_read(int dirfd, pid_t pid, const char *file, char *buffer, size_t size) {
        CLEANUP(fd_closep) int fd = -1;
        size_t length = 0;
        ssize_t n;
        int r;

        r = procfs_open(dirfd, pid, file, &fd);
        if (r != 0)
                return r;

        while (length < size - 1) {
                n = read(fd, buffer + length, size - 1 - length);
                if (n < 0)
                        return procfs_failure();
                if (n == 0)
                        break;
                length += (size_t) n;
        }

        buffer[length] = '\0';
        return 0;
}

/* The name stands in parentheses and may hold parentheses, blanks and anything else itself. */
static int procfs_stat_parse(pid_t pid, const char *text, ProcStat *ret) {
        ProcStat stat = { .pid = pid };
        const char *first = strchr(text, '(');
        const char *last = strrchr(text, ')');
        size_t length;

        if (!first || !last || last < first)
                return -EBADMSG;
        if (sscanf(last + 1,
                   " %c %d %d %d %*s %*s %*s %*s %*s %*s %*s %*s"
                   " %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
                   &stat.state, &stat.ppid, &stat.pgid, &stat.sid, &stat.start_time) != 5)
                return -EBADMSG;

        length = MIN_OF((size_t) (last - first - 1), sizeof(stat.comm) - 1);
        memcpy(stat.comm, first + 1, length);
        stat.comm[length] = '\0';

        *ret = stat;
        return 0;
}

static int procfs_stat_at(int dirfd, pid_t pid, ProcStat *ret) {
        char text[PROCFS_STAT_MAX];
        int r;

        r = procfs_read(dirfd, pid, "stat", text, sizeof(text));
        return r != 0 ? r : procfs_stat_parse(pid, text, ret);
}

int procfs_stat(pid_t pid, ProcStat *ret) {
        CLEANUP(fd_closep) int proc = -1;
        int r;

        r = procfs_open_root(&proc);
        return r < 0 ? r : procfs_stat_at(proc, pid, ret);
}

bool procfs_has_pending(pid_t pid, int signo) {
        CLEANUP(fd_closep) int proc = -1;
        char text[PROCFS_STATUS_MAX];
        uint64_t pending;

        if (procfs_open_root(&proc) < 0 ||
            procfs_read(proc, pid, "status", text, sizeof(text)) != 0)
                return false;
        const char *line = strstr(text, "\nShdPnd:");
        return line && sscanf(line, "\nShdPnd: %" SCNx64, &pending) == 1 &&
               (pending >> (signo - 1) & 1) != 0;
}

uint64_t procfs_now(void) {
        uint64_t ticks = (uint64_t) sysconf(_SC_CLK_TCK);
        struct timespec now;

        (void) clock_gettime(CLOCK_BOOTTIME, &now);
        return (uint64_t) now.tv_sec * ticks + (uint64_t) now.tv_nsec * ticks / 1000000000u;
}

/* By its path, so that one that was replaced on the disk counts as the same. */
uint64_t procfs_program(pid_t pid) {
        static const char deleted[] = " (deleted)";
        char link[PROCFS_PATH_MAX], path[PATH_MAX];

        (void) snprintf(link, sizeof(link), "/proc/%d/exe", (int) pid);
        ssize_t size = readlink(link, path, sizeof(path));
        size_t length = size < 0 ? 0 : (size_t) size, end = sizeof(deleted) - 1;

        if (length > end && memcmp(path + length - end, deleted, end) == 0)
                length -= end;
        return length > 0 ? hash_add(HASH_BASIS, path, length) : 0;
}

int procfs_cgroup(pid_t pid, char ret[static PATH_MAX]) {
        CLEANUP(fd_closep) int proc = -1;
        char text[PROCFS_CGROUP_MAX];
        char *line, *rest = text;
        int r;

        r = procfs_open_root(&proc);
        if (r < 0)
                return r;
        r = procfs_read(proc, pid, "cgroup", text, sizeof(text));
        if (r != 0)
                return r;

        while ((line = strsep(&rest, "\n")))
                if (strncmp(line, "0::/", 4) == 0) {
                        if (strlen(line + 3) >= PATH_MAX)
                                return -ENAMETOOLONG;
                        memcpy(ret, line + 3, strlen(line + 3) + 1);
                        return 0;
                }
        return -ENODATA;
}

/* Where a walk over NUL-separated strings stands: is the present one equal so far? */
typedef struct VariableSearch {
        const char *variable;
        size_t length;
        bool beginning; /* "KEY=" is enough */
        size_t at;
        bool equal;
} VariableSearch;

static bool procfs_search(VariableSearch *search, const char *data, size_t size) {
        for (size_t i = 0; i < size; i++) {
                if (data[i] == '\0') {
                        if (search->equal && search->at == search->length)
                                return true;
                        search->equal = true;
                        search->at = 0;
                        continue;
                }
                if (search->at >= search->length || data[i] != search->variable[search->at])
                        search->equal = false;
                search->at++;
                if (search->beginning && search->equal && search->at == search->length)
                        return true;
        }
        return false;
}

/* -1 in *ret: processes that end or hide have no environment to read. */
static int procfs_open_environment(pid_t pid, int *ret) {
        CLEANUP(fd_closep) int proc = -1;
        int r;

        *ret = -1;
        r = procfs_open_root(&proc);
        if (r < 0)
                return r;
        r = procfs_open(proc, pid, "environ", ret);
        return r == PROCFS_E_GONE || r == -EACCES || r == -EPERM ? 0 : r;
}

static int procfs_search_environment(pid_t pid, VariableSearch search) {
        CLEANUP(fd_closep) int fd = -1;
        char buffer[PATH_MAX];
        ssize_t n;
        int r;

        r = procfs_open_environment(pid, &fd);
        if (r < 0 || fd < 0)
                return r;

        /* It may be megabytes long, so it is compared piece by piece. */
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                if (procfs_search(&search, buffer, (size_t) n))
                        return 1;

        return 0;
}

ProcfsVariable procfs_compare_variable(pid_t pid, const char *variable) {
        size_t key_length = (size_t) (strchrnul(variable, '=') - variable) + 1;
        VariableSearch same = { variable, strlen(variable), false, 0, true };
        VariableSearch key = { variable, key_length, true, 0, true };
        ProcfsVariable found = PROCFS_VARIABLE_NONE;
        CLEANUP(fd_closep) int fd = -1;
        char buffer[PATH_MAX];
        ssize_t n;

        if (procfs_open_environment(pid, &fd) < 0 || fd < 0)
                return PROCFS_VARIABLE_NONE;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
                if (procfs_search(&same, buffer, (size_t) n))
                        return PROCFS_VARIABLE_SAME;
                if (found == PROCFS_VARIABLE_NONE && procfs_search(&key, buffer, (size_t) n))
                        found = PROCFS_VARIABLE_OTHER;
        }
        return found;
}

int procfs_has_variable(pid_t pid, const char *variable) {
        return procfs_search_environment(pid, (VariableSearch){ .variable = variable,
                                                                .length = strlen(variable),
                                                                .equal = true });
}

/* The number that the whole name is; -1: it is none. */
static int procfs_number(const char *name) {
        const char *at = name;
        int number = 0;

        for (; *at >= '0' && *at <= '9'; at++)
                number = number * 10 + (*at - '0');
        return at > name && *at == '\0' ? number : -1;
}

/* The inode if a descriptor is "socket:[…]", or 0. Called for each of thousands: no sscanf(3). */
static uint64_t procfs_socket_inode(const char *target, size_t length) {
        static const char prefix[] = "socket:[";
        uint64_t inode = 0;

        if (length <= strlen(prefix) || memcmp(target, prefix, strlen(prefix)) != 0)
                return 0;
        for (size_t i = strlen(prefix); i < length && target[i] != ']'; i++)
                inode = inode * 10 + (uint64_t) (target[i] - '0');
        return inode;
}

static int procfs_visit_descriptor(int directory,
                                   const char *name,
                                   ProcSocketVisitor visit,
                                   void *userdata) {
        char target[PROCFS_PATH_MAX];
        int fd = procfs_number(name);
        uint64_t inode;
        ssize_t length;

        if (fd < 0)
                return 0;
        length = readlinkat(directory, name, target, sizeof(target));
        if (length < 0)
                return errno == EACCES || errno == EPERM ? -EACCES : 0;
        inode = procfs_socket_inode(target, (size_t) length);
        return inode > 0 ? visit(userdata, fd, inode) : 0;
}

int procfs_each_socket(pid_t pid, ProcSocketVisitor visit, void *userdata) {
        CLEANUP(fd_closep) int directory = -1;
        _Alignas(struct dirent64) char buffer[2 * PATH_MAX];
        char path[PROCFS_PATH_MAX];
        ssize_t size;
        int r;

        (void) snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) {
                r = procfs_failure();
                return r == PROCFS_E_GONE ? 0 : r == -EPERM ? -EACCES : r;
        }

        while ((size = getdents64(directory, buffer, sizeof(buffer))) > 0)
                for (ssize_t at = 0; at < size;) {
                        const struct dirent64 *entry = (const struct dirent64 *) (buffer + at);

                        at += entry->d_reclen;
                        r = procfs_visit_descriptor(directory, entry->d_name, visit, userdata);
                        if (r != 0)
                                return r;
                }
        return 0;
}

/* Visits the processes of one piece of the directory. */
static int procfs_each_entry(
        int proc, const char *buffer, size_t size, ProcVisitor visit, void *userdata) {
        ProcStat stat;
        int r;

        for (size_t at = 0; at < size;) {
                const struct dirent64 *entry = (const struct dirent64 *) (buffer + at);
                pid_t pid = procfs_number(entry->d_name);

                at += entry->d_reclen;
                if (pid <= 0)
                        continue;

                r = procfs_stat_at(proc, pid, &stat);
                if (r == PROCFS_E_GONE)
                        continue;
                if (r == 0)
                        r = visit(userdata, &stat);
                if (r != 0)
                        return r;
        }
        return 0;
}

int procfs_each(ProcVisitor visit, void *userdata) {
        CLEANUP(fd_closep) int proc = -1;
        _Alignas(struct dirent64) char buffer[2 * PATH_MAX];
        ssize_t size;
        int r;

        r = procfs_open_root(&proc);
        if (r < 0)
                return r;

        while ((size = getdents64(proc, buffer, sizeof(buffer))) > 0) {
                r = procfs_each_entry(proc, buffer, (size_t) size, visit, userdata);
                if (r != 0)
                        return r;
        }
        return size < 0 ? errno_negative() : 0;
}
