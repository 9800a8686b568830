/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to look at daemons from outside: to find their sockets, to measure what is in
 * flight, to see that one listens, to end idle connections; and to close many of them at once.
 * Beside it stands what the kernel takes for the same questions.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/cgroup.h"
#include "sys/intake.h"
#include "sys/procfs.h"
#include "sys/sockdiag.h"
#include "sys/socket.h"
#include "sys/tree.h"

#define ROUNDS_MAX     1000
#define CROWD          1000 /* processes, of 5 descriptors each */
#define DESCRIPTOR_MAX 20000

#define LISTENER_FD 3
#define TOLD_FD     4
#define MOVED_FD    50 /* in between */

static const char usage[] =
        "intake ROUNDS [CONNECTIONS...]\n"
        "\n"
        "Prints for 1, 100, 1000 and 9000 connections of one daemon (or for these), for 1000\n"
        "processes of one and for 1000 daemons, a line for each thing done: its name, and the\n"
        "least, the median, the 90th percentile and the greatest of the milliseconds of processor\n"
        "time that it took, separated by tabs.\n";

static Loop *loop;
static Intake *intake;
static CgroupRoot *root;
static Tree *tree;
static unsigned rounds;

static IntakeSocket listener;
static uint64_t *inodes; /* of connections */
static size_t inode_count;

static void die(const char *what, int r) {
        fprintf(stderr, "intake: %s: %s\n", what, r < 0 ? strerror(-r) : "it is not as expected");
        exit(EXIT_FAILURE);
}

static void expect(const char *what, bool as_expected) {
        if (!as_expected)
                die(what, -errno);
}

/* ---- times ---- */

/* Nothing here waits, so the processor time is what the loop stands still for. */
static double now(void) {
        struct timespec time;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return (double) time.tv_sec * 1e3 + (double) time.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
        const double *left = a, *right = b;

        return *left < *right ? -1 : *left > *right;
}

static void report(const char *name, int number, double *times) {
        qsort(times, rounds, sizeof(*times), compare);
        printf("%s, %d\t%.3f\t%.3f\t%.3f\t%.3f\n", name, number, times[0], times[rounds / 2],
               times[rounds * 9 / 10], times[rounds - 1]);
        (void) fflush(stdout);
}

typedef struct Task {
        const char *name;
        void (*run)(void);
} Task;

/* By turns: whatever else the machine does hits all alike. */
static void run_tasks(const Task *tasks, size_t count, int number) {
        static double times[8][ROUNDS_MAX];

        for (unsigned round = 0; round < rounds; round++)
                for (size_t i = 0; i < count; i++) {
                        double begin = now();

                        tasks[i].run();
                        times[i][round] = now() - begin;
                }
        for (size_t i = 0; i < count; i++)
                report(tasks[i].name, number, times[i]);
}

/* ---- what is timed ---- */

static void find(void) {
        const IntakeSocket *sockets;
        size_t count, denied;
        int r = intake_find(intake, tree, &sockets, &count, &denied);

        if (r < 0 || count == 0 || denied > 0)
                die("find", r);
        listener = sockets[0];
}

static void ignore_queue(void *userdata, const IntakeQueue *queue) {
        (void) userdata;
        (void) queue;
}

static void keep_inode(void *userdata, const IntakeConnection *connection) {
        (void) userdata;
        inodes[inode_count++] = connection->inode;
}

static void measure(void) {
        IntakeVisitor visitor = { ignore_queue, keep_inode, NULL };
        IntakeSocket none = { .kind = INTAKE_ABSTRACT };
        int r;

        inode_count = 0;
        (void) intake_open(intake, &none); /* what was measured before does not count any more */
        r = intake_measure(intake, &listener, 1, &visitor, NULL);
        if (r != 0)
                die("measure", r);
}

/* To find nobody costs as much as to find those that there are. */
static void nudge(void) {
        static const uint64_t nobody[1] = { 1 };
        size_t count;
        int r = intake_nudge(intake, tree, nobody, 1, &count);

        if (r < 0)
                die("nudge", r);
}

static void ready(void) {
        bool listens = false;
        int r = socket_tree_listens(tree, listener.port, &listens);

        if (r < 0 || !listens)
                die("listens", r);
}

static void close_and_open(void) {
        int r = intake_close(intake, &listener, INTAKE_REFUSE);

        if (r == 0)
                r = intake_open(intake, &listener);
        if (r != 0)
                die("close and open", r);
}

static int see_nothing(void *userdata, const SockdiagSocket *socket) {
        (void) userdata;
        (void) socket;
        return 0;
}

