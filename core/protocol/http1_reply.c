#include "protocol/http1_reply.h"

#include "base/buffer.h"
#include "base/error.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *gw_http1_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

static bool is_token(const char *text, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alnum && !memchr(marks, c, sizeof marks - 1))
            return false;
    }
    return length > 0;
}

static bool is_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static int check_headers(const struct gw_http1_reply *reply, struct gw_error *err)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        const struct gw_http1_header *header = &reply->headers[i];
        if (!is_token(header->name, header->name_length) || !is_value(header->value, header->value_length))
            return gw_error_set(err, GW_EINVAL, "bad_header", "Header %zu of the answer cannot be written", i);
    }
    return 0;
}

static void write_status_line(int status, struct gw_buffer *out)
{
    gw_buffer_append_text(out, "HTTP/1.1 ");
    gw_buffer_append_u64(out, (uint64_t)status);
    gw_buffer_append_char(out, ' ');
    gw_buffer_append_text(out, gw_http1_reason(status));
    gw_buffer_append_text(out, "\r\n");
}

static void write_framing(const struct gw_http1_reply *reply, struct gw_buffer *out)
{
    if (reply->framing == GW_HTTP1_LENGTH) {
        gw_buffer_append_text(out, "Content-Length: ");
        gw_buffer_append_u64(out, reply->content_length);
        gw_buffer_append_text(out, "\r\n");
    } else if (reply->framing == GW_HTTP1_CHUNKED) {
        gw_buffer_append_text(out, "Transfer-Encoding: chunked\r\n");
    }
    if (reply->closes || reply->framing == GW_HTTP1_UNTIL_CLOSE)
        gw_buffer_append_text(out, "Connection: close\r\n");
    gw_buffer_append_text(out, "\r\n");
}

int gw_http1_write_head(const struct gw_http1_reply *reply, struct gw_buffer *out, struct gw_error *err)
{
    int rc = check_headers(reply, err);
    if (rc)
        return rc;
    write_status_line(reply->status, out);
    for (size_t i = 0; i < reply->header_count; i++) {
        const struct gw_http1_header *header = &reply->headers[i];
        gw_buffer_append(out, header->name, header->name_length);
        gw_buffer_append_text(out, ": ");
        gw_buffer_append(out, header->value, header->value_length);
        gw_buffer_append_text(out, "\r\n");
    }
    write_framing(reply, out);
    return 0;
}

size_t gw_http1_chunk_prefix(size_t length, char out[GW_HTTP1_CHUNK_PREFIX_MAX])
{
    static const char hex[] = "0123456789abcdef";
    size_t count = 1;
    for (size_t rest = length >> 4; rest; rest >>= 4)
        count++;
    for (size_t i = count; i-- > 0; length >>= 4)
        out[i] = hex[length & 15];
    out[count] = '\r';
    out[count + 1] = '\n';
    return count + 2;
}
