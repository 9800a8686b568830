/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/check_system and config/identity: what this machine has and what it lacks.
 */

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/identity.h"
#include "config/load.h"
#include "configs.h"
#include "unit.h"

#define AT      CONFIGS_FILE ":1: "
#define SOMEONE 12345
#define NOWHERE "surely-not-there"

static char folder[CONFIGS_FOLDER_MAX];
static Diag *diag;
static Config *config;

static void setup(void) {
        configs_folder_make(folder);
        ck_assert_int_eq(diag_new(&diag), 0);
        config = NULL;
}

static void teardown(void) {
        config = config_unref(config);
        diag = diag_free(diag);
        configs_folder_remove(folder);
}

/* Checks one daemon; an @ in its settings stands for the folder. */
static void check(const char *settings) {
        CLEANUP(freep) char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(stream);
        (void) fputs("daemons: { web: { ", stream);
        for (const char *c = settings; *c; c++)
                (void) (*c == '@' ? fputs(folder, stream) : fputc(*c, stream));
        (void) fputs(" }; };", stream);
        ck_assert_int_eq(fclose(stream), 0);

        config = config_unref(config);
        diag = diag_free(diag);
        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve(text, diag);
        configs_expect_count(diag, 0);
        ck_assert_int_eq(config_check_system(config, diag), 0);
}

static void assert_good(const char *settings) {
        check(settings);
        configs_expect_count(diag, 0);
}

static void assert_error(const char *settings, const char *begin, const char *part) {
        check(settings);
        configs_expect_count(diag, 1);
        ck_assert_uint_eq(diag_errors(diag), 1);
        configs_expect(diag, 0, begin, part);
}

static void assert_warning(const char *settings, const char *begin, const char *part) {
        check(settings);
        configs_expect_count(diag, 1);
        ck_assert_uint_eq(diag_errors(diag), 0);
        configs_expect(diag, 0, begin, part);
}

