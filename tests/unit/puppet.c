/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "puppet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sockets.h"
#include "unit.h"

#define INVOCATION "SUPERVISOR_INVOCATION=0123"
#define PIECE_MAX  (1 << 20)

Loop *puppet_loop;
Tree *puppet_tree;
pid_t puppet_pid;
bool puppet_elsewhere;

static int control = -1; /* to the last one */

typedef struct Message {
        PuppetOrder order;
        int a, b;
        char text[96];
} Message;

void puppet_setup(void) {
        sockets_setup();
        puppet_elsewhere = false;
        puppet_pid = 0;
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        ck_assert_int_eq(loop_new(&puppet_loop), 0);
        ck_assert_int_eq(tree_new(puppet_loop, NULL, "web", &puppet_tree), 0);
        ck_assert_int_eq(tree_prepare(puppet_tree), 0);
}

static int kill_one(void *userdata, pid_t pid) {
        (void) userdata;
        (void) kill(pid, SIGKILL); /* it may have gone by itself */
        return 0;
}

void puppet_teardown(void) {
        while (!tree_is_empty(puppet_tree)) {
                ck_assert_int_eq(tree_each(puppet_tree, kill_one, NULL), 0);
                (void) waitpid(-1, NULL, WNOHANG);
        }
        while (waitpid(-1, NULL, 0) > 0)
                ;
        control = fd_close(control);
        puppet_tree = tree_free(puppet_tree);
        puppet_loop = loop_free(puppet_loop);
        sockets_teardown();
}

/* ---- in the daemon ---- */

/* Also that of a test that fails. */
pid_t puppet_fork(void) {
        pid_t parent = getpid(), pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
                _exit(1);
        return pid;
}

void puppet_wait(void) {
        for (;;)
                (void) pause();
}

void puppet_enter_network(void) {
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        int fd;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
        fd_close(fd);
}

static int listen_both(int backlog) {
        struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), no = 0;

        ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)), 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &any, sizeof(any)), 0);
        ck_assert_int_eq(listen(fd, backlog), 0);
        return fd;
}

/* As the workers of a daemon do, each with a queue of its own. */
static int listen_shared(int port, int backlog) {
        struct sockaddr_in address = { .sin_family = AF_INET };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons((uint16_t) port);
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, backlog), 0);
        return fd;
}

static int listen_tcp(int family, int backlog) {
        uint16_t port = 0;
        int fd = sockets_bind_tcp(family, &port);

        ck_assert_int_eq(listen(fd, backlog), 0);
        return fd;
}

static int listen_unix(const char *name, int backlog) {
        int fd = sockets_bind_unix(name, SOCK_STREAM);

        ck_assert_int_eq(listen(fd, backlog), 0);
        return fd;
}

static int listen_relative(const char *path, int backlog) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        strncat(address.sun_path, path, sizeof(address.sun_path) - 1);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, backlog), 0);
        return fd;
}

static int hide(const char *path) {
        return unshare(CLONE_NEWNS) < 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) < 0
                        || mount("test", path, "tmpfs", 0, NULL) < 0
                ? -1
                : 0;
}

static int read_some(int fd, int size) {
        static char piece[PIECE_MAX];

        return (int) recv(fd, piece, (size_t) size, MSG_DONTWAIT);
}

