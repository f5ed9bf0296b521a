/* SPDX-License-Identifier: MIT */
/*
 * The plugin in a daemon that does what a test wants: fake_collectd [QMEM.SO TEST.SO [TYPES.DB]]
 *
 * Each test is a process of its own that dlopen()s the built plugin, or the one whose only service is that of
 * service_test.c, and calls what it has registered. TAP on stdout.
 */
#include "fake_daemon.h"

#include <collectd/core/utils/common/common.h>
#include "service_test.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_SECONDS 5  /* how long an agent may take to stop */
#define WAIT_SECONDS 30 /* for what must come; a bound, never a goal */
#define HANG_SECONDS 120

struct service_test service_test = { .fd = -1 };

static const char *qmem_so, *test_so, *types_db;
static bool failed;

#define CHECK(condition) check(condition, __LINE__, #condition, NULL)
#define CHECK_OF(condition, subject) check(condition, __LINE__, #condition, subject)

static void check(bool good, int line, const char *condition, const char *subject)
{
	if (good)
		return;
	printf("# line %d: %s%s%s\n", line, condition, subject ? ": " : "", subject ? subject : "");
	failed = true;
}

/* For CHECK_OF; the last one's. */
static const char *number(double n)
{
	static char text[64];

	snprintf(text, sizeof(text), "%g", n);
	return text;
}

#define WAIT_FOR(condition)                                                                                            \
	do {                                                                                                           \
		double end_ = seconds() + WAIT_SECONDS;                                                                \
		bool come_;                                                                                            \
		while (!(come_ = (condition)) && seconds() < end_)                                                     \
			pause_ms(2);                                                                                   \
		check(come_, __LINE__, #condition, "in vain");                                                         \
	} while (0)

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* ---- what most of them do ---- */

static bool load(const char *so)
{
	/* the services that are built in are not to find one too short for what they cost */
	fake.interval = so == qmem_so ? TIME_T_TO_CDTIME_T(10) : MS_TO_CDTIME_T(20);
	if (types_db && so == qmem_so)
		CHECK_OF(fake_types(types_db), types_db);
	CHECK(fake_load(so));
	return !failed;
}

/* Calls the read callback as often as it takes until the test service has carried out its orders. */
static void read_once(void)
{
	int before = service_test.collected;

	WAIT_FOR((fake.read(NULL), service_test.collected != before));
}

static bool run_test_service(void)
{
	if (!load(test_so))
		return false;
	CHECK(fake.init() == 0);
	CHECK(fake.read != NULL);
	return !failed;
}

static void shutdown_in_time(void)
{
	double began = seconds();

	CHECK(fake.shutdown() == 0);
	CHECK_OF(seconds() - began < STOP_SECONDS, number(seconds() - began));
	CHECK_OF(!fake.unmasked, fake.unmasked);
	CHECK(!service_test.raced);
}

static void *read_loop(void *arg)
{
	atomic_bool *stop = arg;

	while (!*stop)
		fake.read(NULL);
	return NULL;
}

/* ---- the plugin as it is built ---- */

static bool has_service(const char *service)
{
	char start[128];

	snprintf(start, sizeof(start), "qmem_%s", service);
	for (size_t i = 0; i < fake_values(); i++) {
		const char *name = fake_value(i)->name;

		if (strncmp(name, start, strlen(start)) == 0 && strchr("/-", name[strlen(start)]))
			return true;
	}
	return false;
}

static void check_types(void)
{
	for (size_t i = 0; i < fake_values(); i++) {
		const struct fake_value *v = fake_value(i);
		const data_set_t *ds = plugin_get_ds(v->type);

		CHECK_OF(ds, v->name);
		if (!ds)
			continue;
		CHECK_OF(v->n == ds->ds_num, v->name);
		for (size_t j = 0; j < v->n && j < ds->ds_num; j++) {
			CHECK_OF(!(v->values[j] < ds->ds[j].min), v->name);
			CHECK_OF(!(v->values[j] > ds->ds[j].max), v->name);
		}
		for (size_t j = 0; j < i; j++)
			CHECK_OF(strcmp(fake_value(j)->name, v->name) != 0, v->name);
		/* what needs a walk is of its end */
		CHECK_OF(v->time >= fake_value(0)->time, v->name);
		CHECK_OF(v->interval == fake.read_interval, v->name);
	}
}

static void test_no_configuration(void)
{
	static const char *const services[] = { "meminfo", "vmstat", "netstat", "self" };

	if (!load(qmem_so))
		return;
	CHECK(fake.init() == 0);
	CHECK(fake.read_interval == fake.interval);
	CHECK(fake.read(NULL) == 0);
	CHECK_OF(fake_values() > 50, number((double)fake_values()));
	for (size_t i = 0; i < 4; i++)
		CHECK_OF(has_service(services[i]), services[i]);
	check_types();
	CHECK(fake_logs(LOG_ERR) == 0 && fake_logs(LOG_WARNING) == 0);
	shutdown_in_time();
	CHECK(fake.read(NULL) == 0);
	CHECK(fake.shutdown() == 0);
}

static void test_detail(void)
{
	static const char *const services[] = { "meminfo", "vmstat", "pressure", "netstat", "self" };
	char text[256];

	if (!load(qmem_so))
		return;
	for (size_t i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "<Service \"%s\">\nDetail true\n</Service>\n", services[i]);
		fake_config(text);
	}
	CHECK(fake.init() == 0);
	CHECK(fake.read(NULL) == 0);
	check_types();
	CHECK(!fake_log(LOG_WARNING, "types.db"));
	shutdown_in_time();
}

