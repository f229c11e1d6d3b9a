/* look.h (internal): a task as its reader gets it. */
#ifndef ROTA_STORE_SQLITE_LOOK_H
#define ROTA_STORE_SQLITE_LOOK_H
#include "store/sqlite/row.h"
/* want: ROTA_GET_…; edges and attempts are the caller's. */
enum rota_status rota_info_make(struct rota_session *session, const struct rota_row *row,
	uint32_t want, struct rota_arena *arena, struct rota_task_info **ret);
#endif
