#include "hub/ports.h"

#include "base/alloc.h"
#include "base/json.h"

void gw_spine_read_fini(struct gw_spine_read *request)
{
    for (size_t i = 0; i < request->record_count; i++)
        gw_free(request->records[i].payload);
    gw_free(request->records);
    request->records = NULL;
    request->record_count = 0;
}

void gw_spine_get_fini(struct gw_spine_get *request)
{
    for (size_t i = 0; i < request->chunk_count; i++)
        gw_free(request->chunks[i]);
    gw_free(request->chunks);
    gw_free(request->lengths);
    request->chunks = NULL;
    request->lengths = NULL;
    request->chunk_count = 0;
}

void gw_flow_get_fini(struct gw_flow_get *request)
{
    gw_json_unref(request->flow);
    request->flow = NULL;
}
