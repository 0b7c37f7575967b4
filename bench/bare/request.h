/* request.h — just enough HTTP/1.1 for the load generator: request line, Content-Length, Last-Event-ID. Pure; not a server's parser. */
#ifndef BARE_REQUEST_H
#define BARE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* value; `body` is borrowed */
struct bare_request {
    bool is_get;
    unsigned channel; /* the number at the end of the path */
    bool has_last_id;
    uint64_t last_id;
    const char *body;
    size_t body_length;
};

/* Bytes of the first request in `bytes`, or 0 when it is not whole yet. */
size_t bare_request_parse(const char *bytes, size_t length, struct bare_request *out);

#endif
