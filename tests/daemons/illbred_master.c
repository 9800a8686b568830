/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The main process of illbred: its workers, and what becomes of it by its signals.
 */

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "illbred.h"

#define WORKERS_MAX 64

typedef struct Master {
        const IllbredOptions *options;
        char **argv;
        int listener, signals;
        pid_t workers[WORKERS_MAX];
        bool renamed; /* the pidfile is PIDFILE.oldbin, the successor has ours */
} Master;

static bool is(const char *value, const char *word) {
        return value && strcmp(value, word) == 0;
}

static void hear_nothing_special(void) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The parent of the tree waits for nobody: what lives in its own session is not even told. */
static pid_t make_aside(bool session) {
        pid_t pid = make_process();

        if (pid == 0) {
                hear_nothing_special();
                if (session)
                        setsid();
        }
        return pid;
}

static void make_workers(Master *master) {
        const IllbredOptions *options = master->options;

        for (int i = 0; i < options->workers && i < WORKERS_MAX; i++) {
                if (master->workers[i] > 0)
                        continue;
                master->workers[i] = make_aside(options->own_sessions);
                if (master->workers[i] != 0)
                        continue;
                illbred_note(options, "worker");
                for (;;)
                        if (master->listener < 0)
                                pause();
                        else
                                illbred_serve(options, master->listener, false);
        }
}

static void make_helper(Master *master) {
        if (!master->options->helper || make_aside(true) != 0)
                return;
        ignore_signals();
        if (master->listener >= 0)
                close(master->listener);
        illbred_note(master->options, "helper");
        for (;;)
                pause();
}

static void make_flood(Master *master) {
        const IllbredOptions *options = master->options;

        if (!options->flood || make_aside(false) != 0)
                return;
        illbred_write(options->flood, options->flood_size * 1024LL);
        illbred_note(options, "flooded");
        for (;;)
                pause();
}

static void say_ready(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (path && strlen(path) < sizeof address.sun_path) {
                strcpy(address.sun_path, path);
                if (address.sun_path[0] == '@')
                        address.sun_path[0] = '\0';
                (void) sendto(fd, "READY=1", 7, 0, (struct sockaddr *) &address, sizeof address);
        }
        close(fd);
}

static void notify(Master *master) {
        if (is(master->options->notify, "main"))
                say_ready();
        else if (is(master->options->notify, "kid") && make_aside(false) == 0) {
                say_ready();
                for (;;)
                        pause();
        }
}

static void write_pid(const IllbredOptions *options) {
        if (options->pidfile && !(options->stale_after_again && getenv(ILLBRED_AGAIN)))
                write_file(options->pidfile, "%d\n", (int) getpid());
}

/* What stands in the pidfile before it is right. */
static void write_first(const IllbredOptions *options) {
        if (!options->pidfile || !options->first || getenv(ILLBRED_AGAIN))
                return;
        if (is(options->first, "empty"))
                write_file(options->pidfile, "%s", "");
        else
                write_file(options->pidfile, "%s\n", options->first);
}

static void read_config(const Master *master) {
        const char *path = master->options->config;
        char word[64] = "";
        FILE *stream = path ? fopen(path, "re") : NULL;

        if (!path)
                return;
        if (stream) {
                (void) !fscanf(stream, "%63s", word);
                (void) fclose(stream);
        }
        if (!is(word, "good")) {
                fprintf(stderr, "illbred: %s is not good\n", path);
                exit(1);
        }
        illbred_note(master->options, "configured");
}

static void end_workers(const Master *master) {
        for (int i = 0; i < WORKERS_MAX; i++)
                if (master->workers[i] > 0)
                        kill(master->workers[i], SIGTERM);
        for (int i = 0; i < WORKERS_MAX; i++)
                if (master->workers[i] > 0)
                        (void) waitpid(master->workers[i], NULL, 0);
}

static void finish(Master *master, int status) {
        const IllbredOptions *options = master->options;

        if (master->listener >= 0)
                close(master->listener);
        end_workers(master);
        if (options->pidfile && !master->renamed)
                unlink(options->pidfile);
        illbred_note(options, "ended");
        exit(status);
}

static void execute_itself(const Master *master) {
        setenv(ILLBRED_AGAIN, "yes", 1);
        hear_nothing_special();
        execv("/proc/self/exe", master->argv);
        die_errno("execv");
}

/* It binds its port anew, so its workers go first. */
static void execute_again(Master *master) {
        end_workers(master);
        illbred_note(master->options, "again");
        execute_itself(master);
}

