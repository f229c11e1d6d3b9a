/* Memory that runs out: an answer, and nothing half done. */
#include "suite.h"
#include "base/limits.h"

/* Calls act (after prepare, which may be NULL) with the nth allocation failing, and those after it, for
 * every n until it does its work without one. Whatever fails must say so and change nothing. */
static void starve(void (*prepare)(void), enum rota_status (*act)(void))
{
	uint64_t n = 1;
	bool failed;

	do {
		const char *before;
		enum rota_status status;

		CHECK_MSG(n < 5000, "it never ends");
		if (prepare)
			prepare();
		before = picture();
		test_alloc_fail(n++, true);
		status = act();
		failed = test_alloc_failed();
		test_alloc_recover();
		if (status) {
			CHECK_STATUS(status, ROTA_NO_MEMORY, &err);
			CHECK_UNCHANGED(before);
		}
	} while (failed);
}

static rota_id subject;
static int64_t token;

static enum rota_status starve_enqueue(void)
{
	static char key[32];
	static int round;
	struct rota_task tasks[] = {
		ROTA_TASK(.type = key, .queue = key, .key = key, .title = "t", .payload = TEXT("p"),
			AFTER(ON(subject), ON_NTH(2))),
		ROTA_TASK(.type = TYPE),
	};

	snprintf(key, sizeof(key), "new%d", round++);
	return rota_task_enqueue(store, tasks, 2, NULL, &err);
}

CASE(enqueue_without_memory_changes_nothing)
{
	subject = PUT();
	starve(NULL, starve_enqueue);
}

static enum rota_status starve_claim(void)
{
	struct rota_claims *claims = NULL;
	enum rota_status status = rota_task_claim(store, NULL, &claims, NULL, &err);

	if (!status)
		rota_claims_free(claims);
	return status;
}

CASE(claim_without_memory_changes_nothing)
{
	for (int i = 0; i < 200; i++)
		PUT(.payload = TEXT("p"), .title = "t");
	starve(NULL, starve_claim);
}

static enum rota_status starve_finish(void)
{
	struct rota_verdict v = verdict((struct lease){ subject, token, NULL }, ROTA_OUTCOME_COMPLETE);
	struct rota_task follow_up = ROTA_TASK(.type = "next", .queue = "new", .title = "follow-up");

	v.result = (struct rota_bytes)TEXT("result");
	v.status_text = "text";
	v.follow_ups = &follow_up;
	v.follow_up_count = 1;
	return rota_task_finish(store, &v, 1, NULL, &err);
}

static rota_id last;

static void prepare_finish(void)
{
	subject = PUT();
	last = PUT(AFTER(ON(subject)));
	token = take_id(subject).token;
}

CASE(finish_without_memory_changes_nothing)
{
	starve(prepare_finish, starve_finish);
	CHECK_STATE(subject, ROTA_STATE_COMPLETED);
	CHECK_STATE(last, ROTA_STATE_READY);
}

static enum rota_status starve_delete(void)
{
	return rota_task_delete(store, &subject, 1, ROTA_DELETE_CASCADE, NULL, NULL, &err);
}

static void prepare_delete(void)
{
	rota_id other = PUT(), child;
	char key[24];

	snprintf(key, sizeof(key), "key %lld", (long long)other);
	subject = PUT(.key = key, .dedup_for = ROTA_SECONDS(5));
	child = PUT(AFTER(ON(subject)));
	last = PUT(AFTER(ON(child), ON(other)));
}

CASE(delete_without_memory_changes_nothing)
{
	starve(prepare_delete, starve_delete);
	CHECK(gone(subject) && !gone(last));
	CHECK_EQ(get(last)->pending, 1);
}

static enum rota_status starve_cancel(void)
{
	return rota_task_cancel(store, &subject, 1, "why", NULL, &err);
}

static void prepare_cancel(void)
{
	subject = PUT();
	last = PUT(AFTER(OR_CANCEL(ON(PUT(AFTER(OR_CANCEL(ON(subject))))))));
}

CASE(cancel_without_memory_changes_nothing)
{
	starve(prepare_cancel, starve_cancel);
	CHECK_STATE(last, ROTA_STATE_CANCELLED);
}

static enum rota_status starve_signal(void)
{
	return rota_task_signal(store, subject, "name", &err);
}

static void prepare_signal(void)
{
	subject = PUT(.signals = 1);
}

CASE(signal_without_memory_changes_nothing)
{
	starve(prepare_signal, starve_signal);
	CHECK_STATE(subject, ROTA_STATE_READY);
}

static enum rota_status starve_get(void)
{
	struct rota_task_info *info = NULL;
	enum rota_status status = rota_task_get(store, subject, &info, &err);

	if (!status)
		rota_task_info_free(info);
	return status;
}

CASE(get_without_memory_says_so)
{
	rota_id other = PUT();

	subject = PUT(.key = "a", .title = "t", .payload = TEXT("p"), AFTER(ON(other)));
	starve(NULL, starve_get);
}
