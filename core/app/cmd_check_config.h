/* cmd_check_config.h — the subcommand `atoms check-config`: what `atoms serve` would make of the configuration, without starting anything.
 */
#ifndef GW_APP_CMD_CHECK_CONFIG_H
#define GW_APP_CMD_CHECK_CONFIG_H

/* Exit code: 0 fine, 1 the configuration is refused, 2 wrong options. */
int gw_check_config_main(int argc, char **argv);

#endif