/* The same question as that of measure(), and no answer read. */
static void kernel_connections(void) {
        static const SockdiagState states[] = {
                SOCKDIAG_LISTENS,    SOCKDIAG_SYN_RECEIVED, SOCKDIAG_ESTABLISHED,
                SOCKDIAG_CLOSE_WAIT, SOCKDIAG_FIN_WAIT_1,   SOCKDIAG_FIN_WAIT_2,
        };
        SockdiagRequest request = {
                .kind = SOCKDIAG_TCP4,
                .in_full = true,
                .ports = &listener.port,
                .port_count = 1,
        };
        CLEANUP(fd_closep) int fd = -1;

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                request.states |= SOCKDIAG_BIT(states[i]);
        if (sockdiag_open(&fd) != 0 || sockdiag_each(fd, &request, see_nothing, NULL) != 0)
                die("sock_diag", 0);
}

static int see_no_socket(void *userdata, int fd, uint64_t inode) {
        (void) userdata;
        (void) fd;
        (void) inode;
        return 0;
}

static int see_process(void *userdata, pid_t pid) {
        (void) userdata;
        return procfs_each_socket(pid, see_no_socket, NULL);
}

static void kernel_descriptors(void) {
        int r = tree_each(tree, see_process, NULL);

        if (r < 0)
                die("descriptors", r);
}

/* ---- daemons ---- */

static void enter(const Tree *daemon) {
        int fd = openat(tree_cgroup_fd(daemon), "cgroup.procs", O_WRONLY | O_CLOEXEC);

        if (tree_cgroup_fd(daemon) >= 0)
                expect("cgroup.procs", fd >= 0 && write(fd, "0", 1) == 1);
        fd_close(fd);
}

