/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc and the cgroup; whatever cannot be read is a process that has just ended. */

#include "processes.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For nftw(3), which hands nothing on. */
static struct {
        const char *child, *file, *key;
        double sum;
} search;

void processes_enter(const char *cgroup) {
        char path[PATH_MAX];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
        file = fopen(path, "we");
        if (!file || fprintf(file, "0\n") < 0 || fclose(file) != 0) {
                fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
                exit(EXIT_FAILURE);
        }
}

/* The numbers behind that word in the lines of a file, added up. */
static double read_key(const char *path, const char *key) {
        char line[256];
        double sum = 0;
        FILE *file = fopen(path, "re");

        if (!file)
                return 0;
        while (fgets(line, sizeof(line), file))
                if (strncmp(line, key, strlen(key)) == 0)
                        sum += strtod(line + strlen(key), NULL);
        (void) fclose(file);
        return sum;
}

double processes_cpu(const char *cgroup) {
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s/cpu.stat", cgroup);
        return read_key(path, "usage_usec ") / 1000;
}

static void add_process(int pid) {
        char path[PATH_MAX], program[PATH_MAX];
        ssize_t length;

        (void) snprintf(path, sizeof(path), "/proc/%d/exe", pid);
        length = readlink(path, program, sizeof(program) - 1);
        if (pid == getpid() || length < 0)
                return;
        program[length] = '\0';
        if (strcmp(program, search.child) == 0)
                return;
        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, search.file);
        search.sum += read_key(path, search.key);
}

static int add_group(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        char line[32];
        FILE *file;

        (void) st;
        (void) type;
        if (strcmp(path + ftw->base, "cgroup.procs") != 0)
                return 0;
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                add_process(atoi(line));
        if (file)
                (void) fclose(file);
        return 0;
}

static double add_up(const char *cgroup, const char *child, const char *file, const char *key) {
        search.child = child;
        search.file = file;
        search.key = key;
        search.sum = 0;
        (void) nftw(cgroup, add_group, 16, FTW_PHYS);
        return search.sum;
}

double processes_memory(const char *cgroup, const char *child) {
        return add_up(cgroup, child, "smaps_rollup", "Pss:");
}

double processes_switches(const char *cgroup, const char *child) {
        return add_up(cgroup, child, "status", "voluntary_ctxt_switches:");
}
