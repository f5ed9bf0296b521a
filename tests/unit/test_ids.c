/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "engine/ids.h"

START_TEST(an_id_is_one_names)
{
	struct ids *ids = ids_new();
	struct ids_seat *seat = ids_take(ids, "id", "a");

	ck_assert_ptr_nonnull(seat);
	ck_assert_ptr_eq(ids_take(ids, "id", "a"), seat);
	ck_assert_ptr_null(ids_take(ids, "id", "b"));
	ck_assert_ptr_nonnull(ids_take(ids, "other", "b"));
	ids_free(ids);
}
END_TEST

/* However many come and go: who is still there keeps what is his. */
START_TEST(memory_is_bounded)
{
	struct ids *ids = ids_new();
	struct ids_seat *mine = ids_take(ids, "mine", "me");
	char id[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(id, sizeof(id), "id%d", i);
		ck_assert_ptr_nonnull(ids_take(ids, id, id));
		ck_assert_ptr_null(ids_take(ids, id, "another"));
		ids_use(ids, mine);
	}
	ck_assert_ptr_null(ids_take(ids, "mine", "another"));
	ck_assert_ptr_eq(ids_take(ids, "mine", "me"), mine);
	ids_free(ids);
}
END_TEST

SUITE(ids)
{
	Suite *s = suite_create("ids");
	TCase *t = tcase_create("ids");

	tcase_add_test(t, an_id_is_one_names);
	tcase_add_test(t, memory_is_bounded);
	suite_add_tcase(s, t);
	return s;
}
