#include "chat_world.h"

int open_chat(void **state)
{
    struct fixture *f = gw_alloc(sizeof *f);
    fixture_open(f);
    f->author_id = "ann";
    *state = f;
    return 0;
}

int close_chat(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    gw_free(f);
    return 0;
}

const char *text_of(const struct fixture *f, const char *id)
{
    static char text[4096];
    const struct gw_chat_message *message = gw_chat_find(gw_state_chat(f->state), id);
    assert_non_null(message);
    assert_true(message->bytes < sizeof text);
    if (message->bytes)
        memcpy(text, message->text, message->bytes);
    text[message->bytes] = '\0';
    return text;
}

enum gw_chat_end end_of(const struct fixture *f, const char *id) { return gw_chat_find(gw_state_chat(f->state), id)->end; }

void open_message(struct fixture *f, const char *id)
{
    char members[256];
    snprintf(members, sizeof members, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"%s\",\"stream\":true}", id);
    must(f, members);
}

char *save_chat(const struct fixture *f)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_state_write(f->state, LENS(f->plan), NULL, 0, &out);
    for (const struct gw_chat_message *m = NULL; (m = gw_chat_next(gw_state_chat(f->state), m));)
        gw_chat_write_row(m, &out);
    struct gw_chat_gone gone;
    for (const void *at = NULL; gw_chat_next_gone(gw_state_chat(f->state), &at, &gone);)
        gw_buffer_appendf(&out, "%s %d %d\n", gone.id, gone.end, gone.is_labelled);
    size_t length;
    return gw_buffer_take(&out, &length);
}