static void make_directory(const char *name, mode_t mode) {
        CLEANUP(freep) char *path = configs_path(folder, name);

        ck_assert_int_eq(mkdir(path, mode), 0);
        ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(test_good) {
        configs_write(folder, "program", "#!/bin/sh\n");
        check("command = [ \"@/program\" ];");
        configs_expect(diag, 0, AT "web.command: ", "is not executable; run: chmod +x /tmp/");
        assert_good(
                "command = [ \"/bin/sh\", \"relative/argument\" ]; directory = \"@\";"
                " pidfile = \"@/pid\"; output: { to = \"file\"; file = \"@/log\"; };"
                " freeze: { command = [ \"/bin/sh\" ]; }; drain: { command = [ \"/bin/sh\" ]; };"
                " cleanup: { command = [ \"/bin/sh\" ]; remove = [ \"/no/such\" ]; };");
}
END_TEST

START_TEST(test_commands) {
        assert_error("command = [ \"sh\" ];",
                     AT "web.command: the program \"sh\" is no absolute path", "bin/sh\"");
        assert_error("command = [ \"" NOWHERE "\" ];", AT "web.command: ", "write \"/usr/sbin/…\"");
        assert_error("command = [ \"./sh\" ];", AT "web.command: ", "bin/sh\"");
        assert_error("command = [ \"/opt/" NOWHERE "/sh\" ];", AT "web.command: \"/opt/",
                     "does not exist; write \"/usr/bin/sh\"");
        assert_error("command = [ \"@/" NOWHERE "\" ];",
                     AT "web.command: ", "does not exist; install it");
        assert_error("command = [ \"@\" ];", AT "web.command: ", "is a directory, FIFO");
        assert_error("command = [ \"/dev/null\" ];",
                     AT "web.command: ", "or device; write the path");
        assert_error("command = [ \"/etc/passwd/sh\" ];", AT "web.command: ", "does not exist");
        assert_error("command = [ \"/\" ];", AT "web.command: ", "is a directory");
}
END_TEST

START_TEST(test_hooks) {
        assert_error("command = [ \"/bin/sh\" ]; freeze: { command = [ \"sh\" ]; };",
                     AT "web.freeze.command: ", "bin/sh\"");
        assert_error("command = [ \"/bin/sh\" ]; drain: { command = [ \"/" NOWHERE "\" ]; };",
                     AT "web.drain.command: ", "does not exist");
        assert_error("command = [ \"/bin/sh\" ]; cleanup: { command = [ \"@\" ]; };",
                     AT "web.cleanup.command: ", "is a directory");
        assert_error("command = [ \"/bin/sh\" ]; reload: { check = [ \"@/none\" ]; };",
                     AT "web.reload.check: ", "does not exist; install it");
        assert_error("command = [ \"/bin/sh\" ]; reload: { command = [ \"sh\" ]; };",
                     AT "web.reload.command: ", "is no absolute path; write \"/");
}
END_TEST

START_TEST(test_directories) {
        configs_write(folder, "file", "");
        assert_error("command = [ \"/bin/sh\" ]; directory = \"@/" NOWHERE "\";",
                     AT "web.directory: ", "does not exist");
        assert_error("command = [ \"/bin/sh\" ]; directory = \"@/file\";",
                     AT "web.directory: ", "is no directory");
        assert_error("command = [ \"/bin/sh\" ]; output: { to = \"file\"; file = \"@/x/log\"; };",
                     AT "web.output.file: ", "create it");
        assert_error(
                "command = [ \"/bin/sh\" ]; output: { to = \"file\"; file = \"@/file/log\"; };",
                AT "web.output.file: ", "create it");
        assert_error("command = [ \"/bin/sh\" ]; output: { to = \"file\"; file = \"@\"; };",
                     AT "web.output.file: ", "is a directory");
        assert_warning("command = [ \"/bin/sh\" ]; pidfile = \"@/x/pid\";",
                       AT "web.pidfile: warning: it cannot be written, the directory /",
                       "/x does not exist (yet); create it before the start");
        assert_good("command = [ \"/bin/sh\" ]; output: { to = \"file\"; file = \"/log\"; };");
}
END_TEST

START_TEST(test_all_at_once) {
        check("command = [ \"" NOWHERE "\" ]; directory = \"/" NOWHERE "\"; pidfile = \"/" NOWHERE
              "/x\";"
              " freeze: { command = [ \"" NOWHERE "\" ]; };");
        configs_expect_count(diag, 4);
        ck_assert_uint_eq(diag_errors(diag), 3);
}
END_TEST

START_TEST(test_users) {
        assert_error("command = [ \"/bin/sh\" ]; user = \"" NOWHERE "\";",
                     AT "web.user: ", "there is no user \"" NOWHERE "\"");
        assert_error("command = [ \"/bin/sh\" ]; group = \"" NOWHERE "\";",
                     AT "web.group: ", "there is no group \"" NOWHERE "\"");
        assert_error("command = [ \"/bin/sh\" ]; groups = [ \"root\", \"" NOWHERE "\" ];",
                     AT "web.groups: ", "there is no group \"" NOWHERE "\"");
        assert_error("command = [ \"/bin/sh\" ]; user = \"12345\";",
                     AT "web.user: ", "set group too");
        /* The largest number means "nobody at all" to the kernel. */
        assert_error("command = [ \"/bin/sh\" ]; user = \"4294967295\";",
                     AT "web.user: ", "there is no user");
        assert_good("command = [ \"/bin/sh\" ]; user = \"12345\"; group = \"12346\";");
        ck_assert(config->daemons[0].identity.switch_user);
        ck_assert_uint_eq(config->daemons[0].identity.uid, 12345);
        ck_assert_uint_eq(config->daemons[0].identity.gid, 12346);
        ck_assert_uint_eq(config->daemons[0].identity.group_count, 0);
        assert_good("command = [ \"/bin/sh\" ];");
        ck_assert(!config->daemons[0].identity.switch_user);
}
END_TEST

START_TEST(test_pidfile_of_user) {
        make_directory("closed", 0755);
        make_directory("open", 0777);
        ck_assert_int_eq(chmod(folder, 0755), 0);
        assert_warning("command = [ \"/bin/sh\" ]; user = \"12345\"; group = \"12345\";"
                       " pidfile = \"@/closed/x\";",
                       AT "web.pidfile: warning: it cannot be written, its user may not ",
                       "/closed; give it a directory of its own there");
        assert_good("command = [ \"/bin/sh\" ]; user = \"12345\"; group = \"12345\";"
                    " pidfile = \"@/open/x\";");
        assert_good("command = [ \"/bin/sh\" ]; pidfile = \"@/closed/x\";");
        assert_good("command = [ \"/bin/sh\" ]; pidfile = \"/x\";");
}
END_TEST

/* The owner's permissions count for the owner, the group's for the group, and no others. */
START_TEST(test_permissions) {
        CLEANUP(freep) char *path = configs_path(folder, "home");
        static const struct {
                mode_t mode;
                const char *identity;
                bool good;
        } cases[] = {
                { 0700, "user = \"12345\"; group = \"1\";", true },
                { 0077, "user = \"12345\"; group = \"12345\";", false },
                { 0070, "user = \"1\"; group = \"12345\";", true },
                { 0070, "user = \"1\"; group = \"1\"; groups = [ \"7\", \"12345\" ];", true },
                { 0707, "user = \"12346\"; group = \"12345\";", false },
                { 0007, "user = \"12346\"; group = \"12346\";", true },
                { 0770, "user = \"12346\"; group = \"12346\";", false },
                { 0000, "user = \"0\";", true },
        };

        make_directory("home", 0700);
        ck_assert_int_eq(chown(path, SOMEONE, SOMEONE), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char settings[256];

                ck_assert_int_eq(chmod(path, cases[i].mode), 0);
                (void) snprintf(settings, sizeof(settings),
                                "command = [ \"/bin/sh\" ]; %s directory = \"@/home\";",
                                cases[i].identity);
                if (cases[i].good)
                        assert_good(settings);
                else
                        assert_warning(settings, AT "web.directory: ", "may not enter");
        }
}
END_TEST

START_TEST(test_program_of_user) {
        CLEANUP(freep) char *path = configs_path(folder, "program");

        configs_write(folder, "program", "#!/bin/sh\n");
        ck_assert_int_eq(chmod(path, 0700), 0);
        assert_warning("command = [ \"@/program\" ]; user = \"12345\"; group = \"1\";",
                       AT "web.command: ", "its user may not execute");
        /* Hooks are not the daemon's. */
        assert_good("command = [ \"/bin/sh\" ]; user = \"12345\"; group = \"1\";"
                    " cleanup: { command = [ \"@/program\" ]; };");
}
END_TEST

static int check_as_someone(void) {
        check("command = [ \"/bin/sh\" ]; user = \"root\";");
        if (diag_errors(diag) != 1)
                return 1;
        if (!strstr(diag_get(diag, 0)->text, "only root can change it, and this runs as uid 12345"))
                return 2;
        check("command = [ \"/bin/sh\" ]; groups = [ \"root\" ];");
        if (diag_errors(diag) != 1 || strcmp(diag_get(diag, 0)->setting, "web.groups") != 0)
                return 3;
        check("command = [ \"/bin/sh\" ];");
        return diag_count(diag) == 0 ? 0 : 4;
}

START_TEST(test_not_root) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (setgid(SOMEONE) != 0 || setuid(SOMEONE) != 0)
                        _exit(100);
                _exit(check_as_someone());
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(test_identity_of_root) {
        CLEANUP(identity_clear) Identity identity = {};
        const struct passwd *root = getpwuid(0);
        const char *missing = NULL;

        ck_assert_ptr_nonnull(root);
        ck_assert_int_eq(identity_find("root", NULL, NULL, &identity, &missing), 0);
        ck_assert(identity.switch_user);
        ck_assert_uint_eq(identity.uid, 0);
        ck_assert_uint_eq(identity.gid, root->pw_gid);
        ck_assert_str_eq(identity.user_name, "root");
        ck_assert_str_eq(identity.home, root->pw_dir);
        ck_assert_str_eq(identity.shell, root->pw_shell);
        ck_assert_uint_ge(identity.group_count, 1);
        ck_assert_uint_eq(identity.groups[0], root->pw_gid);
}
END_TEST

/* A number with an entry is as good as its name. */
START_TEST(test_identity_by_number) {
        CLEANUP(identity_clear) Identity by_name = {}, by_number = {};
        char number[] = "12347", *groups[] = { number, NULL };
        const char *missing = NULL;

        ck_assert_int_eq(identity_find("root", "12346", groups, &by_name, &missing), 0);
        ck_assert_int_eq(identity_find("0", "12346", groups, &by_number, &missing), 0);
        ck_assert_str_eq(by_number.user_name, "root");
        ck_assert_uint_eq(by_number.gid, 12346);
        ck_assert_uint_eq(by_number.group_count, by_name.group_count);
        for (size_t i = 0; i < by_name.group_count; i++)
                ck_assert_uint_eq(by_number.groups[i], by_name.groups[i]);
        ck_assert_uint_eq(by_name.groups[by_name.group_count - 1], 12347);
}
END_TEST

START_TEST(test_identity_of_groups_only) {
        CLEANUP(identity_clear) Identity identity = {};
        char one[] = "1", two[] = "2", *groups[] = { one, two, NULL };
        const char *missing = NULL;

        ck_assert_int_eq(identity_find(NULL, "12346", groups, &identity, &missing), 0);
        ck_assert(identity.switch_user);
        ck_assert_uint_eq(identity.uid, geteuid());
        ck_assert_uint_eq(identity.gid, 12346);
        ck_assert_uint_eq(identity.group_count, 2);
        ck_assert_ptr_null(identity.user_name);
}
END_TEST

START_TEST(test_identity_outcomes) {
        Identity identity = { .uid = 4711 };
        char root[] = "0", nowhere[] = NOWHERE, *groups[] = { root, nowhere, NULL };
        const char *missing = NULL;

        ck_assert_int_eq(identity_find(NOWHERE, NULL, NULL, &identity, &missing), IDENTITY_E_USER);
        ck_assert_int_eq(identity_find("4294967294", NULL, NULL, &identity, &missing),
                         IDENTITY_E_NO_GROUP);
        ck_assert_int_eq(identity_find("root", NOWHERE, NULL, &identity, &missing),
                         IDENTITY_E_GROUP);
        ck_assert_str_eq(missing, NOWHERE);
        ck_assert_int_eq(identity_find("root", NULL, groups, &identity, &missing),
                         IDENTITY_E_GROUP);
        ck_assert_ptr_eq(missing, groups[1]);
        /* Nothing was written, so that there is nothing to be released. */
        ck_assert_uint_eq(identity.uid, 4711);
        ck_assert_ptr_null(identity.groups);
        ck_assert_int_eq(identity_find(NULL, NULL, NULL, &identity, &missing), 0);
        ck_assert(!identity.switch_user);
        identity_clear(&identity);
}
END_TEST

START_TEST(test_reload_files) {
        assert_good("command = [ \"/bin/sh\" ]; reload: { files = [ \"@\", \"/bin/sh\" ]; };");
        assert_warning("command = [ \"/bin/sh\" ]; reload: { files = [ \"/bin/sh\", \"@/x\" ]; };",
                       AT "web.reload.files: warning: ", "/x\" does not exist (yet)");
}
END_TEST

static void add_machine(Suite *suite) {
        TCase *tcase = tcase_create("machine");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_good);
        tcase_add_test(tcase, test_commands);
        tcase_add_test(tcase, test_hooks);
        tcase_add_test(tcase, test_directories);
        tcase_add_test(tcase, test_reload_files);
        tcase_add_test(tcase, test_all_at_once);
        suite_add_tcase(suite, tcase);
}

static void add_identity(Suite *suite) {
        TCase *tcase = tcase_create("identity");

        tcase_add_test(tcase, test_identity_of_root);
        tcase_add_test(tcase, test_identity_by_number);
        tcase_add_test(tcase, test_identity_of_groups_only);
        tcase_add_test(tcase, test_identity_outcomes);
        suite_add_tcase(suite, tcase);
}

static void add_users(Suite *suite) {
        TCase *tcase;

        if (geteuid() != 0) {
                unit_add_skipped(suite, "users", "only root can change the user");
                return;
        }
        tcase = tcase_create("users");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_users);
        tcase_add_test(tcase, test_pidfile_of_user);
        tcase_add_test(tcase, test_permissions);
        tcase_add_test(tcase, test_program_of_user);
        tcase_add_test(tcase, test_not_root);
        suite_add_tcase(suite, tcase);
}

int main(void) {
        Suite *suite = suite_create("config/system");

        add_machine(suite);
        add_identity(suite);
        add_users(suite);
        return unit_main(suite);
}
