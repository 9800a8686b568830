/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fakes.h"

#include <check.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"

Fakes fakes;

static unsigned descriptors;

void fakes_begin(uint64_t seed) {
        const char *why;

        world_begin(seed);
        fakes.zero = world_now();
        fakes.story[0] = '\0';
        ck_assert_int_eq(loop_new(&fakes.loop), 0);
        ck_assert_int_eq(reaper_new(fakes.loop, &fakes.reaper), 0);
        ck_assert_int_eq(cgroup_root_open("test", &fakes.cgroups, &why), 0);
}

void fakes_setup(void) {
        descriptors = descriptor_count();
        fakes_begin(0);
}

void fakes_end(void) {
        fakes.cgroups = cgroup_root_close(fakes.cgroups);
        fakes.reaper = reaper_free(fakes.reaper);
        ck_assert_uint_eq(fake_source_count(fakes.loop), 0);
        fakes.loop = loop_free(fakes.loop);
        world_end();
}

void fakes_teardown(void) {
        fakes_end();
        ck_assert_uint_eq(descriptor_count(), descriptors);
}

int fakes_tell(void *userdata) {
        strcat(fakes.story, userdata);
        return 0;
}

int fakes_tell_io(void *userdata, uint32_t revents) {
        strcat(fakes.story, revents & (EPOLLIN | EPOLLOUT) ? userdata : "?");
        return 0;
}

int fakes_tell_end(void *userdata, const Process *process, const ExitStatus *status) {
        ck_assert_int_eq(process->pid, 0);
        fakes.last_status = *status;
        strcat(fakes.story, userdata);
        return 0;
}

Spawned fakes_start(const char *path, int cgroup_fd) {
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

void fakes_let_go(Spawned *spawned) {
        fd_close(spawned->pidfd);
        fd_close(spawned->report_fd);
}