/* A process of a daemon, which ends with us; with these descriptors as 3 and 4, and no more. */
static pid_t start(Tree *daemon, int first, int second) {
        pid_t pid = fork();

        expect("fork", pid >= 0);
        if (pid > 0) {
                tree_set_leader(daemon, pid);
                return pid;
        }
        expect("prctl", prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        (void) setsid();
        enter(daemon);
        first = fcntl(first, F_DUPFD, MOVED_FD);
        second = fcntl(second, F_DUPFD, MOVED_FD);
        (void) close_range(3, MOVED_FD - 1, 0);
        expect("dup", dup2(first, LISTENER_FD) >= 0 && dup2(second, TOLD_FD) >= 0);
        (void) close_range(MOVED_FD, ~0u, 0);
        return 0;
}

static int listen_somewhere(struct sockaddr_in *address) {
        socklen_t size = sizeof(*address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *address = (struct sockaddr_in){ .sin_family = AF_INET };
        address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        expect("listen", bind(fd, (struct sockaddr *) address, sizeof(*address)) == 0
                                && listen(fd, 1024) == 0
                                && getsockname(fd, (struct sockaddr *) address, &size) == 0);
        return fd;
}

static void serve(int connections) {
        for (int i = 0; i < connections; i++)
                expect("accept", accept4(LISTENER_FD, NULL, NULL, SOCK_CLOEXEC) >= 0);
        expect("write", write(TOLD_FD, "", 1) == 1);
        for (;;)
                (void) pause();
}

static void await(int told, int count) {
        char piece[1];

        for (int i = 0; i < count; i++)
                expect("read", read(told, piece, 1) == 1);
}

static void end_all(void) {
        (void) tree_kill(tree);
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

static void bench_connections(int connections) {
        static const Task tasks[] = {
                { "find", find },
                { "  the descriptors alone", kernel_descriptors },
                { "measure", measure },
                { "  sock_diag alone", kernel_connections },
                { "nudge", nudge },
                { "ready", ready },
                { "close and open", close_and_open },
        };
        struct sockaddr_in address;
        int told[2], fd, *clients = calloc((size_t) connections, sizeof(*clients));

        expect("pipe", clients && pipe2(told, O_CLOEXEC) == 0);
        fd = listen_somewhere(&address);
        if (start(tree, fd, told[1]) == 0)
                serve(connections);
        fd_close(fd);
        for (int i = 0; i < connections; i++) {
                clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                expect("connect",
                       connect(clients[i], (struct sockaddr *) &address, sizeof(address)) == 0);
        }
        await(told[0], 1);
        find();
        run_tasks(tasks, ELEMENTSOF(tasks), connections);
        if (inode_count != (size_t) connections)
                die("measure", 0);
        end_all();
        for (int i = 0; i < connections; i++)
                fd_close(clients[i]);
        free(clients);
        fd_close(told[0]);
        fd_close(told[1]);
}

static void bench_processes(void) {
        static const Task tasks[] = {
                { "find in processes", find },
                { "  the descriptors alone", kernel_descriptors },
                { "nudge in processes", nudge },
        };
        struct sockaddr_in address;
        int told[2], fd;

        expect("pipe", pipe2(told, O_CLOEXEC) == 0);
        fd = listen_somewhere(&address);
        for (int i = 0; i < CROWD; i++)
                if (start(tree, fd, told[1]) == 0)
                        serve(0);
        await(told[0], CROWD);
        run_tasks(tasks, ELEMENTSOF(tasks), CROWD);
        end_all();
        fd_close(fd);
        fd_close(told[0]);
        fd_close(told[1]);
}

/* ---- many daemons, closed in one handler of the loop, as at a stop ---- */

static Tree *trees[CROWD];

static int close_one(Tree *daemon) {
        const IntakeSocket *sockets;
        size_t count;
        int r = intake_find(intake, daemon, &sockets, &count, NULL);

        if (r != 0 || count != 1)
                die("find", r);
        return intake_close(intake, &sockets[0], INTAKE_REFUSE);
}

static int open_one(Tree *daemon) {
        const IntakeSocket *sockets;
        size_t count;
        int r = intake_find(intake, daemon, &sockets, &count, NULL);

        if (r != 0 || count != 1 || !sockets[0].closed)
                die("find again", r);
        return intake_open(intake, &sockets[0]);
}

typedef struct Round {
        Loop *loop;
        int (*what)(Tree *daemon);
} Round;

static int run_round(void *userdata) {
        const Round *round = userdata;

        for (int i = 0; i < CROWD; i++)
                if (round->what(trees[i]) != 0)
                        die("close or open", 0);
        return loop_exit(round->loop, 0);
}

/* A loop runs once only, so each round has one of its own. */
static void in_handler(int (*what)(Tree *daemon)) {
        Round round = { .what = what };
        Intake *outer = intake;
        LoopSource *source;
        int r = loop_new(&round.loop);

        if (r == 0)
                r = intake_new(round.loop, &intake);
        if (r == 0)
                r = loop_add_defer(round.loop, &source, LOOP_SETTLE, "all", run_round, &round);
        if (r != 0)
                die("loop", r);
        loop_defer_arm(source);
        (void) loop_run(round.loop);
        loop_source_free(source);
        intake_free(intake);
        loop_free(round.loop);
        intake = outer;
}

static void close_all(void) {
        in_handler(close_one);
}

static void open_all(void) {
        in_handler(open_one);
}

static void begin_daemon(int index, int told) {
        struct sockaddr_in address;
        int fd = listen_somewhere(&address);
        char name[16];

        (void) snprintf(name, sizeof(name), "d%d", index);
        expect("tree", tree_new(loop, root, name, &trees[index]) == 0
                               && tree_prepare(trees[index]) == 0);
        if (start(trees[index], fd, told) == 0)
                serve(0);
        fd_close(fd);
}

static void end_daemons(void) {
        for (int i = 0; i < CROWD; i++)
                (void) tree_kill(trees[i]);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        for (int i = 0; i < CROWD; i++) {
                (void) tree_release(trees[i]);
                trees[i] = tree_free(trees[i]);
        }
}

static void bench_daemons(void) {
        static const Task tasks[] = {
                { "find and close, daemons", close_all },
                { "find and open, daemons", open_all },
        };
        int told[2];

        if (!root)
                return;
        expect("pipe", pipe2(told, O_CLOEXEC) == 0);
        for (int i = 0; i < CROWD; i++)
                begin_daemon(i, told[1]);
        await(told[0], CROWD);
        run_tasks(tasks, ELEMENTSOF(tasks), CROWD);
        end_daemons();
        fd_close(told[0]);
        fd_close(told[1]);
}

static void prepare(void) {
        struct rlimit limit = { DESCRIPTOR_MAX, DESCRIPTOR_MAX };
        const char *why;
        int r;

        (void) setrlimit(RLIMIT_NOFILE, &limit);
        (void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        inodes = calloc(DESCRIPTOR_MAX, sizeof(*inodes));
        expect("memory", inodes);
        r = cgroup_root_open("bench", &root, &why);
        if (r != 0)
                fprintf(stderr, "intake: without a cgroup each look is a walk over all there is\n");
        r = loop_new(&loop);
        if (r == 0)
                r = tree_new(loop, root, "daemon", &tree);
        if (r == 0)
                r = tree_prepare(tree);
        if (r == 0)
                r = intake_new(loop, &intake);
        if (r != 0)
                die("prepare", r);
}

int main(int argc, char *argv[]) {
        static const int usual[] = { 1, 100, 1000, 9000 };

        rounds = argc > 1 ? (unsigned) atoi(argv[1]) : 0;
        if (rounds == 0 || rounds > ROUNDS_MAX) {
                fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        prepare();
        for (int i = 2; i < argc; i++)
                bench_connections(atoi(argv[i]));
        for (size_t i = 0; argc == 2 && i < ELEMENTSOF(usual); i++)
                bench_connections(usual[i]);
        bench_processes();
        bench_daemons();
        (void) tree_release(tree);
        tree = tree_free(tree);
        intake = intake_free(intake);
        root = cgroup_root_close(root);
        loop = loop_free(loop);
        free(inodes);
        return EXIT_SUCCESS;
}
