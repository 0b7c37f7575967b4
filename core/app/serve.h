/* serve.h — the subcommand `atoms serve`. */
#ifndef GW_APP_SERVE_H
#define GW_APP_SERVE_H

/* Loads the configuration, serves until SIGTERM or SIGINT, shuts down in order. Exit code: 0 after an orderly end, 1 when it could not start or
 * end in order, 2 for a wrong command line. */
int gw_serve_main(int argc, char **argv);

#endif
