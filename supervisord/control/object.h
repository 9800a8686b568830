/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of the control socket, for the files of this folder only:
 *
 *   server.c   the object: who is let in, and what is told to all of them
 *   access.c   who may do what
 *   client.c   one connection: driving it, and its bounds
 *   frame.c    a look at what it sends, before sd-bus reads it
 *   news.c     what a connection has not been told yet
 *   object.c   the interface on the bus: looking
 *   call.c     … and doing: calls that are answered when it is done
 *   refuse.c   … or why it is not done
 *   table.c    all daemons as one text
 *   broker.c   the few words of a message bus that busctl needs
 *   text.c     text for the bus
 */

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "control/access.h"
#include "control/names.h"
#include "control/server.h"
#include "service/request.h"

#define CONTROL_CLIENTS_MAX         64
#define CONTROL_CLIENTS_READING_MAX 48  /* of these, so that readers cannot keep root out */
#define CONTROL_CLIENTS_PROCESS_MAX 16  /* of one process */
#define CONTROL_CALLS_MAX           256 /* that wait for their answer */

#define CLIENT_CALLS_MAX   16                  /* … of one client */
#define CLIENT_FIRST_CALL  (5 * USEC_PER_SEC)  /* from connecting to the first call */
#define CLIENT_STALL       (10 * USEC_PER_SEC) /* without reading anything of what waits for it */
#define CLIENT_BURST       32                  /* messages in one go */
#define CLIENT_QUEUE_PAUSE 8  /* messages that wait for it: nothing more is taken from it */
#define CLIENT_QUEUE_MAX   64 /* … it is hung up on */
#define CLIENT_SOCKET_MAX  (128u << 10) /* bytes that wait for it in the kernel */
#define CLIENT_RECORDS_MAX (1u << 20)   /* bytes of records in one answer, but for a single one */
#define CLIENT_WAKEUPS_MAX 64 /* pieces that may come without making a message whole */

typedef struct Call Call;
typedef struct Client Client;
typedef TAILQ_HEAD(CallList, Call) CallList;
typedef TAILQ_HEAD(ClientList, Client) ClientList;

struct Control {
        Loop *loop;
        Supervisor *supervisor;
        Listener *listener;
        LoopSource *accepting;
        LoopSource *telling; /* there is news */
        bool accept_failed;  /* logged */

        ClientList clients; /* in the order in which they came */
        size_t client_count;
        Buffer table;        /* of StatusTable(), kept: a thousand daemons are many to look at */
        uint64_t table_work; /* loop_work() when it was made */
        bool table_holds;

        CallList calls; /* also of clients that hung up since */
        size_t call_count;
};

/* What a client has not been told yet: the last state counts, not the way to it. */
typedef struct News {
        bool *daemons; /* by index */
        size_t daemon_count;
        size_t next; /* all before it were told */
        bool status;
        bool set;
} News;

struct Client {
        TAILQ_ENTRY(Client) link;
        Control *control;
        pid_t pid;
        uid_t uid;
        AccessLevel level;

        sd_bus *bus;
        int fd; /* the bus's */
        LoopSource *io;
        LoopSource *timer; /* the nearest of its deadlines */
        LoopSource *again; /* there is more to do, but others come first */
        uint32_t events;
        bool settled;     /* sd-bus read all that came with the authentication */
        bool spoke;       /* its first call came */
        const char *gone; /* why it is to be freed; NULL: it is not */
        unsigned cleared; /* messages that may be read before the next look at them */
        unsigned wakeups; /* since the last whole message */
        uint64_t queued;  /* messages that waited for it when last looked at */
        usec_t deadline;
        unsigned calls; /* that wait for their answer */
        News news;
};

#define CLIENT_WHO_MAX 64
/* "uid 0 (process 123)"; returns buffer. */
const char *client_who(const Client *client, char buffer[static CLIENT_WHO_MAX]);

/* client.c */

/* Takes over the descriptor, also on failure. */
int client_new(Control *control, int fd_consume, const Peer *peer, AccessLevel level);
Client *client_free(Client *client);
/* It is to be freed, as soon as nothing of it is on the way. The first reason counts. */
void client_drop(Client *client, const char *why);
/* To be called after something was sent to it: looks at its queue. */
void client_update(Client *client);
/* Sends it what it has not been told yet. */
void client_tell(Client *client);
/* 0, or a negative errno with *ret_error set: it may only look. */
int client_check_full(const Client *client, sd_bus_error *ret_error);

/* news.c */
int news_resize(News *news, size_t daemon_count); /* all daemons may be others */
void news_clear(News *news);
void news_add_daemon(News *news, unsigned index);
bool news_is_empty(const News *news);
/* Sends what its queue takes. */
int news_tell(Client *client);

/* object.c */
int object_add(Client *client);
int message_append_text(sd_bus_message *message, const char *text);
/* When it is cut short, for a message; 0: it has no deadline. */
uint64_t message_deadline(const Supervisor *supervisor, const Child *child);
int message_append_findings(sd_bus_message *message, const Diag *diag); /* NULL: none */

/* call.c */
int call_start(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_stop(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_restart(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_reload_daemons(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_freeze(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_drain(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_thaw(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_reload(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_signal(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
int call_shutdown(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);
/* The client hangs up: its calls go on without it. */
void calls_forget_client(Control *control, const Client *client);
/* … and so they do without us. */
void calls_forget_control(Control *control);

/* refuse.c */
/*
 * The error of a REQUEST_E_… about the daemon of that name (NULL where it is about none); a
 * negative outcome is passed on.
 */
int refuse(const Supervisor *supervisor, int outcome, const char *name, sd_bus_error *ret_error);

/* broker.c */
int broker_add(Client *client);
