/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* control/access: who may do what, by numbers alone, and the mode of the socket that follows. */

#include "control/access.h"
#include "unit.h"

#define OWN    500
#define ADMIN  600
#define READER 700
#define OTHER  800

static SupervisorConfig config_with(gid_t admin, gid_t reader) {
        return (SupervisorConfig) { .admin_gid = admin, .reader_gid = reader };
}

static AccessLevel level_of(uid_t uid, gid_t gid, gid_t extra, const SupervisorConfig *config) {
        gid_t groups[] = { OTHER, extra };

        return access_level(&(Peer) { .uid = uid, .gid = gid, .groups = groups, .group_count = 2 },
                            config, OWN);
}

START_TEST(test_levels) {
        SupervisorConfig config = config_with(ADMIN, READER);

        ck_assert_int_eq(level_of(0, 0, 0, &config), ACCESS_FULL);
        ck_assert_int_eq(level_of(OWN, OWN, OWN, &config), ACCESS_FULL);
        ck_assert_int_eq(level_of(1, ADMIN, 1, &config), ACCESS_FULL);
        ck_assert_int_eq(level_of(1, 1, ADMIN, &config), ACCESS_FULL);
        ck_assert_int_eq(level_of(1, READER, ADMIN, &config), ACCESS_FULL);
        ck_assert_int_eq(level_of(1, READER, 1, &config), ACCESS_READ);
        ck_assert_int_eq(level_of(1, 1, READER, &config), ACCESS_READ);
        ck_assert_int_eq(level_of(1, 1, 1, &config), ACCESS_NONE);
        ck_assert_int_eq(level_of(1, 0, 0, &config), ACCESS_NONE); /* root's group is not root */
        ck_assert_int_eq(level_of(ADMIN, 1, 1, &config), ACCESS_NONE);
}
END_TEST

/* Without groups nobody is in them, whatever number stands for "none". */
START_TEST(test_no_groups) {
        SupervisorConfig config = config_with(CONFIG_NO_GID, CONFIG_NO_GID);

        ck_assert_int_eq(level_of(0, 0, 0, &config), ACCESS_FULL);
        ck_assert_int_eq(level_of(1, ADMIN, READER, &config), ACCESS_NONE);
        ck_assert_int_eq(level_of(1, CONFIG_NO_GID, CONFIG_NO_GID, &config), ACCESS_NONE);
}
END_TEST

START_TEST(test_same_group) {
        SupervisorConfig config = config_with(ADMIN, ADMIN);

        ck_assert_int_eq(level_of(1, ADMIN, 1, &config), ACCESS_FULL);
}
END_TEST

static void expect_mode(gid_t admin, gid_t reader, mode_t mode, gid_t group) {
        SupervisorConfig config = config_with(admin, reader);
        gid_t found = 4711;

        ck_assert_uint_eq(access_socket_mode(&config, &found), mode);
        ck_assert_uint_eq(found, group);
}

START_TEST(test_modes) {
        expect_mode(CONFIG_NO_GID, CONFIG_NO_GID, 0600, CONFIG_NO_GID);
        expect_mode(ADMIN, CONFIG_NO_GID, 0660, ADMIN);
        expect_mode(CONFIG_NO_GID, READER, 0660, READER);
        expect_mode(ADMIN, ADMIN, 0660, ADMIN);
        expect_mode(ADMIN, READER, 0666, CONFIG_NO_GID);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("control/access");
        TCase *cases = tcase_create("access");

        tcase_add_test(cases, test_levels);
        tcase_add_test(cases, test_no_groups);
        tcase_add_test(cases, test_same_group);
        tcase_add_test(cases, test_modes);
        suite_add_tcase(suite, cases);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
