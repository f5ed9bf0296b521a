/* SPDX-License-Identifier: MIT */
/*
 * The members of the kernel's structures that our BPF programs read, no more. Offsets and sizes come from the running kernel
 * when a program is loaded (CO-RE): neither its headers nor its BTF are needed to build. "___x" is a shape of some kernels.
 */
#ifndef QMEM_VMLINUX_MIN_H
#define QMEM_VMLINUX_MIN_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
};

enum {
	BPF_F_MMAPABLE = 1 << 10,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	long counter;
} atomic_long_t;

struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};

struct css_set;

/* without CONFIG_TASK_XACCT, or CONFIG_TASK_IO_ACCOUNTING, it has fewer members */
struct task_io_accounting {
	__u64 rchar;
	__u64 wchar;
	__u64 syscr;
	__u64 syscw;
	__u64 read_bytes;
	__u64 write_bytes;
	__u64 cancelled_write_bytes;
};

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
};

struct fdtable {
	unsigned max_fds;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct percpu_counter {
	long long count;
	int *counters;
};

/* Linux 6.2 */
struct mm_struct {
	atomic_long_t pgtables_bytes;
	int map_count;
	unsigned long hiwater_rss;
	unsigned long total_vm;
	unsigned long data_vm;
	struct percpu_counter rss_stat[4];
};

/* before 6.2: threads keep up to 64 pages each to themselves */
struct mm_rss_stat___split {
	atomic_long_t count[4];
};

struct mm_struct___split {
	struct mm_rss_stat___split rss_stat;
};

/* Linux 6.4 to 6.12, and 6.13 */
struct mm_struct___int {
	int mm_lock_seq;
};

struct seqcount {
	unsigned sequence;
};

struct mm_struct___seq {
	struct seqcount mm_lock_seq;
};

typedef struct {
	unsigned val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct signal_struct {
	int nr_threads;
	__u64 utime;
	__u64 stime;
	unsigned long min_flt;
	unsigned long maj_flt;
	unsigned long cmin_flt;
	unsigned long long sum_sched_runtime;
	struct task_io_accounting ioac;
	struct rlimit rlim[16];
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct task_struct {
	unsigned __state;
	unsigned flags;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_state;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	__u64 utime;
	__u64 stime;
	__u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	struct task_struct *group_leader;
	const struct cred *real_cred;
	char comm[16];
	struct signal_struct *signal;
	struct files_struct *files;
	struct task_io_accounting ioac;
	__u64 self_exec_id;
	struct css_set *cgroups;
};

/* before 5.14 */
struct task_struct___old {
	long state;
};

struct bpf_array {
	void *pptrs[1];
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct kmem_cache_order_objects {
	unsigned x;
};

struct kmem_cache_node {
	atomic_long_t nr_slabs;
	atomic_long_t total_objects;
};

struct kmem_cache {
	unsigned size;
	struct kmem_cache_order_objects oo;
	const char *name;
	struct kmem_cache_node *node[1];
};

/* Linux 7.0. Without the name of a type that older kernels lack: that is looked for in modules, which takes CAP_SYS_ADMIN */
struct kmem_cache___per_node {
	struct {
		struct kmem_cache_node *node;
	} per_node[2];
};

struct bpf_iter__kmem_cache {
	struct bpf_iter_meta *meta;
	struct kmem_cache *s;
};

#pragma clang attribute pop

struct bpf_iter_task {
	__u64 opaque[3];
} __attribute__((aligned(8)));

#endif
