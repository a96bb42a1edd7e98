// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native rival: the seed's objects in C, with the seed's locking step by step.
 *
 * What is the kernel's there is the least that does the same here:
 *
 *   xa_lock              a spin lock: test-and-set, pause while it is taken; unlock is a store
 *   destroy_rwsem        one word: a writer bit, and readers above it
 *   refcount_t           one atomic word; zero is never left again
 *   xarray               two levels, with bitmaps of what is taken and of what is full: the lowest free ID comes first
 *   kzalloc, kfree       malloc, memset and free
 *   get_user and such    memcpy
 *
 * A reserved ID is a taken bit without an entry. The functions are called from another file, as a driver's are.
 */
#include "iommufd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

atomic_int warnings;

void down_write_slowly(struct rwsem *sem)
{
	long seen = 0;

	while (!atomic_compare_exchange_weak_explicit(&sem->count, &seen, RWSEM_WRITER, memory_order_acquire,
						      memory_order_relaxed)) {
		seen = 0;
		sched_yield();
	}
}

/* ------------------------------------------------------------------------------------------------ ID table */

static inline void *table_load(struct table *table, uint32_t id)
{
	struct leaf *leaf;

	if (unlikely(id >= (uint32_t)ROOT << LEAF_SHIFT))
		return NULL;
	leaf = table->leaves[id >> LEAF_SHIFT];
	return leaf ? leaf->entries[id & (LEAF - 1)] : NULL;
}

static inline void *table_store(struct table *table, uint32_t id, void *entry)
{
	void **at = &table->leaves[id >> LEAF_SHIFT]->entries[id & (LEAF - 1)];
	void *old = *at;

	*at = entry;
	return old;
}

/* Context: lock held. Return: the lowest of `bits` bits at or above `from` that is not set, `bits` if there is none. */
static inline uint32_t first_clear(const uint64_t *words, uint32_t bits, uint32_t from)
{
	uint32_t word = from / 64;
	uint64_t clear;

	if (from >= bits)
		return bits;
	clear = ~words[word] & (~UINT64_C(0) << (from & 63));
	while (!clear) {
		if (++word == bits / 64)
			return bits;
		clear = ~words[word];
	}
	return word * 64 + (uint32_t)__builtin_ctzll(clear);
}

/* Context: lock held. Return: 0 and the lowest free ID, which is taken from now on; -EBUSY, -ENOMEM. */
static int table_reserve(struct table *table, uint32_t *id)
{
	uint32_t number = first_clear(table->full, ROOT, table->lowest_free >> LEAF_SHIFT), bit;
	struct leaf *leaf;

	if (unlikely(number == ROOT))
		return -EBUSY;
	leaf = table->leaves[number];
	if (unlikely(!leaf)) {
		leaf = calloc(1, sizeof(*leaf));
		if (!leaf)
			return -ENOMEM;
		if (number == 0)
			leaf->taken[0] = 1; /* ID 0 is never handed out */
		table->leaves[number] = leaf;
	}
	bit = first_clear(leaf->taken, LEAF, number == table->lowest_free >> LEAF_SHIFT ? table->lowest_free & (LEAF - 1) : 0);
	leaf->taken[bit / 64] |= UINT64_C(1) << (bit & 63);
	*id = number << LEAF_SHIFT | bit;
	table->lowest_free = *id + 1;
	if (unlikely(leaf->taken[bit / 64] == ~UINT64_C(0)) && first_clear(leaf->taken, LEAF, 0) == LEAF)
		table->full[number / 64] |= UINT64_C(1) << (number & 63);
	return 0;
}

/* Context: lock held. Return: what was there. */
static void *table_erase(struct table *table, uint32_t id)
{
	struct leaf *leaf = table->leaves[id >> LEAF_SHIFT];
	uint32_t bit = id & (LEAF - 1);
	void *old = leaf->entries[bit];

	leaf->entries[bit] = NULL;
	leaf->taken[bit / 64] &= ~(UINT64_C(1) << (bit & 63));
	table->full[id >> LEAF_SHIFT >> 6] &= ~(UINT64_C(1) << (id >> LEAF_SHIFT & 63));
	if (id < table->lowest_free)
		table->lowest_free = id;
	return old;
}

