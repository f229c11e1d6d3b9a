/* rules.h: what the files of rules share; nobody else needs it. */
#ifndef ROTA_CORE_RULES_H
#define ROTA_CORE_RULES_H
#include "core/facts.h"

/* The one place where a state changes; asserts that the table has the move. */
void rota_rule_move(struct rota_facts *facts, enum rota_event event, enum rota_state to,
	struct rota_effect *effect);
/* Into a final state. */
void rota_rule_end(struct rota_facts *facts, enum rota_event event, enum rota_state to,
	rota_time now, struct rota_effect *effect);
/* Nobody is in time any more: the last lease is settled, without an outcome if none was said. */
void rota_rule_disown(struct rota_facts *facts);
/* COMPLETED, FAILED, CANCELLED; ROTA_OK: not final. */
enum rota_status rota_rule_final_status(enum rota_state state);
#endif
