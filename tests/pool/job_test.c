/* What a handler may say and ask. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/macros.h"
#include "pool/pool.h"
#include "test.h"

struct box {
	struct rota_job job;
	struct rota_arena arena;
	_Atomic int ended;
	enum rota_outcome outcome;
	char status[ROTA_TEXT_BYTES_MAX + 16];
	char progress[256];
	int progress_calls;
};

static void box_ended(struct rota_job *job, enum rota_outcome outcome)
{
	struct box *box = ROTA_CONTAINER(job, struct box, job);
	box->outcome = outcome;
	atomic_fetch_add(&box->ended, 1);
}

static void box_status(struct rota_job *job, const char *text)
{
	struct box *box = ROTA_CONTAINER(job, struct box, job);
	CHECK(strlen(text) < sizeof(box->status));
	strcpy(box->status, text);
}

static void box_progress(struct rota_job *job, struct rota_bytes progress)
{
	struct box *box = ROTA_CONTAINER(job, struct box, job);
	CHECK(progress.size < sizeof(box->progress));
	memcpy(box->progress, progress.data, progress.size);
	box->progress[progress.size] = 0;
	box->progress_calls++;
}

static const struct rota_origin box_origin = {
	.ended = box_ended,
	.status = box_status,
	.progress = box_progress,
};

static struct box *box_new(rota_handler_fn *run, void *arg)
{
	struct box *box = calloc(1, sizeof(*box));
	CHECK(box);
	rota_job_init(&box->job, &box_origin, run, arg);
	rota_arena_init(&box->arena, ROTA_JOB_BYTES_MAX);
	box->job.arena = &box->arena;
	return box;
}

static void box_free(struct box *box)
{
	rota_job_deinit(&box->job);
	rota_arena_deinit(&box->arena);
	free(box);
}

TEST(reasons_are_formatted_and_delays_are_kept)
{
	struct box *box = box_new(NULL, NULL);
	CHECK_EQ(rota_job_fail(&box->job, "no such file: %s (%d)", "a.txt", 7), ROTA_OUTCOME_FAIL);
	CHECK_STR(box->job.text, "no such file: a.txt (7)");
	CHECK_EQ(rota_job_retry_after(&box->job, ROTA_SECONDS(3), "later"), ROTA_OUTCOME_RETRY);
	CHECK_EQ(box->job.has_delay, 1);
	CHECK_EQ(box->job.delay, ROTA_SECONDS(3));
	CHECK_EQ(rota_job_retry(&box->job, "%s", "now"), ROTA_OUTCOME_RETRY);
	CHECK_EQ(box->job.has_delay, 0);
	CHECK_EQ(rota_job_snooze(&box->job, -5, NULL), ROTA_OUTCOME_SNOOZE);
	CHECK_EQ(box->job.delay, 0);
	CHECK(box->job.text == NULL);
	CHECK_EQ(rota_job_cancel(&box->job, "not needed"), ROTA_OUTCOME_CANCEL);
	CHECK_STR(box->job.text, "not needed");
	CHECK_EQ(rota_job_release(&box->job), ROTA_OUTCOME_RELEASE);
	CHECK(box->job.text == NULL);
	box_free(box);
}

TEST(a_long_reason_is_cut_at_a_character)
{
	struct box *box = box_new(NULL, NULL);
	char *big = malloc(200001);
	CHECK(big);
	for (size_t i = 0; i < 200000; i += 2)
		memcpy(big + i, "\xc3\xa9", 2);
	big[200000] = 0;
	(void)rota_job_fail(&box->job, "x%s", big);
	CHECK_EQ(strlen(box->job.text), ROTA_TEXT_BYTES_MAX - 1); /* 1 + 2n */
	(void)rota_job_fail(&box->job, "bad \xff byte");
	CHECK_STR(box->job.text, "bad ? byte");
	rota_job_status(&box->job, "%s", big);
	CHECK_EQ(strlen(box->status), ROTA_TEXT_BYTES_MAX);
	free(big);
	box_free(box);
}

TEST(a_result_is_copied_and_none_differs_from_empty)
{
	struct box *box = box_new(NULL, NULL);
	char text[] = "result";
	CHECK_EQ(rota_job_complete(&box->job, text, 6), ROTA_OUTCOME_COMPLETE);
	text[0] = 'x';
	CHECK_EQ(box->job.result.size, 6);
	CHECK(memcmp(box->job.result.data, "result", 6) == 0);
	CHECK_EQ(rota_job_complete(&box->job, "", 0), ROTA_OUTCOME_COMPLETE);
	CHECK(box->job.result.data != NULL);
	CHECK_EQ(rota_job_complete(&box->job, NULL, 0), ROTA_OUTCOME_COMPLETE);
	CHECK(box->job.result.data == NULL);
	box_free(box);
}

TEST(a_result_above_the_limit_fails_the_attempt)
{
	struct box *box = box_new(NULL, NULL);
	CHECK_EQ(rota_job_complete(&box->job, "", (size_t)ROTA_RESULT_BYTES_MAX + 1),
		ROTA_OUTCOME_RETRY);
	CHECK_HAS(box->job.text, "16777217 bytes is above the limit");
	box_free(box);
}

