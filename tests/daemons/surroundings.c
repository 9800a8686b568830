/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * surroundings FILE: writes into FILE what a program finds around itself at its start, then stays.
 *
 * One "NAME VALUE" a line: the signal masks as /proc/self/status has them, "fd NUMBER TARGET" for
 * each open descriptor, "env KEY=value", and so on. "end" closes the file.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

static void print_status(FILE *out) {
        static const char *const wanted[] = {
                "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapEff", "NoNewPrivs", NULL,
        };
        char line[512], name[64], value[64];

        FILE *status = fopen("/proc/self/status", "re");
        if (!status)
                die_errno("/proc/self/status");
        while (fgets(line, sizeof line, status)) {
                if (sscanf(line, "%63[^:]: %63s", name, value) != 2)
                        continue;
                for (const char *const *one = wanted; *one; one++)
                        if (strcmp(name, *one) == 0)
                                fprintf(out, "%s %s\n", name, value);
        }
        fclose(status);
}

static void print_descriptors(FILE *out) {
        struct dirent *entry;

        DIR *directory = opendir("/proc/self/fd");
        if (!directory)
                die_errno("/proc/self/fd");
        while ((entry = readdir(directory))) {
                char target[4096];
                int fd = atoi(entry->d_name);

                if (entry->d_name[0] == '.' || fd == dirfd(directory))
                        continue;
                ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
                fprintf(out, "fd %d %.*s\n", fd, (int) (length > 0 ? length : 0), target);
        }
        closedir(directory);
}

static void print_identity(FILE *out) {
        gid_t groups[256];

        int count = getgroups(256, groups);
        fprintf(out, "uid %d %d\n", (int) getuid(), (int) geteuid());
        fprintf(out, "gid %d %d\n", (int) getgid(), (int) getegid());
        fprintf(out, "groups");
        for (int i = 0; i < count; i++)
                fprintf(out, " %d", (int) groups[i]);
        fprintf(out, "\npid %d\nppid %d\n", (int) getpid(), (int) getppid());
        fprintf(out, "session %d\nprocess_group %d\n", (int) getsid(0), (int) getpgrp());
}

static void print_limit(FILE *out, const char *name, int resource) {
        struct rlimit limit;

        if (getrlimit((__rlimit_resource_t) resource, &limit) < 0)
                die_errno("getrlimit");
        fprintf(out,
                "limit_%s %lld %lld\n",
                name,
                (long long) limit.rlim_cur,
                (long long) limit.rlim_max);
}

static void print_rest(FILE *out) {
        char directory[4096];
        mode_t mask = umask(0);

        umask(mask);
        fprintf(out, "umask %04o\n", (unsigned) mask);
        fprintf(out, "directory %s\n", getcwd(directory, sizeof directory) ? directory : "?");
        fprintf(out, "nice %d\n", getpriority(PRIO_PROCESS, 0));
        print_limit(out, "nofile", RLIMIT_NOFILE);
        print_limit(out, "core", RLIMIT_CORE);
        print_limit(out, "nproc", RLIMIT_NPROC);

        FILE *score = fopen("/proc/self/oom_score_adj", "re");
        int value = 0;
        if (!score || fscanf(score, "%d", &value) != 1)
                die("no oom_score_adj");
        fclose(score);
        fprintf(out, "oom_score_adjust %d\n", value);
        for (char **variable = environ; *variable; variable++)
                fprintf(out, "env %s\n", *variable);
        fprintf(out, "end\n");
}

int main(int argc, char **argv) {
        char *text = NULL;
        size_t size = 0;

        if (argc != 2)
                die("usage: surroundings FILE");
        FILE *out = open_memstream(&text, &size); /* no descriptor of its own */
        if (!out)
                die_errno("open_memstream");
        print_descriptors(out);
        print_status(out);
        print_identity(out);
        print_rest(out);
        fclose(out);
        write_file(argv[1], "%s", text);
        for (;;)
                pause();
}
