/* SPDX-License-Identifier: MIT */
/* How a test tells the service of service_test.c what to do. */
#ifndef QMEM_SERVICE_TEST_H
#define QMEM_SERVICE_TEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct service_test {
	/* orders, carried out and cleared at the next collection */
	atomic_int events; /* so many of different instances */
	atomic_int jobs;
	atomic_int timer_ms; /* a timer; it raises `timer` */
	atomic_int fail;     /* so many collections fail */
	atomic_int lines;    /* log lines */
	atomic_int await;    /* it goes on, slice by slice, until `ready` has grown by so much; not for ever */
	atomic_int words;    /* so many times it raises an event, and goes on until that has been sent; not for ever */
	/* as long as they are set */
	atomic_bool absent; /* the metric `absent` of `level` is, else it is 1 */
	/* from the beginning on */
	int fd;            /* watched; raises `fd` whenever it is readable, in turn WARNING and OKAY; -1: none */
	void (*job)(void); /* what a job does on the worker */
	/* what has happened */
	atomic_int sent; /* the test program's word */
	atomic_int collected, expired, ready, ran, done, done_alone;
	atomic_ulong cpu_ns; /* of all jobs, as `done` was told */
	atomic_bool starved; /* `ready` has not grown, or `sent` */
	atomic_bool raced;   /* two threads were in the engine at once */
};

/* The test program's. */
extern struct service_test service_test;

#endif
