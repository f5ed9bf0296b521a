/* SPDX-License-Identifier: MIT */
#include "fake_daemon.h"

#include <collectd/core/utils/common/common.h>

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUES 4096
#define NOTIFICATIONS 1024
#define LOGS 1024
#define TYPES 512

struct log_line {
	int level;
	char text[1024];
};

static char host_name[] = "fakehost";
char *hostname_g = host_name;
struct fake_daemon fake = { .threads_left = -1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_value values[VALUES];
static size_t values_n;
static notification_t notifications[NOTIFICATIONS];
static size_t notifications_n;
static struct log_line logs[LOGS];
static size_t logs_n;
static data_set_t types[TYPES];
static size_t types_n;

/* ---- small things ---- */

char *sstrncpy(char *dest, const char *src, size_t n)
{
	snprintf(dest, n, "%s", src);
	return dest;
}

int ssnprintf(char *str, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(str, size, format, args);
	va_end(args);
	return n;
}

char *sstrerror(int errnum, char *buf, size_t buflen)
{
	snprintf(buf, buflen, "error %d", errnum);
	return buf;
}

cdtime_t cdtime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return TIMESPEC_TO_CDTIME_T(&ts);
}

/* ---- registrations ---- */

int plugin_register_complex_config(const char *type, int (*callback)(oconfig_item_t *))
{
	fake.config = callback;
	return strcmp(type, "qmem");
}

int plugin_register_init(const char *name, plugin_init_cb callback)
{
	fake.init = callback;
	return strcmp(name, "qmem");
}

int plugin_register_shutdown(const char *name, plugin_shutdown_cb callback)
{
	fake.shutdown = callback;
	return strcmp(name, "qmem");
}

int plugin_register_complex_read(const char *group, const char *name, plugin_read_cb callback, cdtime_t interval,
				 user_data_t const *user_data)
{
	(void)group;
	(void)user_data;
	if (fake.read)
		return EINVAL;
	fake.read = callback;
	fake.read_interval = interval;
	return strcmp(name, "qmem");
}

cdtime_t plugin_get_interval(void)
{
	return fake.interval ? fake.interval : TIME_T_TO_CDTIME_T(10);
}

/* ---- threads ---- */

struct thread {
	void *(*run)(void *);
	void *arg;
	char name[16];
};

static void *thread_start(void *arg)
{
	struct thread thread = *(struct thread *)arg;
	static const int daemons[] = { SIGTERM, SIGINT, SIGUSR1, SIGCHLD };
	sigset_t mask;

	free(arg);
	pthread_setname_np(pthread_self(), thread.name);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (size_t i = 0; i < sizeof(daemons) / sizeof(*daemons); i++)
		if (!sigismember(&mask, daemons[i]))
			fake.unmasked = "a thread takes the daemon's signals";
	return thread.run(thread.arg);
}

int plugin_thread_create(pthread_t *ret, void *(*run)(void *), void *arg, char const *name)
{
	struct thread *thread;
	int err;

	if (fake.threads_left == 0)
		return EAGAIN;
	if (fake.threads_left > 0)
		fake.threads_left--;
	if (strlen(name) > 15)
		fake.unmasked = "a name of more than 15 bytes";
	thread = malloc(sizeof(*thread));
	thread->run = run;
	thread->arg = arg;
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	err = pthread_create(ret, NULL, thread_start, thread);
	if (err)
		free(thread);
	return err;
}

/* ---- types ---- */

static data_set_t *add_type(const char *name, size_t n)
{
	data_set_t *type = &types[types_n++];

	if (types_n == TYPES)
		abort();
	sstrncpy(type->type, name, sizeof(type->type));
	type->ds = calloc(n, sizeof(*type->ds));
	type->ds_num = n;
	return type;
}

static double limit(const char *text)
{
	return strcmp(text, "U") == 0 ? NAN : strtod(text, NULL);
}

static void parse_type(char *line)
{
	static const struct {
		const char *name;
		int type;
	} kinds[] = { { "GAUGE", DS_TYPE_GAUGE },
		      { "DERIVE", DS_TYPE_DERIVE },
		      { "COUNTER", DS_TYPE_COUNTER },
		      { "ABSOLUTE", DS_TYPE_ABSOLUTE } };
	char *save, *name = strtok_r(line, " \t\n", &save), *source;
	char low[64], high[64], kind[64], id[64];
	data_set_t *type;
	size_t n = 0;

	if (!name || *name == '#')
		return;
	type = add_type(name, 8);
	while ((source = strtok_r(NULL, " \t\n,", &save)) && n < 8) {
		if (sscanf(source, "%63[^:]:%63[^:]:%63[^:]:%63s", id, kind, low, high) != 4)
			continue;
		sstrncpy(type->ds[n].name, id, sizeof(type->ds[n].name));
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (strcmp(kinds[i].name, kind) == 0)
				type->ds[n].type = kinds[i].type;
		type->ds[n].min = limit(low);
		type->ds[n++].max = limit(high);
	}
	type->ds_num = n;
}

