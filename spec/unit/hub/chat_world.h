/* chat_world.h — a state in which ann writes messages: for the specs of chat.h and chat_round.h. */
#ifndef GW_SPEC_CHAT_WORLD_H
#define GW_SPEC_CHAT_WORLD_H

#include "hub/chat.h"
#include "support/state_fixture.h"

#define APPEND(args) "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m1\"," args "}"

/* A cmocka setup and teardown; *state is the fixture. */
int open_chat(void **state);
int close_chat(void **state);
const char *text_of(const struct fixture *f, const char *id); /* until the next call */
enum gw_chat_end end_of(const struct fixture *f, const char *id);
void open_message(struct fixture *f, const char *id);
/* All that is kept and remembered of the state, as text: to be freed. */
char *save_chat(const struct fixture *f);

#endif