static int write_some(int fd, int size) {
        static const char piece[PIECE_MAX];

        return (int) send(fd, piece, (size_t) size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int open_many(int count) {
        for (int i = 0; i < count; i++)
                if (socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0)
                        return i;
        return count;
}

static int fork_idle(void) {
        pid_t pid = puppet_fork();

        if (pid == 0)
                puppet_wait();
        return pid;
}

static int become(int id) {
        gid_t group = (gid_t) id;

        if (seteuid(0) < 0 || setresgid(group, group, group) < 0
            || setresuid(group, group, group) < 0)
                return -1;
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* as it would be after an exec */
}

static int obey(const Message *message) {
        int a = message->a, b = message->b;

        switch (message->order) {
        case PUPPET_LISTEN:
                return listen_tcp(a, b);
        case PUPPET_LISTEN_SHARED:
                return listen_shared(a, b);
        case PUPPET_LISTEN_BOTH:
                return listen_both(b);
        case PUPPET_LISTEN_UNIX:
                return listen_unix(message->text, b);
        case PUPPET_LISTEN_RELATIVE:
                return listen_relative(message->text, b);
        case PUPPET_BIND_UDP:
                return sockets_bind_udp(a);
        case PUPPET_DEFER:
                return setsockopt(a, IPPROTO_TCP, TCP_DEFER_ACCEPT, &b, sizeof(b));
        case PUPPET_PORT:
                return sockets_port(a);
        case PUPPET_ACCEPT:
                return accept4(a, NULL, NULL, SOCK_CLOEXEC);
        case PUPPET_READ:
                return read_some(a, b);
        case PUPPET_WRITE:
                return write_some(a, b);
        case PUPPET_SHUT:
                return shutdown(a, SHUT_WR);
        case PUPPET_CLOSE:
                return close(a);
        case PUPPET_CONNECT:
                return sockets_connect(AF_INET, (uint16_t) a);
        case PUPPET_OPEN:
                return open_many(a);
        case PUPPET_FORK:
                return fork_idle();
        case PUPPET_LEAVE:
                puppet_enter_network();
                return 0;
        case PUPPET_CHANGE:
                return chdir(message->text);
        case PUPPET_ROOT:
                return chroot(message->text);
        case PUPPET_HIDE:
                return hide(message->text);
        case PUPPET_USER:
                return become(a);
        }
        return -1;
}

static void obey_all(int fd) {
        Message message;

        while (recv(fd, &message, sizeof(message), 0) == sizeof(message)) {
                int result = obey(&message);

                if (result < 0)
                        result = -errno;
                if (send(fd, &result, sizeof(result), 0) != sizeof(result))
                        break;
        }
}

/* ---- in the test ---- */

uint16_t puppet_start(uint16_t (*prepare)(const void *userdata), const void *userdata) {
        uint16_t port = 0;
        int ends[2];

        fd_close(control);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        tree_set_invocation(puppet_tree, INVOCATION);
        puppet_pid = puppet_fork();
        if (puppet_pid == 0) {
                (void) setsid();
                fd_close(ends[0]);
                if (puppet_elsewhere)
                        puppet_enter_network();
                if (prepare)
                        port = prepare(userdata);
                if (send(ends[1], &port, sizeof(port), 0) == sizeof(port))
                        obey_all(ends[1]);
                _exit(1);
        }
        tree_set_leader(puppet_tree, puppet_pid);
        fd_close(ends[1]);
        control = ends[0];
        ck_assert_int_eq(recv(control, &port, sizeof(port), 0), sizeof(port));
        return port;
}

int puppet_do(PuppetOrder order, int a, int b, const char *text) {
        Message message = { .order = order, .a = a, .b = b };
        int result;

        strncat(message.text, text ? text : "", sizeof(message.text) - 1);
        ck_assert_int_eq(send(control, &message, sizeof(message), 0), sizeof(message));
        ck_assert_int_eq(recv(control, &result, sizeof(result), 0), sizeof(result));
        return result;
}

bool puppet_can_enter_network(void) {
        int status = 0;
        pid_t pid = fork();

        if (pid == 0)
                _exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

const char *puppet_cannot_take(void) {
        CLEANUP(fd_closep) int pidfd = pidfd_open(getpid(), 0);
        CLEANUP(fd_closep) int fd = pidfd < 0 ? -1 : pidfd_getfd(pidfd, STDERR_FILENO, 0);

        return fd < 0 ? "no pidfd_getfd(2)" : NULL;
}

const char *puppet_cannot_reopen(void) {
        CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int on = 1, off = 0;

        return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &on, sizeof(on)) < 0
                        || setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &off, sizeof(off)) < 0
                ? "no CAP_NET_RAW"
                : NULL;
}

const char *puppet_cannot_hold(void) {
        CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, UINT32_MAX) };
        struct sock_fprog program = { ELEMENTSOF(filter), filter };

        return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
                ? "no CAP_NET_ADMIN"
                : NULL;
}