/* ------------------------------------------------------------------------------------------------ objects */

void context_init(struct context *context)
{
	memset(context, 0, sizeof(*context));
	context->objects.lowest_free = 1;
}

static void destroy_bench(struct object *object)
{
	(void)object;
}

static void (*const destroy_ops[TYPES])(struct object *) = { [TYPE_BENCH] = destroy_bench };

struct object *object_alloc(struct context *context, size_t size, enum type type)
{
	struct object *object = malloc(size);
	int rc;

	if (!object)
		return NULL;
	memset(object, 0, size);
	object->type = type;
	atomic_init(&object->users.refs, 1);
	spin_lock(&context->objects.lock);
	rc = table_reserve(&context->objects, &object->id);
	spin_unlock(&context->objects.lock);
	if (unlikely(rc)) {
		free(object);
		return NULL;
	}
	return object;
}

void object_finalize(struct context *context, struct object *object)
{
	void *old;

	spin_lock(&context->objects.lock);
	old = table_store(&context->objects, object->id, object);
	spin_unlock(&context->objects.lock);
	warn_on(old);
}

void object_abort(struct context *context, struct object *object)
{
	void *old;

	spin_lock(&context->objects.lock);
	old = table_erase(&context->objects, object->id);
	spin_unlock(&context->objects.lock);
	warn_on(old);
	free(object);
}

struct object *get_object(struct context *context, uint32_t id, enum type type)
{
	struct object *object;

	spin_lock(&context->objects.lock);
	object = table_load(&context->objects, id);
	if (!object || (type != TYPE_ANY && object->type != type) || !lock_object(object))
		object = NULL;
	spin_unlock(&context->objects.lock);
	return object;
}

bool object_destroy_user(struct context *context, struct object *object)
{
	down_write(&object->destroy_rwsem);
	spin_lock(&context->objects.lock);
	refcount_dec(&object->users);
	if (!refcount_dec_if_one(&object->users)) {
		spin_unlock(&context->objects.lock);
		up_write(&object->destroy_rwsem);
		return false;
	}
	table_erase(&context->objects, object->id);
	spin_unlock(&context->objects.lock);

	destroy_ops[object->type](object);
	up_write(&object->destroy_rwsem);
	free(object);
	return true;
}

/* ------------------------------------------------------------------------------------------------ ioctl */

#define CMD_BASE 0x80u

int destroy(struct ucmd *ucmd)
{
	struct destroy_cmd *cmd = ucmd->cmd;
	struct object *object = get_object(ucmd->context, cmd->id, TYPE_ANY);

	if (!object)
		return -ENOENT;
	put_object_keep_user(object);
	if (!object_destroy_user(ucmd->context, object))
		return -EBUSY;
	return 0;
}

static const struct {
	uint32_t size, min_size, request;
	int (*execute)(struct ucmd *);
} ioctl_ops[] = { { sizeof(struct destroy_cmd), sizeof(struct destroy_cmd), IOMMU_DESTROY, destroy } };

static int copy_struct_from_user(void *to, size_t size, const void *from, size_t user_size)
{
	size_t least = size < user_size ? size : user_size;

	for (size_t at = size; at < user_size; at++)
		if (((const char *)from)[at])
			return -E2BIG;
	memcpy(to, from, least);
	memset((char *)to + least, 0, size - least);
	return 0;
}

int context_ioctl(struct context *context, uint32_t request, const void *argument)
{
	struct destroy_cmd buffer;
	struct ucmd ucmd = { .context = context, .ubuffer = argument, .cmd = &buffer };
	uint32_t number = (request & 0xff) - CMD_BASE;
	int rc;

	memcpy(&ucmd.user_size, argument, sizeof(ucmd.user_size));
	if (number >= sizeof(ioctl_ops) / sizeof(ioctl_ops[0]) || ioctl_ops[number].request != request)
		return -ENOTTY;
	if (ucmd.user_size < ioctl_ops[number].min_size)
		return -EOPNOTSUPP;
	rc = copy_struct_from_user(ucmd.cmd, ioctl_ops[number].size, argument, ucmd.user_size);
	return rc ? rc : ioctl_ops[number].execute(&ucmd);
}
