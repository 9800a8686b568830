/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/accidents.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "config/load.h"
#include "fake/world_intake.h"
#include "sim/bus.h"
#include "sim/random.h"
#include "sim/sim.h"

#define ACCIDENT_MAX 20
#define PATH_ROOM    64

/* ---- processes ---- */

static FakeProcess *any_process(void) {
        FakeProcess *chosen = NULL;
        unsigned cursor = 0, seen = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                if (!process->zombie && *process->tree->name && world_choose(++seen) == 0)
                        chosen = process;
        return chosen;
}

static void accident_kill(void) {
        static const int signals[] = { SIGKILL, SIGKILL, SIGKILL, SIGTERM, SIGSEGV,
                                       SIGUSR1, SIGUSR2, SIGHUP,  SIGQUIT };
        FakeProcess *process = any_process();

        if (process)
                process_hear(process, signals[world_choose(ELEMENTSOF(signals))]);
}

/* Somebody tells a daemon something, behind our back or through us. */
static void accident_told(void) {
        static const int signals[] = { SIGHUP, SIGHUP, SIGUSR2, SIGUSR2, SIGTERM, SIGQUIT };
        int signo = signals[world_choose(ELEMENTSOF(signals))];
        char name[PATH_ROOM];

        random_name(name, sizeof(name));
        Child *child = sim_find(name);
        FakeProcess *process = child ? process_find(child_main_pid(child)) : NULL;
        if (process && random_once_in(2))
                process_hear(process, signo);
        else if (process)
                (void) child_signal(child, signo);
}

/* All of a daemon at once, as the kernel does when memory is short. */
static void accident_kill_all(void) {
        const FakeProcess *process = any_process();
        const WorldTree *tree = process ? process->tree : NULL;
        unsigned cursor = 0;

        for (FakeProcess *other; tree && (other = process_each(&cursor));)
                if (other->tree == tree && !other->zombie)
                        process_hear(other, SIGKILL);
}

static void accident_hang(void) {
        FakeProcess *process = any_process();

        if (process && process->blocked_until == 0)
                process_block(process, random_time() + 1);
}

static void accident_fork(void) {
        const FakeProcess *parent = any_process();

        if (!parent || parent->blocked_until > 0 || parent->killed_by > 0)
                return;
        FakeProcess *child = process_add_to(
                parent->tree, parent->pid,
                world_find_program(random_once_in(2) ? "/h/slow" : "/h/fork"));
        if (child)
                process_execute(child);
}

/* A daemon is started by hand, while it runs or not, and that one is no business of ours. */
static void accident_second(void) {
        char path[PATH_ROOM];

        snprintf(path, sizeof(path), "/second%u", world_choose(random_count()));
        FakeProcess *second = process_add(1, "", world_find_program(path));
        if (second)
                process_execute(second);
}

/* ---- lies ---- */

static void pidfile_of_any(char path[static PATH_ROOM]) {
        snprintf(path, PATH_ROOM, "/run/d%u.pid", world_choose(random_count()));
}

static void accident_lie(void) {
        char path[PATH_ROOM], content[PATH_ROOM] = "";
        const FakeProcess *process = any_process();

        pidfile_of_any(path);
        switch (world_choose(4)) {
        case 0:
                world_remove(path);
                return;
        case 1:
                snprintf(content, sizeof(content), "%d\n", process ? process->pid : 1);
                break;
        case 2:
                snprintf(content, sizeof(content), "1\n");
                break;
        default:
                break;
        }
        world_write(path, content);
}

static void datagram_to_any(pid_t sender, const char *text) {
        char path[PATH_ROOM];

        snprintf(path, sizeof(path), SIM_RUNTIME "/notify/d%u", world_choose(random_count()));
        fake_datagram(path, sender, text);
}

static void accident_stranger(void) {
        const FakeProcess *stranger = process_add(1, "", NULL);
        char path[PATH_ROOM], text[PATH_ROOM];

        if (!stranger)
                return;
        snprintf(text, sizeof(text), "READY=1\nMAINPID=%d\n", stranger->pid);
        datagram_to_any(stranger->pid, text);
        pidfile_of_any(path);
        snprintf(text, sizeof(text), "%d\n", stranger->pid);
        world_write(path, text);
}

/* ---- work that comes in ---- */

