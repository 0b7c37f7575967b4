#include "script/transform_answer.h"

#include "base/error.h"
#include "base/json.h"

static const char *type_name(const struct gw_json *value)
{
    static const char *const names[] = {"null", "a boolean", "an integer", "a number", "a string", "a list", "an object"};
    return names[gw_json_type(value)];
}

/* An integer may have been asked for, so a fraction does not stand for it; an integer stands for a number. */
static bool is_alike(const struct gw_json *given, const struct gw_json *made)
{
    enum gw_json_type type = gw_json_type(given);
    return gw_json_type(made) == type || (type == GW_JSON_REAL && gw_json_is_int(made));
}

static int refuse(const struct gw_json *made, const struct gw_json *given, const char *what, const char *name, struct gw_error *err)
{
    return gw_error_set(err, GW_EINVAL, "script_bad_result", "a transform answered %s for %s%.64s, which is %s", type_name(made), what,
                        name, type_name(given));
}

/* Nothing is shown. */
static int drop(struct gw_json **answer, int status)
{
    gw_json_unref(*answer);
    *answer = gw_json_new_null();
    return *answer ? status : GW_ENOMEM;
}

static int check_text(const struct gw_json *given, struct gw_json *answer, struct gw_error *err)
{
    const struct gw_json *made = gw_json_get(answer, "text");
    if (!made || gw_json_is_string(made))
        return GW_OK;
    int status = refuse(made, gw_json_get(given, "text"), "a text", "", err);
    gw_json_remove(answer, "text");
    return status;
}

/* Of several faults the last one is told. */
static int check_props(const struct gw_json *given, struct gw_json *answer, struct gw_error *err)
{
    struct gw_json *made = gw_json_get(answer, "props"), *value;
    void *iterator = NULL;
    const char *name;
    int status = GW_OK;
    if (made && !gw_json_is_object(made)) {
        status = refuse(made, given, "props", "", err);
        gw_json_remove(answer, "props");
        return status;
    }
    while (made && gw_json_next(given, &iterator, &name, &value)) {
        const struct gw_json *shown = gw_json_get(made, name);
        if (!shown || is_alike(value, shown))
            continue;
        if (!gw_json_is_null(shown))
            status = refuse(shown, value, "property ", name, err);
        gw_json_remove(made, name);
    }
    return status;
}

/* A new object: those members of `made` that `given` has too. NULL: no memory. */
static struct gw_json *common_members(const struct gw_json *given, const struct gw_json *made)
{
    struct gw_json *out = gw_json_new_object(), *value;
    void *iterator = NULL;
    const char *name;
    int status = out ? GW_OK : GW_ENOMEM;
    while (!status && gw_json_next(given, &iterator, &name, &value))
        if ((value = gw_json_get(made, name)))
            status = gw_json_set(out, name, gw_json_ref(value));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* Nobody looks at another member, nor at a property that the value does not have: they are not to be kept. */
static int keep_what_counts(const struct gw_transform_call *asked, struct gw_json **answer)
{
    struct gw_json *out = gw_json_new_object(), *text = gw_json_get(*answer, "text");
    const struct gw_json *given = gw_json_get(asked->value, "props"), *made = gw_json_get(*answer, "props");
    int status = out ? GW_OK : GW_ENOMEM;
    if (!status && text)
        status = gw_json_set(out, "text", gw_json_ref(text));
    if (!status && given && made)
        status = gw_json_set(out, "props", common_members(given, made));
    gw_json_unref(*answer);
    *answer = out;
    return status;
}

int gw_transform_answer_check(const struct gw_transform_call *asked, struct gw_json **answer, struct gw_error *err)
{
    if (gw_json_is_null(*answer))
        return GW_OK;
    bool is_token = asked->what == GW_TRANSFORM_TOKEN;
    if (is_token ? !is_alike(asked->value, *answer) : !gw_json_is_object(*answer)) {
        int status = refuse(*answer, asked->value, is_token ? "Token " : "a value", is_token ? asked->key : "", err);
        return drop(answer, status);
    }
    if (is_token)
        return GW_OK;
    int status = asked->what == GW_TRANSFORM_BLOCK ? check_props(gw_json_get(asked->value, "props"), *answer, err) : GW_OK;
    int of_text = check_text(asked->value, *answer, err);
    if (keep_what_counts(asked, answer))
        return GW_ENOMEM;
    return of_text ? of_text : status;
}
