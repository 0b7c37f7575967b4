/* policy_values.h — an event as two lenses show it, value by value: what was otherwise and is now as it is, and the reverse. That is what transforms do, which no
 * question to a plan tells. Pure. */
#ifndef GW_APP_POLICY_VALUES_H
#define GW_APP_POLICY_VALUES_H

struct gw_event;
struct gw_json;
struct gw_policy_words;

/* value */
struct gw_policy_values {
    const struct gw_event *event;
    const char *run;
    const struct gw_json *before, *after;  /* what each shows of its data; both are there */
    struct gw_policy_words *gained, *lost; /* get a word for each: "value of property task.done" */
};
void gw_policy_values_compare(const struct gw_policy_values *values);

#endif
