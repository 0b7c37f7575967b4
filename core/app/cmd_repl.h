/* cmd_repl.h — the subcommand `repl`: asks policies questions by hand, in their own sandbox. Answers the exit code. */
#ifndef GW_APP_CMD_REPL_H
#define GW_APP_CMD_REPL_H

int gw_repl_main(int argc, char **argv);

#endif
