/* sink_record.h — a sink's record as a line of JSON: {"type","ts","tenant_id","mode","project_id","surface_id","app_id","run_id","seq","actor":{"id","kind"},
 * "cause"?,"data":{…}}: the envelope of the event, and its seq, by which a receiver can tell records apart. The same for every driver. Pure; any thread. */
#ifndef GW_SINK_SINK_RECORD_H
#define GW_SINK_SINK_RECORD_H

struct gw_buffer;
struct gw_sink_record;

/* Appends the line with its line feed. Failure shows as out->has_failed. */
void gw_sink_record_write(const struct gw_sink_record *record, struct gw_buffer *out);

#endif
