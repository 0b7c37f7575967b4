/* sources.h — an immutable, reference-counted set of Lua source texts by module name: what one sandbox may load. Made once, on any thread, then read from all; a
 * new generation of scripts is a new set. Knows files only as text: who reads folders or a registry fills it. */
#ifndef GW_SCRIPT_SOURCES_H
#define GW_SCRIPT_SOURCES_H

#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_sources;

#define GW_SOURCES_MAX_FILES      256
#define GW_SOURCES_MAX_FILE_BYTES (256u << 10)
#define GW_SOURCES_MAX_BYTES      (4u << 20) /* all texts of one set; one of several names counts once, as a file does */
#define GW_MODULE_NAME_MAX        128        /* bytes of "defaults.commands.rates" */

/* value: one module; all borrowed from the set */
struct gw_source {
    const char *module; /* what `require` calls it */
    const char *path;   /* what errors call it: "policies/token_lens.lua" */
    const char *text;
    size_t length;
};

struct gw_sources *gw_sources_create(void);
/* Copies all three. GW_ELIMIT sources_too_many, source_too_large, sources_too_large; GW_EINVAL source_bad_name; GW_ECONFLICT source_exists. Before the set is shared. */
int gw_sources_add(struct gw_sources *sources, const struct gw_source *source, struct gw_error *err);
/* As add, of what is in the set as `module`, under one more name: one file still. */
int gw_sources_alias(struct gw_sources *sources, const char *module, const char *alias, struct gw_error *err);
/* As add, of the module at `index` of another set, whose text both then hold: what a tenant lays its files over costs it no copy. */
int gw_sources_share(struct gw_sources *sources, const struct gw_sources *from, size_t index, struct gw_error *err);
struct gw_sources *gw_sources_ref(struct gw_sources *sources);
void gw_sources_unref(struct gw_sources *sources); /* NULL is fine */

const struct gw_source *gw_sources_find(const struct gw_sources *sources, const char *module); /* borrowed, or NULL */
size_t gw_sources_index(const struct gw_sources *sources, const char *module);         /* its place below; their count: there is none */
size_t gw_sources_count(const struct gw_sources *sources);                             /* modules */
size_t gw_sources_file_count(const struct gw_sources *sources);                        /* what has several names counts once */
const struct gw_source *gw_sources_at(const struct gw_sources *sources, size_t index); /* in byte order of module */
/* A SHA-256 chained over modules and texts in that order; 32 zero bytes for an empty set. */
void gw_sources_digest(const struct gw_sources *sources, uint8_t out[32]);

#endif