static void test_never_started(void)
{
	if (!load(qmem_so))
		return;
	CHECK(fake_config("<Service \"meminfo\">\nInterval 1\n</Service>\n") == 0);
	shutdown_in_time();
}

static void test_cannot_start(void)
{
	char root[] = "/tmp/qmem-empty-XXXXXX", config[256];

	if (!load(qmem_so))
		return;
	CHECK(fake_config("HostRoot \"/nonexistent\"\n") == 0);
	CHECK(fake_log(LOG_WARNING, "HostRoot '/nonexistent' cannot be found"));
	CHECK(mkdtemp(root));
	snprintf(config, sizeof(config), "HostRoot \"%s\"\n<Service \"self\">\nEnabled no\n</Service>\n", root);
	CHECK(fake_config(config) == 0);
	CHECK(fake.init() == 0);
	CHECK(fake_log(LOG_ERR, "nothing is measured: no service is on"));
	CHECK(!fake.read);
	shutdown_in_time();
	rmdir(root);
}

static void test_wrong_options(void)
{
	if (!load(qmem_so))
		return;
	CHECK(fake_config("<Service \"meminfo\">\nIntervall 1\nInterval \"soon\"\nEnabled 7\nInterval\n</Service>\n") ==
	      0);
	CHECK(fake_config("<Service \"nosuch\">\nInterval 1\n</Service>\nNoSuch true\n") == 0);
	CHECK(fake_config("<Service>\nInterval 1\n</Service>\n") == 0);
	CHECK(fake_config("<Service \"meminfo\">\n<Group \"web\">\nSize 3\n</Group>\n</Service>\n") == 0);
	CHECK(fake_config("<Nonsense \"a\">\nb 1\n</Nonsense>\n") == 0);
	CHECK(fake_log(LOG_WARNING, "Intervall"));
	CHECK(fake_log(LOG_WARNING, "'soon'"));
	CHECK(fake_log(LOG_WARNING, "'7'"));
	CHECK(fake_log(LOG_WARNING, "a value is missing"));
	CHECK(fake_log(LOG_WARNING, "nosuch"));
	CHECK(fake_log(LOG_WARNING, "NoSuch"));
	CHECK(fake_log(LOG_WARNING, "name of a service"));
	CHECK(fake_log(LOG_WARNING, "Group"));
	CHECK(fake_log(LOG_WARNING, "Nonsense"));
	CHECK_OF(fake_logs(LOG_WARNING) == 9, number((double)fake_logs(LOG_WARNING)));
	CHECK(fake.init() == 0);
	CHECK(fake.read(NULL) == 0);
	CHECK(has_service("meminfo"));
	shutdown_in_time();
}

/* ---- the sink ---- */

static double value_of(const char *name, size_t i)
{
	const struct fake_value *v = fake_value_named(name);

	CHECK_OF(v && i < v->n, name);
	return v && i < v->n ? v->values[i] : -1;
}

