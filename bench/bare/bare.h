/* bare.h — the parts of the bare server: its settings, channels and connections. One epoll loop, one thread. It is a floor to read real
 * servers against, and with a fault asked for a server whose wrongs are known in advance. Not a product: it trusts its client. */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "disk.h"
#include "log.h"

enum bare_fault { BARE_NO_FAULT, BARE_DROP, BARE_DOUBLE, BARE_SWAP };

/* value */
struct bare_settings {
    unsigned long port, log_kilobytes, delay_ms, probe_count, probe_bytes, fault_every;
    double probe_rate;
    const char *mode, *sync_path, *subs, *fault_name, *probe_path;
    bool is_chunked, is_split;
    bool is_coalescing, is_ingest_only; /* from `mode` and `subs` */
    enum bare_fault fault;              /* on the first subscriber of each channel, every `fault_every`-th event */
};

struct bare_conn {
    int fd;
    struct bare_channel *channel; /* NULL: not a subscriber */
    const struct bare_log *log;   /* what it reads: its channel's log or the one with the faults */
    uint64_t position;
    size_t slot; /* in the channel's list */
    bool is_armed, is_answering;
    struct gw_buffer in, answers;
};

struct bare_channel {
    struct bare_log log, faulty;
    struct gw_buffer held; /* a frame that waits to be swapped with the next */
    struct bare_conn **subscribers;
    size_t count, capacity;
    bool is_dirty;
};

enum { BARE_CHANNELS = 8192 };

struct bare_server {
    struct bare_settings settings;
    struct bare_disk disk;
    int epoll, listener;
    struct bare_conn **conns; /* by descriptor */
    size_t conn_limit;
    struct bare_channel **channels; /* by number; NULL until used */
    unsigned *dirty;                /* channels that grew in this round */
    size_t dirty_count;
    struct bare_conn **answering; /* connections with answers to send */
    size_t answering_count;
    struct gw_buffer group; /* payloads of this round, for the disk and then for their channels */
    struct bare_pending *pending;
    size_t pending_count, pending_capacity;
    struct gw_buffer frame; /* scratch */
};

/* value: an event of this round that waits for the disk */
struct bare_pending {
    unsigned channel;
    size_t offset, length; /* in `group` */
};

/* channel.c */
struct bare_channel *bare_channel_get(struct bare_server *server, unsigned number);
void bare_channel_join(struct bare_server *server, struct bare_channel *channel, struct bare_conn *conn);
void bare_channel_leave(struct bare_conn *conn);
/* Appends one event; in write mode sends it to everybody at once, else notes the channel for the round's end. */
void bare_channel_publish(struct bare_server *server, unsigned number, const char *payload, size_t length);
void bare_channel_fan_out(struct bare_server *server, struct bare_channel *channel);

/* conn.c */
/* Sends what the subscriber lacks. False: it cannot go on and has to be closed. */
bool bare_conn_flush(struct bare_server *server, struct bare_conn *conn);
void bare_conn_close(struct bare_server *server, struct bare_conn *conn);
void bare_conn_on_event(struct bare_server *server, struct bare_conn *conn, uint32_t events);
void bare_conn_accept(struct bare_server *server);
/* Commits what waits for the disk, publishes it, sends the answers and fans out. */
void bare_round_end(struct bare_server *server);

#endif
