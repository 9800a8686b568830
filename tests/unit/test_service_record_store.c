/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where records are kept: numbers that go on, old ones that go, strangers in the directory. */

#include "service/record_store.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strv.h"
#include "unit.h"

#define LONG (RECORD_MEMORY_MAX + 100)

static char base[32];
static char folder[64];
static StateDirectory *directory;
static RecordStore *store;
static unsigned warnings;

static void on_line(void *userdata, int priority, const LogContext *context, const char *text) {
        (void) userdata;
        (void) context;
        (void) text;
        warnings += priority <= LOG_WARNING;
}

static void reopen(void) {
        store = record_store_free(store);
        ck_assert_int_eq(record_store_new(directory, &store), 0);
}

static void setup(void) {
        (void) strcpy(base, "/tmp/test-records-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(base));
        (void) snprintf(folder, sizeof(folder), "%s/records", base);
        ck_assert_int_eq(state_directory_open(base, &directory), 0);
        log_use(on_line, NULL);
        warnings = 0;
        store = NULL;
        reopen();
}

static int remove_entry(const char *entry, const struct stat *st, int type, struct FTW *position) {
        (void) st;
        (void) type;
        (void) position;
        return remove(entry);
}

static void teardown(void) {
        record_store_free(store);
        state_directory_close(directory);
        log_use(NULL, NULL);
        ck_assert_int_eq(nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* A file in the directory; NULL: it is a directory. */
static void put(const char *name, const char *content) {
        CLEANUP(freep) char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/%s", folder, name), 0);
        if (!content) {
                ck_assert_int_eq(mkdir(path, 0700), 0);
                return;
        }
        FILE *stream = fopen(path, "w");
        ck_assert_ptr_nonnull(stream);
        ck_assert_int_ge(fputs(content, stream), 0);
        ck_assert_int_eq(fclose(stream), 0);
}

static bool is_there(const char *name) {
        CLEANUP(freep) char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/%s", folder, name), 0);
        return access(path, F_OK) == 0;
}

static void count_one(void *userdata, const char *name) {
        size_t *count = userdata;

        (void) name;
        (*count)++;
}

static size_t count_files(void) {
        size_t count = 0;

        ck_assert_int_eq(state_directory_each(directory, "records", count_one, &count), 0);
        return count;
}

static uint64_t add_long(RecordKind kind, size_t length) {
        CLEANUP(freep) char *text = NULL;
        uint64_t id = record_store_next(store, kind);

        ck_assert_int_gt(asprintf(&text, "{\"kind\":\"%s\",\"id\":%u,\"more\":\"%*s\"}",
                                  record_kind_name(kind), (unsigned) id, (int) length, ""),
                         0);
        record_store_add(store, kind, id, text);
        return id;
}

static uint64_t add(RecordKind kind) {
        return add_long(kind, 0);
}

/* The ids of a list as a text: "3 2 1". What is 0 is not limited. */
static void expect_list(RecordQuery query, const char *wanted) {
        CLEANUP(strv_freep) char **texts = NULL;
        char found[512] = "";

        query.limit = query.limit > 0 ? query.limit : 99;
        query.bytes = query.bytes > 0 ? query.bytes : SIZE_MAX;
        ck_assert_int_eq(record_store_list(store, &query, &texts), 0);
        for (char **text = texts; text && *text; text++) {
                unsigned id;
                const char *member = strstr(*text, "\"id\":");

                ck_assert_ptr_nonnull(member);
                ck_assert_int_eq(sscanf(member, "\"id\":%u", &id), 1);
                size_t used = strlen(found);
                (void) snprintf(found + used, sizeof(found) - used, "%s%u", used > 0 ? " " : "",
                                id);
        }
        ck_assert_str_eq(found, wanted);
}

#define SEQUENCES(...) ((RecordQuery){ .kind = RECORD_KIND_SEQUENCE, __VA_ARGS__ })

START_TEST(the_newest_ones_come_first) {
        for (int i = 0; i < 4; i++)
                add(RECORD_KIND_SEQUENCE);
        ck_assert_uint_eq(add(RECORD_KIND_RELOAD), 1);
        expect_list(SEQUENCES(), "4 3 2 1");
        expect_list(SEQUENCES(.limit = 2), "4 3");
        expect_list(SEQUENCES(.before = 3), "2 1");
        expect_list(SEQUENCES(.before = 1), "");
        expect_list((RecordQuery){ .kind = RECORD_KIND_RELOAD, .limit = 9 }, "1");
        ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(an_answer_is_bounded_but_not_empty) {
        for (int i = 0; i < 4; i++)
                add_long(RECORD_KIND_SEQUENCE, 1000);
        expect_list(SEQUENCES(.bytes = 2500), "4 3");
        expect_list(SEQUENCES(.bytes = 1), "4");
        expect_list(SEQUENCES(.bytes = 2500, .before = 3), "2 1");
}
END_TEST

START_TEST(the_last_ones_outlive_the_run) {
        for (int i = 0; i < 100; i++)
                add(RECORD_KIND_SEQUENCE);
        add(RECORD_KIND_RELOAD);
        ck_assert_uint_eq(count_files(), RECORD_KEEP + 1);
        reopen();
        ck_assert_uint_eq(add(RECORD_KIND_SEQUENCE), 101);
        ck_assert_uint_eq(add(RECORD_KIND_RELOAD), 2);
        ck_assert_uint_eq(count_files(), RECORD_KEEP + 2);
        expect_list(SEQUENCES(.limit = 3), "101 100 99");
        expect_list(SEQUENCES(.before = 72), "71 70");
        ck_assert(is_there("sequence-000000000000101.json"));
        ck_assert_uint_eq(warnings, 0);
}
END_TEST

/* Nobody else may read them: values of settings stand in there. */
START_TEST(they_are_for_us_alone) {
        CLEANUP(freep) char *path = NULL;
        struct stat st;

        add(RECORD_KIND_RELOAD);
        ck_assert_int_eq(stat(folder, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        ck_assert_int_gt(asprintf(&path, "%s/reload-000000000000001.json", folder), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(too_many_are_pruned_at_the_begin) {
        char name[64];

        for (unsigned i = 1; i <= 2 * RECORD_KEEP; i++) {
                (void) snprintf(name, sizeof(name), "sequence-%015u.json", i * 7 % 65);
                put(name, "{}");
        }
        reopen();
        ck_assert_uint_eq(count_files(), RECORD_KEEP);
        ck_assert(is_there("sequence-000000000000064.json"));
        ck_assert(is_there("sequence-000000000000033.json"));
        ck_assert_uint_eq(record_store_next(store, RECORD_KIND_SEQUENCE), 65);
}
END_TEST

START_TEST(half_of_one_is_taken_away) {
        put("sequence-000000000000004.json.new", "{\"kind\":\"sequ");
        reopen();
        ck_assert_uint_eq(count_files(), 0);
        ck_assert_uint_eq(add(RECORD_KIND_SEQUENCE), 1);
        ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(strangers_are_left_alone) {
        static const char *const names[] = {
                "README",
                "sequence-1.json",
                "sequence-00000000000000x.json",
                "sequence--00000000000001.json",
                "sequence-+00000000000001.json",
                "sequence-000000000000000.json",
                "sequence-999999999999999.json",
                "sequence-0000000000000001.json",
                "sequence-000000000000001.json~",
                "sequence-000000000000001",
                "sequence",
                "sequences-00000000000001.json",
                "reload-000000000000001.jso",
                ".new",
                "\x1b[31m\xff",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                put(names[i], "{}");
        reopen();
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert(is_there(names[i]));
        expect_list(SEQUENCES(), "");
        ck_assert_uint_eq(add(RECORD_KIND_SEQUENCE), 1);
        ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(what_is_no_record_is_left_out) {
        CLEANUP(freep) char *path = NULL;
        char name[64];

        for (unsigned i = 1; i <= 7; i++) {
                (void) snprintf(name, sizeof(name), "sequence-%015u.json", i);
                put(name, i == 1   ? ""
                          : i == 2 ? "{\"kind\":\"sequ"
                          : i == 3 ? "{\"kind\":\"sequence\",\"id\":3}"
                          : i == 4 ? "{\"kind\":\"sequence\",\"id\":3}"
                          : i == 5 ? NULL
                                   : "{\"kind\":\"sequence\",\"id\":7}");
        }
        ck_assert_int_gt(asprintf(&path, "%s/sequence-000000000000006.json", folder), 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(symlink("sequence-000000000000007.json", path), 0);
        (void) snprintf(name, sizeof(name), "sequence-%015u.json", 8);
        put(name, "{\"kind\":\"sequence\",\"id\":8}");
        path[strlen(path) - 6] = '8';
        ck_assert_int_eq(truncate(path, RECORD_SIZE_MAX + 1), 0);
        reopen();
        ck_assert_uint_eq(add(RECORD_KIND_SEQUENCE), 9);
        expect_list(SEQUENCES(), "9 7 3");
        ck_assert_uint_eq(warnings, 6);
        expect_list(SEQUENCES(), "9 7 3");
        ck_assert_uint_eq(warnings, 6); /* once each */
}
END_TEST

START_TEST(what_somebody_took_away_is_missing) {
        CLEANUP(freep) char *path = NULL;

        for (int i = 0; i < 3; i++)
                add(RECORD_KIND_SEQUENCE);
        ck_assert_int_gt(asprintf(&path, "%s/sequence-000000000000002.json", folder), 0);
        ck_assert_int_eq(unlink(path), 0);
        expect_list(SEQUENCES(), "3 1");
        for (int i = 0; i < 40; i++)
                add(RECORD_KIND_SEQUENCE);
        ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(without_a_directory_they_are_in_memory) {
        record_store_free(store);
        ck_assert_int_eq(record_store_new(NULL, &store), 0);
        for (int i = 0; i < 40; i++)
                add(RECORD_KIND_SEQUENCE);
        ck_assert_uint_eq(count_files(), 0);
        expect_list(SEQUENCES(.limit = 2), "40 39");
        expect_list(SEQUENCES(.before = 10), "9");
        ck_assert_uint_eq(warnings, 0); /* that was said by whoever wanted to open it */
        add_long(RECORD_KIND_SEQUENCE, LONG);
        ck_assert_uint_eq(warnings, 1); /* this is lost */
        expect_list(SEQUENCES(.limit = 2), "40 39");
}
END_TEST

/* As on a full disk; said once, and it goes on where it can. */
START_TEST(what_cannot_be_written_is_in_memory) {
        struct rlimit before, none = { 0, RLIM_INFINITY };

        add(RECORD_KIND_SEQUENCE);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
        none.rlim_max = before.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
        add(RECORD_KIND_SEQUENCE);
        add(RECORD_KIND_SEQUENCE);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_uint_eq(warnings, 1);
        ck_assert_uint_eq(count_files(), 1);
        expect_list(SEQUENCES(), "3 2 1");
        add(RECORD_KIND_SEQUENCE);
        ck_assert_uint_eq(count_files(), 2);
        expect_list(SEQUENCES(), "4 3 2 1");
        reopen();
        expect_list(SEQUENCES(), "4 1");
        ck_assert_uint_eq(warnings, 1);
}
END_TEST

START_TEST(a_folder_that_is_none_is_said_once) {
        ck_assert_int_eq(rmdir(folder), 0);
        FILE *stream = fopen(folder, "w");
        ck_assert_ptr_nonnull(stream);
        ck_assert_int_eq(fclose(stream), 0);
        reopen();
        ck_assert_uint_eq(warnings, 1);
        add(RECORD_KIND_SEQUENCE);
        add(RECORD_KIND_SEQUENCE);
        ck_assert_uint_eq(warnings, 1);
        expect_list(SEQUENCES(), "2 1");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("service_record_store");
        TCase *kept = tcase_create("kept");
        TCase *bad = tcase_create("bad surroundings");

        tcase_add_checked_fixture(kept, setup, teardown);
        tcase_add_test(kept, the_newest_ones_come_first);
        tcase_add_test(kept, an_answer_is_bounded_but_not_empty);
        tcase_add_test(kept, the_last_ones_outlive_the_run);
        tcase_add_test(kept, they_are_for_us_alone);
        suite_add_tcase(suite, kept);
        tcase_add_checked_fixture(bad, setup, teardown);
        tcase_add_test(bad, too_many_are_pruned_at_the_begin);
        tcase_add_test(bad, half_of_one_is_taken_away);
        tcase_add_test(bad, strangers_are_left_alone);
        tcase_add_test(bad, what_is_no_record_is_left_out);
        tcase_add_test(bad, what_somebody_took_away_is_missing);
        tcase_add_test(bad, without_a_directory_they_are_in_memory);
        tcase_add_test(bad, what_cannot_be_written_is_in_memory);
        tcase_add_test(bad, a_folder_that_is_none_is_said_once);
        suite_add_tcase(suite, bad);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
