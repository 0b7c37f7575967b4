/* transform_answer.h — whether what a transform answered is of the shape of what it got: what is not is taken out, so that readers find every value of the type that
 * is declared. Pure. */
#ifndef GW_SCRIPT_TRANSFORM_ANSWER_H
#define GW_SCRIPT_TRANSFORM_ANSWER_H

#include "hub/ports.h"

/* Takes out of *answer (owned; JSON null: nothing is shown) what cannot be shown, and what nobody will look at. GW_OK; GW_EINVAL script_bad_result: something had to go, *err says what; GW_ENOMEM. */
int gw_transform_answer_check(const struct gw_transform_call *asked, struct gw_json **answer, struct gw_error *err);

#endif
