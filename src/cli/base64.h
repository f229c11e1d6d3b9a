/* base64.h: RFC 4648, with padding; for payloads that are no text. */
#ifndef ROTA_CLI_BASE64_H
#define ROTA_CLI_BASE64_H
#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include <rota/status.h>
/* out has room for size / 4 * 3 + 3 bytes. False: not base64. */
bool cli_base64_decode(const char *text, size_t size, char *out, size_t *ret_size);
/* A new JSON string; NULL: no memory. */
json_t *cli_base64_json(struct rota_bytes bytes);
#endif