static void test_values(void)
{
	const struct fake_value *v;

	if (!load(test_so))
		return;
	service_test.absent = true;
	CHECK(fake_config(
		      "<Service \"test\">\nName eth0\nName \"eth0.100\"\nName \"a/b\"\nName \"a_b\"\n</Service>\n") ==
	      0);
	CHECK(fake.init() == 0);
	CHECK(fake.read(NULL) == 0);
	CHECK(value_of("qmem_test/memory-level_here", 0) == 4200);
	CHECK_OF(!fake_value_named("qmem_test/memory-level_absent"), "a gauge that this kernel does not have");
	CHECK(value_of("qmem_test/percent-share_some", 0) == 42);
	/* in the type's order, not in the table's */
	CHECK(value_of("qmem_test-eth0/if_octets-octets", 0) == 1000);
	CHECK(value_of("qmem_test-eth0/if_octets-octets", 1) == 2000);
	CHECK(fake_value_named("qmem_test-eth0.100/if_octets-octets"));
	CHECK(fake_value_named("qmem_test-a_b/if_octets-octets"));
	CHECK_OF(!fake_value_named("qmem_test/if_octets-half"), "a list with an absent counter");
	CHECK(value_of("qmem_test/derive-calls_all", 0) == 7);
	CHECK_OF(!fake_value_named("qmem_test/derive-calls_gone"), "an absent counter");
	CHECK(value_of("qmem_test/total_time_in_ms-stall_some", 0) == 1234);
	CHECK(value_of("qmem_test/gauge-odd_one", 0) == 5);
	CHECK(fake_log(LOG_WARNING, "'no_such_type'"));
	/* level, share, calls, stall, odd, four devices; nothing absent or hidden, no detail */
	CHECK_OF(fake_values() == 9, number((double)fake_values()));
	for (size_t i = 0; i < fake_values(); i++) {
		v = fake_value(i);
		CHECK(v->time == fake_value(0)->time && v->time && v->interval == fake.interval);
		/* one name was altered: only it bears its original */
		CHECK_OF((strncmp(v->name, "qmem_test-a_b_", strlen("qmem_test-a_b_")) == 0) ==
				 (strcmp(v->meta, "a/b") == 0),
			 v->name);
		CHECK_OF(!*v->meta == (strncmp(v->name, "qmem_test-a_b_", strlen("qmem_test-a_b_")) != 0), v->name);
	}
	shutdown_in_time();
}

static void test_absent_gauge(void)
{
	const char *name = "qmem_test/memory-level_absent";

	if (!run_test_service())
		return;
	read_once();
	CHECK(value_of(name, 0) == 1);
	fake_clear();
	service_test.absent = true;
	read_once();
	CHECK(isnan(value_of(name, 0)));
	fake_clear();
	service_test.absent = false;
	read_once();
	CHECK(value_of(name, 0) == 1);
	shutdown_in_time();
}

static void test_merged_blocks(void)
{
	if (!load(test_so))
		return;
	CHECK(fake_config("<Service \"test\">\nScale 10\nName a\n</Service>\n") == 0);
	CHECK(fake_config("<Service \"TEST\">\nname b\n<Group \"web\">\nSize 64k\nSize nonsense\n</Group>\n"
			  "</Service>\n") == 0);
	CHECK(fake_config("<Service \"test\">\nScale 0\nDetail yes\nInterval 0.5\n</Service>\n") == 0);
	CHECK(fake_log(LOG_WARNING, "'0'"));
	CHECK(fake_log(LOG_WARNING, "'nonsense'"));
	CHECK(fake_logs(LOG_WARNING) == 2);
	CHECK(fake.init() == 0);
	CHECK(fake.read_interval == MS_TO_CDTIME_T(500));
	CHECK(fake.read(NULL) == 0);
	CHECK(value_of("qmem_test/memory-level_here", 0) == 42000);
	CHECK(fake_value_named("qmem_test-a/if_octets-octets"));
	CHECK(fake_value_named("qmem_test-b/if_octets-octets"));
	CHECK(!fake_value_named("qmem_test-eth0/if_octets-octets"));
	CHECK(fake_value_named("qmem_test/memory-detail_one"));
	shutdown_in_time();
}

