#include "hub/chat.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/journal.h"

#define SHELVES 2

/* An id that was used; links are those of a list from the longest ago. */
struct gone {
    struct gone *next;
    enum gw_chat_end end;
    bool is_labelled;
    char id[GW_ID_MAX + 1];
};

/* What has ended: those that bear a label, or those that bear none. Neither makes room for the other, or a label would tell those who may not see it. */
struct shelf {
    struct gw_chat_message *first_ended, *last_ended; /* as they ended */
    struct gone *gone_first, **gone_last;
    size_t ended_count, ended_bytes, gone_count;
};

struct gw_chat {
    struct gw_map *by_id, *gone_by_id;
    struct gw_journal *journal;
    struct gw_chat_message *oldest, *newest; /* as they began */
    struct shelf shelves[SHELVES];           /* without a label, with one */
    size_t open_count, open_bytes;
};

enum change { ADDED, APPENDED, ENDED };

struct chat_undo {
    struct gw_undo undo;
    struct gw_chat *chat;
    struct gw_chat_message *message;
    enum change change;
    size_t bytes, points; /* of the text before it */
};

static const char *const end_names[] = {NULL, "done", "cancelled", "aborted"};

const char *gw_chat_end_name(enum gw_chat_end end) { return end_names[end]; }

int gw_chat_end_parse(const char *name, enum gw_chat_end *out)
{
    for (int end = GW_CHAT_DONE; end <= GW_CHAT_ABORTED; end++) {
        if (strcmp(name, end_names[end]) != 0)
            continue;
        *out = (enum gw_chat_end)end;
        return GW_OK;
    }
    return GW_EINVAL;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

struct gw_chat *gw_chat_create(const uint8_t seed[16], struct gw_journal *journal)
{
    struct gw_chat *chat = gw_alloc(sizeof *chat);
    chat->by_id = gw_map_create(seed);
    chat->gone_by_id = gw_map_create(seed);
    chat->journal = journal;
    for (size_t i = 0; i < SHELVES; i++)
        chat->shelves[i].gone_last = &chat->shelves[i].gone_first;
    return chat;
}

static void drop_gone(struct gw_chat *chat, struct shelf *shelf)
{
    struct gone *gone = shelf->gone_first;
    shelf->gone_first = gone->next;
    if (!shelf->gone_first)
        shelf->gone_last = &shelf->gone_first;
    shelf->gone_count--;
    gw_map_remove(chat->gone_by_id, gone->id, strlen(gone->id));
    gw_free(gone);
}

static void free_message(struct gw_chat_message *message)
{
    gw_free(message->text);
    gw_free(message);
}

void gw_chat_destroy(struct gw_chat *chat)
{
    if (!chat)
        return;
    while (chat->oldest) {
        struct gw_chat_message *message = chat->oldest;
        chat->oldest = message->newer;
        free_message(message);
    }
    for (size_t i = 0; i < SHELVES; i++)
        while (chat->shelves[i].gone_first)
            drop_gone(chat, &chat->shelves[i]);
    gw_map_destroy(chat->by_id);
    gw_map_destroy(chat->gone_by_id);
    gw_free(chat);
}

/* ---- looking --------------------------------------------------------------------------------------------------------------------------- */

struct gw_chat_message *gw_chat_find(const struct gw_chat *chat, const char *id) { return gw_map_get(chat->by_id, id, strlen(id)); }

enum gw_chat_end gw_chat_forgotten(const struct gw_chat *chat, const char *id)
{
    const struct gone *gone = gw_map_get(chat->gone_by_id, id, strlen(id));
    return gone ? gone->end : GW_CHAT_OPEN;
}

struct gw_chat_message *gw_chat_next(const struct gw_chat *chat, const struct gw_chat_message *after)
{
    return after ? after->newer : chat->oldest;
}

size_t gw_chat_open_count(const struct gw_chat *chat) { return chat->open_count; }

size_t gw_chat_open_bytes(const struct gw_chat *chat) { return chat->open_bytes; }

/* ---- changing -------------------------------------------------------------------------------------------------------------------------- */

static void unlink_message(struct gw_chat *chat, struct gw_chat_message *message)
{
    *(message->older ? &message->older->newer : &chat->oldest) = message->newer;
    *(message->newer ? &message->newer->older : &chat->newest) = message->older;
    gw_map_remove(chat->by_id, message->id, strlen(message->id));
}

static struct shelf *shelf_of(struct gw_chat *chat, const struct gw_chat_message *message)
{
    return &chat->shelves[message->vis[0] != '\0'];
}

static void unlink_ended(struct gw_chat *chat, struct gw_chat_message *message)
{
    struct shelf *shelf = shelf_of(chat, message);
    *(message->ended_before ? &message->ended_before->ended_after : &shelf->first_ended) = message->ended_after;
    *(message->ended_after ? &message->ended_after->ended_before : &shelf->last_ended) = message->ended_before;
    message->ended_before = message->ended_after = NULL;
    shelf->ended_count--;
    shelf->ended_bytes -= message->bytes;
}

static void revert(struct gw_undo *step)
{
    struct chat_undo *undo = (struct chat_undo *)step;
    struct gw_chat *chat = undo->chat;
    struct gw_chat_message *message = undo->message;
    if (undo->change == APPENDED) {
        chat->open_bytes -= message->bytes - undo->bytes;
        message->bytes = undo->bytes;
        message->points = undo->points;
    } else if (undo->change == ENDED) {
        unlink_ended(chat, message);
        message->end = GW_CHAT_OPEN;
        message->end_number = 0;
        chat->open_count++;
        chat->open_bytes += message->bytes;
    } else {
        unlink_message(chat, message);
        chat->open_count--;
        chat->open_bytes -= message->bytes;
        free_message(message);
    }
    gw_free(undo);
}

static void forget(struct gw_undo *step) { gw_free(step); }

static struct chat_undo *make_undo(struct gw_chat *chat, struct gw_chat_message *message, enum change change)
{
    struct chat_undo *undo = gw_try_alloc(sizeof *undo);
    if (undo)
        *undo = (struct chat_undo){{NULL, revert, forget}, chat, message, change, message->bytes, message->points};
    return undo;
}

int gw_chat_add(struct gw_chat *chat, struct gw_chat_message *message)
{
    if (gw_chat_find(chat, message->id) || gw_chat_forgotten(chat, message->id) || message->end)
        return GW_EINVAL;
    struct chat_undo *undo = make_undo(chat, message, ADDED);
    if (!undo || gw_map_put(chat->by_id, message->id, strlen(message->id), message, NULL)) {
        gw_free(undo);
        return GW_ENOMEM;
    }
    message->begin_number = chat->newest ? chat->newest->begin_number + 1 : 1;
    message->older = chat->newest;
    message->newer = NULL;
    *(chat->newest ? &chat->newest->newer : &chat->oldest) = message;
    chat->newest = message;
    chat->open_count++;
    chat->open_bytes += message->bytes;
    gw_journal_push(chat->journal, &undo->undo);
    return GW_OK;
}

static int make_room(struct gw_chat_message *message, size_t length)
{
    if (message->bytes + length <= message->capacity)
        return GW_OK;
    size_t capacity = message->capacity ? message->capacity : 64;
    while (capacity < message->bytes + length)
        capacity *= 2;
    char *text = gw_try_grow(message->text, capacity, 1);
    if (!text)
        return GW_ENOMEM;
    message->text = text;
    message->capacity = capacity;
    return GW_OK;
}

int gw_chat_append(struct gw_chat *chat, struct gw_chat_message *message, const char *text, size_t length)
{
    ptrdiff_t points = gw_utf8_count(text, length, NULL);
    if (message->end || points < 0)
        return GW_EINVAL;
    if (length == 0)
        return GW_OK;
    struct chat_undo *undo = make_undo(chat, message, APPENDED);
    if (!undo || make_room(message, length)) {
        gw_free(undo);
        return GW_ENOMEM;
    }
    memcpy(message->text + message->bytes, text, length);
    message->bytes += length;
    message->points += (size_t)points;
    chat->open_bytes += length;
    gw_journal_push(chat->journal, &undo->undo);
    return GW_OK;
}

/* Behind all that ended before it; which is the last place, but when a checkpoint is read. */
static void link_ended(struct shelf *shelf, struct gw_chat_message *message)
{
    struct gw_chat_message *before = shelf->last_ended;
    while (before && before->end_number > message->end_number)
        before = before->ended_before;
    message->ended_before = before;
    message->ended_after = before ? before->ended_after : shelf->first_ended;
    *(before ? &before->ended_after : &shelf->first_ended) = message;
    *(message->ended_after ? &message->ended_after->ended_before : &shelf->last_ended) = message;
    shelf->ended_count++;
    shelf->ended_bytes += message->bytes;
}

static uint64_t newest_end_number(const struct gw_chat *chat)
{
    uint64_t number = 0;
    for (size_t i = 0; i < SHELVES; i++) {
        const struct gw_chat_message *last = chat->shelves[i].last_ended;
        number = last && last->end_number > number ? last->end_number : number;
    }
    return number;
}

int gw_chat_end(struct gw_chat *chat, struct gw_chat_message *message, enum gw_chat_end end)
{
    if (message->end || !end)
        return GW_EINVAL;
    struct chat_undo *undo = make_undo(chat, message, ENDED);
    if (!undo)
        return GW_ENOMEM;
    message->end = end;
    if (!message->end_number) /* else it was read from a checkpoint */
        message->end_number = newest_end_number(chat) + 1;
    chat->open_count--;
    chat->open_bytes -= message->bytes;
    link_ended(shelf_of(chat, message), message);
    gw_journal_push(chat->journal, &undo->undo);
    return GW_OK;
}

int gw_chat_erase(struct gw_chat *chat, const char *actor_id, size_t *count)
{
    for (struct gw_chat_message *message = chat->oldest; message; message = message->newer) {
        if (strcmp(message->author.id, actor_id) != 0 || (message->end && message->bytes == 0))
            continue;
        if (!message->end && gw_chat_end(chat, message, GW_CHAT_ABORTED))
            return GW_ENOMEM;
        shelf_of(chat, message)->ended_bytes -= message->bytes;
        gw_free(message->text);
        message->text = NULL;
        message->bytes = message->capacity = message->points = 0;
        ++*count;
    }
    return GW_OK;
}

/* ---- forgetting ------------------------------------------------------------------------------------------------------------------------ */

int gw_chat_load_gone(struct gw_chat *chat, const struct gw_chat_gone *given)
{
    struct shelf *shelf = &chat->shelves[given->is_labelled];
    struct gone *gone = gw_try_alloc(sizeof *gone);
    if (!gone)
        return GW_ENOMEM;
    *gone = (struct gone){.end = given->end, .is_labelled = given->is_labelled};
    memcpy(gone->id, given->id, strlen(given->id) + 1);
    if (gw_map_put(chat->gone_by_id, gone->id, strlen(gone->id), gone, NULL)) {
        gw_free(gone);
        return GW_ENOMEM;
    }
    *shelf->gone_last = gone;
    shelf->gone_last = &gone->next;
    shelf->gone_count++;
    return GW_OK;
}

bool gw_chat_next_gone(const struct gw_chat *chat, const void **cursor, struct gw_chat_gone *out)
{
    const struct gone *last = *cursor, *gone = last ? last->next : chat->shelves[0].gone_first;
    if (!gone && (!last || !last->is_labelled))
        gone = chat->shelves[1].gone_first;
    if (!gone)
        return false;
    *cursor = gone;
    *out = (struct gw_chat_gone){gone->id, gone->end, gone->is_labelled};
    return true;
}

static void trim(struct gw_chat *chat, struct shelf *shelf)
{
    while (shelf->ended_count > GW_CHAT_KEPT || shelf->ended_bytes > GW_CHAT_KEPT_BYTES) {
        struct gw_chat_message *message = shelf->first_ended;
        if (gw_chat_load_gone(chat, &(struct gw_chat_gone){message->id, message->end, message->vis[0] != '\0'}))
            return; /* it stays a little longer, on this node alone: nothing that leaves the process depends on it for long */
        unlink_ended(chat, message);
        unlink_message(chat, message);
        free_message(message);
    }
    while (shelf->gone_count > GW_CHAT_GONE)
        drop_gone(chat, shelf);
}

void gw_chat_trim(struct gw_chat *chat)
{
    for (size_t i = 0; i < SHELVES && !chat->journal->is_open; i++)
        trim(chat, &chat->shelves[i]);
}
