/* upload.h — the tokens of one streamed message as an NDJSON body that is read while it arrives. A line {"text": "…"} goes on where the last one ended,
 * {"offset": n, "text": "…"} at that code point, {"end": "done"} ends the message; an empty line, or {}, is a sign of life. Lines become posts as they come, a few
 * of them under way at a time; what comes meanwhile is joined, and past a bound the peer is no longer read from. Answered when the message has ended or the body
 * has, or when a post is refused: then at once. Each post is judged by the lens that its author has then. A body that stops without an end leaves the message open, for its producer to go on with within the lease.
 * It may last as long as lines come: not the timeout of bodies bounds its silence but the lease, of the message and, where others keep that alive, its own. */
#ifndef GW_TRANSPORT_UPLOAD_H
#define GW_TRANSPORT_UPLOAD_H

struct gw_exchange;

/* The exchange's body is streamed, its bearer verified; the scope is in the query. */
void gw_upload_start(struct gw_exchange *exchange);

#endif
