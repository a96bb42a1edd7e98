// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native rival's objects: the seed's struct, its locks, and what the seed has inline.
 *
 * The locks are the kernel's fast paths with C11 atomics. Where the kernel would sleep, they spin or yield, because nothing that
 * is timed waits. So each is at most as dear as its counterpart, and the rival is not slowed down.
 */
#ifndef IOMMUFD_NATIVE_H
#define IOMMUFD_NATIVE_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ------------------------------------------------------------------------------------------------ spin lock */

struct spinlock {
	atomic_uint taken;
};

static inline void spin_lock(struct spinlock *lock)
{
	while (unlikely(atomic_exchange_explicit(&lock->taken, 1, memory_order_acquire)))
		while (atomic_load_explicit(&lock->taken, memory_order_relaxed))
			relax();
}

static inline void spin_unlock(struct spinlock *lock)
{
	atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

/* ------------------------------------------------------------------------------------------------ rwsem */

#define RWSEM_WRITER 1L
#define RWSEM_READER 256L

struct rwsem {
	atomic_long count;
};

static inline bool down_read_trylock(struct rwsem *sem)
{
	long seen = 0; /* most often nobody is there, so look by trying */

	do {
		if (atomic_compare_exchange_weak_explicit(&sem->count, &seen, seen + RWSEM_READER, memory_order_acquire,
							  memory_order_relaxed))
			return true;
	} while (!(seen & RWSEM_WRITER));
	return false;
}

static inline void up_read(struct rwsem *sem)
{
	atomic_fetch_sub_explicit(&sem->count, RWSEM_READER, memory_order_release);
}

void down_write_slowly(struct rwsem *sem);

static inline void down_write(struct rwsem *sem)
{
	long seen = 0;

	if (unlikely(!atomic_compare_exchange_strong_explicit(&sem->count, &seen, RWSEM_WRITER, memory_order_acquire,
							      memory_order_relaxed)))
		down_write_slowly(sem);
}

static inline void up_write(struct rwsem *sem)
{
	atomic_fetch_sub_explicit(&sem->count, RWSEM_WRITER, memory_order_release);
}

/* ------------------------------------------------------------------------------------------------ refcount */

struct refcount {
	atomic_int refs;
};

/* How often something happened that the kernel would warn about. */
extern atomic_int warnings;

static inline void warn_on(bool condition)
{
	if (unlikely(condition))
		atomic_fetch_add(&warnings, 1);
}

static inline bool refcount_inc_not_zero(struct refcount *count)
{
	int old = atomic_load_explicit(&count->refs, memory_order_relaxed);

	do {
		if (!old)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&count->refs, &old, old + 1, memory_order_relaxed,
							memory_order_relaxed));
	warn_on(old < 0 || old + 1 < 0);
	return true;
}

static inline void refcount_dec(struct refcount *count)
{
	warn_on(atomic_fetch_sub_explicit(&count->refs, 1, memory_order_release) <= 1);
}

static inline bool refcount_dec_if_one(struct refcount *count)
{
	int one = 1;

	return atomic_compare_exchange_strong_explicit(&count->refs, &one, 0, memory_order_release, memory_order_relaxed);
}

/* ------------------------------------------------------------------------------------------------ ID table */

enum { LEAF_SHIFT = 10, LEAF = 1 << LEAF_SHIFT, ROOT = 4096 };

struct leaf {
	void *entries[LEAF]; /* NULL: free, or reserved and not published */
	uint64_t taken[LEAF / 64];
};

/* The lock protects all of it. */
struct table {
	struct spinlock lock;
	uint32_t lowest_free; /* nothing below it is free */
	struct leaf *leaves[ROOT];
	uint64_t full[ROOT / 64]; /* leaves without a free ID */
};

/* ------------------------------------------------------------------------------------------------ objects */

enum type { TYPE_ANY, TYPE_BENCH, TYPES };

struct object {
	struct rwsem destroy_rwsem;
	struct refcount users;
	enum type type;
	uint32_t id;
	char payload[16];
};

struct context {
	struct table objects;
};

static inline bool lock_object(struct object *object)
{
	if (!down_read_trylock(&object->destroy_rwsem))
		return false;
	if (!refcount_inc_not_zero(&object->users)) {
		up_read(&object->destroy_rwsem);
		return false;
	}
	return true;
}

static inline void put_object(struct object *object)
{
	refcount_dec(&object->users);
	up_read(&object->destroy_rwsem);
}

static inline void put_object_keep_user(struct object *object)
{
	up_read(&object->destroy_rwsem);
}

struct destroy_cmd {
	uint32_t size;
	uint32_t id;
};

struct ucmd {
	struct context *context;
	const void *ubuffer;
	uint32_t user_size;
	void *cmd;
};

#define IOMMU_DESTROY 0x3b80u

void context_init(struct context *context);
struct object *object_alloc(struct context *context, size_t size, enum type type);
void object_finalize(struct context *context, struct object *object);
void object_abort(struct context *context, struct object *object);
struct object *get_object(struct context *context, uint32_t id, enum type type);
bool object_destroy_user(struct context *context, struct object *object);
int destroy(struct ucmd *ucmd);
int context_ioctl(struct context *context, uint32_t request, const void *argument);

#endif