static void test_read_error(void)
{
	int before;

	if (!run_test_service())
		return;
	read_once();
	CHECK(fake_values() > 0);
	service_test.fail = 1;
	before = service_test.collected;
	WAIT_FOR(fake.read(NULL) != 0);
	CHECK(service_test.collected == before + 1);
	CHECK(fake_log(LOG_WARNING, "was told to fail"));
	fake_clear();
	read_once();
	CHECK(fake_values() > 0);
	CHECK(fake_log(LOG_INFO, "is back"));
	shutdown_in_time();
}

/* ---- notifications ---- */

static void enter_again(const notification_t *n, const char *thread)
{
	CHECK_OF(strcmp(thread, "qmem notify") == 0, thread);
	/* a target may call anything: with a lock held this would never come back */
	fake.read(NULL);
	if (strcmp(n->type, "again") != 0) {
		notification_t again = *n;

		again.meta = NULL;
		sstrncpy(again.type, "again", sizeof(again.type));
		plugin_dispatch_notification(&again);
	}
}

static void test_notification(void)
{
	const notification_t *n = fake_notification(0);

	fake.notified = enter_again;
	if (!run_test_service())
		return;
	service_test.timer_ms = 30;
	read_once();
	/* nothing else would call the engine: only the listener, which waited for ever when the timer was set */
	WAIT_FOR(fake_notifications() == 2);
	CHECK(n->severity == NOTIF_WARNING);
	CHECK(strcmp(n->host, "fakehost") == 0);
	CHECK(strcmp(n->plugin, "qmem_test") == 0);
	CHECK_OF(strncmp(n->plugin_instance, "a_timer_", 8) == 0, n->plugin_instance);
	CHECK(fake_meta(n, "qmem:instance") && strcmp(fake_meta(n, "qmem:instance"), "a/timer") == 0);
	CHECK(strcmp(n->type, "timer") == 0);
	CHECK_OF(!*n->type_instance, n->type_instance);
	CHECK_OF(strcmp(n->message, "timer of a/timer") == 0, n->message);
	CHECK(n->time);
	CHECK(fake_meta(n, "threshold") && strcmp(fake_meta(n, "threshold"), "10%") == 0);
	CHECK(fake_meta(n, "hostile") && !strchr(fake_meta(n, "hostile"), '\n'));
	shutdown_in_time();
}

/* A collection that would not end, but for what the listener does between its slices. */
static void test_slices(void)
{
	service_test.fd = eventfd(1, EFD_CLOEXEC);
	if (!load(test_so))
		return;
	/* its pace is not what this is about */
	CHECK(!fake_config("<Service \"test\">\nBudget 0\n</Service>\n"));
	CHECK(fake.init() == 0);
	for (int i = 0; i < 3; i++) {
		service_test.await = 3;
		read_once();
		CHECK(!service_test.starved);
		CHECK(fake_values());
		fake_clear();
	}
	shutdown_in_time();
	close(service_test.fd);
}

static void count_sent(const notification_t *n, const char *thread)
{
	(void)n;
	(void)thread;
	/* it does not take the processor from who wakes it */
	CHECK(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }) == 0);
	service_test.sent++;
}

static void stay_on_one_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
}

/* Nor does a notification wait until a collection is over. */
static void test_notification_between_slices(void)
{
	stay_on_one_processor();
	fake.notified = count_sent;
	if (!load(test_so))
		return;
	CHECK(!fake_config("<Service \"test\">\nBudget 0\n</Service>\n"));
	CHECK(fake.init() == 0);
	service_test.words = 20;
	read_once();
	CHECK(!service_test.starved);
	CHECK_OF(service_test.sent == 20, number(service_test.sent));
	shutdown_in_time();
}

static sem_t gate;
static atomic_int at_gate;

static void wait_at_gate(const notification_t *n, const char *thread)
{
	(void)n;
	(void)thread;
	at_gate++;
	while (sem_wait(&gate) < 0)
		;
	sem_post(&gate);
}

static void test_overflow(void)
{
	bool newest = false;

	fake.notified = wait_at_gate;
	if (!run_test_service())
		return;
	service_test.events = 1;
	read_once();
	WAIT_FOR(at_gate == 1);
	/* instance 0 is a repetition */
	service_test.events = 201;
	read_once();
	CHECK(fake_log(LOG_WARNING, "notifications are lost"));
	sem_post(&gate);
	WAIT_FOR(fake_notifications() == 65);
	WAIT_FOR(fake_log(LOG_INFO, "no longer lost") != NULL);
	for (size_t i = 0; i < fake_notifications(); i++)
		newest |= strcmp(fake_notification(i)->plugin_instance, "200") == 0;
	CHECK(newest);
	shutdown_in_time();
	CHECK_OF(fake_notifications() == 65, number((double)fake_notifications()));
}

