#include "script/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "script/sources.h"

#define MAX_FRAMES 24

void gw_trace_clear(struct gw_trace *trace)
{
    trace->is_set = false;
    trace->path[0] = trace->message[0] = trace->text[0] = '\0';
}

static void append_line(struct gw_trace *trace, const char *line)
{
    size_t used = strlen(trace->text), room = sizeof trace->text - used;
    if (used > 0 && room > 1) {
        trace->text[used++] = '\n';
        trace->text[used] = '\0';
        room--;
    }
    gw_printable_text(trace->text + used, room, line, strlen(line));
}

static const char *source_name(const lua_Debug *frame) { return frame->source[0] == '@' ? frame->source + 1 : frame->short_src; }

static void append_frame(struct gw_trace *trace, const lua_Debug *frame)
{
    char line[320], place[200] = "(library)";
    if (frame->currentline > 0)
        snprintf(place, sizeof place, "%s:%d", source_name(frame), frame->currentline);
    if (strcmp(frame->what, "main") == 0)
        snprintf(line, sizeof line, "%s: in the file's main part", place);
    else if (frame->name != NULL)
        snprintf(line, sizeof line, "%s: in %s '%.80s'", place, frame->namewhat, frame->name);
    else if (frame->currentline > 0)
        snprintf(line, sizeof line, "%s: in the function of line %d", place, frame->linedefined);
    else
        return;
    append_line(trace, line);
}

/* Lua cuts a long name of a file at its beginning (lobject.c, luaO_chunkid). */
static bool is_name_of(const char *path, const char *name, size_t length)
{
    size_t whole = strlen(path);
    if (length > 3 && memcmp(name, "...", 3) == 0 && whole >= length - 3)
        return memcmp(path + whole - (length - 3), name + 3, length - 3) == 0;
    return whole == length && memcmp(path, name, length) == 0;
}

static const struct gw_source *find_source(const struct gw_trace *trace, const char *name, size_t length)
{
    for (size_t i = 0; i < gw_sources_count(trace->sources); i++) {
        const struct gw_source *source = gw_sources_at(trace->sources, i);
        if (is_name_of(source->path, name, length))
            return source;
    }
    return NULL;
}

/* The library raises what its caller has done wrong; after a tail call nothing of the caller is left on the stack. */
static bool is_library(const struct gw_trace *trace, const char *name)
{
    static const char prefix[] = "atoms.";
    const struct gw_source *source = find_source(trace, name, strlen(name));
    return source != NULL && strncmp(source->module, prefix, sizeof prefix - 1) == 0;
}

void gw_trace_frames(struct gw_trace *trace, lua_State *L, int level)
{
    lua_Debug frame;
    trace->is_set = true;
    trace->path[0] = trace->text[0] = '\0';
    for (int i = 0; lua_getstack(L, level + i, &frame) != 0; i++) {
        if (i == MAX_FRAMES) {
            append_line(trace, "...");
            return;
        }
        lua_getinfo(L, "Sln", &frame);
        if (frame.currentline > 0 && trace->path[0] == '\0' && !is_library(trace, source_name(&frame)))
            snprintf(trace->path, sizeof trace->path, "%.145s:%d", source_name(&frame), frame.currentline);
        append_frame(trace, &frame);
    }
}

/* The length of "file:line: " at the beginning of the text; that is the path then. */
static size_t take_position(struct gw_trace *trace, const char *text)
{
    const char *end = strstr(text, ": ");
    const char *digits = end;
    while (digits != NULL && digits > text && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    if (end == NULL || digits == end || end - digits > 9 || digits == text || digits[-1] != ':')
        return 0;
    const struct gw_source *source = find_source(trace, text, (size_t)(digits - 1 - text));
    if (source == NULL)
        return 0;
    snprintf(trace->path, sizeof trace->path, "%.145s:%.*s", source->path, (int)(end - digits), digits);
    return (size_t)(end + 2 - text);
}

void gw_trace_error(struct gw_trace *trace, lua_State *L, int index)
{
    char number[64];
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        size_t length;
        const char *text = lua_tolstring(L, index, &length);
        size_t skip = take_position(trace, text);
        gw_printable_text(trace->message, sizeof trace->message, text + skip, length - skip);
        return;
    }
    case LUA_TNUMBER:
        snprintf(number, sizeof number, "raised the number %.14g as an error", (double)lua_tonumber(L, index));
        gw_printable_text(trace->message, sizeof trace->message, number, strlen(number));
        return;
    default:
        snprintf(trace->message, sizeof trace->message, "raised a value of type %s as an error, not a text",
                 lua_typename(L, lua_type(L, index)));
    }
}
