/* graph.c: a graph in one call. Four parts, a sum that waits for all of them, a mail that is
 * cancelled should the sum fail. The order of the array does not matter; an edge names the n-th
 * task of the call (from 1), a key, or an id of a task that is there already.
 *
 *   part ─┐
 *   part ─┼─▶ sum ─▶ mail
 *   part ─┤
 *   part ─┘                                                                                    */
#include <inttypes.h>
#include <stdio.h>
#include <rota/rota.h>

#define PARTS 4

/* Adds up the numbers of one range; the payload is the part's number. */
static enum rota_outcome part(struct rota_job *job, void *arg)
{
	struct rota_bytes payload = rota_job_payload(job);
	const int32_t *number = payload.data;
	int64_t sum = 0;

	(void)arg;
	if (payload.size != sizeof(*number))
		return rota_job_fail(job, "a payload of %zu bytes is no part", payload.size);
	for (int64_t i = *number * 1000 + 1; i <= (*number + 1) * 1000; i++)
		sum += i;
	return rota_job_complete(job, &sum, sizeof(sum));
}

/* Reads the parts' results from the store: they are its predecessors. */
static enum rota_outcome sum(struct rota_job *job, void *arg)
{
	struct rota_store *store = arg;
	struct rota_task_info *self = NULL;
	struct rota_error err;
	int64_t sum = 0;

	if (rota_task_get(store, rota_job_task(job), &self, &err))
		return rota_job_retry(job, "%s", err.message);
	for (size_t i = 0; i < self->predecessor_count; i++) {
		struct rota_task_info *part = NULL;

		if (rota_task_get(store, self->predecessors[i]->task, &part, &err))
			break;
		if (part->result.size == sizeof(int64_t))
			sum += *(const int64_t *)part->result.data;
		rota_task_info_free(part);
	}
	rota_task_info_free(self);
	printf("sum %" PRId64 "\n", sum);
	return sum == PARTS * 1000 * (PARTS * 1000 + 1) / 2
		       ? rota_job_complete(job, &sum, sizeof(sum))
		       : rota_job_fail(job, "wrong: %" PRId64, sum);
}

static enum rota_outcome mail(struct rota_job *job, void *arg)
{
	(void)arg;
	printf("mail about task %" PRId64 "\n", rota_job_task(job));
	return ROTA_OUTCOME_COMPLETE;
}

static enum rota_status enqueue(struct rota_store *store, struct rota_error *err)
{
	static const int32_t numbers[PARTS] = {0, 1, 2, 3};
	static const struct rota_dependency parts[PARTS] = {
		{.nth = 1}, {.nth = 2}, {.nth = 3}, {.nth = 4}};
	static const struct rota_dependency after_sum = {
		.key = "sum-of-today", .failed = ROTA_AFTER_CANCEL};
	struct rota_task tasks[PARTS + 2];

	for (int i = 0; i < PARTS; i++)
		tasks[i] = ROTA_TASK(.type = "part", .payload = {&numbers[i], sizeof(numbers[i])});
	tasks[PARTS] = ROTA_TASK(.type = "sum", .key = "sum-of-today", .after = parts,
		.after_count = PARTS);
	tasks[PARTS + 1] = ROTA_TASK(.type = "mail", .after = &after_sum, .after_count = 1);
	return rota_task_enqueue(store, tasks, PARTS + 2, NULL, err);
}

int main(void)
{
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_worker *worker = NULL;
	struct rota_store *store = NULL;
	struct rota_error err;

	options.drain = 1;
	int failed = rota_store_open("graph.db", NULL, &store, &err) || enqueue(store, &err) ||
		     rota_worker_new(store, &options, &worker, &err) ||
		     rota_worker_handle(worker, "part", part, NULL, &err) ||
		     rota_worker_handle(worker, "sum", sum, store, &err) ||
		     rota_worker_handle(worker, "mail", mail, NULL, &err) ||
		     rota_worker_run(worker, &err);
	if (failed)
		fprintf(stderr, "%s\n", err.message);
	rota_worker_free(worker);
	rota_store_close(store);
	return failed;
}
