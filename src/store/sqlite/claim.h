/* claim.h (internal): a claim in progress. */
#ifndef ROTA_STORE_SQLITE_CLAIM_H
#define ROTA_STORE_SQLITE_CLAIM_H
#include "store/sqlite/row.h"

/* A ready task, read but not yet taken. */
struct rota_candidate {
	struct rota_claimed *claimed;
	struct rota_facts facts; /* what the rules of claiming look at */
	size_t bytes;
};

struct rota_claim {
	struct rota_session *session;
	struct rota_op *op;
	struct rota_op_claim *c;
	int64_t holder;
	rota_tick lease_until;
	rota_time lease_date;
	uint32_t flags_off, flags_on;
	bool by_hand;
	size_t bytes, stored; /* payload bytes taken; tasks written */
};

/* claim.c */
bool rota_candidate_read(struct rota_claim *claim, sqlite3_stmt *s, struct rota_candidate *to);
enum rota_status rota_candidate_extra(struct rota_claim *claim, struct rota_candidate *to);
bool rota_candidate_expired(const struct rota_claim *claim, const struct rota_candidate *candidate);
enum rota_status rota_candidate_fits(
	struct rota_claim *claim, struct rota_candidate *candidate, bool *ret);
enum rota_status rota_candidate_take(struct rota_claim *claim, struct rota_candidate *candidate);
enum rota_status rota_claim_store(struct rota_claim *claim);
/* claim_stream.c */
enum rota_status rota_claim_best(struct rota_claim *claim);
#endif
