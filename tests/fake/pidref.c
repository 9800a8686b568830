/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/pidref.h on the fake world. As in the kernel, a zombie can still be opened and signalled. */

#include "sys/pidref.h"

#include <errno.h>

#include "base/file.h"
#include "fake/fake.h"

int pidref_open(pid_t pid, PidRef *ret) {
        int r = fake_door(DOOR_PIDREF_OPEN);
        if (r < 0)
                return r;

        FakeProcess *process = process_find(pid);
        if (!process)
                return PIDREF_E_GONE;

        int pidfd = descriptor_new(DESCRIPTOR_PIDFD, process, NULL);
        if (pidfd < 0)
                return pidfd;
        *ret = (PidRef){ .pid = pid, .pidfd = pidfd, .start_time = process->start_time };
        return 0;
}

int pidref_take(pid_t pid, int pidfd_consume, PidRef *ret) {
        const FakeProcess *process = process_find(pid);
        int r = fake_door(DOOR_PIDREF_TAKE);

        if (r < 0 || !process) {
                fd_close(pidfd_consume);
                return r < 0 ? r : PIDREF_E_GONE;
        }
        *ret = (PidRef){ .pid = pid, .pidfd = pidfd_consume, .start_time = process->start_time };
        return 0;
}

void pidref_done(PidRef *reference) {
        fd_close(reference->pidfd);
        *reference = PIDREF_NONE;
}

static FakeProcess *pidref_process(const PidRef *reference) {
        const Descriptor *descriptor = descriptor_get(reference->pidfd);

        if (!descriptor || descriptor->kind != DESCRIPTOR_PIDFD)
                return NULL;
        return process_by_key(descriptor->process);
}

int pidref_signal(const PidRef *reference, int signo) {
        int r = fake_door(DOOR_PIDREF_SIGNAL);
        if (r < 0)
                return r;

        FakeProcess *process = pidref_process(reference);
        if (!process)
                return PIDREF_E_GONE;
        process_signal(process, signo);
        return 0;
}

bool pidref_is_alive(const PidRef *reference) {
        world_race();
        return pidref_is_set(reference) && process_is_alive(pidref_process(reference));
}
