#include "script/check_look.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "hub/command.h"
#include "hub/manifest.h"
#include "script/sandbox.h"
#include "script/sources.h"

/* A message that is about a member of a data file begins with its pointer. */
static void find_pointer(const struct gw_check_note *note, char *out, size_t size)
{
    const char *given = note->pointer ? note->pointer : note->err->message, *end = strstr(given, ": ");
    size_t length = note->pointer ? strlen(given) : given[0] == '/' && end ? (size_t)(end - given) : 0;
    snprintf(out, size, "%.*s", (int)length, given);
}

/* ---- what follows from what ------------------------------------------------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The file of "file:line", without the line. */
static void file_of(const struct gw_error *err, char out[sizeof err->path])
{
    size_t length = strcspn(err->path, ":");
    memcpy(out, err->path, length);
    out[length] = '\0';
}

/* The folder of a canvas of whose commands nothing is known. */
static void key_of_canvas(const char *file, char *out, size_t size)
{
    const char *name = strrchr(file, '/');
    snprintf(out, size, "canvas without commands|%.*s", name ? (int)(name - file) : 0, file);
}

static void remember(const struct gw_check_look *look, const char *key)
{
    (void)gw_map_put(look->told, key, strlen(key), look->told, NULL); /* without memory more may be told than is of use */
}

/* A fault hides what the file would have held: whether that is there cannot be told. */
static void note_consequences(const struct gw_check_look *look, const struct gw_error *err)
{
    char file[sizeof err->path], key[sizeof err->path + 32];
    file_of(err, file);
    if (ends_with(file, "/manifest.lua") || strcmp(err->id, "canvases_unreadable") == 0)
        remember(look, "canvases");
    if (strcmp(err->id, "folder_unreadable") == 0 && !look->tenant_id[0])
        remember(look, "policies");
    if (!ends_with(file, "/commands.lua"))
        return;
    key_of_canvas(file, key, sizeof key);
    remember(look, key);
}

static bool is_told(const struct gw_check_look *look, const char *key) { return gw_map_get(look->told, key, strlen(key)) != NULL; }

static bool is_consequence(const struct gw_check_look *look, const struct gw_check_note *note)
{
    static const char *const of_canvases[] = {"unknown_kind", "unknown_prop", "unknown_command", "unknown_token", "redacts_nothing"};
    const struct gw_error *err = note->err;
    char file[sizeof err->path], key[sizeof err->path + 32];
    for (size_t i = 0; note->is_warning && i < sizeof of_canvases / sizeof *of_canvases; i++)
        if (strcmp(err->id, of_canvases[i]) == 0)
            return is_told(look, "canvases");
    if (strcmp(err->id, "missing_reducer") == 0 || strcmp(err->id, "unused_file") == 0) {
        file_of(err, file);
        key_of_canvas(file, key, sizeof key);
        return is_told(look, key);
    }
    return strcmp(err->id, "script_missing") == 0 && !err->path[0] && is_told(look, "policies");
}

/* ---- telling --------------------------------------------------------------------------------------------------------------------------- */

void gw_check_tell(const struct gw_check_look *look, const struct gw_check_note *note)
{
    char key[sizeof note->err->id + sizeof note->err->path + sizeof note->err->message + 4];
    char pointer[sizeof note->err->path];
    const char *hint = note->hint ? note->hint : gw_check_hint(note->err, false);
    find_pointer(note, pointer, sizeof pointer);
    struct gw_script_finding finding = {
        .tenant_id = look->tenant_id, .is_warning = note->is_warning, .err = note->err, .pointer = pointer, .hint = hint};
    bool is_of_all = strncmp(note->err->id, "sources_too_", 12) == 0; /* and so of each file from here on */
    snprintf(key, sizeof key, "%s|%s|%s", note->err->id, is_of_all ? "" : note->err->path, note->key ? note->key : note->err->message);
    if (is_told(look, key) || is_consequence(look, note))
        return;
    remember(look, key);
    if (!note->is_warning)
        note_consequences(look, note->err);
    look->check->error_count += !note->is_warning;
    look->check->warning_count += note->is_warning;
    look->check->found(look->check->arg, &finding);
}

void gw_check_place(const struct gw_source *source, unsigned line, struct gw_error *err)
{
    snprintf(err->path, sizeof err->path, "%.145s:%u", source->path, line ? line : 1);
}

bool gw_check_may_mean(const char *glob, const char *word)
{
    size_t length = strcspn(glob, "*");
    return glob[length] ? strncmp(glob, word, length) == 0 : strcmp(glob, word) == 0;
}

static bool is_own_command(const struct gw_manifests *manifests, const char *glob)
{
    for (size_t i = 0; i < gw_manifests_count(manifests); i++) {
        void *iterator = NULL;
        const char *name;
        struct gw_json *value;
        while (gw_json_next(gw_manifest_member(gw_manifests_at(manifests, i), "commands"), &iterator, &name, &value))
            if (gw_check_may_mean(glob, name))
                return true;
    }
    return false;
}

bool gw_check_is_command(const struct gw_check_look *look, const char *glob)
{
    const struct gw_generation *base = look->generation->defaults ? look->generation->defaults : look->generation;
    const char *type;
    for (size_t i = 0; (type = gw_command_builtin(i)); i++)
        if (gw_check_may_mean(glob, type))
            return true;
    return is_own_command(base->manifests, glob);
}

