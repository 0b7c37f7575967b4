/* single.h — resources whose body becomes one command: read it, submit it, answer with what became of it. Frees itself with the answer. Lives on its worker. */
#ifndef GW_TRANSPORT_SINGLE_H
#define GW_TRANSPORT_SINGLE_H

#include <stdbool.h>

struct gw_error;
struct gw_exchange;
struct gw_json;
struct gw_submission;

/* The body as JSON. GW_EINVAL unsupported_media_type, and errors of gw_json_parse. */
int gw_single_read(const struct gw_exchange *exchange, struct gw_json **body, struct gw_error *err);
/* value: how the command is to be taken */
struct gw_single_opts {
    struct gw_json *command; /* the whole of it; borrowed */
    bool is_append;          /* see struct gw_submission */
    const char *
        hidden_path; /* what stands before the members of the body in the command ("/args"): taken off the paths of refusals; NULL: nothing */
};
/* Parses and admits the command and submits it; answers the exchange, now or later. */
void gw_single_submit(struct gw_exchange *exchange, const struct gw_single_opts *opts);
/* Refuses with err; a media type and a message in the path that does not exist have statuses of their own. */
void gw_single_refuse(struct gw_exchange *exchange, const struct gw_error *err);
/* Takes `prefix` off err->path. */
void gw_single_shorten(struct gw_error *err, const char *prefix);

#endif
