/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "serving.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "control/server.h"
#include "stub_service.h"

static char directory[32];
static char path[64];
pid_t serving_pid;

/* The server: its exit status is what the loop gave. */
static int serve(void) {
        CLEANUP(loop_freep) Loop *loop = NULL;
        Control *control = NULL;

        if (loop_new(&loop) < 0)
                return 100;
        Supervisor *supervisor = stub_new(loop, path, SERVING_ADMIN_GID, SERVING_READER_GID);
        int r = control_new(loop, supervisor, &control);
        if (r == 0)
                r = loop_run(loop);
        control_free(control);
        stub_free(supervisor);
        return r < 0 ? 101 : r;
}

void serving_setup(void) {
        (void) strcpy(directory, "/tmp/test-control-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/control", directory);
        serving_pid = fork();
        ck_assert_int_ge(serving_pid, 0);
        if (serving_pid == 0)
                _exit(serve());
}

int serving_wait(void) {
        int status;

        ck_assert_int_eq(waitpid(serving_pid, &status, 0), serving_pid);
        ck_assert(WIFEXITED(status));
        serving_pid = 0;
        return WEXITSTATUS(status);
}

const char *serving_path(void) {
        return path;
}

int serving_connect(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) strcpy(address.sun_path, path);
        /* the server may not be there yet */
        while (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
                if (errno != ENOENT && errno != ECONNREFUSED)
                        return fd_close(fd);
                (void) usleep(5000);
        }
        return fd;
}

/* Who connects and asks for nothing is hung up on after a while, which a test may take. */
sd_bus *serving_client(void) {
        int fd = serving_connect();
        sd_bus *bus = NULL;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, fd, fd), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, "org.freedesktop.DBus.Peer",
                                            "Ping", NULL, NULL, NULL),
                         0);
        return bus;
}

void serving_close(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

const char *serving_types(const char *member) {
        static const char *const steering[] = { "Start", "Stop", "Restart" };

        for (size_t i = 0; i < ELEMENTSOF(steering); i++)
                if (strcmp(member, steering[i]) == 0)
                        return "asb";
        return "as";
}

sd_bus_message *serving_call(sd_bus *bus,
                             const char *member,
                             const char *name,
                             sd_bus_error *error) {
        sd_bus_message *reply = NULL;

        if (name)
                (void) sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, member, error,
                                          &reply, serving_types(member), 1, name, 0);
        else
                (void) sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, member, error,
                                          &reply, NULL);
        return reply;
}

void serving_expect_error(
        sd_bus *bus, const char *member, const char *name, const char *wanted, const char *part) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_ptr_null(serving_call(bus, member, name, &error));
        ck_assert_str_eq(error.name, wanted);
        ck_assert_ptr_nonnull(strstr(error.message, part));
}

int serving_signal(sd_bus *bus, const char *name, int signo) {
        return sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Signal", NULL, NULL,
                                  "asi", 1, name, signo);
}

void serving_expect_property(sd_bus *bus, const char *property, const char *wanted) {
        CLEANUP(freep) char *value = NULL;

        ck_assert_int_ge(sd_bus_get_property_string(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                                    property, NULL, &value),
                         0);
        ck_assert_str_eq(value, wanted);
}

void serving_expect(void) {
        CLIENT(bus);
        serving_expect_property(bus, "Mode", "running");
}

void serving_teardown(void) {
        if (serving_pid > 0) {
                CLIENT(bus);
                ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                                    "Shutdown", NULL, NULL, "b", 0),
                                 0);
                ck_assert_int_eq(serving_wait(), 0);
        }
        ck_assert_int_eq(access(path, F_OK), -1);
        ck_assert_int_eq(rmdir(directory), 0);
}
