/* keeper.h: places of process groups in memory shared with the keeper. */
#ifndef ROTA_EXEC_KEEPER_H
#define ROTA_EXEC_KEEPER_H
#include <stdatomic.h>
#include "exec/exec.h"
typedef _Atomic int32_t rota_keeper_slot; /* 0: free, -1: taken, else a process group */
/* NULL: no keeper or no place; then only PR_SET_PDEATHSIG protects. */
rota_keeper_slot *rota_keeper_take(struct rota_keeper *keeper);
/* After the group was killed and before its leader is reaped: the number may then be somebody's. */
void rota_keeper_give(rota_keeper_slot *slot);
#endif
