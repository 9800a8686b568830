/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * control/frame: what a client may send before its bytes are read: whole lines and heads, messages
 * of a bounded size, in either byte order and at every cut.
 */

#include <string.h>

#include "control/frame.h"
#include "unit.h"

#define HEAD 16

/* A head with so many bytes of fields and body. */
static void make_head(uint8_t *data, char order, uint32_t fields, uint32_t body) {
        const uint32_t numbers[] = { body, 1, fields };

        data[0] = (uint8_t) order;
        data[1] = 1;
        data[2] = 0;
        data[3] = 1;
        for (size_t i = 0; i < 3; i++)
                for (size_t j = 0; j < 4; j++)
                        data[4 + i * 4 + j] =
                                (uint8_t) (numbers[i] >> 8 * (order == 'l' ? j : 3 - j));
}

static void expect(const uint8_t *data, size_t size, int outcome, unsigned count) {
        unsigned counted = 4711;

        ck_assert_int_eq(frame_check(data, size, &counted), outcome);
        ck_assert_uint_eq(counted, outcome == 0 ? count : 4711);
}

static void expect_login(const void *data, size_t size, int outcome, unsigned count) {
        unsigned counted = 4711;

        ck_assert_int_eq(frame_check_login(data, size, &counted), outcome);
        ck_assert_uint_eq(counted, outcome == 0 ? count : 4711);
}

START_TEST(test_sizes) {
        const char order = "lB"[_i];
        uint8_t data[HEAD];

        expect(NULL, 0, 0, 0);
        make_head(data, order, 0, 0);
        expect(data, sizeof(data), 0, 1);
        make_head(data, order, 0, FRAME_MESSAGE_MAX - HEAD);
        expect(data, sizeof(data), 0, 1);
        make_head(data, order, 0, FRAME_MESSAGE_MAX - HEAD + 1);
        expect(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
        make_head(data, order, FRAME_MESSAGE_MAX - HEAD, 0);
        expect(data, sizeof(data), 0, 1);
        make_head(data, order, FRAME_MESSAGE_MAX - HEAD - 7,
                  1); /* the fields end at a multiple of 8 */
        expect(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
        make_head(data, order, UINT32_MAX, UINT32_MAX); /* nothing wraps */
        expect(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
        make_head(data, order, UINT32_MAX - 6, 0);
        expect(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
}
END_TEST

START_TEST(test_pieces) {
        uint8_t data[HEAD];

        make_head(data, 'l', 8, 8);
        for (size_t size = 1; size < HEAD; size++)
                expect(data, size, FRAME_E_PIECE, 0);
}
END_TEST

/* The rest of a message: nothing is known of it. */
START_TEST(test_rest) {
        static const char *const rests[] = { "a", "org.supervisord", "\1\2\3", "xl\1\1" };
        uint8_t data[HEAD];

        for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++)
                expect((const uint8_t *) rests[i], strlen(rests[i]), 0, 0);
        make_head(data, 'l', 0, UINT32_MAX);
        data[1] = 0; /* no type */
        expect(data, sizeof(data), 0, 0);
        data[1] = 5;
        expect(data, sizeof(data), 0, 0);
        data[1] = 1;
        data[3] = 2; /* another version */
        expect(data, sizeof(data), 0, 0);
}
END_TEST

START_TEST(test_several) {
        uint8_t data[3 * (HEAD + 16) + HEAD];
        const size_t step = HEAD + 16;

        for (size_t i = 0; i < 3; i++)
                make_head(data + i * step, 'l', 5, 8);
        make_head(data + 3 * step, 'B', 0, 1000);
        expect(data, step, 0, 1);
        expect(data, step - 1, 0, 1);
        expect(data, step + 1, FRAME_E_PIECE, 0);
        expect(data, 3 * step, 0, 3);
        expect(data, sizeof(data), 0, 4);
        expect(data, sizeof(data) - 1, FRAME_E_PIECE, 0);
        make_head(data + 3 * step, 'B', 0, UINT32_MAX);
        expect(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
}
END_TEST

/* A look that is full may end anywhere. */
START_TEST(test_cut) {
        static uint8_t data[FRAME_LOOK];
        const size_t step = HEAD + 8;

        for (size_t at = 0; at + HEAD <= sizeof(data); at += step)
                make_head(data + at, 'l', 0, 8);
        memcpy(data + sizeof(data) / step * step, data, sizeof(data) % step);
        expect(data, sizeof(data), 0, (unsigned) ((sizeof(data) + step - HEAD) / step));
        ck_assert_uint_gt(sizeof(data) % step, 0);
}
END_TEST

START_TEST(test_login) {
        static const char plain[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";
        uint8_t data[sizeof(plain) - 1 + HEAD];

        expect_login("", 0, 0, 0);
        expect_login("", 1, 0, 0);
        expect_login(plain, sizeof(plain) - 1, 0, 0);
        expect_login("AUTH\r\n", 6, 0, 0);
        expect_login("BEGIN\n", 6, 0, 0);
        expect_login("AUTH", 4, FRAME_E_PIECE, 0);
        expect_login("BEGIN\r", 6, FRAME_E_PIECE, 0);
        expect_login("IN\r\nl", 5, FRAME_E_PIECE, 0);

        memcpy(data, plain, sizeof(plain) - 1);
        make_head(data + sizeof(plain) - 1, 'l', 0, 100);
        expect_login(data, sizeof(data), 0, 1);
        expect_login(data, sizeof(data) - 1, FRAME_E_PIECE, 0);
        make_head(data + sizeof(plain) - 1, 'l', 0, 100u << 20);
        expect_login(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
}
END_TEST

START_TEST(test_login_without_end) {
        static uint8_t data[FRAME_LOOK];

        memset(data, 'A', sizeof(data));
        expect_login(data, sizeof(data), FRAME_E_TOO_LARGE, 0);
        expect_login(data, sizeof(data) - 1, FRAME_E_PIECE, 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("control/frame");
        TCase *cases = tcase_create("frame");

        tcase_add_loop_test(cases, test_sizes, 0, 2);
        tcase_add_test(cases, test_pieces);
        tcase_add_test(cases, test_rest);
        tcase_add_test(cases, test_several);
        tcase_add_test(cases, test_cut);
        tcase_add_test(cases, test_login);
        tcase_add_test(cases, test_login_without_end);
        suite_add_tcase(suite, cases);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
