/* What transforms answered, for each tenant apart: what one of them has asked pushes out nothing of another that has less. */
#include "base/map.h"
#include "script/answers.h"
#include "script/host_internal.h"

#define ALL_BYTES ((size_t)8 << 20) /* of a worker's tenants together */

static size_t bytes_of(const struct gw_script_tenant *tenant) { return tenant->answers ? gw_answers_bytes(tenant->answers) : 0; }

static void shed_largest(struct gw_script_host *host)
{
    struct gw_script_tenant *largest = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(host->tenants, &cursor, &key, &length, &value))
        if (!largest || bytes_of(value) > bytes_of(largest))
            largest = value;
    host->answer_bytes -= bytes_of(largest);
    gw_answers_shed(largest->answers);
    host->answer_bytes += bytes_of(largest);
}

bool gw_host_find_answer(struct gw_script_host *host, struct gw_script_tenant *tenant, const uint8_t key[GW_SHA256_BYTES],
                         struct gw_answer *out)
{
    if (!tenant->answers)
        return false;
    size_t before = bytes_of(tenant);
    bool is_known = gw_answers_find(tenant->answers, key, out);
    host->answer_bytes += bytes_of(tenant) - before; /* wraps to less */
    return is_known;
}

void gw_host_keep_answer(struct gw_script_host *host, struct gw_script_tenant *tenant, const uint8_t key[GW_SHA256_BYTES],
                         const struct gw_answer *answer)
{
    if (!tenant->answers)
        tenant->answers = gw_answers_create(host->seed, ALL_BYTES);
    host->answer_bytes -= bytes_of(tenant);
    gw_answers_put(tenant->answers, key, answer);
    host->answer_bytes += bytes_of(tenant);
    while (host->answer_bytes > ALL_BYTES)
        shed_largest(host);
}

void gw_host_forget_answers(struct gw_script_host *host, struct gw_script_tenant *tenant)
{
    host->answer_bytes -= bytes_of(tenant);
    gw_answers_destroy(tenant->answers);
    tenant->answers = NULL;
}