bool fake_types(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		parse_type(line);
	fclose(file);
	return true;
}

static void built_in_types(void)
{
	static const char *const lines[] = {
		"memory value:GAUGE:0:281474976710656",
		"percent value:GAUGE:0:100.1",
		"gauge value:GAUGE:U:U",
		"derive value:DERIVE:0:U",
		"if_octets rx:DERIVE:0:U, tx:DERIVE:0:U",
		"total_time_in_ms value:DERIVE:0:U",
	};
	char line[256];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		sstrncpy(line, lines[i], sizeof(line));
		parse_type(line);
	}
}

const data_set_t *plugin_get_ds(const char *name)
{
	if (!types_n)
		built_in_types();
	for (size_t i = 0; i < types_n; i++)
		if (strcmp(types[i].type, name) == 0)
			return &types[i];
	return NULL;
}

/* ---- values ---- */

struct meta_data_s {
	char key[DATA_MAX_NAME_LEN], value[DATA_MAX_NAME_LEN];
};

meta_data_t *meta_data_create(void)
{
	return calloc(1, sizeof(meta_data_t));
}

int meta_data_add_string(meta_data_t *md, const char *key, const char *value)
{
	sstrncpy(md->key, key, sizeof(md->key));
	sstrncpy(md->value, value, sizeof(md->value));
	return 0;
}

void meta_data_destroy(meta_data_t *md)
{
	free(md);
}

int plugin_dispatch_values(value_list_t const *vl)
{
	const data_set_t *ds = plugin_get_ds(vl->type);
	struct fake_value *v;

	pthread_mutex_lock(&lock);
	if (values_n == VALUES)
		values_n = 0; /* a test that runs for long looks at none of them */
	v = &values[values_n++];
	memset(v, 0, sizeof(*v));
	snprintf(v->name, sizeof(v->name), "%s%s%s/%s%s%s", vl->plugin, *vl->plugin_instance ? "-" : "",
		 vl->plugin_instance, vl->type, *vl->type_instance ? "-" : "", vl->type_instance);
	sstrncpy(v->type, vl->type, sizeof(v->type));
	v->n = vl->values_len;
	v->time = vl->time;
	v->interval = vl->interval;
	if (vl->meta)
		sstrncpy(v->meta, vl->meta->value, sizeof(v->meta));
	for (size_t i = 0; ds && i < v->n && i < ds->ds_num && i < 4; i++)
		v->values[i] = ds->ds[i].type == DS_TYPE_GAUGE ? vl->values[i].gauge : (double)vl->values[i].derive;
	pthread_mutex_unlock(&lock);
	return 0;
}

size_t fake_values(void)
{
	size_t n;

	pthread_mutex_lock(&lock);
	n = values_n;
	pthread_mutex_unlock(&lock);
	return n;
}

const struct fake_value *fake_value(size_t i)
{
	return &values[i];
}

const struct fake_value *fake_value_named(const char *name)
{
	for (size_t i = 0; i < fake_values(); i++)
		if (strcmp(values[i].name, name) == 0)
			return &values[i];
	return NULL;
}

/* ---- notifications ---- */

int plugin_notification_meta_add_string(notification_t *n, const char *name, const char *value)
{
	notification_meta_t *meta = calloc(1, sizeof(*meta)), **at = &n->meta;

	sstrncpy(meta->name, name, sizeof(meta->name));
	meta->type = NM_TYPE_STRING;
	meta->nm_value.nm_string = strdup(value);
	while (*at)
		at = &(*at)->next;
	*at = meta;
	return 0;
}

int plugin_notification_meta_free(notification_meta_t *n)
{
	while (n) {
		notification_meta_t *next = n->next;

		free((void *)n->nm_value.nm_string);
		free(n);
		n = next;
	}
	return 0;
}

int plugin_dispatch_notification(const notification_t *n)
{
	char name[16] = "";
	notification_t *copy;

	pthread_mutex_lock(&lock);
	if (notifications_n == NOTIFICATIONS)
		abort();
	copy = &notifications[notifications_n++];
	*copy = *n;
	copy->meta = NULL;
	for (const notification_meta_t *meta = n->meta; meta; meta = meta->next)
		plugin_notification_meta_add_string(copy, meta->name, meta->nm_value.nm_string);
	pthread_mutex_unlock(&lock);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (fake.notified)
		fake.notified(n, name);
	return 0;
}