static FakeSocket *any_socket(void) {
        FakeSocket *chosen = NULL;
        unsigned cursor = 0, seen = 0;

        for (FakeSocket *socket; (socket = socket_each(&cursor));)
                if (world_choose(++seen) == 0)
                        chosen = socket;
        return chosen;
}

static void accident_clients(void) {
        FakeSocket *socket = any_socket();
        FakeLife life = {
                .wait = random_time() / 10,
                .work = random_time(),
                .pieces = 1 + world_choose(3),
                .requests = world_choose(4),
                .pause = random_time(),
                .idle = random_once_in(4) ? USEC_INFINITY : random_time(),
                .half = random_once_in(3),
        };

        if (!socket)
                return;
        if (socket->kind == INTAKE_UDP)
                socket->unread = random_once_in(2) ? 0 : 1 + world_choose(1000);
        else
                world_clients(socket->port, socket->port > 0 ? NULL : socket->path,
                              1 + world_choose(8), random_time(), &life);
}

/* The main process, if it is another one, of the daemon that holds the socket. */
static FakeProcess *main_behind(const FakeSocket *socket) {
        const FakeProcess *holder = process_by_key(socket->process);
        const Child *child = sim_find(holder->tree->name);
        FakeProcess *main = child ? process_find(child_main_pid(child)) : NULL;

        return main == holder || socket->kind == INTAKE_UDP ? NULL : main;
}

/* The end of a main process whose workers are asked just then. */
static void accident_orphans(void) {
        FakeLife life = { .work = random_time(), .requests = 1 + world_choose(2) };
        const FakeSocket *chosen = NULL;
        unsigned cursor = 0, seen = 0;

        for (const FakeSocket *socket; (socket = socket_each(&cursor));)
                if (main_behind(socket) && world_choose(++seen) == 0)
                        chosen = socket;
        if (!chosen)
                return;
        for (unsigned i = 1 + world_choose(4); i > 0; i--)
                world_connect(chosen->port, chosen->port > 0 ? NULL : chosen->path, &life);
        process_hear(main_behind(chosen), SIGKILL);
}

/* A daemon does something to its sockets at the wrong moment, or somebody else does. */
static void accident_socket(void) {
        FakeSocket *socket = any_socket();
        FakeProcess *process = any_process();

        switch (world_choose(4)) {
        case 0:
                if (process && !process_stands(process))
                        socket_add(process, 3000 + world_choose(100), NULL);
                break;
        case 1:
                if (socket && process && process->tree == process_by_key(socket->process)->tree)
                        socket_move(socket, process);
                break;
        case 2:
                if (socket)
                        socket->foreign = !socket->foreign;
                break;
        default:
                if (socket)
                        socket_end(socket);
                break;
        }
}

static void accident_privileges(void) {
        fake_allow(random_once_in(2) ? ~0u : world_choose(16));
}

/* ---- wake-ups that are doubled or for nothing ---- */

static void accident_doubled(void) {
        const FakeProcess *process = any_process();
        char path[PATH_ROOM];

        switch (world_choose(5)) {
        case 0:
                fake_signal(SIGCHLD);
                break;
        case 1:
                pidfile_of_any(path);
                fake_path_changed(path);
                break;
        case 2:
                if (process)
                        fake_tree_wake(process->tree);
                break;
        default:
                for (unsigned i = 0; process && i < 2; i++)
                        fake_datagram(process->notify_path, process->pid, "READY=1\n");
                break;
        }
}

/* ---- from outside ---- */

static void accident_reload(void) {
        if (random_once_in(12))
                random_change_cgroups();
        else
                random_change();
        world_trace("another configuration: %s\n%s", random_settings(), random_config());
        sim_set_config_with(random_settings(), random_config());
        if (random_once_in(2))
                bus_ask(BUS_RELOAD);
        else
                fake_signal(SIGHUP);
}

/* Its own configuration is another, or as it was. */
static void accident_file(void) {
        char path[PATH_ROOM];

        snprintf(path, sizeof(path), "/etc/d%u.conf", world_choose(random_count()));
        world_write(path, random_once_in(2) ? "one" : "two");
        if (random_once_in(2))
                bus_ask(random_once_in(2) ? BUS_RELOAD : BUS_OWN);
}

static void accident_bad_reload(void) {
        sim_set_reload(random_once_in(2) ? -ENOMEM : CONFIG_E_INVALID);
        fake_signal(SIGHUP);
}

