/* plans.h — lens plans for specs, written as JSON. */
#ifndef GW_SPEC_PLANS_H
#define GW_SPEC_PLANS_H

#include "hub/lens.h"
#include "hub/plan.h"

/* Reads and writes everything; shared, never freed. */
extern struct gw_plan full_plan;
/* A plan of its own reference; a malformed one fails the test. `self` is ann. */
struct gw_plan *plan_of(const char *json);
/* Reads and writes everything, but only the Tokens that the JSON list admits. */
struct gw_plan *plan_of_tokens(const char *globs);

/* The members of a plan that sees, and that writes, everything, but for Tokens. */
#define PLAN_SEES                                                                                                                          \
    "\"history\":true,\"vision\":true,\"presence\":true,\"events\":[\"*\"],\"logs\":{\"read\":true,\"write\":true},\"commands\":[\"*\"]"
#define PLAN_TREES                                                                                                                         \
    "\"blocks\":{\"read\":true,\"write\":true},\"graph\":{\"read\":true,\"write\":true},\"chat\":{\"read\":true,\"write\":true}"
#define PLAN_TOKENS "\"tokens\":{\"read\":[\"*\"],\"write\":[\"*\"]}"

/* The plan at work, without transforms. */
#define LENS(plan) (&(struct gw_lens){(plan), NULL})

#endif
