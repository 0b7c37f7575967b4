/* cmd_check.h — the subcommand `check`: faults of policies and canvases with file and line. Answers the exit code. */
#ifndef GW_APP_CMD_CHECK_H
#define GW_APP_CMD_CHECK_H

int gw_check_main(int argc, char **argv);

#endif
