/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor: what starting, watching and stopping processes costs when nothing else is done for
 * them. No configuration, no log, no order, no control: a loop around clone3(2) with a pidfd,
 * execve(2), epoll(7) on the pidfds and waitid(2).
 */

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
        "floor COUNT PROGRAM FIFO\n"
        "\n"
        "Runs COUNT times PROGRAM FIFO NUMBER and starts what dies again, until SIGTERM.\n";

/* The event of SIGTERM; those of the daemons are their numbers. */
#define TERM_EVENT UINT32_MAX

static int epoll_fd;

static void die(const char *what) {
        perror(what);
        exit(EXIT_FAILURE);
}

static void watch(int fd, uint32_t number) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
                die("floor: epoll_ctl");
}

/* The pidfd. */
static int start(char *program, char *fifo, uint32_t number) {
        char text[16];
        char *command[] = { program, fifo, text, NULL };
        int pidfd = -1;
        struct clone_args arguments = {
                .flags = CLONE_PIDFD,
                .pidfd = (uintptr_t) &pidfd,
                .exit_signal = SIGCHLD,
        };
        sigset_t none;

        (void) snprintf(text, sizeof(text), "%u", number);
        switch (syscall(SYS_clone3, &arguments, sizeof(arguments))) {
        case -1:
                die("floor: clone3");
                break;
        case 0:
                sigemptyset(&none);
                sigprocmask(SIG_SETMASK, &none, NULL);
                execve(program, command, environ);
                _exit(127);
        default:
                watch(pidfd, number);
        }
        return pidfd;
}

/* A descriptor for each. */
static void raise_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("floor: getrlimit");
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("floor: setrlimit");
}

int main(int argc, char *argv[]) {
        int count = argc == 4 ? atoi(argv[1]) : 0;
        int *pidfds = count > 0 ? calloc((size_t) count, sizeof(*pidfds)) : NULL;
        struct epoll_event event;
        sigset_t term;

        if (!pidfds) {
                fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        raise_limit();
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, NULL);
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        watch(signalfd(-1, &term, SFD_CLOEXEC), TERM_EVENT);

        for (int i = 0; i < count; i++)
                pidfds[i] = start(argv[2], argv[3], (uint32_t) i);
        while (epoll_wait(epoll_fd, &event, 1, -1) != 1 || event.data.u32 != TERM_EVENT) {
                int *pidfd = &pidfds[event.data.u32];

                (void) waitid(P_PIDFD, (id_t) *pidfd, &(siginfo_t){ 0 }, WEXITED);
                (void) close(*pidfd);
                *pidfd = start(argv[2], argv[3], event.data.u32);
        }
        for (int i = 0; i < count; i++)
                (void) syscall(SYS_pidfd_send_signal, pidfds[i], SIGTERM, NULL, 0);
        while (waitid(P_ALL, 0, NULL, WEXITED) == 0)
                ;
        return EXIT_SUCCESS;
}
