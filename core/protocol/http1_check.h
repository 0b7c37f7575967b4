/* http1_check.h — what makes a well-formed head a request that this server takes: target form, Host, headers that may come once, body
 * framing, Expect. Pure. Only for http1.c. */
#ifndef GW_PROTOCOL_HTTP1_CHECK_H
#define GW_PROTOCOL_HTTP1_CHECK_H

#include <stddef.h>

#include "protocol/http1.h"

struct gw_error;

/* Completes `request`, in which method, version, headers and what llhttp made of the framing stand already, from the raw target. Errors as
 * in http1.h. */
int gw_http1_check(struct gw_http1_request *request, const char *target, size_t length, struct gw_error *err);

#endif
