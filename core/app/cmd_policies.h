/* cmd_policies.h — the subcommands that operate the policies of a running gateway: policies, reload, rollback. Each answers the exit code. */
#ifndef GW_APP_CMD_POLICIES_H
#define GW_APP_CMD_POLICIES_H

int gw_policies_main(int argc, char **argv);
int gw_reload_main(int argc, char **argv);
int gw_rollback_main(int argc, char **argv);

#endif
