/* cmd_token.h — the subcommand `atoms token`: bearers for development, signed with the shared secret of this configuration. */
#ifndef GW_APP_CMD_TOKEN_H
#define GW_APP_CMD_TOKEN_H

#include <stdint.h>

#include "app/client_options.h"

struct gw_buffer;
struct gw_config;
struct gw_error;

/* Prints one bearer on stdout. Exit code: 0 printed, 1 there is no secret to sign with, 2 wrong options. */
int gw_token_main(int argc, char **argv);

/* value: what the bearer shall say; empty lists become absent claims */
struct gw_token_claims {
    const char *tenant, *actor, *kind, *role;
    struct gw_client_list modes, projects, surfaces, apps;
    const char *tokens; /* globs with commas, or NULL */
    unsigned long ttl_s;
};

/* Signs with config->jwt.secret. GW_EINVAL: a claim that the gateway itself would refuse (err->path names it), or there is no secret. */
int gw_token_mint(const struct gw_config *config, const struct gw_token_claims *claims, int64_t now_s, struct gw_buffer *out,
                  struct gw_error *err);

#endif