static void test_queued_at_shutdown(void)
{
	if (!run_test_service())
		return;
	service_test.events = 20;
	read_once();
	shutdown_in_time();
	CHECK_OF(fake_notifications() == 20, number((double)fake_notifications()));
}

static void test_stuck_target(void)
{
	fake.notified = wait_at_gate;
	if (!run_test_service())
		return;
	service_test.events = 10;
	read_once();
	WAIT_FOR(at_gate == 1);
	shutdown_in_time();
	CHECK(fake_log(LOG_WARNING, "notifier does not end"));
	/* it comes back to a plugin that is no more */
	sem_post(&gate);
	pause_ms(20);
	CHECK(fake_notifications() == 1);
}

/* ---- the log ---- */

static void log_again(int level, const char *text)
{
	static _Thread_local bool inside;

	(void)level;
	(void)text;
	if (inside || !fake.read)
		return;
	inside = true;
	fake.read(NULL);
	inside = false;
}

static void test_log(void)
{
	fake.logged = log_again;
	if (!run_test_service())
		return;
	service_test.lines = 3;
	read_once();
	CHECK(fake_log(LOG_WARNING, "qmem plugin: test: line 3"));
	CHECK(fake_log(LOG_WARNING, "line 1"));
	shutdown_in_time();
}

/* ---- threads ---- */

static unsigned long thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (unsigned long)ts.tv_sec * 1000000000 + (unsigned long)ts.tv_nsec;
}

static void burn(void)
{
	unsigned long since = thread_cpu_ns();

	while (thread_cpu_ns() - since < 2000000)
		;
}

static void test_job(void)
{
	service_test.job = burn;
	if (!run_test_service())
		return;
	service_test.jobs = 5;
	read_once();
	WAIT_FOR(service_test.done == 5);
	CHECK(service_test.ran == 5);
	CHECK(service_test.cpu_ns >= 5 * 2000000);
	shutdown_in_time();
	CHECK(service_test.done_alone == 0);
}

static void hang(void)
{
	at_gate++;
	while (sem_wait(&gate) < 0)
		;
}

static void test_stuck_worker(void)
{
	service_test.job = hang;
	if (!run_test_service())
		return;
	service_test.jobs = 3;
	read_once();
	WAIT_FOR(at_gate == 1);
	/* the tick goes on */
	read_once();
	shutdown_in_time();
	CHECK(service_test.ran == 1);
	CHECK(service_test.done == 0);
	/* those that waited have been given back, and so is the one that comes back too late */
	CHECK_OF(service_test.done_alone == 2, number(service_test.done_alone));
	sem_post(&gate);
	WAIT_FOR(service_test.done_alone == 3);
}

static void test_event_during_shutdown(void)
{
	if (!load(test_so))
		return;
	/* readable for ever: it fires again and again */
	service_test.fd = eventfd(1, EFD_CLOEXEC);
	CHECK(fake.init() == 0);
	WAIT_FOR(service_test.ready > 10);
	shutdown_in_time();
	CHECK(fake_notifications() > 0);
	close(service_test.fd);
}

