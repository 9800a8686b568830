/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fakes.h"

#include <check.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"

Loop *loop;
Reaper *reaper;
CgroupRoot *cgroups;
usec_t zero;
char story[256];
ExitStatus last_status;

static unsigned descriptors;

void fakes_begin(uint64_t seed) {
        const char *why;

        world_begin(seed);
        zero = world_now();
        story[0] = '\0';
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(reaper_new(loop, &reaper), 0);
        ck_assert_int_eq(cgroup_root_open("test", &cgroups, &why), 0);
}

void fakes_setup(void) {
        descriptors = descriptor_count();
        fakes_begin(0);
}

void fakes_end(void) {
        cgroups = cgroup_root_close(cgroups);
        reaper = reaper_free(reaper);
        ck_assert_uint_eq(fake_source_count(loop), 0);
        loop = loop_free(loop);
        world_end();
}

void fakes_teardown(void) {
        fakes_end();
        ck_assert_uint_eq(descriptor_count(), descriptors);
}

int tell(void *userdata) {
        strcat(story, userdata);
        return 0;
}

int tell_io(void *userdata, uint32_t revents) {
        strcat(story, revents & (EPOLLIN | EPOLLOUT) ? userdata : "?");
        return 0;
}

int tell_end(void *userdata, const Process *process, const ExitStatus *status) {
        ck_assert_int_eq(process->pid, 0);
        last_status = *status;
        strcat(story, userdata);
        return 0;
}

Spawned start(const char *path, int cgroup_fd) {
        char *command[] = { (char *) path, NULL };
        char *environment[] = { (char *) "NOTIFY_SOCKET=/run/n", NULL };
        SpawnRequest request = {
                .command = command,
                .environment = environment,
                .cgroup_fd = cgroup_fd,
        };
        Spawned spawned;

        ck_assert_int_eq(spawn(&request, &spawned), 0);
        return spawned;
}

void let_go(Spawned *spawned) {
        fd_close(spawned->pidfd);
        fd_close(spawned->report_fd);
}
