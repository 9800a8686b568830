/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of illbred, one table for reading and for the help.
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "illbred.h"

typedef enum Kind {
        KIND_TEXT,
        KIND_NUMBER,
        KIND_FLAG,
} Kind;

typedef struct Key {
        const char *name;
        Kind kind;
        size_t offset;
        const char *choices; /* of a text, words between blanks; NULL: any */
        const char *help;
} Key;

#define AT(field) offsetof(IllbredOptions, field)

static const Key keys[] = {
        { "background", KIND_TEXT, AT(background), "honest early",
          "daemonizes; its first process exits when all is done, or at once" },
        { "status", KIND_NUMBER, AT(status), NULL, "what the first process exits with" },
        { "print", KIND_NUMBER, AT(print), NULL,
          "its first process prints so many KiB before anything else" },
        { "mute", KIND_FLAG, AT(mute), NULL, "… without a newline" },
        { "listen-delay", KIND_NUMBER, AT(listen_delay), NULL, "ms until it listens" },
        { "fail-after", KIND_NUMBER, AT(fail_after), NULL, "ms until it dies with status 1" },

        { "pidfile", KIND_TEXT, AT(pidfile), NULL, "where its number comes once it listens" },
        { "pidfile-first", KIND_TEXT, AT(first), NULL,
          "what is in there before: a number, garbage, or \"empty\"" },
        { "pidfile-delay", KIND_NUMBER, AT(pidfile_delay), NULL, "… for so many ms" },
        { "pidfile-early", KIND_FLAG, AT(pidfile_early), NULL,
          "written before it knows whether it can listen" },
        { "pidfile-once", KIND_FLAG, AT(stale_after_again), NULL,
          "not written anew when it has executed itself" },

        { "port", KIND_NUMBER, AT(port), NULL, "listens on 127.0.0.1; 0: anywhere" },
        { "port-file", KIND_TEXT, AT(port_file), NULL, "where its port is written first" },
        { "reuse", KIND_FLAG, AT(reuse), NULL, "a second one is not refused" },
        { "retry", KIND_FLAG, AT(retry), NULL,
          "where the port is taken it stays and tries again, instead of dying" },

        { "workers", KIND_NUMBER, AT(workers), NULL,
          "so many processes serve, and go on without their master" },
        { "own-sessions", KIND_FLAG, AT(own_sessions), NULL, "each worker in its own session" },
        { "sessions", KIND_FLAG, AT(sessions), NULL,
          "a process in a session of its own for each connection, which outlives the master" },
        { "watchdog", KIND_FLAG, AT(watchdog), NULL,
          "its parent hears no TERM and starts it anew, unless it exited with 0" },
        { "helper", KIND_FLAG, AT(helper), NULL, "a deaf helper stays behind at its end" },

        { "notify", KIND_TEXT, AT(notify), "main kid", "who says READY=1, if it may" },

        { "term", KIND_TEXT, AT(term), "end die again ignore block slow",
          "at SIGTERM it ends (with its workers), dies (without them), executes itself, ignores "
          "it, has it blocked, or ends after term-time; QUIT and INT always end it" },
        { "term-time", KIND_NUMBER, AT(term_time), NULL, "ms for term=slow" },
        { "hup", KIND_TEXT, AT(hup), "die again reload ignore",
          "at SIGHUP it dies, executes itself (and daemonizes again: another main process), reads "
          "its configuration, or ignores it" },
        { "config", KIND_TEXT, AT(config), NULL,
          "its configuration; unless its first word is good it dies of that with status 1" },
        { "usr2", KIND_TEXT, AT(usr2), "die successor",
          "at SIGUSR2 it dies, or makes a successor: a child, which inherits its socket and writes "
          "the pidfile; its own becomes PIDFILE.oldbin; QUIT ends the old one" },

        { "delay", KIND_NUMBER, AT(delay), NULL, "ms until a request is answered" },
        { "log", KIND_TEXT, AT(log), NULL, "a line WHAT PID for what happens" },
        { "flood", KIND_TEXT, AT(flood), "lines mute nul",
          "writes lines, one endless line, or NUL bytes as fast as it can" },
        { "flood-size", KIND_NUMBER, AT(flood_size), NULL, "KiB; without it there is no end" },
};

static void usage(void) {
        printf("illbred [KEY=VALUE]…\n");
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                printf("  %-14s %s%s%s%s\n", keys[i].name, keys[i].choices ? "(" : "",
                       keys[i].choices ? keys[i].choices : "", keys[i].choices ? ") " : "",
                       keys[i].help);
}

static bool is_choice(const char *choices, const char *value) {
        size_t length = strlen(value);

        for (const char *at = choices; length > 0 && (at = strstr(at, value)); at++)
                if ((at == choices || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
                        return true;
        return false;
}

static void set(const Key *key, const char *value, IllbredOptions *ret) {
        char *field = (char *) ret + key->offset;

        switch (key->kind) {
        case KIND_TEXT:
                if (key->choices && !is_choice(key->choices, value))
                        die("%s is one of: %s", key->name, key->choices);
                memcpy(field, &value, sizeof value);
                break;
        case KIND_NUMBER: {
                int parsed = number(value);
                memcpy(field, &parsed, sizeof parsed);
                break;
        }
        case KIND_FLAG: {
                bool parsed = strcmp(value, "yes") == 0;
                memcpy(field, &parsed, sizeof parsed);
                break;
        }
        }
}

void illbred_parse(int argc, char **argv, IllbredOptions *ret) {
        *ret = (IllbredOptions){ .port = -1, .term = "end", .hup = "die", .usr2 = "die" };

        for (int i = 1; i < argc; i++) {
                size_t length = strcspn(argv[i], "="), k = 0;

                while (k < sizeof keys / sizeof *keys &&
                       (strlen(keys[k].name) != length ||
                        strncmp(keys[k].name, argv[i], length) != 0))
                        k++;
                if (k == sizeof keys / sizeof *keys || argv[i][length] != '=') {
                        usage();
                        die("no option: %s", argv[i]);
                }
                set(&keys[k], argv[i] + length + 1, ret);
        }
}
