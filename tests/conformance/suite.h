/* suite.h: what the tests of the conformance suite share.
 *
 * A CASE runs in a virtual world, in the namespace "ours" of a store that also holds decoys: tasks with
 * the same keys, queues and types in the namespace "theirs". At its end the decoys must be as they
 * were. Texts and rows that helpers answer live until the end of the test. */
#ifndef ROTA_CONFORMANCE_SUITE_H
#define ROTA_CONFORMANCE_SUITE_H
#include "test.h"
#include "show.h"
#include "store/store.h"

extern struct rota_world *world;
extern struct rota_store *store;
extern struct rota_error err;

/* real: with threads, for what needs several at once. */
void suite_start(bool real);
void suite_end(void);
#define CASE_IN(name, real, seconds) \
	static void case_of_##name(void); \
	TEST_LIMIT(name, seconds) \
	{ \
		suite_start(real); \
		case_of_##name(); \
		suite_end(); \
	} \
	static void case_of_##name(void)
#define CASE(name) CASE_IN(name, false, 0)
#define CASE_LIMIT(name, seconds) CASE_IN(name, false, seconds)
#define CASE_REAL(name) CASE_IN(name, true, 0)

/* Another handle on the same store; closed at the end. NULL: the namespace "ours". */
struct rota_store *another(const char *name_space);

void advance(rota_duration by);
rota_time now(void);
/* Maintenance runs when somebody claims; this claim takes nothing. */
void maintain(void);

/* ---- putting ---- */

#define TYPE "work"
rota_id put(struct rota_task task); /* type filled in when there is none */
#define PUT(...) put(ROTA_TASK(__VA_ARGS__))
/* All of them, by one call. */
void put_all(struct rota_task *tasks, size_t n, rota_id *ret_ids);
enum rota_status try_put(struct rota_task *tasks, size_t n);
/* A dependency on an id, a key, a place. */
#define ON(id_) ((struct rota_dependency){ .id = (id_) })
#define ON_KEY(key_) ((struct rota_dependency){ .key = (key_) })
#define ON_NTH(nth_) ((struct rota_dependency){ .nth = (nth_) })
static inline struct rota_dependency OR_CANCEL(struct rota_dependency dep)
{
	dep.failed = ROTA_AFTER_CANCEL;
	return dep;
}
#define AFTER(...) \
	.after = (struct rota_dependency[]){ __VA_ARGS__ }, \
	.after_count = sizeof((struct rota_dependency[]){ __VA_ARGS__ }) / sizeof(struct rota_dependency)
#define BEFORE(...) \
	.before = (struct rota_dependency[]){ __VA_ARGS__ }, \
	.before_count = sizeof((struct rota_dependency[]){ __VA_ARGS__ }) / sizeof(struct rota_dependency)
#define TEXT(text) { (text), sizeof(text) - 1 }

/* ---- working ---- */

struct lease {
	rota_id id;
	int64_t token;
	const struct rota_claimed *task;
};
struct rota_claims *claim(struct rota_claim_options options); /* freed at the end */
#define CLAIM(...) claim((struct rota_claim_options){ .size = sizeof(struct rota_claim_options), __VA_ARGS__ })
struct lease take(void);           /* the next task; there must be one */
struct lease take_id(rota_id id);  /* exactly this one; it must be ready */
struct lease take_for(rota_id id, rota_duration lease);
void take_none(void);              /* nothing is to be had */

struct rota_verdict verdict(struct lease lease, enum rota_outcome outcome);
enum rota_status try_finish(struct rota_verdict verdict);
void finish(struct rota_verdict verdict);
void complete(struct lease lease);
void fail(struct lease lease);
void retry_at_once(struct lease lease);
void run(rota_id id); /* take and complete */

/* ---- looking ---- */

const struct rota_task_info *get(rota_id id);
enum rota_state state_of(rota_id id);
bool gone(rota_id id);
#define CHECK_STATE(id, state) CHECK_STR(rota_state_name(state_of(id)), rota_state_name(state))
const char *picture(void); /* of everything in the namespace */
#define CHECK_UNCHANGED(before) check_unchanged(__FILE__, __LINE__, before)
void check_unchanged(const char *file, int line, const char *before);
bool on_sqlite(void);

/* Other statuses than OK in one call. */
void cancel(rota_id id);
void operator_retry(rota_id id);
uint64_t delete_tasks(const rota_id *ids, size_t n, uint32_t flags);
void delete_one(rota_id id);
void keep(rota_duration completed, rota_duration failed); /* of the default queue */
#endif