size_t fake_notifications(void)
{
	size_t n;

	pthread_mutex_lock(&lock);
	n = notifications_n;
	pthread_mutex_unlock(&lock);
	return n;
}

const notification_t *fake_notification(size_t i)
{
	return &notifications[i];
}

const char *fake_meta(const notification_t *n, const char *name)
{
	for (const notification_meta_t *meta = n->meta; meta; meta = meta->next)
		if (strcmp(meta->name, name) == 0)
			return meta->nm_value.nm_string;
	return NULL;
}

/* ---- log ---- */

void plugin_log(int level, const char *format, ...)
{
	char text[sizeof(logs->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pthread_mutex_lock(&lock);
	if (logs_n < LOGS) {
		logs[logs_n].level = level;
		sstrncpy(logs[logs_n++].text, text, sizeof(text));
	}
	pthread_mutex_unlock(&lock);
	if (fake.logged)
		fake.logged(level, text);
}

const char *fake_log(int level, const char *words)
{
	const char *found = NULL;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < logs_n && !found; i++)
		if (logs[i].level == level && strstr(logs[i].text, words))
			found = logs[i].text;
	pthread_mutex_unlock(&lock);
	return found;
}

size_t fake_logs(int level)
{
	size_t n = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < logs_n; i++)
		n += logs[i].level == level;
	pthread_mutex_unlock(&lock);
	return n;
}

void fake_clear(void)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < notifications_n; i++)
		plugin_notification_meta_free(notifications[i].meta);
	values_n = notifications_n = logs_n = 0;
	pthread_mutex_unlock(&lock);
}

/* ---- configuration ---- */

/* What oconfig makes of a word: quoted it is a string, else a boolean, a number, or a string as well. */
static oconfig_value_t read_value(char *word, bool quoted)
{
	static const char *const booleans[] = { "no", "yes", "false", "true", "off", "on" };
	oconfig_value_t value = { .type = OCONFIG_TYPE_STRING };
	char *end;

	for (int i = 0; !quoted && i < 6; i++) {
		if (strcasecmp(word, booleans[i]) == 0) {
			value.type = OCONFIG_TYPE_BOOLEAN;
			value.value.boolean = i % 2;
			return value;
		}
	}
	value.value.number = strtod(word, &end);
	if (!quoted && *word && !*end)
		value.type = OCONFIG_TYPE_NUMBER;
	else
		value.value.string = strdup(word);
	return value;
}

/* One line: key and values, or what stands between '<' and '>'. */
static oconfig_item_t *add_item(oconfig_item_t *parent, char *line)
{
	oconfig_item_t *item;
	char *at = line, *word;
	bool quoted;

	parent->children = realloc(parent->children, sizeof(*item) * (size_t)(parent->children_num + 1));
	item = &parent->children[parent->children_num++];
	memset(item, 0, sizeof(*item));
	item->parent = parent;
	while (*(at += strspn(at, " \t"))) {
		quoted = *at == '"';
		word = at + quoted;
		at = word + strcspn(word, quoted ? "\"" : " \t");
		if (*at)
			*at++ = '\0';
		if (!item->key) {
			item->key = strdup(word);
			continue;
		}
		item->values = realloc(item->values, sizeof(*item->values) * (size_t)(item->values_num + 1));
		item->values[item->values_num++] = read_value(word, quoted);
	}
	return item;
}

static void free_item(oconfig_item_t *item)
{
	for (int i = 0; i < item->children_num; i++)
		free_item(&item->children[i]);
	for (int i = 0; i < item->values_num; i++)
		if (item->values[i].type == OCONFIG_TYPE_STRING)
			free(item->values[i].value.string);
	free(item->values);
	free(item->children);
	free(item->key);
}

int fake_config(const char *text)
{
	oconfig_item_t root = { .key = strdup("Plugin") }, *at = &root;
	char *copy = strdup(text), *save, *line;
	int ret;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (strncmp(line, "</", 2) == 0) {
			at = at->parent;
		} else if (*line == '<') {
			line[strlen(line) - 1] = '\0';
			at = add_item(at, line + 1);
		} else if (*line) {
			add_item(at, line);
		}
	}
	ret = fake.config(&root);
	free_item(&root);
	free(copy);
	return ret;
}

bool fake_load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (*registered)(void);

	if (!handle) {
		printf("# %s\n", dlerror());
		return false;
	}
	*(void **)&registered = dlsym(handle, "module_register");
	if (!registered) {
		printf("# %s\n", dlerror());
		return false;
	}
	registered();
	return true;
}
