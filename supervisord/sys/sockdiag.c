/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/sockdiag.h"

/*
 * A request is answered in pieces, each of which the kernel makes when the one before it is read.
 * Sizes are checked: an older kernel tells less than the headers know, and a newer one more.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/macro.h"

#define ANSWER_MAX 32768 /* of one piece, see netlink(7) */

#define HAS(size, type, member) ((size) >= offsetof(type, member) + sizeof(((type *) 0)->member))

/* The kernel was built without it, or a filter of a container or a policy forbids it. */
static int sockdiag_failure(void) {
        switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
                return errno_negative();
        default:
                return SOCKDIAG_E_UNSUPPORTED;
        }
}

int sockdiag_open(int *ret) {
        int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

        if (fd < 0)
                return sockdiag_failure();
        *ret = fd;
        return 0;
}

/* ---- the request ---- */

/* "Its port is this one": the comparison, its operand, and a jump to the end if it is true. */
typedef struct PortTest {
        struct inet_diag_bc_op compare, operand, jump;
} PortTest;

typedef struct Request {
        struct nlmsghdr header;
        union {
                struct inet_diag_req_v2 inet;
                struct unix_diag_req local;
        };
        /* behind the former */
        struct rtattr filter;
        PortTest tests[SOCKDIAG_PORT_MAX];
} Request;

static_assert(sizeof(struct unix_diag_req) <= sizeof(struct inet_diag_req_v2),
              "a request for UNIX sockets ends before the filter");
static_assert(offsetof(Request, filter) == NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2),
              "the filter stands directly behind the request");

static bool kind_is_tcp(SockdiagKind kind) {
        return kind == SOCKDIAG_TCP4 || kind == SOCKDIAG_TCP6;
}

static bool kind_is_v6(SockdiagKind kind) {
        return kind == SOCKDIAG_TCP6 || kind == SOCKDIAG_UDP6;
}

/*
 * A program that lets pass what has one of these ports. Offsets are in bytes from each operation;
 * one that leads 4 behind the end means "no". The last one needs no jump.
 */
static size_t request_add_ports(Request *request, const uint16_t *ports, size_t count) {
        size_t size = count * sizeof(PortTest) - sizeof(struct inet_diag_bc_op);

        for (size_t i = 0; i < count; i++) {
                size_t rest = size - i * sizeof(PortTest);

                request->tests[i] = (PortTest){
                        .compare = { .code = INET_DIAG_BC_S_EQ,
                                     .yes = offsetof(PortTest, jump),
                                     .no = sizeof(PortTest) },
                        .operand = { .no = ports[i] },
                        .jump = { .code = INET_DIAG_BC_JMP,
                                  .yes = sizeof(struct inet_diag_bc_op),
                                  .no = (uint16_t) (rest - offsetof(PortTest, jump)) },
                };
        }
        request->filter = (struct rtattr){
                .rta_type = INET_DIAG_REQ_BYTECODE,
                .rta_len = (uint16_t) RTA_LENGTH(size),
        };
        return RTA_LENGTH(size);
}

static size_t request_make_inet(Request *request, const SockdiagRequest *wanted) {
        request->inet = (struct inet_diag_req_v2){
                .sdiag_family = kind_is_v6(wanted->kind) ? AF_INET6 : AF_INET,
                .sdiag_protocol = kind_is_tcp(wanted->kind) ? IPPROTO_TCP : IPPROTO_UDP,
                .idiag_ext = wanted->in_full ? 1u << (INET_DIAG_INFO - 1) : 0,
                .idiag_states = wanted->states,
        };
        if (wanted->port_count == 0)
                return sizeof(request->inet);
        return sizeof(request->inet)
                + request_add_ports(request, wanted->ports, wanted->port_count);
}

static size_t request_make_unix(Request *request, const SockdiagRequest *wanted) {
        request->local = (struct unix_diag_req){
                .sdiag_family = AF_UNIX,
                .udiag_states = wanted->states,
                .udiag_show = wanted->in_full ? UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER
                                        | UDIAG_SHOW_RQLEN
                                              : 0,
        };
        return sizeof(request->local);
}

