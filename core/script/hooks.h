/* hooks.h — what scripts are called for. */
#ifndef GW_SCRIPT_HOOKS_H
#define GW_SCRIPT_HOOKS_H

enum gw_hook { GW_HOOK_LENS, GW_HOOK_TRANSFORM, GW_HOOK_VALIDATE, GW_HOOK_REDUCE, GW_HOOK_SANITIZE, GW_HOOK_CONTEXT, GW_HOOK_COUNT };

/* "lens", … as logs, metrics and lists call it. */
const char *gw_hook_name(enum gw_hook hook);

#endif
