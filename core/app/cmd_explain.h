/* cmd_explain.h — the subcommand `explain`: what an actor may see or do, and which line of which policy says so. Answers the exit code. */
#ifndef GW_APP_CMD_EXPLAIN_H
#define GW_APP_CMD_EXPLAIN_H

int gw_explain_main(int argc, char **argv);

#endif
