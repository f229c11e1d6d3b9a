/* Some days in the life of three workers, at random: handlers that sleep, fail and say anything;
 * workers that die in the middle; a store that goes away, and answers that are lost; a calendar
 * that jumps. In the end every task is final, and none was completed twice. */
#include "rig.h"

enum { TASKS = 120, EVENTS = 25 };

struct sim {
	struct rig *rig;
	uint64_t dice;
	int events, deaths;
	const struct rota_job
		*runs[TASKS + 1]; /* the task runs now; NULL: not, or in a dead worker */
	int completed_by_handler[TASKS + 1];
};

static uint64_t roll(struct sim *sim, uint64_t sides)
{
	return test_random(&sim->dice) % sides;
}

static enum rota_outcome speak(struct sim *sim, struct rota_job *job)
{
	switch (roll(sim, 12)) {
	case 0:
		return rota_job_retry(job, "dice");
	case 1:
		return rota_job_retry_after(job, (rota_duration)roll(sim, 5000000), "dice");
	case 2:
		return rota_job_snooze(job, (rota_duration)roll(sim, 20000000), NULL);
	case 3:
		return rota_job_release(job);
	case 4:
		return rota_job_fail(job, "dice");
	default:
		return rota_job_complete(job, "done", 4);
	}
}

static enum rota_outcome act(struct rota_job *job, void *arg)
{
	struct sim *sim = arg;
	rota_id id = rota_job_task(job);
	enum rota_stop_reason reason = ROTA_STOP_NONE;
	const struct rota_job *other = sim->runs[id];
	CHECK_MSG(!other || rota_job_cancelled(other), "task %lld runs twice", (long long)id);
	sim->runs[id] = job;
	if (roll(sim, 3) == 0)
		rota_job_progress(job, (int64_t)roll(sim, 100), 100);
	if (roll(sim, 3) == 0)
		reason = rota_job_sleep(job, (rota_duration)roll(sim, 8000000));
	if (sim->runs[id] == job)
		sim->runs[id] = NULL;
	if (reason != ROTA_STOP_NONE)
		return rota_job_retry(job, "stopped: %d", (int)reason);
	enum rota_outcome outcome = speak(sim, job);
	sim->completed_by_handler[id] += outcome == ROTA_OUTCOME_COMPLETE;
	return outcome;
}

static void new_worker(struct sim *sim)
{
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	options.concurrency = 1 + (uint32_t)roll(sim, 4);
	options.lease = ROTA_SECONDS(20);
	struct rota_worker *worker = rig_worker(sim->rig, &options);
	rig_handle(worker, "x", act, sim);
	rig_start(sim->rig, worker);
}

/* The dead run nothing. */
static void forget_runs(struct sim *sim, const struct rota_worker *dead)
{
	for (int id = 0; id <= TASKS; id++) {
		const struct rota_job *job = sim->runs[id];
		if (job && ROTA_CONTAINER(job, struct rota_attempt, job)->worker == dead)
			sim->runs[id] = NULL;
	}
}

static void something_happens(struct rig *rig)
{
	struct sim *sim = rig->data;
	rota_time date = rig->world.date(&rig->world);
	rig->fault.begin = ROTA_OK;
	size_t who = roll(sim, rig->worker_count);
	switch (roll(sim, 6)) {
	case 0:
		forget_runs(sim, rig->workers[who]);
		rig_kill(rig, rig->workers[who]);
		sim->deaths++;
		new_worker(sim);
		break;
	case 1:
		rig->fault.begin = ROTA_UNAVAILABLE;
		break;
	case 2:
		rig->fault.commit_lost = ROTA_UNCERTAIN;
		break;
	case 3:
		rig->fault.run[ROTA_OP_FINISH] = ROTA_UNCERTAIN;
		break;
	case 4:
		rig->fault.run[ROTA_OP_CLAIM] = ROTA_BUSY;
		break;
	default:
		test_world_set_date(
			rig->clock, date + (rota_duration)roll(sim, 7200000000) - 3600000000);
	}
	if (--sim->events > 0) {
		rig->action = something_happens;
		rig->action_at = rig->world.now(&rig->world) + (rota_duration)roll(sim, 10000000);
	} else {
		rig->fault.begin = ROTA_OK;
	}
}

static uint64_t completed_by_all(const struct rig *rig)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < rig->worker_count; i++) {
		struct rota_worker_counts counts;
		rota_worker_counts(rig->workers[i], &counts);
		sum += counts.completed;
	}
	return sum;
}

static void enqueue_all(struct sim *sim)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);
	retry.attempts_max = -1;
	retry.backoff_max = ROTA_SECONDS(30);
	for (int i = 0; i < TASKS; i++)
		rig_enqueue(sim->rig->store,
			ROTA_TASK(.type = "x", .retry = &retry,
				.timeout = (rota_duration)roll(sim, 2) * ROTA_SECONDS(6),
				.delay = (rota_duration)roll(sim, 60000000)));
}

static void live(const char *kind, uint64_t seed)
{
	struct sim sim = {.rig = rig_new(kind), .dice = seed, .events = EVENTS};
	struct rig *rig = sim.rig;
	uint64_t final_completed = 0;
	rig->data = &sim;
	rig_fault(rig);
	enqueue_all(&sim);
	for (int i = 0; i < 3; i++)
		new_worker(&sim);
	rig->action = something_happens;
	rig->action_at = rig->world.now(&rig->world) + ROTA_SECONDS(1);
	for (rota_id id = 1; id <= TASKS; id++) {
		int state = rig_wait_final(rig, id);
		CHECK(state == ROTA_STATE_COMPLETED || state == ROTA_STATE_FAILED);
		CHECK_MSG(state != ROTA_STATE_COMPLETED || sim.completed_by_handler[id] > 0,
			"task %lld is complete, and no handler said so", (long long)id);
		final_completed += state == ROTA_STATE_COMPLETED;
	}
	rig->action = NULL;
	memset(rig->fault.run, 0, sizeof(rig->fault.run));
	rig->fault.begin = rig->fault.commit_lost = ROTA_OK;
	rig_pass(rig, ROTA_SECONDS(60));
	/* What dead workers had completed is not in the counts of the living. */
	CHECK_MSG(completed_by_all(rig) <= final_completed, "%llu are complete, workers claim %llu",
		(unsigned long long)final_completed, (unsigned long long)completed_by_all(rig));
	CHECK_MSG(sim.deaths || completed_by_all(rig) == final_completed,
		"a completion was not counted");
	for (rota_id id = 1; id <= TASKS; id++)
		CHECK_OK(rota_task_delete(rig->store, &id, 1, 0, NULL, NULL, NULL), NULL);
	rig_free(rig);
}

STORE_TEST(whatever_happens_every_task_ends_once)
{
	uint64_t seed = test_seed();
	live(kind, seed);
}
