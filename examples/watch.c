/* watch.c: waiting, progress and cancel. A worker runs in a thread; the main thread puts in a short
 * task and an endless one, waits for the first, looks at how far the second is, and cancels it. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <rota/rota.h>

static enum rota_outcome answer(struct rota_job *job, void *arg)
{
	(void)arg;
	return rota_job_complete(job, "42", 2);
}

/* A handler is asked to stop, never forced: it looks from time to time. */
static enum rota_outcome endless(struct rota_job *job, void *arg)
{
	(void)arg;
	for (int64_t done = 0;; done++) {
		rota_job_progress(job, done, 0);
		if (rota_job_sleep(job, ROTA_MS(20)) != ROTA_STOP_NONE)
			return rota_job_cancel(job, "asked to stop after %" PRId64 " rounds", done);
	}
}

static void *run(void *worker)
{
	struct rota_error err;

	if (rota_worker_run(worker, &err))
		fprintf(stderr, "worker: %s\n", err.message);
	return NULL;
}

static void print(struct rota_store *store, rota_id id)
{
	struct rota_task_info *task = NULL;
	struct rota_error err;

	if (rota_task_get(store, id, &task, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return;
	}
	printf("%s is %s; progress %.*s; result %.*s; %s\n", task->type,
		rota_state_name(task->state), (int)task->progress.size,
		task->progress.data ? (const char *)task->progress.data : "",
		(int)task->result.size, task->result.data ? (const char *)task->result.data : "",
		task->last_error ? task->last_error : "no error");
	rota_task_info_free(task);
}

static enum rota_status play(struct rota_store *store, struct rota_error *err)
{
	struct rota_task tasks[] = {ROTA_TASK(.type = "answer"), ROTA_TASK(.type = "endless")};
	enum rota_status status;
	rota_id ids[2];

	status = rota_task_enqueue(store, tasks, 2, ids, err);
	if (!status)
		status = rota_task_wait(store, ids, 1, 1, ROTA_SECONDS(30), NULL, err);
	if (!status)
		print(store, ids[0]);
	/* Not final after two seconds: that is an answer too. */
	if (!status &&
		rota_task_wait(store, ids + 1, 1, 1, ROTA_SECONDS(2), NULL, err) != ROTA_TIMED_OUT)
		return ROTA_INVALID;
	if (!status)
		print(store, ids[1]);
	if (!status)
		status = rota_task_cancel(store, ids + 1, 1, "seen enough", NULL, err);
	if (!status)
		status = rota_task_wait(store, ids + 1, 1, 1, ROTA_SECONDS(30), NULL, err);
	if (!status)
		print(store, ids[1]);
	return status;
}

static int with_worker(struct rota_store *store, struct rota_worker *worker, struct rota_error *err)
{
	pthread_t thread;
	int failed;

	if (rota_worker_handle(worker, "answer", answer, NULL, err) ||
		rota_worker_handle(worker, "endless", endless, NULL, err))
		return 1;
	if (pthread_create(&thread, NULL, run, worker))
		return 1;
	failed = play(store, err) != ROTA_OK;
	rota_worker_stop(worker);
	pthread_join(thread, NULL);
	return failed;
}

int main(void)
{
	struct rota_worker *worker = NULL;
	struct rota_store *store = NULL;
	struct rota_error err = {.message = ""};

	int failed = rota_store_open("watch.db", NULL, &store, &err) ||
		     rota_worker_new(store, NULL, &worker, &err) ||
		     with_worker(store, worker, &err);
	if (failed)
		fprintf(stderr, "%s\n", err.message);
	rota_worker_free(worker);
	rota_store_close(store);
	return failed;
}
