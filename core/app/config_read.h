/* config_read.h — one layer of configuration (the shipped one, or a file) read into the struct. Checks names, types and ranges of what the
 * layer sets and leaves the rest as it was. Not for rules between settings: config_rules.c. */
#ifndef GW_APP_CONFIG_READ_H
#define GW_APP_CONFIG_READ_H

struct gw_config;
struct gw_data_file;
struct gw_error;

/* On failure err->path is file:line and the message names the setting, the rule and what to write instead. */
int gw_config_read_layer(const struct gw_data_file *file, struct gw_config *config, struct gw_error *err);

#endif