static void test_all_at_once(void)
{
	atomic_bool stop = false;
	pthread_t readers[2];

	if (!load(test_so))
		return;
	fake.interval = MS_TO_CDTIME_T(1);
	service_test.fd = eventfd(1, EFD_CLOEXEC);
	CHECK(fake.init() == 0);
	for (size_t i = 0; i < 2; i++)
		CHECK(pthread_create(&readers[i], NULL, read_loop, &stop) == 0);
	for (int i = 0; i < 20; i++) {
		int done = service_test.done, expired = service_test.expired;

		service_test.jobs = 2;
		service_test.timer_ms = 1;
		service_test.lines = 1;
		service_test.events = 5;
		WAIT_FOR(service_test.done >= done + 2 && service_test.expired > expired);
	}
	CHECK(service_test.ready > 0);
	stop = true;
	for (size_t i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	shutdown_in_time();
	close(service_test.fd);
}

static void test_no_threads(void)
{
	if (!load(test_so))
		return;
	fake.threads_left = 0;
	service_test.fd = eventfd(1, EFD_CLOEXEC);
	CHECK(fake.init() == 0);
	CHECK(fake_log(LOG_WARNING, "no thread to listen"));
	CHECK(fake_log(LOG_WARNING, "no thread to send"));
	service_test.jobs = 1;
	read_once();
	CHECK(fake_values() > 0);
	/* the read callback looks after what is ready */
	CHECK(service_test.ready > 0);
	CHECK(service_test.done + service_test.done_alone == 0);
	/* and after what a worker has done, once there can be one */
	fake.threads_left = -1;
	service_test.jobs = 1;
	WAIT_FOR((fake.read(NULL), service_test.done) == 1);
	shutdown_in_time();
	close(service_test.fd);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*run)(void);
	const char **so;
} tests[] = {
	{ "values of every service without a configuration, of types that fit, unique", test_no_configuration,
	  &qmem_so },
	{ "details have types that fit", test_detail, &qmem_so },
	{ "shutdown without init", test_never_started, &qmem_so },
	{ "where nothing can be read, init says so, and the daemon goes on", test_cannot_start, &qmem_so },
	{ "what is unknown or wrong is warned of, and the plugin runs", test_wrong_options, &qmem_so },
	{ "identifiers and values", test_values, &test_so },
	{ "a gauge that has been there is NaN when it is not", test_absent_gauge, &test_so },
	{ "several <Plugin> blocks merge", test_merged_blocks, &test_so },
	{ "a read fails when nothing could be read, and recovers", test_read_error, &test_so },
	{ "a timer's notification comes from the notifier, with no lock held", test_notification, &test_so },
	{ "who listens has its turn between two slices of a read", test_slices, &test_so },
	{ "a notification is sent between two slices of a read", test_notification_between_slices, &test_so },
	{ "a queue that overflows loses the oldest, and says so", test_overflow, &test_so },
	{ "what is queued at shutdown is sent", test_queued_at_shutdown, &test_so },
	{ "shutdown leaves a notifier behind that is stuck in a target", test_stuck_target, &test_so },
	{ "log lines are written with no lock held", test_log, &test_so },
	{ "jobs run on the worker", test_job, &test_so },
	{ "shutdown leaves a stuck worker behind", test_stuck_worker, &test_so },
	{ "shutdown while an event is firing", test_event_during_shutdown, &test_so },
	{ "reads, events, timers, jobs and log lines at once", test_all_at_once, &test_so },
	{ "without threads it reads on", test_no_threads, &test_so },
};

static bool run(size_t i)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(HANG_SECONDS);
		sem_init(&gate, 0, 0);
		tests[i].run();
		fake_clear();
		exit(failed);
	}
	if (waitpid(pid, &status, 0) < 0)
		return false;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		printf("# exit status %d\n", WEXITSTATUS(status));
	return status == 0;
}

int main(int argc, char **argv)
{
	const size_t n = sizeof(tests) / sizeof(*tests);
	char built[4096], variant[4096];
	bool all = true;

	if (argc == 2 || argc > 4) {
		fprintf(stderr, "usage: fake_collectd [QMEM.SO TEST.SO [TYPES.DB]]\n");
		return 2;
	}
	if (argc == 1) {
		const char *dir = getenv("QMEM_BUILDDIR");

		snprintf(built, sizeof(built), "%s/.libs/qmem.so", dir ? dir : ".");
		snprintf(variant, sizeof(variant), "%s/.libs/qmem_test.so", dir ? dir : ".");
	}
	qmem_so = argc == 1 ? built : argv[1];
	test_so = argc == 1 ? variant : argv[2];
	types_db = argc == 4 ? argv[3] : "/usr/share/collectd/types.db";
	if (access(types_db, R_OK))
		types_db = NULL;
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		const char *why = tests[i].so == &qmem_so && !types_db ? "there is no types.db" : NULL;
		bool good = why || run(i);

		printf("%s %zu - %s%s%s\n", good ? "ok" : "not ok", i + 1, tests[i].name, why ? " # SKIP " : "",
		       why ? why : "");
		all &= good;
	}
	return all ? 0 : 1;
}
