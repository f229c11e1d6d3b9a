/* hello.c: enqueues a task, works until nothing is left. Kill it anywhere and start it again. */
#include <stdio.h>
#include <rota/rota.h>

static enum rota_outcome greet(struct rota_job *job, void *arg)
{
	struct rota_bytes name = rota_job_payload(job);

	(void)arg;
	printf("hello, %.*s\n", (int)name.size, (const char *)name.data);
	return ROTA_OUTCOME_COMPLETE;
}

int main(void)
{
	struct rota_task task = ROTA_TASK(.type = "greet", .payload = {"world", 5});
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_worker *worker = NULL;
	struct rota_store *store = NULL;
	struct rota_error err;

	options.drain = 1; /* without it, run works until rota_worker_stop() */
	int failed = rota_store_open("hello.db", NULL, &store, &err) ||
		     rota_task_enqueue(store, &task, 1, NULL, &err) ||
		     rota_worker_new(store, &options, &worker, &err) ||
		     rota_worker_handle(worker, "greet", greet, NULL, &err) ||
		     rota_worker_run(worker, &err);
	if (failed)
		fprintf(stderr, "%s\n", err.message);
	rota_worker_free(worker);
	rota_store_close(store);
	return failed;
}
