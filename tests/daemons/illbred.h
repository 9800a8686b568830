/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * illbred: one daemon with every bad habit that was found on real ones, each an option KEY=VALUE
 * (see illbred_options.c, which prints them). Without options it stays in the foreground, as a
 * master without workers, and ends at SIGTERM.
 */

#include <stdbool.h>
#include <stdnoreturn.h>
#include <sys/types.h>

typedef struct IllbredOptions {
        /* start */
        const char *background; /* NULL: stays; "honest": the first process waits; "early" */
        int status, print, listen_delay, fail_after;
        bool mute; /* what it prints has no newline */
        /* pidfile */
        const char *pidfile, *first;
        int pidfile_delay;
        bool pidfile_early, stale_after_again;
        /* listening */
        int port; /* -1: it does not listen */
        const char *port_file;
        bool reuse, retry;
        /* tree */
        int workers;
        bool own_sessions, sessions, watchdog, helper;
        /* notify */
        const char *notify; /* NULL, "main", "kid" */
        /* signals */
        const char *term, *hup, *usr2, *config;
        int term_time;
        /* serving, and what it tells the test */
        int delay;
        const char *log;
        const char *flood; /* NULL, "lines", "mute", "nul": writes that without end */
        int flood_size;    /* … or so many KiB of it */
} IllbredOptions;

/* Ends the program if an option is wrong. */
void illbred_parse(int argc, char **argv, IllbredOptions *ret);

/* Adds a line "WHAT PID" to the log. */
void illbred_note(const IllbredOptions *options, const char *what);

/* Prints lines, or one endless line, until `size` bytes are written; 0: without end. */
void illbred_write(const char *kind, long long size);

/*
 * The main process, once it is in its place: listens, writes its pidfile, makes its workers, calls
 * it a start by closing `ready_fd` (-1: nobody waits) after a byte, and hears its signals until it
 * ends. Does not return.
 */
noreturn void illbred_master(char **argv, const IllbredOptions *options, int ready_fd);

/* A listening socket as the options say; a worker's or session's whole life. */
int illbred_listen(const IllbredOptions *options);
void illbred_serve(const IllbredOptions *options, int listener, bool sessions);

/* The environment of a run that comes from another run of it. */
#define ILLBRED_AGAIN    "ILLBRED_AGAIN"    /* it executed itself */
#define ILLBRED_LISTENER "ILLBRED_LISTENER" /* it is a successor, and this is the socket */
