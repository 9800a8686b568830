/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Configurations for tests.
 */

#include "configs.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/load.h"
#include "config/value.h"
#include "unit.h"

Config *configs_read(const char *text, Diag *diag) {
        Config *config = NULL;
        int r;

        ck_assert_int_eq(config_new(&config), 0);
        r = config_read_text(text, CONFIGS_FILE, diag, config);
        ck_assert_msg(r == 0 || r == CONFIG_E_INVALID, "config_read_text() returned %d", r);
        ck_assert_msg(r == 0 || diag_errors(diag) > 0, "refused without a finding");
        return config;
}

Config *configs_resolve(const char *text, Diag *diag) {
        Config *config = configs_read(text, diag);

        ck_assert_int_eq(config_resolve(config, diag), 0);
        return config;
}

void configs_expect(Diag *diag, size_t index, const char *begin, const char *part) {
        CLEANUP(freep) char *text = NULL;

        diag_sort(diag);
        ck_assert_msg(index < diag_count(diag), "there is no finding \"%s…\"", begin);
        text = finding_text(diag_get(diag, index));
        ck_assert_ptr_nonnull(text);
        ck_assert_msg(strncmp(text, begin, strlen(begin)) == 0 && strstr(text, part),
                      "expected \"%s… %s…\", got \"%s\"", begin, part, text);
}

void configs_expect_count(const Diag *diag, size_t count) {
        CLEANUP(freep) char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(stream);
        diag_print(diag, stream);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_msg(diag_count(diag) == count, "expected %zu findings, got:\n%s", count, text);
}

void configs_expect_one(const char *text, const char *begin, const char *part) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve(text, diag);
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, begin, part);
}

void configs_expect_good(const char *text) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve(text, diag);
        configs_expect_count(diag, 0);
}

char *web_text(const char *settings) {
        char *text;

        ck_assert_int_ge(
                asprintf(&text, "daemons: { web: { command = [ \"/bin/web\" ]; %s }; };", settings),
                0);
        return text;
}

void web_expect(const char *settings, const char *begin, const char *part) {
        CLEANUP(freep) char *text = web_text(settings);

        configs_expect_one(text, begin, part);
}

void web_is_good(const char *settings) {
        CLEANUP(freep) char *text = web_text(settings);

        configs_expect_good(text);
}

static void configs_expect_equal_objects(
        const Setting *schema, size_t count, const char *name, const void *a, const void *b) {
        for (size_t i = 0; i < count; i++)
                ck_assert_msg(value_equal(&schema[i], a, b), "%s.%s differs", name, schema[i].path);
}

void configs_expect_equal(const Config *a, const Config *b) {
        configs_expect_equal_objects(schema_supervisor, schema_supervisor_count, "supervisor",
                                     &a->supervisor, &b->supervisor);
        ck_assert_uint_eq(a->daemon_count, b->daemon_count);
        for (size_t i = 0; i < a->daemon_count; i++) {
                ck_assert_str_eq(a->daemons[i].name, b->daemons[i].name);
                configs_expect_equal_objects(schema_daemon, schema_daemon_count, a->daemons[i].name,
                                             &a->daemons[i], &b->daemons[i]);
        }
}

void configs_folder_make(char folder[static CONFIGS_FOLDER_MAX]) {
        (void) strcpy(folder, "/tmp/test-config-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int configs_remove_entry(const char *path,
                                const struct stat *st,
                                int type,
                                struct FTW *position) {
        (void) st;
        (void) type;
        (void) position;
        return remove(path);
}

void configs_folder_remove(const char *folder) {
        ck_assert_int_eq(nftw(folder, configs_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

char *configs_path(const char *folder, const char *name) {
        char *path;

        ck_assert_int_ge(asprintf(&path, "%s/%s", folder, name), 0);
        return path;
}

void configs_write_bytes(const char *folder, const char *name, const void *bytes, size_t size) {
        CLEANUP(freep) char *path = configs_path(folder, name);
        FILE *stream = fopen(path, "w");

        ck_assert_ptr_nonnull(stream);
        ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
        ck_assert_int_eq(fclose(stream), 0);
        /* Whatever the umask of the test run is. */
        ck_assert_int_eq(chmod(path, 0644), 0);
}

void configs_write(const char *folder, const char *name, const char *text) {
        configs_write_bytes(folder, name, text, strlen(text));
}
