/* info.h: what the store knows, as JSON and in words. */
#ifndef ROTA_CLI_INFO_H
#define ROTA_CLI_INFO_H
#include <stdbool.h>
#include <jansson.h>
#include <rota/task.h>
#include "base/error.h"

/* Objects are built by these; out of memory, or text that is no UTF-8, makes the object NULL at the
 * end (cli_out_json says it). NULL and 0 arguments are left out where that means "none". */
void cli_json_text(json_t *object, const char *name, const char *text);
void cli_json_number(json_t *object, const char *name, int64_t value);
void cli_json_time(json_t *object, const char *name, rota_time time);
void cli_json_duration(json_t *object, const char *name, rota_duration length);
/* A text when it is one, else NAME_base64; none at all: null. */
void cli_json_bytes(json_t *object, const char *name, struct rota_bytes bytes);
/* JSON as JSON, text as text. */
void cli_json_value(json_t *object, const char *name, struct rota_bytes bytes);

json_t *cli_info_json(const struct rota_task_info *info, bool whole);
json_t *cli_claimed_json(const struct rota_claimed *claimed);
/* {"id":7,"ok":false,"status":"not found","error":"…"} */
json_t *cli_answer_json(rota_id id, enum rota_status status, const char *error);
/* The seven counts, by state. */
void cli_json_counts(json_t *object, const uint64_t count[7]);

#endif
