/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/spawn_cached.h"

/*
 * The exec reads the head of the program and that of its interpreter; everything else is read by
 * the new process, when it needs it. What loads dynamic programs has loaded us as well.
 */

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define HEAD_SIZE        256 /* what the kernel looks at, BINPRM_BUF_SIZE */
#define INTERPRETERS_MAX 5   /* of interpreters, as the kernel has it */

/* The descriptor, or a negative errno: -EAGAIN if looking it up would take a disk. */
static int cached_open(int directory, const char *path, int flags) {
        struct open_how how = {
                .flags = (uint64_t) flags | O_CLOEXEC,
                .resolve = RESOLVE_CACHED,
        };
        long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));

        return fd < 0 ? errno_negative() : (int) fd;
}

/* Where a file system cannot say it when it reads (overlayfs), what mincore(2) said has to do. */
static bool cached_read(int fd, char head[static HEAD_SIZE]) {
        struct iovec room = { head, HEAD_SIZE };
        ssize_t n;

        n = preadv2(fd, &room, 1, 0, RWF_NOWAIT);
        if (n < 0 && errno == EOPNOTSUPP)
                n = pread(fd, head, HEAD_SIZE, 0);
        return n > 0;
}

/*
 * To read first would begin to fetch it. But mincore(2) says yes to everything of a file that is
 * not ours, so what it says is not enough.
 */
static bool cached_head(int fd, char head[static HEAD_SIZE]) {
        size_t size = (size_t) sysconf(_SC_PAGESIZE);
        unsigned char resident = 0;
        void *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (page == MAP_FAILED)
                return false;
        int r = mincore(page, size, &resident);
        (void) munmap(page, size);
        return r == 0 && (resident & 1) && cached_read(fd, head);
}

/* "#!/bin/sh -e" becomes "/bin/sh" in place; NULL: it is no script. */
static char *interpreter_of(char head[static HEAD_SIZE]) {
        char *path, *end;

        if (head[0] != '#' || head[1] != '!')
                return NULL;
        head[HEAD_SIZE - 1] = '\0';
        path = head + 2 + strspn(head + 2, " \t");
        end = path + strcspn(path, " \t\n");
        *end = '\0';
        return path;
}

bool spawn_is_cached(const char *program, const char *directory) {
        CLEANUP(fd_closep) int root = cached_open(AT_FDCWD, directory ? directory : "/",
                                                  O_PATH | O_DIRECTORY);
        char heads[2][HEAD_SIZE] = { "" };
        const char *path = program;

        if (root < 0)
                return false;
        for (unsigned i = 0; i <= INTERPRETERS_MAX; i++) {
                CLEANUP(fd_closep) int fd =
                        cached_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
                char *head = heads[i % 2];

                memset(head, 0, HEAD_SIZE);
                if (fd < 0 || !cached_head(fd, head))
                        return false;
                path = interpreter_of(head);
                if (!path)
                        return true;
        }
        return false;
}
