#include "app/policy_question.h"

#include <assert.h>
#include <string.h>

#include "hub/ephemera.h"
#include "hub/event.h"

void gw_policy_question_add(struct gw_policy_question *question, enum gw_plan_ask ask, const char *name)
{
    assert(question->count < GW_POLICY_PARTS_MAX);
    question->parts[question->count].ask = ask;
    question->parts[question->count++].name = name;
}

static bool is_event(const char *type, enum gw_event_type which) { return strcmp(type, gw_event_type_name(which)) == 0; }

void gw_policy_question_add_event(struct gw_policy_question *question, const char *type)
{
    bool is_ephemeral =
        strcmp(type, gw_ephemeral_name(GW_EPHEMERAL_GESTURE)) == 0 || strcmp(type, gw_ephemeral_name(GW_EPHEMERAL_PRESENCE)) == 0;
    gw_policy_question_add(question, GW_PLAN_EVENT, type);
    if (is_event(type, GW_EVENT_SNAPSHOT_CREATED))
        gw_policy_question_add(question, GW_PLAN_VISION, NULL);
    if (is_event(type, GW_EVENT_LOG_LINE))
        gw_policy_question_add(question, GW_PLAN_READ_LOGS, NULL);
    if (is_event(type, GW_EVENT_CHAT_MESSAGE) || is_event(type, GW_EVENT_CHAT_TOKEN))
        gw_policy_question_add(question, GW_PLAN_READ_CHAT, NULL);
    if (is_ephemeral)
        gw_policy_question_add(question, GW_PLAN_PRESENCE, NULL);
}

void gw_policy_question_add_command(struct gw_policy_question *question, const char *type, bool has_sidecars)
{
    static const struct {
        const char *type;
        enum gw_plan_ask ask;
    } needs[] = {{"chat_send", GW_PLAN_WRITE_CHAT},     {"chat.append", GW_PLAN_WRITE_CHAT},     {"chat.cancel", GW_PLAN_WRITE_CHAT},
                 {"log.write", GW_PLAN_WRITE_LOGS},     {"graph.node.set", GW_PLAN_WRITE_GRAPH}, {"graph.edge.set", GW_PLAN_WRITE_GRAPH},
                 {"run.set_state", GW_PLAN_WRITE_GRAPH}};
    gw_policy_question_add(question, GW_PLAN_COMMAND, type);
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (strcmp(type, needs[i].type) == 0)
            gw_policy_question_add(question, needs[i].ask, NULL);
    if (has_sidecars)
        gw_policy_question_add(question, GW_PLAN_VISION, NULL);
}

void gw_policy_question_add_way(struct gw_policy_question *question, const char *type)
{
    if (question->way_count < GW_POLICY_WAYS_MAX)
        question->ways[question->way_count++] = type;
}

const char *gw_policy_question_way(const struct gw_policy_question *question, const struct gw_plan *plan)
{
    for (size_t i = 0; i < question->way_count; i++)
        if (gw_plan_admits_command(plan, question->ways[i]))
            return question->ways[i];
    return NULL;
}

void gw_policy_question_answer(void *arg, const struct gw_plan *plan, struct gw_plan_reason *out)
{
    const struct gw_policy_question *question = arg;
    for (size_t i = 0; i < question->count; i++) {
        struct gw_plan_reason part;
        gw_plan_explain(plan, question->parts[i].ask, question->parts[i].name, &question->thing, &part);
        if (i == 0 || !part.is_admitted)
            *out = part;
        if (!part.is_admitted)
            return;
    }
    if (question->way_count && !gw_policy_question_way(question, plan))
        gw_plan_explain(plan, GW_PLAN_COMMAND, question->ways[0], NULL, out);
    if (question->is_splice && plan->transform)
        *out = (struct gw_plan_reason){.is_admitted = false, .layer = "plan", .pointer = "/transform"};
}
