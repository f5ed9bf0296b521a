/* SPDX-License-Identifier: MIT */
/* The suites of the unit tests: tests/unit/test_NAME.c has NAME_suite(). Included more than once, on purpose. */
SUITE(name)
SUITE(option)
SUITE(engine)
SUITE(event)
SUITE(wait)
SUITE(file)
SUITE(describe)
SUITE(pidstat)
SUITE(proctab)
