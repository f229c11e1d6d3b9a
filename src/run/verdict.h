/* verdict.h: what a handler said, with why it was stopped, as the store will hear it. */
#ifndef ROTA_RUN_VERDICT_H
#define ROTA_RUN_VERDICT_H
#include "run/engine.h"

/* Everything it points to is the attempt's. On the handler's side, before the attempt ends. */
void rota_verdict_make(
	struct rota_attempt *attempt, enum rota_outcome outcome, struct rota_verdict *ret);
#endif
