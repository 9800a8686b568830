/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/load: which files belong to the configuration, which are refused and what is said then.
 * Files that include others are the business of test_config_include.
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strv.h"
#include "config/load.h"
#include "configs.h"
#include "unit.h"

#define MAIN    "main.conf"
#define DAEMON  "daemons: { web: { command = [ \"/bin/sh\" ]; }; };\n"
#define SOMEONE 12345

static char folder[CONFIGS_FOLDER_MAX];
static char *path;
static Diag *diag;

static void setup(void) {
        configs_folder_make(folder);
        path = configs_path(folder, MAIN);
        ck_assert_int_eq(diag_new(&diag), 0);
}

static void teardown(void) {
        diag = diag_free(diag);
        free(path);
        configs_folder_remove(folder);
}

static void make_dropins(void) {
        CLEANUP(freep) char *directory = configs_path(folder, "conf.d");

        ck_assert_int_eq(mkdir(directory, 0755), 0);
}

static void change_mode(const char *name, mode_t mode) {
        CLEANUP(freep) char *file = configs_path(folder, name);

        ck_assert_int_eq(chmod(file, mode), 0);
}

static Config *load_good(void) {
        Config *config = NULL;
        int r;

        r = config_load(path, diag, &config);
        configs_expect_count(diag, 0);
        ck_assert_int_eq(r, 0);
        ck_assert_ptr_nonnull(config);
        return config;
}

static void load_bad(void) {
        Config *config = NULL;

        ck_assert_int_eq(config_load(path, diag, &config), CONFIG_E_INVALID);
        ck_assert_ptr_null(config);
        ck_assert_uint_gt(diag_errors(diag), 0);
}

/* The only finding is about this file: "PATH:LINE: … part", or without a line. */
static void assert_refused(const char *name, unsigned line, const char *part) {
        CLEANUP(freep) char *begin = NULL;

        if (line > 0)
                ck_assert_int_ge(asprintf(&begin, "%s/%s:%u: ", folder, name, line), 0);
        else
                ck_assert_int_ge(asprintf(&begin, "%s/%s: ", folder, name), 0);
        load_bad();
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, begin, part);
}

START_TEST(test_one_file) {
        CLEANUP(config_unrefp) Config *config = NULL;

        configs_write(folder, MAIN, DAEMON);
        config = load_good();
        ck_assert_uint_eq(config->daemon_count, 1);
        ck_assert_ptr_nonnull(config->graph);
        ck_assert_uint_eq(strv_length(config->files), 1);
        ck_assert_str_eq(config->files[0], path);
        ck_assert_ptr_eq(config->daemons[0].origin.file, config->files[0]);
}
END_TEST

START_TEST(test_dropins) {
        static const char *const names[] = { "b.conf", "a.conf", "B.conf", "10.conf", "9.conf" };
        static const char *const order[] = { "main", "10", "9", "B", "a", "b" };
        CLEANUP(config_unrefp) Config *config = NULL;

        configs_write(folder, MAIN, "daemons: { main: { command = [ \"/bin/sh\" ]; }; };\n");
        make_dropins();
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char name[32], text[128];

                /* Each names its daemon after itself, with a letter in front where it needs one. */
                (void) snprintf(name, sizeof(name), "conf.d/%s", names[i]);
                (void) snprintf(text, sizeof(text),
                                "daemons: { d%.*s: { command = [ \"/bin/sh\" ]; }; };",
                                (int) strcspn(names[i], "."), names[i]);
                configs_write(folder, name, text);
        }
        config = load_good();
        ck_assert_uint_eq(config->daemon_count, ELEMENTSOF(order));
        ck_assert_str_eq(config->daemons[0].name, "main");
        for (size_t i = 1; i < ELEMENTSOF(order); i++)
                ck_assert_str_eq(config->daemons[i].name + 1, order[i]);
        ck_assert_uint_eq(strv_length(config->files), ELEMENTSOF(order));
}
END_TEST

START_TEST(test_dropins_ignored) {
        static const char *const names[] = { ".hidden.conf", "a.conf~", "a.conf.bak",
                                             "#a.conf#",     ".conf",   "a.conf.dpkg-new",
                                             "README",       "conf" };
        CLEANUP(config_unrefp) Config *config = NULL;

        configs_write(folder, MAIN, DAEMON);
        make_dropins();
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char name[64];

                (void) snprintf(name, sizeof(name), "conf.d/%s", names[i]);
                configs_write(folder, name, "this is no configuration");
        }
        config = load_good();
        ck_assert_uint_eq(config->daemon_count, 1);
}
END_TEST

START_TEST(test_daemons_in_dropins_only) {
        CLEANUP(config_unrefp) Config *config = NULL;

        configs_write(folder, MAIN, "supervisor: { drain_timeout = \"7s\"; };\n");
        make_dropins();
        configs_write(folder, "conf.d/web.conf", DAEMON);
        config = load_good();
        ck_assert_uint_eq(config->daemon_count, 1);
        ck_assert_uint_eq(config->supervisor.drain_timeout, 7 * USEC_PER_SEC);
}
END_TEST

