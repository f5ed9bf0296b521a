/* SPDX-License-Identifier: MIT */
#include "util/value.h"

#include "unit.h"

/* Of two, both are needed. */
START_TEST(made_of_two)
{
	ck_assert_int_eq(value_minus(7, 4), 3);
	ck_assert_int_eq(value_minus(4, 7), 0);
	ck_assert_int_eq(value_minus(0, INT64_MAX), 0);
	ck_assert_int_eq(value_minus(QMEM_NA, 1), QMEM_NA);
	ck_assert_int_eq(value_minus(1, QMEM_NA), QMEM_NA);
	ck_assert_int_eq(value_times(7, 1024), 7168);
	ck_assert_int_eq(value_times(INT64_MAX, 2), QMEM_NA);
	ck_assert_int_eq(value_times(QMEM_NA, 0), QMEM_NA);
	ck_assert_int_eq(value_times(0, QMEM_NA), QMEM_NA);
	ck_assert_int_eq(value_ratio(1, 3), 3333);
	ck_assert_int_eq(value_ratio(4, 3), 10000);
	ck_assert_int_eq(value_ratio(0, 3), 0);
	ck_assert_int_eq(value_ratio(0, 0), QMEM_NA);
	ck_assert_int_eq(value_ratio(QMEM_NA, 3), QMEM_NA);
	ck_assert_int_eq(value_ratio(3, QMEM_NA), QMEM_NA);
	ck_assert_int_eq(value_ratio(INT64_MAX / 2, INT64_MAX), 4999);
}
END_TEST

/* Of many, what is not known is left out, and of nothing known nothing is. */
START_TEST(added_up)
{
	int64_t sum = QMEM_NA;

	value_add(&sum, QMEM_NA);
	ck_assert_int_eq(sum, QMEM_NA);
	value_add(&sum, 0);
	ck_assert_int_eq(sum, 0);
	value_add(&sum, 5);
	value_add(&sum, QMEM_NA);
	value_add(&sum, 6);
	ck_assert_int_eq(sum, 11);
	value_add(&sum, INT64_MAX);
	ck_assert_int_eq(sum, INT64_MAX);
	value_add(&sum, 1);
	ck_assert_int_eq(sum, INT64_MAX);
	ck_assert_int_eq(value_sum(1, 2), 3);
	ck_assert_int_eq(value_sum(QMEM_NA, 2), 2);
	ck_assert_int_eq(value_sum(1, QMEM_NA), 1);
	ck_assert_int_eq(value_sum(QMEM_NA, QMEM_NA), QMEM_NA);
	ck_assert_int_eq(value_sum(INT64_MAX, 2), QMEM_NA);
	ck_assert_int_eq(value_or(QMEM_NA, 7), 7);
	ck_assert_int_eq(value_or(0, 7), 0);
	ck_assert_int_eq(value_least(3, 2), 2);
}
END_TEST

START_TEST(per_second)
{
	ck_assert_int_eq(value_rate(10, 2 * QMEM_SECOND), 5);
	ck_assert_int_eq(value_rate(0, QMEM_SECOND), 0);
	ck_assert_int_eq(value_rate(1, QMEM_SECOND / 1000), 1000);
	ck_assert_int_eq(value_rate(INT64_MAX, 1), INT64_MAX);
}
END_TEST

SUITE(value)
{
	Suite *s = suite_create("value");
	TCase *t = tcase_create("value");

	tcase_add_test(t, made_of_two);
	tcase_add_test(t, added_up);
	tcase_add_test(t, per_second);
	suite_add_tcase(s, t);
	return s;
}
