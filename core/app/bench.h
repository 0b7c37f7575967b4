/* bench.h — the subcommand `atoms bench`: a load generator for any server of Server-Sent Events over HTTP/1.1 and plain TCP. It owns its
 * threads and sockets and shares nothing with a running gateway. Not a test of meaning: it counts deliveries, their order and their delay.
 */
#ifndef GW_APP_BENCH_H
#define GW_APP_BENCH_H

/* `argv[0]` is the subcommand's name. Prints a line for people on stderr and, with --json, one JSON object. 0: every count was
 * exact; 1: something was lost, doubled, reordered or refused; 2: it could not run. */
int gw_bench_main(int argc, char **argv);

#endif
