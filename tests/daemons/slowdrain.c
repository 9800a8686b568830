/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has work in flight for a while after SIGUSR1, then exits (or, with -s, only removes its mark).
 * The work can be a process of its own, as the jobs of cron are. SIGTERM ends it at once, work or
 * not; a job outlives the process that it belongs to, unless somebody ends the whole tree.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "slowdrain [-m MS | -a FILE] [-f FILE] [-d FILE] [-j] [-s] [-e STATUS]\n"
        "  -m  time that the work takes from SIGUSR1 on; -a: it takes until there is FILE\n"
        "  -f  FILE exists as long as there is work\n"
        "  -d  FILE is written when the work was finished (and not cut)\n"
        "  -j  the work is a child process in a session of its own\n"
        "  -s  stay when the work is finished\n"
        "  -e  exit status\n";

typedef struct Options {
        int duration, status;
        const char *mark, *done, *await;
        bool job, stay;
} Options;

static Options options;

static void do_nothing(int signo) {
        (void) signo;
}

static void work(void) {
        sleep_ms(options.duration);
        if (options.await)
                await_file(options.await);
        if (options.done)
                write_file(options.done, "finished\n");
        if (options.mark)
                unlink(options.mark);
}

/* SIGUSR1 is blocked at every time but in here. */
static void wait_for_signal(void) {
        sigset_t none;

        sigemptyset(&none);
        sigsuspend(&none);
}

static pid_t make_job(void) {
        pid_t job = make_process();

        if (job == 0) {
                setsid();
                if (options.mark)
                        write_file(options.mark, "%d\n", (int) getpid());
                wait_for_signal();
                work();
                _exit(0);
        }
        return job;
}

static void parse_options(int argc, char **argv) {
        int option;

        while ((option = getopt(argc, argv, "m:a:f:d:jse:h")) != -1) {
                switch (option) {
                case 'm':
                        options.duration = number(optarg);
                        break;
                case 'a':
                        options.await = optarg;
                        break;
                case 'f':
                        options.mark = optarg;
                        break;
                case 'd':
                        options.done = optarg;
                        break;
                case 'j':
                        options.job = true;
                        break;
                case 's':
                        options.stay = true;
                        break;
                case 'e':
                        options.status = number(optarg);
                        break;
                default:
                        die("usage:\n%s", usage);
                }
        }
}

int main(int argc, char **argv) {
        sigset_t graceful;

        parse_options(argc, argv);
        sigemptyset(&graceful);
        sigaddset(&graceful, SIGUSR1);
        sigprocmask(SIG_BLOCK, &graceful, NULL);
        handle(SIGUSR1, do_nothing);

        pid_t job = options.job ? make_job() : 0;
        if (!options.job && options.mark)
                write_file(options.mark, "%d\n", (int) getpid());

        wait_for_signal();
        if (options.job) {
                kill(job, SIGUSR1);
                while (waitpid(job, NULL, 0) < 0 && errno == EINTR)
                        ;
        } else
                work();
        while (options.stay)
                pause();
        return options.status;
}
