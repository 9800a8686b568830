/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Descriptors are real ones on /dev/null with a meaning kept beside them. Code under test closes
 * them as it closes any other, and one that it forgets is really open at the end.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fake/parts.h"
#include "fake/world.h"

#define DESCRIPTOR_MAX 1024

static Descriptor descriptors[DESCRIPTOR_MAX];
static int descriptor_end; /* above all that had a meaning */

void world_descriptors_reset(void) {
        for (int fd = 0; fd < descriptor_end; fd++)
                descriptors[fd].kind = DESCRIPTOR_NONE;
        descriptor_end = 0;
}

/* What all of them are copies of: that is quicker than to open it again; it stays open. */
static int descriptor_null(void) {
        static int null = -1;

        if (null < 0)
                null = open("/dev/null", O_RDWR | O_CLOEXEC);
        return null;
}

int descriptor_new(DescriptorKind kind, FakeProcess *process, const char *name) {
        int fd = fcntl(descriptor_null(), F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
                return -EMFILE;
        if (fd >= DESCRIPTOR_MAX) {
                close(fd);
                return -EMFILE;
        }

        descriptor_end = MAX_OF(descriptor_end, fd + 1);
        descriptors[fd] = (Descriptor){
                .kind = kind,
                .process = process ? process_key(process) : 0,
        };
        strncat(descriptors[fd].name, name ? name : "", WORLD_NAME_MAX - 1);
        return fd;
}

Descriptor *descriptor_get(int fd) {
        if (fd < 0 || fd >= DESCRIPTOR_MAX || descriptors[fd].kind == DESCRIPTOR_NONE)
                return NULL;
        return &descriptors[fd];
}

void descriptor_report(const FakeProcess *process, SpawnReport report) {
        Descriptor *descriptor = descriptor_get(process->report_fd);

        /* it may be closed by now, and the number stand for something else */
        if (!descriptor || descriptor->kind != DESCRIPTOR_REPORT ||
            descriptor->process != process_key(process))
                return;
        descriptor->ready = true;
        descriptor->report = report;
}

uint32_t descriptor_events(int fd) {
        const Descriptor *descriptor = descriptor_get(fd);
        if (!descriptor)
                return 0;

        switch (descriptor->kind) {
        case DESCRIPTOR_PIDFD:
                return process_is_alive(process_by_key(descriptor->process)) ? 0 : EPOLLIN;
        case DESCRIPTOR_REPORT:
                return descriptor->ready ? EPOLLIN | EPOLLHUP : 0;
        case DESCRIPTOR_CONNECTION:
                return descriptor->ready ? EPOLLOUT : 0;
        default:
                return 0;
        }
}

unsigned descriptor_count(void) {
        static struct pollfd all[DESCRIPTOR_MAX];
        unsigned count = 0;

        (void) descriptor_null();
        /* a call for all of them: of one that is not open poll(2) says so at once */
        for (int fd = 0; fd < DESCRIPTOR_MAX; fd++)
                all[fd] = (struct pollfd){ .fd = fd, .revents = POLLNVAL };
        for (nfds_t room = DESCRIPTOR_MAX; poll(all, room, 0) < 0 && errno == EINVAL;)
                room /= 2; /* RLIMIT_NOFILE */
        for (int fd = 0; fd < DESCRIPTOR_MAX; fd++)
                count += !(all[fd].revents & POLLNVAL);
        return count;
}
