/* script_words.h — what a tenant's policies speak of and are made of, for tools. Any thread. */
#ifndef GW_SCRIPT_SCRIPT_WORDS_H
#define GW_SCRIPT_SCRIPT_WORDS_H

struct gw_error;
struct gw_json;
struct gw_scripts;
struct gw_sources;

#define GW_SCRIPT_WORDS_MAX 512 /* more are not told */
/* A role that no file speaks of: what a lens answers for it, it answers for whomever it does not know. */
#define GW_SCRIPT_NO_ROLE "zq.nobody"

/* The words that stand in the token lens's files, as names or as texts, each once: a role that a lens knows is among them. */
void gw_script_words_each(const struct gw_sources *sources, void (*told)(void *arg, const char *word), void *arg);
/* Of the files that decide for the tenant. As gw_scripts_create, when these cannot be read. */
int gw_scripts_each_word(struct gw_scripts *scripts, const char *tenant_id, void (*told)(void *arg, const char *word), void *arg,
                         struct gw_error *err);
/* {path: SHA-256} of the files that decide for the tenant and are no lens, ceiling or library: rules for commands, context, log lines, canvases. A new reference. */
int gw_scripts_other_files(struct gw_scripts *scripts, const char *tenant_id, struct gw_json **out, struct gw_error *err);

#endif