/* ---- hints ----------------------------------------------------------------------------------------------------------------------------- */

/* value: by id, then by what the message holds; NULL: any */
struct hint {
    const char *id, *says, *hint;
};

static const struct hint hints[] = {
    {"script_syntax", "words break and goto", "the compiler takes the square of their number: use several files, or functions"},
    {"script_syntax", NULL, "the line, or the one before it, is no Lua"},
    {"script_missing", "no token_lens", "without one nobody is admitted: policies/token_lens.lua of the program is one to start from"},
    {"script_missing", NULL, "docs/scripting.md lists what each file returns"},
    {"script_api", NULL, "write api = 1 beside name and version"},
    {"script_bad_shape", NULL, "docs/scripting.md lists what each file returns"},
    {"script_bad_result", NULL, "answer plain data: texts, numbers, booleans, lists and tables with names"},
    {"script_bad_name", "folder", "give it another name, or remove it"},
    {"script_bad_name", NULL, "rename the file, so that require can name it"},
    {"script_encoding", NULL, "save it as UTF-8 without a byte order mark"},
    {"script_link", NULL, "copy the file into the folder"},
    {"plan_bad_shape", NULL, "docs/scripting.md, \"Plans\", has the shape"},
    {"script_memory", NULL, "needs too much memory: build less at once"},
    {"script_failed", "returned nothing", "end the file with return { name = …, version = 1, api = 1, … }"},
    {"script_failed", "global 'os'", "scripts are pure: no clock, no environment, no files; lua/sandbox.lua lists every global"},
    {"script_failed", "global 'io'", "scripts are pure: no clock, no environment, no files; lua/sandbox.lua lists every global"},
    {"script_failed", "field 'random'", "scripts are pure: there is no randomness"},
    {"script_failed", "require each other", "a tenant's file asks the default it replaces by require(\"defaults.NAME\")"},
    {"script_failed", "there is no plan", "if plan and …: a lens answers nil for roles that it admits to nothing"},
    {"script_failed", "must be a list of texts", "what is hidden by a slip is not hidden: { \"a\", \"b.*\" }"},
    {"script_failed", "there is no module", "docs/scripting.md lists what require finds"},
    {"script_failed", "(global '",
     "there is no such global: is it a slip, or a local of another place? lua/sandbox.lua lists every global"},
    {"script_failed", "a nil value", "what is nil there is absent: ask for it first, as in x and x.y"},
    {"script_failed", "frozen", "what a file made does not change once it is loaded: make it anew in the call"},
    {"script_failed", "may not change", "count in a local of the call instead"},
    {"script_failed", NULL, "it raised this while it ran"},
    {"ceiling_bad_limit", NULL, "only these numbers can be lowered there"},
    {"ceiling_bad_member", NULL, "a slip here is a limit that does not hold"},
    {"ceiling_bad_plan", NULL, "remove plan, or put it into the operator's policies/ceiling.lua"},
    {"data_syntax", "<\\239>", "save it as UTF-8 without a byte order mark"},
    {"data_syntax", "words break and goto", "pure data needs none of them"},
    {"data_syntax", NULL, "the line, or the one before it, is no Lua"},
    {"data_failed", NULL, "the file is data: no globals, no require, no functions"},
    {"data_bad_value", NULL, "the file is data: return { … } of texts, numbers, booleans and tables"},
    {"data_budget", NULL, "the file is data: write it out rather than work for it"},
    {"data_memory", NULL, "the file is data: write it out rather than work for it"},
    {"manifest_missing", NULL, "canvases/README.md has one to start from; a folder that begins with _ is no canvas"},
    {"manifest_bad_name", NULL, "folder and name are the canvas type, and the same"},
    {"folder_unreadable", NULL, "is the path right, and may this user read it?"},
    {"canvases_unreadable", NULL, "ATOMS_CANVASES_DIR says where they are"},
    {"file_unreadable", NULL, "is it a file, and may this user read it?"},
    {"file_not_found", NULL, "is the path right?"},
    {"file_too_large", NULL, "split it: another file of the folder can be required"},
    {"source_too_large", NULL, "split it: another file of the folder can be required"},
    {"sources_too_many", NULL, "put what belongs together into one file"},
    {"sources_too_large", NULL, "scripts decide; data of that size belongs into a run"},
};

static const char *hint_of_budget(bool is_asked)
{
    return is_asked ? "the function works too long for one call: do less there, or do it once as the file loads"
                    : "the file works too long while it loads: do less, or do it in the function";
}

const char *gw_check_hint(const struct gw_error *err, bool is_asked)
{
    if (strcmp(err->id, "script_budget") == 0)
        return hint_of_budget(is_asked);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(err->id, hints[i].id) == 0 && (!hints[i].says || strstr(err->message, hints[i].says)))
            return hints[i].hint;
    return strstr(err->path, "manifest.lua:") ? "canvases/README.md lists what a manifest holds" : "";
}

int gw_check_sandbox(const struct gw_check_look *look, struct gw_sandbox **out, struct gw_error *err)
{
    struct gw_sandbox_opts opts = {.sources = look->generation->sources,
                                   .clock = look->opts->budget_clock,
                                   .limits = look->generation->limits.call,
                                   .is_entry = gw_generation_is_entry};
    return gw_sandbox_create(&opts, out, err);
}
