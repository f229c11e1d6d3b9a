/* moves.c: what the rules decided, carried out. */
#include <string.h>
#include "base/macros.h"
#include "store/memory/memory.h"

#define EDGE(node, member) ROTA_CONTAINER(node, struct rota_mem_edge, member)

static struct rota_mem_journal *journal_of(struct rota_session *session)
{
	return &session->store->journal;
}

static void tell(struct rota_session *session, const struct rota_mem_task *task,
	const struct rota_effect *effect)
{
	const struct rota_facts *facts = &task->d.facts;

	if (effect->ready)
		session->news->ready = true;
	if (facts->state == ROTA_STATE_SCHEDULED)
		rota_news_due(session->news, facts->run_at - session->date);
	if (facts->expires_at && facts->state < ROTA_STATE_RUNNING)
		rota_news_due(session->news, facts->expires_at - session->date);
	if (effect->ended)
		rota_news_ended(session->news, facts->id, (int)facts->state);
}

/* before: the facts of the lease that the row is about. One lease leaves one row: what is said late,
 * under a lease that was lost, says it better. */
static bool attempt_note(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_facts *before, const struct rota_effect *effect, const char *error)
{
	struct rota_mem_attempt_data data = {
		.attempt = effect->attempt,
		.token = before->token,
		.outcome = effect->attempt_outcome,
		.started_at = before->started_at,
		.finished_at = session->date,
	};
	struct rota_mem_node *last = rota_mem_tree_last(&task->attempts);
	struct rota_mem_attempt *old = last ? ROTA_CONTAINER(last, struct rota_mem_attempt, node) : NULL;

	if (old && old->d.token == data.token && !rota_mem_remove(journal_of(session), &old->row))
		return false;
	return rota_mem_attempt_add(session, task, &data, task->d.worker, error);
}

static bool data_store(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_facts *facts, const char *error)
{
	/* Who held the lease, and until when, stays: it counts only while the task runs, and whoever
	 * resumes a lost lease gets it back. */
	task->d.facts = *facts;
	task->d.updated_at = session->date;
	return !error || rota_mem_set(journal_of(session), &task->d.last_error, error, strlen(error));
}

bool rota_mem_store_facts(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_facts *facts, const struct rota_effect *effect, const char *error)
{
	struct rota_facts before = task->d.facts;
	bool done;

	error = rota_rule_error(effect, error, &session->scratch);
	if (!rota_mem_change(journal_of(session), &task->row))
		return false;
	done = data_store(session, task, facts, error);
	rota_mem_changed(&task->row);
	if (!done)
		return false;
	if (effect->attempt_row && !attempt_note(session, task, &before, effect, error))
		return false;
	tell(session, task, effect);
	if (effect->ended) {
		task->next_ended = session->ended;
		session->ended = task;
	}
	return true;
}

bool rota_mem_arrive(struct rota_session *session, struct rota_mem_task *task, int64_t arrivals,
	int64_t failures, bool cancel)
{
	struct rota_facts facts = task->d.facts;
	struct rota_effect effect = { .changed = false };

	rota_rule_arrive(&facts, arrivals, failures, cancel, session->date, &effect);
	return !effect.changed || rota_mem_store_facts(session, task, &facts, &effect, NULL);
}

/* ---- what follows from an end ---- */

static bool edge_settle(struct rota_session *session, struct rota_mem_edge *edge, bool failed)
{
	if (edge->d.settled)
		return true;
	if (!rota_mem_change(journal_of(session), &edge->row))
		return false;
	edge->d.settled = failed ? 2 : 1;
	rota_mem_changed(&edge->row);
	return rota_mem_arrive(session, edge->to, 1, failed,
		failed && edge->d.failed == ROTA_AFTER_CANCEL);
}

static bool successors_settle(struct rota_session *session, struct rota_mem_task *task)
{
	bool failed = task->d.facts.state != ROTA_STATE_COMPLETED;

	for (struct rota_mem_node *n = rota_mem_tree_first(&task->out); n; n = rota_mem_tree_next(n)) {
		if (!edge_settle(session, EDGE(n, out), failed))
			return false;
	}
	return true;
}

bool rota_mem_settle(struct rota_session *session)
{
	while (session->ended) {
		struct rota_mem_task *task = session->ended;
		enum rota_state state = task->d.facts.state;
		rota_duration keep = rota_mem_keep(task->d.lane->queue, rota_mem_class(state));

		session->ended = task->next_ended;
		if (!successors_settle(session, task))
			return false;
		if (!keep && !rota_mem_task_remove(session, task, (int)state))
			return false;
		rota_news_due(session->news, keep);
	}
	return true;
}

/* ---- the end of a row ---- */

static bool edges_remove(struct rota_session *session, struct rota_mem_task *task)
{
	struct rota_mem_node *n;

	while ((n = rota_mem_tree_first(&task->in))) {
		if (!rota_mem_remove(journal_of(session), &EDGE(n, in)->row))
			return false;
	}
	while ((n = rota_mem_tree_first(&task->out))) {
		struct rota_mem_edge *edge = EDGE(n, out);

		if (edge->to->mark != session->mark && !edge_settle(session, edge, true))
			return false;
		if (!rota_mem_remove(journal_of(session), &edge->row))
			return false;
	}
	return true;
}

static bool details_remove(struct rota_session *session, struct rota_mem_task *task)
{
	struct rota_mem_node *n;

	while ((n = rota_mem_tree_first(&task->attempts))) {
		struct rota_mem_attempt *attempt = ROTA_CONTAINER(n, struct rota_mem_attempt, node);

		if (!rota_mem_remove(journal_of(session), &attempt->row))
			return false;
	}
	while ((n = rota_mem_tree_first(&task->signals))) {
		struct rota_mem_signal *signal = ROTA_CONTAINER(n, struct rota_mem_signal, node);

		if (!rota_mem_remove(journal_of(session), &signal->row))
			return false;
	}
	return true;
}

/* A pruned task's key counts from its end, a deleted one's from now. */
static bool key_release(struct rota_session *session, struct rota_mem_task *task, int state)
{
	struct rota_mem_key *key;
	rota_time from = state < 0 ? session->date : task->d.facts.finished_at, free_at;

	if (!task->d.key)
		return true;
	key = rota_mem_key_find(session, task->d.key);
	free_at = rota_time_add(from, task->d.dedup_for);
	ROTA_ASSERT(key && key->d.task == task);
	if (!task->d.dedup_for || free_at <= session->date)
		return rota_mem_remove(journal_of(session), &key->row);
	if (!rota_mem_change(journal_of(session), &key->row))
		return false;
	key->d.task = NULL;
	key->d.state = state;
	key->d.free_at = free_at;
	rota_mem_changed(&key->row);
	return true;
}

bool rota_mem_task_remove(struct rota_session *session, struct rota_mem_task *task, int state)
{
	if (!edges_remove(session, task) || !details_remove(session, task))
		return false;
	if (!key_release(session, task, state))
		return false;
	if (state != ROTA_STATE_COMPLETED && !rota_mem_gone_add(session, task->d.facts.id, state))
		return false;
	if (state < 0)
		rota_news_ended(session->news, task->d.facts.id, -1);
	return rota_mem_remove(journal_of(session), &task->row);
}
