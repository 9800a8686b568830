/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The messages that have a MESSAGE_ID, so that people and programs can find them
 * (`journalctl MESSAGE_ID=…`) and `journalctl -x` can explain them. Each has a text in
 * catalog/supervisord.catalog; tests/lint keeps the two in step.
 */

typedef enum MessageId {
        MESSAGE_NONE,
        MESSAGE_SUPERVISOR_STARTED,   /* supervisord is up and begins to start its daemons */
        MESSAGE_SUPERVISOR_READY,     /* every daemon is ready or has had its chance */
        MESSAGE_SUPERVISOR_STOPPING,  /* a stop was asked for */
        MESSAGE_SUPERVISOR_STOPPED,   /* everything is released */
        MESSAGE_STOP_REPEATED,        /* a further stop signal changes nothing */
        MESSAGE_CONFIG_INVALID,       /* the configuration has errors; supervisord does not start */
        MESSAGE_RELOAD_DONE,          /* a new configuration is in force, or nothing changed */
        MESSAGE_RELOAD_REFUSED,       /* the configuration on disk has errors, the old one stays */
        MESSAGE_RELOAD_ROLLED_BACK,   /* a daemon did not become ready, the old one is back */
        MESSAGE_TRACKING_LIMITED,     /* no cgroup can be used, trees are found by descent */
        MESSAGE_STATE_LOST,           /* what was to be remembered cannot be read or written */
        MESSAGE_STATE,                /* a line of the state that SIGUSR1 asks for */
        MESSAGE_PHASE_BEGUN,          /* freeze, drain or cleanup begins */
        MESSAGE_PHASE_ENDED,          /* … and ends, with its outcome */
        MESSAGE_DAEMON_STARTING,      /* its first process runs */
        MESSAGE_DAEMON_READY,         /* its readiness was seen */
        MESSAGE_MAIN_CHANGED,         /* another process is its main one now */
        MESSAGE_DAEMON_START_FAILED,  /* it could not be started or did not become ready */
        MESSAGE_DAEMON_EXITED,        /* it ended although nobody asked it to */
        MESSAGE_DAEMON_RESTARTING,    /* it will be started again after a delay */
        MESSAGE_DAEMON_GIVEN_UP,      /* it will not be started again */
        MESSAGE_DAEMON_STOPPED,       /* its whole tree is gone */
        MESSAGE_DAEMON_HELD,          /* it stays stopped, as an operator wants it */
        MESSAGE_DAEMON_FORCED,        /* a deadline cut its freeze, drain or cleanup short */
        MESSAGE_DAEMON_SPARED,        /* left-over processes of it live on, as they shall */
        MESSAGE_DAEMON_STUCK,         /* it could not be killed */
        MESSAGE_DAEMON_RELOADED,      /* it was told to read its own files anew, and lives on */
        MESSAGE_DAEMON_RELOAD_FAILED, /* … it was not told, or did not do it, or died of it */
        MESSAGE_DAEMON_SICK,          /* too many looks at its health in a row failed */
        MESSAGE_DAEMON_WELL,          /* … and it is well again, before anything was done */
        MESSAGE_DAEMON_DRAINING,      /* what is in flight changed */
        MESSAGE_DAEMON_THAWED,        /* it takes in new work again */
        MESSAGE_INTAKE_OPEN,          /* a socket could not be closed, new work goes on coming */
        MESSAGE_INTAKE_RECOVERED,     /* what an earlier supervisord left closed was opened */
        MESSAGE_LEFTOVERS,            /* processes of an earlier run are in the way of a start */
        MESSAGE_PIDFILE_REFUSED,      /* the pidfile does not name a process of the daemon */
        MESSAGE_NOTIFY_REFUSED,       /* a notify datagram was not one of the daemon's own */
        MESSAGE_HOOK_FAILED,          /* a command of freeze, drain or cleanup went wrong */
        MESSAGE_CLEANUP_FAILED,       /* something could not be removed or released */
        MESSAGE_MAX_,
} MessageId;

/* The 32 hexadecimal digits of the id, as sd-id128(3) writes them; NULL for MESSAGE_NONE. */
const char *message_id_text(MessageId id);

/* "DAEMON_READY" for MESSAGE_DAEMON_READY. */
const char *message_id_name(MessageId id);
