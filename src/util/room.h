/* SPDX-License-Identifier: MIT */
/* Arrays with an item for each slot or group, of which there are more and more: such as grow, and such as need not. */
#ifndef QMEM_UTIL_ROOM_H
#define QMEM_UTIL_ROOM_H

#include <stddef.h>

/* `array` is the address of a pointer to `*room` items of `size` bytes: there will be at least `n`, new ones zeroed, and some
 * more, so that it is not moved for each. -ENOMEM: nothing has changed. */
int room_make(void *array, size_t *room, size_t n, size_t size);

/* The same, and what has been far too much is given back: where `n` is of now. */
int room_fit(void *array, size_t *room, size_t n, size_t size);

/* Room for `n` items of `size` bytes, zeroed: address space now, memory when it is touched, so that nothing ever moves, and what
 * is little used stays small. NULL: there is none. */
void *room_reserve(size_t n, size_t size);
void room_unreserve(void *memory, size_t n, size_t size);
/* Items from `n` on are zero again, and take no memory; those on the page of the last one before them stay. */
void room_trim(void *memory, size_t n, size_t most, size_t size);

#endif
