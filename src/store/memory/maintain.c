/* maintain.c: what time does to tasks, a slice at a time: leases end, tasks expire or are due, old ones
 * and the names they kept go. Of every namespace: whoever comes does it for all. */
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

struct maintain {
	struct rota_session *session;
	struct rota_op_maintain *op;
	size_t left; /* of the slice of the kind that runs now */
};

/* True while there is room for one more; else somebody has to come again. */
static bool room(struct maintain *m)
{
	if (m->left) {
		m->left--;
		return true;
	}
	m->op->ret_more = true;
	return false;
}

static void next_in(struct maintain *m, rota_duration in)
{
	m->op->ret_next = ROTA_MIN(m->op->ret_next, ROTA_MAX(in, 0));
}

/* ---- rescue ---- */

static bool lose(struct rota_session *session, struct rota_mem_task *task)
{
	struct rota_facts facts = task->d.facts;
	struct rota_effect effect = { .changed = false };

	rota_rule_lose(&facts, session->date, &effect);
	return rota_mem_store_facts(session, task, &facts, &effect, NULL);
}

static bool leases_ended(struct maintain *m)
{
	struct rota_session *session = m->session;
	struct rota_mem_node *n;

	while ((n = rota_mem_tree_first(&session->store->leased))) {
		struct rota_mem_task *task = ROTA_MEM_TASK(n, place);

		if (task->d.lease_tick > session->tick) {
			if (task->d.lease_tick != ROTA_TICK_NEVER)
				next_in(m, task->d.lease_tick - session->tick);
			break;
		}
		if (!room(m))
			break;
		if (!lose(session, task))
			return false;
	}
	return true;
}

/* *ret_all false: there was no room for all of them. */
static bool leases_lose(struct maintain *m, const struct rota_mem_tree *leases, bool *ret_all)
{
	struct rota_mem_node *n;

	*ret_all = false;
	while ((n = rota_mem_tree_first(leases))) {
		if (!room(m))
			return true;
		if (!lose(m->session, ROTA_MEM_TASK(n, holding)))
			return false;
	}
	*ret_all = true;
	return true;
}

static bool worker_gone(struct maintain *m, struct rota_mem_worker *worker)
{
	bool all;

	if (!leases_lose(m, &worker->leases, &all))
		return false;
	return !all || rota_mem_remove(&m->session->store->journal, &worker->row);
}

static bool workers_gone(struct maintain *m)
{
	struct rota_mem_node *next;

	for (struct rota_mem_node *n = rota_mem_tree_first(&m->session->store->workers); n; n = next) {
		struct rota_mem_worker *worker = ROTA_CONTAINER(n, struct rota_mem_worker, node);

		next = rota_mem_tree_next(n);
		if (worker->d.left && !worker_gone(m, worker))
			return false;
	}
	return true;
}

static bool rescue(struct maintain *m)
{
	bool all;

	return leases_ended(m) && workers_gone(m) && leases_lose(m, &m->session->store->orphans, &all);
}

/* ---- expire, promote ---- */

static bool expire(struct maintain *m)
{
	struct rota_session *session = m->session;
	struct rota_mem_node *n;

	while ((n = rota_mem_tree_first(&session->store->expiring))) {
		struct rota_mem_task *task = ROTA_MEM_TASK(n, expiry);
		struct rota_facts facts = task->d.facts;
		struct rota_effect effect = { .changed = false };

		if (facts.expires_at > session->date) {
			next_in(m, facts.expires_at - session->date);
			break;
		}
		if (!room(m))
			break;
		rota_rule_expire(&facts, session->date, &effect);
		if (!rota_mem_store_facts(session, task, &facts, &effect, NULL))
			return false;
	}
	return true;
}

static bool promote(struct maintain *m)
{
	struct rota_session *session = m->session;
	struct rota_mem_node *n;

	while ((n = rota_mem_tree_first(&session->store->scheduled))) {
		struct rota_mem_task *task = ROTA_MEM_TASK(n, place);
		struct rota_facts facts = task->d.facts;
		struct rota_effect effect = { .changed = false };

		if (facts.run_at > session->date) {
			next_in(m, facts.run_at - session->date);
			break;
		}
		if (!room(m))
			break;
		rota_rule_due(&facts, session->date, &effect);
		if (!rota_mem_store_facts(session, task, &facts, &effect, NULL))
			return false;
	}
	return true;
}

/* ---- prune ---- */

static bool queue_prune(struct maintain *m, struct rota_mem_queue *queue, int class)
{
	rota_duration keep = rota_mem_keep(queue, class);
	struct rota_mem_node *n;

	while (keep != ROTA_FOREVER && (n = rota_mem_tree_first(&queue->done[class]))) {
		struct rota_mem_task *task = ROTA_MEM_TASK(n, place);
		rota_time until = rota_time_add(task->d.facts.finished_at, keep);

		if (until > m->session->date) {
			next_in(m, until - m->session->date);
			break;
		}
		if (!room(m))
			break;
		if (!rota_mem_task_remove(m->session, task, (int)task->d.facts.state))
			return false;
	}
	return true;
}

static bool space_prune(struct maintain *m, const struct rota_mem_space *space)
{
	struct rota_mem_node *n = rota_mem_tree_first(&space->queues);

	for (; n; n = rota_mem_tree_next(n)) {
		struct rota_mem_queue *queue = ROTA_CONTAINER(n, struct rota_mem_queue, node);

		if (!queue_prune(m, queue, 0) || !queue_prune(m, queue, 1))
			return false;
	}
	return true;
}

static bool graves_free(struct maintain *m)
{
	struct rota_mem_node *n;

	while ((n = rota_mem_tree_first(&m->session->store->graves))) {
		struct rota_mem_key *key = ROTA_CONTAINER(n, struct rota_mem_key, grave);

		if (key->d.free_at > m->session->date) {
			next_in(m, key->d.free_at - m->session->date);
			break;
		}
		if (!room(m))
			break;
		if (!rota_mem_remove(&m->session->store->journal, &key->row))
			return false;
	}
	return true;
}

static bool prune(struct maintain *m)
{
	for (const struct rota_mem_space *s = m->session->store->spaces; s; s = s->next) {
		if (!space_prune(m, s))
			return false;
	}
	return graves_free(m);
}

/* ---- all of it ---- */

/* Tasks that expire do not become ready first, and what is freed by an end is there for the next kind. */
static bool maintain(struct rota_session *session, struct rota_op_maintain *op)
{
	static bool (*const kinds[])(struct maintain *) = { rescue, expire, promote, prune };
	struct maintain m = { .session = session, .op = op };

	op->ret_more = false;
	op->ret_next = ROTA_FOREVER;
	for (size_t i = 0; i < ROTA_COUNT(kinds); i++) {
		m.left = op->slice;
		if (!kinds[i](&m) || !rota_mem_settle(session))
			return false;
	}
	return true;
}

enum rota_status rota_mem_run_maintain(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		rota_mem_op_start(session);
		if (!maintain(session, &ops[i]->u.maintain))
			return rota_err_memory(err);
	}
	return ROTA_OK;
}