TEST(progress_reaches_the_origin_and_too_much_of_it_is_ignored)
{
	struct box *box = box_new(NULL, NULL);
	char *big = calloc(1, ROTA_PROGRESS_BYTES_MAX + 1);
	rota_job_progress(&box->job, 3, 10);
	CHECK_STR(box->progress, "{\"done\":3,\"total\":10}");
	rota_job_progress_bytes(&box->job, big, ROTA_PROGRESS_BYTES_MAX + 1);
	rota_job_progress_bytes(&box->job, NULL, 0);
	CHECK_EQ(box->progress_calls, 1);
	rota_job_status(&box->job, "at %d", 3);
	CHECK_STR(box->status, "at 3");
	free(big);
	box_free(box);
}

TEST(what_a_plain_job_lacks_is_answered)
{
	struct rota_job job;
	struct rota_error err;
	struct rota_task task = ROTA_TASK(.type = "x");
	rota_job_init(&job, NULL, NULL, NULL);
	CHECK_EQ(rota_job_task(&job), 0);
	CHECK_EQ(rota_job_token(&job), 0);
	CHECK_EQ(rota_job_attempt(&job), 1);
	CHECK(rota_job_claimed(&job) == NULL);
	CHECK_STATUS(rota_job_enqueue(&job, &task, 1, &err), ROTA_UNSUPPORTED, &err);
	rota_job_progress(&job, 1, 2);
	rota_job_status(&job, "nobody listens");
	CHECK_EQ(rota_job_fail(&job, "kept nowhere"), ROTA_OUTCOME_FAIL);
	rota_job_deinit(&job);
}

/* ---- being stopped ---- */

static bool readable(int fd)
{
	struct pollfd at = {.fd = fd, .events = POLLIN};
	return poll(&at, 1, 0) == 1;
}

TEST(the_first_stop_reason_stays_and_the_descriptor_shows_it)
{
	struct box *box = box_new(NULL, NULL);
	int fd = rota_job_cancel_fd(&box->job);
	CHECK(fd >= 0);
	CHECK_EQ(rota_job_cancel_fd(&box->job), fd);
	CHECK(!readable(fd));
	rota_job_stop(&box->job, ROTA_STOP_TIMEOUT);
	rota_job_stop(&box->job, ROTA_STOP_CANCELLED);
	CHECK_EQ(rota_job_cancelled(&box->job), ROTA_STOP_TIMEOUT);
	CHECK(readable(fd));
	CHECK_EQ(rota_job_sleep(&box->job, ROTA_FOREVER), ROTA_STOP_TIMEOUT);
	box_free(box);
}

TEST(a_descriptor_asked_for_after_the_stop_is_readable)
{
	struct box *box = box_new(NULL, NULL);
	rota_job_stop(&box->job, ROTA_STOP_CANCELLED);
	CHECK(readable(rota_job_cancel_fd(&box->job)));
	box_free(box);
}

static void *stop_soon(void *arg)
{
	usleep(2000);
	rota_job_stop(arg, ROTA_STOP_CANCELLED);
	return NULL;
}

TEST(a_sleeping_job_wakes_when_stopped)
{
	struct box *box = box_new(NULL, NULL);
	pthread_t other;
	CHECK_EQ(pthread_create(&other, NULL, stop_soon, &box->job), 0);
	CHECK_EQ(rota_job_sleep(&box->job, ROTA_FOREVER), ROTA_STOP_CANCELLED);
	pthread_join(other, NULL);
	box_free(box);
}

TEST(a_job_sleeps_as_long_as_asked)
{
	struct rota_world *world = test_world_new(1);
	struct box *box = box_new(NULL, NULL);
	box->job.world = world;
	rota_tick before = world->now(world);
	CHECK_EQ(rota_job_sleep(&box->job, ROTA_SECONDS(90)), ROTA_STOP_NONE);
	CHECK_EQ(world->now(world) - before, ROTA_SECONDS(90));
	box_free(box);
	test_world_free(world);
}

/* ---- later ---- */

struct handover {
	pthread_t thread;
	struct box *box;
	int linger_us; /* between starting the other thread and returning */
};

static void *end_elsewhere(void *arg)
{
	struct handover *handover = arg;
	rota_job_end(&handover->box->job, rota_job_complete(&handover->box->job, "x", 1));
	return NULL;
}

static enum rota_outcome hand_over(struct rota_job *job, void *arg)
{
	struct handover *handover = arg;
	(void)job;
	CHECK_EQ(pthread_create(&handover->thread, NULL, end_elsewhere, handover), 0);
	usleep((useconds_t)handover->linger_us);
	return ROTA_OUTCOME_LATER;
}

TEST(a_job_ended_elsewhere_ends_once_whoever_comes_first)
{
	struct rota_pool_options options = ROTA_INIT(rota_pool_options);
	struct rota_pool *pool = NULL;
	options.threads = 1;
	CHECK_OK(rota_pool_new(&options, &pool, NULL), NULL);
	for (int i = 0; i < 60; i++) {
		struct handover handover = {.linger_us = i % 3 * 100};
		struct box *box = handover.box = box_new(hand_over, &handover);
		rota_pool_submit(pool, &box->job, 1);
		while (!atomic_load(&box->ended))
			usleep(50);
		pthread_join(handover.thread, NULL);
		CHECK_EQ(atomic_load(&box->ended), 1);
		CHECK_EQ(box->outcome, ROTA_OUTCOME_COMPLETE);
		CHECK_EQ(box->job.result.size, 1);
		box_free(box);
	}
	rota_pool_free(pool);
}