static int sockdiag_send(int fd, const SockdiagRequest *wanted) {
        Request request = { .header = { .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
        size_t size = wanted->kind == SOCKDIAG_UNIX ? request_make_unix(&request, wanted)
                                                    : request_make_inet(&request, wanted);

        request.header.nlmsg_len = (uint32_t) NLMSG_LENGTH(size);
        return send(fd, &request, request.header.nlmsg_len, 0) < 0 ? sockdiag_failure() : 0;
}

/* ---- the answer ---- */

static void socket_read_info(SockdiagSocket *socket, const struct rtattr *attribute) {
        const struct tcp_info *info = RTA_DATA(attribute);

        /* The last member that is needed; it is there since Linux 4.19. */
        if (!HAS(RTA_PAYLOAD(attribute), struct tcp_info, tcpi_bytes_sent))
                return;
        socket->has_times = true;
        socket->since_received = info->tcpi_last_data_recv;
        socket->since_sent = info->tcpi_last_data_sent;
        socket->received = info->tcpi_bytes_received;
        socket->sent = info->tcpi_bytes_sent;
}

static void socket_read_inet_attribute(SockdiagSocket *socket, const struct rtattr *attribute) {
        switch (attribute->rta_type) {
        case INET_DIAG_INFO:
                if (kind_is_tcp(socket->kind))
                        socket_read_info(socket, attribute);
                break;
        case INET_DIAG_CGROUP_ID:
                if (RTA_PAYLOAD(attribute) >= sizeof(socket->cgroup))
                        memcpy(&socket->cgroup, RTA_DATA(attribute), sizeof(socket->cgroup));
                break;
        default:
                break;
        }
}

/* The kernel's own dev_t is not that of its calls. */
static dev_t device_of_kernel(uint32_t device) {
        return makedev(device >> 20, device & 0xfffff);
}

static void socket_read_unix_attribute(SockdiagSocket *socket, const struct rtattr *attribute) {
        const struct unix_diag_vfs *file = RTA_DATA(attribute);
        const struct unix_diag_rqlen *queues = RTA_DATA(attribute);
        size_t size = RTA_PAYLOAD(attribute);

        switch (attribute->rta_type) {
        case UNIX_DIAG_NAME:
                socket->name = RTA_DATA(attribute);
                socket->name_length =
                        size > 0 && socket->name[0] != '\0' ? strnlen(socket->name, size) : size;
                break;
        case UNIX_DIAG_VFS:
                if (size < sizeof(*file))
                        break;
                socket->has_file = true;
                socket->file_inode = file->udiag_vfs_ino;
                socket->file_device = device_of_kernel(file->udiag_vfs_dev);
                break;
        case UNIX_DIAG_PEER:
                if (size >= sizeof(socket->peer_inode))
                        memcpy(&socket->peer_inode, RTA_DATA(attribute),
                               sizeof(socket->peer_inode));
                break;
        case UNIX_DIAG_RQLEN:
                if (size < sizeof(*queues))
                        break;
                socket->read_queue = queues->udiag_rqueue;
                socket->write_queue = queues->udiag_wqueue;
                break;
        default:
                break;
        }
}

typedef void (*AttributeReader)(SockdiagSocket *socket, const struct rtattr *attribute);

/* What stands behind the fixed part of a message. */
static void socket_read_attributes(SockdiagSocket *socket,
                                   const struct nlmsghdr *message,
                                   size_t fixed,
                                   AttributeReader read_attribute) {
        const struct rtattr *attribute =
                (const struct rtattr *) ((const char *) NLMSG_DATA(message) + NLMSG_ALIGN(fixed));
        size_t size = NLMSG_PAYLOAD(message, NLMSG_ALIGN(fixed));

        for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size))
                read_attribute(socket, attribute);
}

static int socket_read_inet(SockdiagSocket *socket, const struct nlmsghdr *message) {
        const struct inet_diag_msg *fixed = NLMSG_DATA(message);

        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*fixed)))
                return -EBADMSG;
        socket->state = fixed->idiag_state;
        socket->inode = fixed->idiag_inode;
        socket->address = (const uint8_t *) fixed->id.idiag_src;
        socket->peer = (const uint8_t *) fixed->id.idiag_dst;
        socket->port = ntohs(fixed->id.idiag_sport);
        socket->peer_port = ntohs(fixed->id.idiag_dport);
        socket->interface = fixed->id.idiag_if;
        socket->read_queue = fixed->idiag_rqueue;
        socket->write_queue = fixed->idiag_wqueue;
        socket_read_attributes(socket, message, sizeof(*fixed), socket_read_inet_attribute);
        return 0;
}

static int socket_read_unix(SockdiagSocket *socket, const struct nlmsghdr *message) {
        const struct unix_diag_msg *fixed = NLMSG_DATA(message);

        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*fixed)))
                return -EBADMSG;
        socket->state = fixed->udiag_state;
        socket->inode = fixed->udiag_ino;
        socket_read_attributes(socket, message, sizeof(*fixed), socket_read_unix_attribute);
        return 0;
}

/* What goes along with an answer. */
typedef struct Answer {
        SockdiagKind kind;
        SockdiagVisitor visit;
        void *userdata;
        bool done;
} Answer;

static int answer_read_message(Answer *answer, const struct nlmsghdr *message) {
        const struct nlmsgerr *error = NLMSG_DATA(message);
        SockdiagSocket socket = { .kind = answer->kind };
        int r;

        if (message->nlmsg_type == NLMSG_DONE) {
                answer->done = true;
                return 0;
        }
        /* The kernel does not know the kind, or its module is not there. */
        if (message->nlmsg_type == NLMSG_ERROR)
                return message->nlmsg_len >= NLMSG_LENGTH(sizeof(*error))
                                && (error->error == -ENOMEM || error->error == -ENOBUFS)
                        ? error->error
                        : SOCKDIAG_E_UNSUPPORTED;
        if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
                return 0;

        r = answer->kind == SOCKDIAG_UNIX ? socket_read_unix(&socket, message)
                                          : socket_read_inet(&socket, message);
        return r < 0 ? r : answer->visit(answer->userdata, &socket);
}

static int answer_read_piece(Answer *answer, const struct nlmsghdr *message, size_t size) {
        int r = 0;

        for (; r == 0 && !answer->done && NLMSG_OK(message, size);
             message = NLMSG_NEXT(message, size))
                r = answer_read_message(answer, message);
        return r;
}

int sockdiag_each(int fd, const SockdiagRequest *request, SockdiagVisitor visit, void *userdata) {
        _Alignas(struct nlmsghdr) char piece[ANSWER_MAX];
        Answer answer = { .kind = request->kind, .visit = visit, .userdata = userdata };
        int r;

        r = sockdiag_send(fd, request);
        while (r == 0 && !answer.done) {
                ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

                if (n < 0)
                        return sockdiag_failure();
                r = answer_read_piece(&answer, (const struct nlmsghdr *) piece, (size_t) n);
        }
        return r;
}

