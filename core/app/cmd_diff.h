/* cmd_diff.h — the subcommand `diff`: who would gain and who would lose what, by recorded events, were other policies in force. Answers the exit code. */
#ifndef GW_APP_CMD_DIFF_H
#define GW_APP_CMD_DIFF_H

int gw_diff_main(int argc, char **argv);

#endif
