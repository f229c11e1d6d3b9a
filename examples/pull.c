/* pull.c: the worker's calls one by one, for programs that have a loop of their own: claim, say
 * that one is still at it, finish. Every call after the claim carries the token of the lease;
 * should the lease be over and somebody else have the task, the answer is ROTA_STALE_LEASE and
 * nothing changed. */
#include <inttypes.h>
#include <stdio.h>
#include <rota/rota.h>

static enum rota_status work(
	struct rota_store *store, const struct rota_claimed *task, struct rota_error *err)
{
	struct rota_verdict verdict = ROTA_INIT(rota_verdict);
	struct rota_bytes progress = {"{\"done\":1,\"total\":2}", 20};
	enum rota_status status;
	int cancelled = 0;

	printf("task %" PRId64 ", attempt %d, token %" PRId64 ": %.*s\n", task->id, task->attempt,
		task->token, (int)task->payload.size, (const char *)task->payload.data);
	status = rota_task_progress(
		store, task->id, task->token, progress, "half way", &cancelled, err);
	if (!status)
		status = rota_task_extend(
			store, task->id, task->token, ROTA_SECONDS(30), &cancelled, err);
	if (status)
		return status; /* not ours any more: drop it */
	verdict.id = task->id;
	verdict.token = task->token;
	verdict.outcome = cancelled ? ROTA_OUTCOME_CANCEL : ROTA_OUTCOME_COMPLETE;
	verdict.result = (struct rota_bytes){"done", 4};
	return rota_task_finish(store, &verdict, 1, NULL, err);
}

int main(void)
{
	struct rota_task task =
		ROTA_TASK(.type = "invoice", .queue = "mine", .payload = {"order 42", 8});
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	const char *queues[] = {"mine"};
	struct rota_claims *claims = NULL;
	struct rota_store *store = NULL;
	struct rota_error err;
	int failed;

	options.queues = queues;
	options.queue_count = 1;
	options.wait = ROTA_SECONDS(5); /* blocks until there is something */
	failed = rota_store_open("pull.db", NULL, &store, &err) ||
		 rota_task_enqueue(store, &task, 1, NULL, &err) ||
		 rota_task_claim(store, &options, &claims, NULL, &err);
	for (size_t i = 0; !failed && i < claims->count; i++)
		failed = work(store, claims->tasks[i], &err) != ROTA_OK;
	if (failed)
		fprintf(stderr, "%s\n", err.message);
	rota_claims_free(claims);
	rota_store_close(store);
	return failed;
}