static void make_successor(Master *master) {
        const IllbredOptions *options = master->options;
        char old[PATH_MAX], fd[16];

        if (options->pidfile) {
                snprintf(old, sizeof old, "%s.oldbin", options->pidfile);
                master->renamed = rename(options->pidfile, old) == 0;
        }
        if (make_process() > 0)
                return;
        snprintf(fd, sizeof fd, "%d", master->listener);
        if (master->listener >= 0)
                fcntl(master->listener, F_SETFD, 0);
        setenv(ILLBRED_LISTENER, fd, 1);
        unsetenv(ILLBRED_AGAIN);
        hear_nothing_special();
        execv("/proc/self/exe", master->argv);
        die_errno("execv");
}

static void on_term(Master *master) {
        const char *term = master->options->term;

        illbred_note(master->options, "term");
        if (is(term, "again"))
                execute_again(master);
        if (is(term, "slow"))
                sleep_ms(master->options->term_time);
        finish(master, 0);
}

static void on_hup(Master *master) {
        illbred_note(master->options, "hup");
        if (is(master->options->hup, "again"))
                execute_again(master);
        if (is(master->options->hup, "reload"))
                read_config(master);
}

static void on_child(Master *master) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                for (int i = 0; i < WORKERS_MAX; i++)
                        if (master->workers[i] == pid)
                                master->workers[i] = 0;
        make_workers(master);
}

static void on_signal(Master *master) {
        struct signalfd_siginfo info;

        if (read(master->signals, &info, sizeof info) != sizeof info)
                return;
        switch ((int) info.ssi_signo) {
        case SIGTERM:
                on_term(master);
                break;
        case SIGHUP:
                on_hup(master);
                break;
        case SIGUSR2:
                make_successor(master);
                break;
        case SIGCHLD:
                on_child(master);
                break;
        default:
                finish(master, 0);
        }
}

/* What is not heard here keeps the disposition and the mask that it was started with. */
static void prepare_signals(Master *master) {
        const IllbredOptions *options = master->options;
        sigset_t heard, blocked;

        sigemptyset(&heard);
        sigaddset(&heard, SIGCHLD);
        sigaddset(&heard, SIGQUIT);
        sigaddset(&heard, SIGINT);
        if (is(options->term, "ignore"))
                signal(SIGTERM, SIG_IGN);
        else if (!is(options->term, "die") && !is(options->term, "block"))
                sigaddset(&heard, SIGTERM);
        if (is(options->hup, "ignore"))
                signal(SIGHUP, SIG_IGN);
        else if (!is(options->hup, "die"))
                sigaddset(&heard, SIGHUP);
        if (is(options->usr2, "successor"))
                sigaddset(&heard, SIGUSR2);

        blocked = heard;
        if (is(options->term, "block"))
                sigaddset(&blocked, SIGTERM);
        sigprocmask(SIG_BLOCK, &blocked, NULL);
        master->signals = signalfd(-1, &heard, SFD_CLOEXEC);
}

/* With workers they take in what comes. */
static void run(Master *master) {
        const IllbredOptions *options = master->options;
        bool serves = master->listener >= 0 && options->workers == 0;

        /* a successor on the same socket may be faster: who waits in accept(2) hears no signal */
        if (serves)
                fcntl(master->listener, F_SETFL, O_NONBLOCK);
        struct pollfd entries[] = {
                { .fd = master->signals, .events = POLLIN },
                { .fd = serves ? master->listener : -1, .events = POLLIN },
        };

        for (;;) {
                if (poll(entries, 2, options->fail_after > 0 ? options->fail_after : -1) == 0) {
                        fprintf(stderr, "illbred: something is missing\n");
                        exit(1);
                }
                if (entries[0].revents)
                        on_signal(master);
                if (entries[1].revents)
                        illbred_serve(options, master->listener, options->sessions);
        }
}

void illbred_master(char **argv, const IllbredOptions *options, int ready_fd) {
        Master master = { .options = options, .argv = argv };

        prepare_signals(&master);
        illbred_note(options, getenv(ILLBRED_LISTENER) ? "successor" : "started");
        read_config(&master);
        write_first(options);
        if (options->pidfile_early)
                write_pid(options);
        sleep_ms(options->listen_delay);
        master.listener = illbred_listen(options);
        sleep_ms(options->pidfile_delay);
        write_pid(options);
        make_workers(&master);
        make_helper(&master);
        make_flood(&master);
        notify(&master);
        if (ready_fd >= 0) {
                (void) !write(ready_fd, "", 1);
                close(ready_fd);
        }
        illbred_note(options, "ready");
        run(&master);
        exit(0);
}
