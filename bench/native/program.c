// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program around the native rival: it times one operation in rounds.
 *
 * usage: iommufd-native OPERATION ROUNDS OPERATIONS [OBJECTS]
 * prints {"ns": [nanoseconds per operation, by round], "sum": [how many operations did what they should, by round]}
 *
 * Two rounds before the first one are not timed: they bring caches, page tables and branch predictors to where they stay.
 */
#define _GNU_SOURCE
#include "iommufd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct context *context;
static uint32_t objects; /* a power of two; IDs are 1 … objects */
static atomic_int floor_word[16];

static void make_objects(uint32_t count)
{
	context = calloc(1, sizeof(*context));
	if (!context)
		exit(1);
	context_init(context);
	for (uint32_t made = 0; made < count; made++)
		object_finalize(context, object_alloc(context, sizeof(struct object), TYPE_BENCH));
	objects = count;
}

static inline uint64_t get_put(uint32_t id)
{
	struct object *object = get_object(context, id, TYPE_ANY);

	if (!object)
		return 0;
	put_object(object);
	return 1;
}

static uint64_t get_put_sequential(uint64_t operations)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++)
		sum += get_put(((uint32_t)done & (objects - 1)) + 1);
	return sum;
}

/* The IDs are those of a generator whose period is the number of objects: each comes once before any comes again. */
static uint64_t get_put_random(uint64_t operations)
{
	static uint32_t at;
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++) {
		at = (at * 1664525u + 1013904223u) & (objects - 1);
		sum += get_put(at + 1);
	}
	return sum;
}

static uint64_t alloc_destroy(uint64_t operations)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++) {
		struct object *object = object_alloc(context, sizeof(struct object), TYPE_BENCH);
		struct destroy_cmd cmd = { sizeof(cmd), object->id };
		struct ucmd ucmd = { .context = context, .cmd = &cmd };

		object_finalize(context, object);
		sum += destroy(&ucmd) == 0;
	}
	return sum;
}

static uint64_t alloc_abort(uint64_t operations)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++) {
		struct object *object = object_alloc(context, sizeof(struct object), TYPE_BENCH);

		sum += object->id == objects + 1;
		object_abort(context, object);
	}
	return sum;
}

static uint64_t destroy_enoent(uint64_t operations)
{
	struct destroy_cmd cmd = { sizeof(cmd), objects + 1 };
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++)
		sum += context_ioctl(context, IOMMU_DESTROY, &cmd) == -ENOENT;
	return sum;
}

static uint64_t bare_floor(uint64_t operations)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++) {
		sum += atomic_fetch_add(&floor_word[0], 1) == 0;
		atomic_fetch_sub(&floor_word[0], 1);
	}
	return sum;
}

/* The empty system call: /dev/null knows no ioctl. */
static uint64_t system_call(uint64_t operations)
{
	struct destroy_cmd cmd = { sizeof(cmd), 1 };
	int fd = open("/dev/null", O_RDWR);
	uint64_t sum = 0;

	for (uint64_t done = 0; done < operations; done++)
		sum += ioctl(fd, IOMMU_DESTROY, &cmd) == -1;
	close(fd);
	return sum;
}

/* ------------------------------------------------------------------------------------------------ threads */

struct worker {
	pthread_t thread;
	uint32_t first;
	uint64_t operations, sum;
};

static pthread_barrier_t start;
static uint32_t threads;

static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(&start);
	for (uint64_t done = 0; done < worker->operations; done++)
		worker->sum += get_put(worker->first + ((uint32_t)done & 255));
	return NULL;
}

/* `objects / 256` threads, each on 256 objects of its own in one context; an operation is one of any thread. */
static uint64_t threads_get_put(uint64_t operations)
{
	struct worker workers[64] = { 0 };
	uint64_t sum = operations % threads;

	pthread_barrier_init(&start, NULL, threads);
	for (uint32_t number = 0; number < threads; number++) {
		workers[number].first = number * 256 + 1;
		workers[number].operations = operations / threads;
		if (number > 0)
			pthread_create(&workers[number].thread, NULL, work, &workers[number]);
	}
	work(&workers[0]);
	for (uint32_t number = 0; number < threads; number++) {
		if (number > 0)
			pthread_join(workers[number].thread, NULL);
		sum += workers[number].sum;
	}
	pthread_barrier_destroy(&start);
	return sum;
}

/* ------------------------------------------------------------------------------------------------ rounds */

static const struct operation {
	const char *name;
	uint64_t (*run)(uint64_t operations);
	uint32_t objects;
} all[] = {
	{ "get-put-1k", get_put_sequential, 1 << 10 },
	{ "get-put-1m-sequential", get_put_sequential, 1 << 20 },
	{ "get-put-1m-random", get_put_random, 1 << 20 },
	{ "alloc-destroy", alloc_destroy, 0 },
	{ "abort", alloc_abort, 0 },
	{ "destroy-enoent", destroy_enoent, 1 << 10 },
	{ "threads-get-put", threads_get_put, 512 },
	{ "floor", bare_floor, 0 },
	{ "syscall", system_call, 0 },
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int count, char **words)
{
	const struct operation *operation = NULL;
	long rounds = count > 2 ? atol(words[2]) : 0;
	long operations = count > 3 ? atol(words[3]) : 0;
	double *ns;
	uint64_t *sums;

	for (size_t at = 0; count > 1 && at < sizeof(all) / sizeof(all[0]); at++)
		if (!strcmp(all[at].name, words[1]))
			operation = &all[at];
	if (!operation || rounds < 1 || operations < 1) {
		fprintf(stderr, "usage: iommufd-native OPERATION ROUNDS OPERATIONS [OBJECTS]\n");
		return 2;
	}
	make_objects(count > 4 ? (uint32_t)atol(words[4]) : operation->objects);
	threads = objects / 256;
	if (operation->run == threads_get_put && (threads < 1 || threads > 64))
		return 2;
	ns = calloc((size_t)rounds, sizeof(*ns));
	sums = calloc((size_t)rounds, sizeof(*sums));
	for (long round = -2; ns && sums && round < rounds; round++) {
		double begin = now();
		uint64_t sum = operation->run((uint64_t)operations);
		double end = now();

		if (round < 0)
			continue;
		ns[round] = (end - begin) / (double)operations;
		sums[round] = sum;
	}
	printf("{\"ns\": [");
	for (long round = 0; round < rounds; round++)
		printf("%s%.4f", round ? ", " : "", ns[round]);
	printf("], \"sum\": [");
	for (long round = 0; round < rounds; round++)
		printf("%s%llu", round ? ", " : "", (unsigned long long)sums[round]);
	printf("]}\n");
	return atomic_load(&warnings) ? 1 : 0;
}