START_TEST(test_same_daemon_in_two_files) {
        configs_write(folder, MAIN, "\n" DAEMON);
        make_dropins();
        configs_write(folder, "conf.d/web.conf", DAEMON);
        assert_refused("conf.d/web.conf", 1, "main.conf:2; remove or rename");
}
END_TEST

/* What can be said about other files is said although one cannot be read. */
START_TEST(test_all_files_at_once) {
        make_dropins();
        configs_write(folder, "conf.d/a.conf",
                      "daemons: { web: { command = 1; requires = \"x\"; }; };");
        configs_write(folder, "conf.d/b.conf", "daemons: { web = };");
        configs_write(folder, "conf.d/c.conf", "daemon: { };");
        load_bad();
        configs_expect_count(diag, 4);
        configs_expect(diag, 0, path, "does not exist");
        configs_expect(diag, 1, folder, "conf.d/a.conf:1: web.command: ");
        configs_expect(diag, 2, folder, "conf.d/b.conf:1: syntax error");
        configs_expect(diag, 3, folder, "conf.d/c.conf:1: ");
}
END_TEST

START_TEST(test_nothing_there) {
        CLEANUP(freep) char *nowhere = configs_path(folder, "no/such.conf");
        Config *config = NULL;

        assert_refused(MAIN, 0, "does not exist");
        ck_assert_int_eq(config_load(nowhere, diag, &config), CONFIG_E_INVALID);
        configs_expect_count(diag, 2);
}
END_TEST

START_TEST(test_no_daemons) {
        static const char *const texts[] = { "", "\n\n", "# nothing", "daemons: { };",
                                             "supervisor: { };" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                configs_write(folder, MAIN, texts[i]);
                assert_refused(MAIN, 0, "no daemons are configured");
                diag = diag_free(diag);
                ck_assert_int_eq(diag_new(&diag), 0);
        }
}
END_TEST

START_TEST(test_directory) {
        ck_assert_int_eq(mkdir(path, 0755), 0);
        assert_refused(MAIN, 0, "put a regular file there");
}
END_TEST

START_TEST(test_fifo) {
        ck_assert_int_eq(mkfifo(path, 0644), 0);
        assert_refused(MAIN, 0, "put a regular file there");
}
END_TEST

START_TEST(test_socket) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_refused(MAIN, 0, "put a regular file there");
}
END_TEST

START_TEST(test_device) {
        Config *config = NULL;

        ck_assert_int_eq(config_load("/dev/zero", diag, &config), CONFIG_E_INVALID);
        configs_expect(diag, 0, "/dev/zero: ", "put a regular file there");
}
END_TEST

START_TEST(test_too_large) {
        CLEANUP(freep) char *text = malloc(CONFIG_FILE_MAX + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, '#', CONFIG_FILE_MAX + 1);
        configs_write_bytes(folder, MAIN, text, CONFIG_FILE_MAX + 1);
        assert_refused(MAIN, 0, "larger than 16 MiB");
}
END_TEST

/* Everything that fits is read, with what is added to it. */
START_TEST(test_large) {
        CLEANUP(freep) char *text = malloc(CONFIG_FILE_MAX);
        CLEANUP(config_unrefp) Config *config = NULL;

        ck_assert_ptr_nonnull(text);
        memset(text, '#', CONFIG_FILE_MAX);
        memcpy(text, DAEMON, strlen(DAEMON));
        configs_write_bytes(folder, MAIN, text, CONFIG_FILE_MAX);
        config = load_good();
        ck_assert_uint_eq(config->daemon_count, 1);
}
END_TEST

START_TEST(test_binary) {
        configs_write_bytes(folder, MAIN, "\n# a\n" DAEMON "\n\0", strlen(DAEMON) + 7);
        assert_refused(MAIN, 5, "byte 0x00");
        diag = diag_free(diag);
        ck_assert_int_eq(diag_new(&diag), 0);
        configs_write_bytes(folder, MAIN,
                            "\x7f"
                            "ELF",
                            4);
        assert_refused(MAIN, 1, "byte 0x7f");
        diag = diag_free(diag);
        ck_assert_int_eq(diag_new(&diag), 0);
        configs_write_bytes(folder, MAIN, "\x1f\x8b\x08\0", 4);
        assert_refused(MAIN, 1, "byte 0x1f");
}
END_TEST

START_TEST(test_other_eight_bit_texts) {
        CLEANUP(config_unrefp) Config *config = NULL;

        configs_write(
                folder, MAIN,
                "daemons: {\r\n w: { # \xfc\xe4\r\n\tcommand = [ \"/bin/sh\", \"\xc3\xa4\xff\" ];"
                "\f };\r\n};\r\n");
        config = load_good();
        ck_assert_str_eq(config->daemons[0].command[1], "\xc3\xa4\xff");
}
END_TEST