static void accident_sleep(void) {
        if (random_once_in(4))
                sim_sleep(random_once_in(4) ? 3600 * SEC : random_time());
}

static void door_fails(void) {
        static const int errors[] = { ENOMEM, EMFILE, EPERM, EIO, ENOENT, EAGAIN, EBUSY };
        FakeDoor door = world_choose(DOOR_MAX_);
        int error = errors[world_choose(ELEMENTSOF(errors))];

        if (random_once_in(3))
                fake_fail(door, error, 1 + world_choose(20), 1 + world_choose(3));
        else
                fake_fail_randomly(door, error, random_once_in(4) ? 1000 : 20 + world_choose(300));
}

/* Only in a scenario that has such. */
static void accident_door(void) {
        if (!watch_allows_failures())
                return;
        if (random_once_in(2))
                door_fails();
        else
                fake_fail_randomly(world_choose(DOOR_MAX_), 0, 0);
}

static void accident_happen(void *userdata, uint64_t argument) {
        static void (*const accidents[])(void) = {
                accident_kill,    accident_kill,   accident_kill,       accident_kill_all,
                accident_hang,    accident_fork,   accident_lie,        accident_stranger,
                accident_doubled, accident_sleep,  accident_bad_reload, accident_reload,
                accident_reload,  accident_door,   accident_clients,    accident_clients,
                accident_clients, accident_socket, accident_file,       accident_privileges,
                accident_second,  accident_told,   accident_told,       accident_told,
                accident_orphans, accident_orphans,
        };
        static const int signals[] = { SIGUSR1, SIGUSR2, SIGPIPE };

        (void) userdata;
        (void) argument;
        switch (world_choose(5)) {
        case 0:
                bus_ask(world_choose(BUS_VERB_MAX_));
                break;
        case 1:
                if (random_once_in(3)) {
                        fake_signal(signals[world_choose(ELEMENTSOF(signals))]);
                        break;
                }
                /* fall through */
        default:
                accidents[world_choose(ELEMENTSOF(accidents))]();
                break;
        }
}

/* At the next deadline, whichever it is. */
static void accident_at_deadline(void *userdata, uint64_t argument) {
        usec_t when = fake_next_timer(sim_loop());

        (void) userdata;
        if (when != USEC_INFINITY)
                world_plan(when, accident_happen, NULL, argument);
}

void accidents_plan(usec_t stop) {
        unsigned count = world_choose(ACCIDENT_MAX);

        for (unsigned i = 0; i < count; i++) {
                usec_t when = random_once_in(2) ? random_time() : stop + random_time();
                if (stop > 20 * SEC && !random_once_in(4))
                        when = world_choose((unsigned) (stop / MS)) * MS;
                world_plan(usec_add(world_now(), when),
                           random_once_in(4) ? accident_at_deadline : accident_happen, NULL, 0);
        }
}

bool accidents_plan_failures(void) {
        if (!random_once_in(3))
                return false;
        for (unsigned i = world_choose(4); i > 0; i--)
                door_fails();
        return true;
}

static void raise_stop(void *userdata, uint64_t signo) {
        (void) userdata;
        fake_signal((int) signo);
}

void accidents_plan_stop(usec_t stop) {
        static const int signals[] = { SIGTERM, SIGTERM, SIGTERM, SIGINT, SIGQUIT };
        usec_t when = usec_add(world_now(), stop);

        world_plan(when, raise_stop, NULL, (uint64_t) signals[world_choose(ELEMENTSOF(signals))]);
        for (unsigned i = world_choose(4); i > 0; i--)
                world_plan(usec_add(when, random_time()), raise_stop, NULL,
                           random_once_in(3) ? SIGQUIT : SIGTERM);
}

/*
 * The first process of the world is nobody's; scripts that lie name it, as 100. Others are of an
 * earlier run; by descent they are only found if they are below us.
 */
void accidents_plan_strangers(void) {
        pid_t parent = sim_supervisor()->cgroups ? 1 : WORLD_SUPERVISOR;
        char tree[PATH_ROOM];

        (void) process_add(1, "", NULL);
        while (random_once_in(5)) {
                random_name(tree, sizeof(tree));
                (void) process_add(parent, tree, world_find_program("/h/hang"));
        }
}
