/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>

#include "sim/random_parts.h"

#define TEXT_MAX      (128 * 1024)
#define SETTINGS_ROOM 512

static RandomDaemon daemons[RANDOM_DAEMON_MAX];
static unsigned daemon_count;
static bool cgroups, limited; /* by grace */
static bool health;
static char settings_text[SETTINGS_ROOM];
static char config_text[TEXT_MAX];

static struct {
        char *buffer;
        size_t room, used;
} text;

/* ---- choosing and writing ---- */

bool random_once_in(unsigned count) {
        return world_choose(count) == 0;
}

usec_t random_time(void) {
        static const usec_t times[] = {
                0,        0,       1,       MS,      5 * MS,  100 * MS, 200 * MS, 500 * MS,
                500 * MS, 1 * SEC, 1 * SEC, 2 * SEC, 2 * SEC, 3 * SEC,  5 * SEC,  10 * SEC,
        };

        return times[world_choose(ELEMENTSOF(times))];
}

const char *random_pick(const char *const *words, unsigned count) {
        return words[world_choose(count)];
}

void random_write_to(char *buffer, size_t room) {
        text.buffer = buffer;
        text.room = room;
        text.used = 0;
        *buffer = '\0';
}

void random_add(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        text.used += (size_t) vsnprintf(text.buffer + text.used, text.room - text.used, format,
                                        arguments);
        va_end(arguments);
        if (text.used >= text.room)
                sim_fail("so long a text has no room");
}

/* ---- all of them ---- */

static void write_settings(bool with_times, const char *grace) {
        random_write_to(settings_text, sizeof(settings_text));
        random_add("log_priority = \"debug\"; cgroups = %s; ", cgroups ? "true" : "false");
        if (with_times)
                random_add("freeze_timeout = \"%s\"; drain_timeout = \"%s\"; "
                           "cleanup_timeout = \"%s\"; ",
                           PICK("0", "500ms", "1s", "5s"), PICK("0", "1s", "5s", "20s"),
                           PICK("0", "1s", "2s", "10s"));
        limited = *grace != '\0';
        if (limited)
                random_add("grace = \"%s\"; ", grace);
}

/*
 * At times the whole stop has a limit, into which the times of the phases are scaled if they are
 * left out, unless the daemons of now cannot fit.
 */
static void make_settings(void) {
        const char *grace = random_once_in(3) ? PICK("3s", "10s", "30s", "1min", "3min") : "";

        write_settings(!*grace || random_once_in(2), grace);
        if (limited && !sim_is_valid(settings_text, random_config()))
                write_settings(true, "");
}

/* Those before it, so that there are no cycles. */
static size_t choose_names(RandomDaemon *daemon) {
        if (daemon->index == 0 || !random_once_in(2))
                return daemon->needs_count;
        for (unsigned i = 1 + world_choose(random_once_in(6) ? 4 : 2); i > 0; i--)
                if (daemon->needs_count < NEEDS_MAX)
                        daemon->needs[daemon->needs_count++] = world_choose(daemon->index);
        return daemon->needs_count;
}

static void choose_needs(RandomDaemon *daemon) {
        daemon->needs_count = 0;
        daemon->requires_count = choose_names(daemon);
        (void) choose_names(daemon);
}

static void make_daemon(RandomDaemon *daemon, unsigned index) {
        daemon->index = index;
        snprintf(daemon->pidfile, sizeof(daemon->pidfile), "/run/d%u.pid", index);
        snprintf(daemon->file, sizeof(daemon->file), "/run/d%u.file", index);
        snprintf(daemon->conf, sizeof(daemon->conf), "/etc/d%u.conf", index);
        snprintf(daemon->socket, sizeof(daemon->socket), "/run/d%u.sock", index);
        snprintf(daemon->name, sizeof(daemon->name), "@d%u", index);
        daemon->present = true;
        daemon->broken = false;
        daemon->variant = 0;
        random_make_kind(daemon);
        random_make_way(daemon);
        choose_needs(daemon);
}

void random_daemons(unsigned count) {
        cgroups = !random_once_in(3);
        health = random_once_in(3);
        random_make_helpers();
        daemon_count = count;
        for (unsigned i = 0; i < count; i++)
                make_daemon(&daemons[i], i);
        make_settings();
}

static void change_daemon(RandomDaemon *daemon) {
        if (random_once_in(4))
                daemon->present = !daemon->present;
        if (random_once_in(4))
                daemon->variant++;
        if (random_once_in(6))
                daemon->broken = !daemon->broken;
        if (random_once_in(5))
                choose_needs(daemon);
        if (random_once_in(6))
                random_make_way(daemon);
}

void random_change(void) {
        bool a_few = random_once_in(2);

        for (unsigned i = 0; i < daemon_count; i++)
                if (!a_few || random_once_in(1 + daemon_count / 2))
                        change_daemon(&daemons[i]);
        daemons[0].present = true; /* one there has to be */
        if (random_once_in(3) || (limited && !sim_is_valid(settings_text, random_config())))
                make_settings();
}

void random_change_cgroups(void) {
        cgroups = !cgroups;
        make_settings();
        cgroups = !cgroups;
}

bool random_has_health(void) {
        return health;
}

const char *random_settings(void) {
        return settings_text;
}

unsigned random_count(void) {
        return daemon_count;
}

void random_name(char *ret, size_t room) {
        snprintf(ret, room, "d%u", world_choose(daemon_count));
}

/* ---- the configuration ---- */

static void add_names(const char *key, const RandomDaemon *daemon, size_t from, size_t to) {
        const char *separator = "";

        if (from == to)
                return;
        random_add("%s = [ ", key);
        for (size_t i = from; i < to; i++) {
                if (!daemons[daemon->needs[i]].present)
                        continue;
                random_add("%s\"d%u\"", separator, daemon->needs[i]);
                separator = ", ";
        }
        random_add(" ]; ");
}

const char *random_config(void) {
        random_write_to(config_text, sizeof(config_text));
        for (unsigned i = 0; i < daemon_count; i++) {
                const RandomDaemon *daemon = &daemons[i];
                if (!daemon->present)
                        continue;
                random_add("d%u: { command = [ \"%s\", \"%u\" ]; ", i,
                           daemon->broken ? "/h/fail" : daemon->main.path, daemon->variant);
                add_names("requires", daemon, 0, daemon->requires_count);
                add_names("after", daemon, daemon->requires_count, daemon->needs_count);
                random_add("%s%s };\n", daemon->kind, daemon->way);
        }
        return config_text;
}
