/* loop_inside.h — what the files of this folder share of a loop: the libuv side. Not for other folders. Loop thread, unless marked. */
#ifndef GW_IO_LOOP_INSIDE_H
#define GW_IO_LOOP_INSIDE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "io/loop.h"

struct gw_error;

#define GW_LOOP_READ_BYTES  65536
#define GW_LOOP_WRITE_BYTES 16384

/* Written by the loop's thread alone, read by any. */
struct gw_loop_socket_counts {
    atomic_uint_fast64_t opened, closed, bytes_in, bytes_out, writes, blocked_writes, errors;
};

uv_loop_t *gw_loop_uv(struct gw_loop *loop);
/* The loop that a libuv handle belongs to. */
struct gw_loop *gw_loop_of(const uv_handle_t *handle);
/* Shared by every socket of the loop; GW_LOOP_READ_BYTES. Its content lasts until the next read. */
char *gw_loop_read_buffer(struct gw_loop *loop);
/* Where small TLS writes are gathered into records; GW_LOOP_WRITE_BYTES. Its content lasts until the call returns. */
char *gw_loop_write_buffer(struct gw_loop *loop);
struct gw_loop_socket_counts *gw_loop_socket_counts(struct gw_loop *loop);
/* Reads the clock again: for timers that are about to compare. */
uint64_t gw_loop_refresh_now_ms(struct gw_loop *loop);

/* Single writer: no locked instruction is needed. */
static inline void gw_loop_count(atomic_uint_fast64_t *counter, uint64_t delta)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + delta, memory_order_relaxed);
}

/* Fills *err with "<what>: <reason>" from a negative libuv code (on Linux: -errno); GW_EIO. */
int gw_loop_set_error(struct gw_error *err, const char *id, const char *what, int uv_code);

#endif