START_TEST(test_world_writable) {
        configs_write(folder, MAIN, DAEMON);
        change_mode(MAIN, 0646);
        assert_refused(MAIN, 0, "run: chmod o-w /tmp/");
}
END_TEST

START_TEST(test_dropins_are_no_directory) {
        configs_write(folder, MAIN, DAEMON);
        configs_write(folder, "conf.d", DAEMON);
        assert_refused("conf.d", 0, "this is no directory");
}
END_TEST

START_TEST(test_world_writable_dropins) {
        configs_write(folder, MAIN, DAEMON);
        make_dropins();
        change_mode("conf.d", 0777);
        assert_refused("conf.d", 0, "run: chmod o-w /tmp/");
}
END_TEST

START_TEST(test_foreign) {
        configs_write(folder, MAIN, DAEMON);
        ck_assert_int_eq(chown(path, SOMEONE, SOMEONE), 0);
        assert_refused(MAIN, 0, "run: chown root /tmp/");
}
END_TEST

/* As another user, in a child: what an exit status can tell is the number of the failed step. */
static void assert_as_someone(int (*function)(void)) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (setgid(SOMEONE) != 0 || setuid(SOMEONE) != 0)
                        _exit(100);
                _exit(function());
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static int load_unreadable(void) {
        Config *config = NULL;

        if (config_load(path, diag, &config) != CONFIG_E_INVALID)
                return 1;
        if (diag_count(diag) != 1 ||
            !strstr(diag_get(diag, 0)->text, "may not be read by uid 12345"))
                return 2;
        return 0;
}

static int load_own(void) {
        CLEANUP(config_unrefp) Config *config = NULL;

        return config_load(path, diag, &config) == 0 && diag_count(diag) == 0 ? 0 : 1;
}

static int load_unlistable(void) {
        Config *config = NULL;

        if (config_load(path, diag, &config) != CONFIG_E_INVALID)
                return 1;
        if (diag_count(diag) != 1 || !strstr(diag_get(diag, 0)->text, "cannot be listed"))
                return 2;
        return 0;
}

START_TEST(test_unreadable) {
        configs_write(folder, MAIN, DAEMON);
        ck_assert_int_eq(chmod(folder, 0755), 0);
        change_mode(MAIN, 0600);
        assert_as_someone(load_unreadable);
}
END_TEST

START_TEST(test_unlistable) {
        configs_write(folder, MAIN, DAEMON);
        make_dropins();
        ck_assert_int_eq(chmod(folder, 0755), 0);
        change_mode("conf.d", 0700);
        assert_as_someone(load_unlistable);
}
END_TEST

/* A user's own supervisor takes the user's files and those of root. */
START_TEST(test_own) {
        configs_write(folder, MAIN, DAEMON);
        make_dropins();
        configs_write(folder, "conf.d/a.conf", "supervisor: { };\n");
        ck_assert_int_eq(chmod(folder, 0755), 0);
        ck_assert_int_eq(chown(path, SOMEONE, SOMEONE), 0);
        assert_as_someone(load_own);
}
END_TEST

static void add_files(Suite *suite) {
        TCase *tcase = tcase_create("files");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_one_file);
        tcase_add_test(tcase, test_dropins);
        tcase_add_test(tcase, test_dropins_ignored);
        tcase_add_test(tcase, test_daemons_in_dropins_only);
        tcase_add_test(tcase, test_same_daemon_in_two_files);
        tcase_add_test(tcase, test_all_files_at_once);
        tcase_add_test(tcase, test_nothing_there);
        tcase_add_test(tcase, test_no_daemons);
        tcase_add_test(tcase, test_large);
        tcase_add_test(tcase, test_other_eight_bit_texts);
        suite_add_tcase(suite, tcase);
}

static void add_refused(Suite *suite) {
        TCase *tcase = tcase_create("refused");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_directory);
        tcase_add_test(tcase, test_fifo);
        tcase_add_test(tcase, test_socket);
        tcase_add_test(tcase, test_device);
        tcase_add_test(tcase, test_too_large);
        tcase_add_test(tcase, test_binary);
        tcase_add_test(tcase, test_world_writable);
        tcase_add_test(tcase, test_world_writable_dropins);
        tcase_add_test(tcase, test_dropins_are_no_directory);
        suite_add_tcase(suite, tcase);
}

static void add_owners(Suite *suite) {
        TCase *tcase;

        if (geteuid() != 0) {
                unit_add_skipped(suite, "owners", "only root can give files away");
                return;
        }
        tcase = tcase_create("owners");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_foreign);
        tcase_add_test(tcase, test_unreadable);
        tcase_add_test(tcase, test_unlistable);
        tcase_add_test(tcase, test_own);
        suite_add_tcase(suite, tcase);
}

int main(void) {
        Suite *suite = suite_create("config/load");

        add_files(suite);
        add_refused(suite);
        add_owners(suite);
        return unit_main(suite);
}
