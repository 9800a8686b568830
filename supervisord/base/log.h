/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The log. Under systemd every line goes to the journal with fields (sd-journal(3)); elsewhere it
 * is a readable line on stderr. This is the only place that knows which.
 *
 * base, config, model and sys log at debug level at most; the layers above log, once per failure.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/message.h"

/* What a line is about; all members may be empty. */
typedef struct LogContext {
        MessageId message;
        const char *daemon;        /* SUPERVISOR_DAEMON= */
        const char *phase;         /* SUPERVISOR_PHASE= */
        const char *const *fields; /* further "KEY=value", NULL-terminated; borrowed */
} LogContext;

typedef enum LogTarget {
        LOG_AUTO, /* the journal if stderr is connected to it (JOURNAL_STREAM, systemd.exec(5)) */
        LOG_JOURNAL,
        LOG_STDERR,
} LogTarget;

/* Chooses the target; called once, early in main(). */
void log_open(LogTarget target);

/* Lines less important than `priority` (syslog(3)) are dropped; LOG_INFO at first. */
void log_set_priority(int priority);
int log_get_priority(void);

/* Whether lines go to the journal. */
bool log_is_journal(void);

/* For tests: hands every line to `hook` instead of writing it; NULL ends that. */
typedef void (*LogHook)(void *userdata, int priority, const LogContext *context, const char *text);
void log_use(LogHook hook, void *userdata);

/*
 * Writes one line. Keeps errno. Never fails and never allocates beyond what sd-journal does; a
 * text longer than 2 KiB is cut.
 */
void log_write(int priority, const LogContext *context, const char *format, ...) PRINTF_LIKE(3, 4);
void log_write_v(int priority, const LogContext *context, const char *format, va_list arguments)
        PRINTF_LIKE(3, 0);

#define log_error(...)   log_write(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, NULL, __VA_ARGS__)
