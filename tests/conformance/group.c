/* Operations that share a transaction: each sees those before it, and one's refusal is nobody else's. */
#include "suite.h"
#include "base/limits.h"

struct member {
	struct rota_op op;
	struct rota_arena arena;
	bool done;
};

static void member_done(struct rota_op *op)
{
	((struct member *)op->owner)->done = true;
}

static void submit(struct member *m, enum rota_op_kind kind)
{
	m->op.kind = kind;
	m->op.done = member_done;
	m->op.owner = m;
	rota_arena_init(&m->arena, 0);
	m->op.arena = &m->arena;
	CHECK_OK(rota_store_submit(store, &m->op, &err), &err);
}

/* Everything submitted is one group: nobody stepped the lane since. */
static void together(struct member *members, size_t n)
{
	CHECK_OK(rota_store_flush(store, ROTA_SECONDS(5), &err), &err);
	for (size_t i = 0; i < n; i++)
		CHECK(members[i].done);
}

static void over(struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rota_arena_deinit(&members[i].arena);
}

CASE(conflict_of_one_member_does_not_sink_the_group)
{
	struct rota_task a = ROTA_TASK(.type = "t", .key = "a"), b = ROTA_TASK(.type = "t", .key = "b");
	struct rota_task two[] = { ROTA_TASK(.type = "t", .key = "c"), ROTA_TASK(.type = "t", .key = "a") };
	struct member m[4] = { 0 };
	rota_id ids[4] = { 0 }, found = 0;

	for (size_t i = 0; i < 4; i++) {
		m[i].op.u.enqueue.tasks = i == 0 ? &a : i == 1 ? &a : i == 2 ? two : &b;
		m[i].op.u.enqueue.count = i == 2 ? 2 : 1;
		m[i].op.u.enqueue.ret_ids = i == 2 ? NULL : &ids[i];
		submit(&m[i], ROTA_OP_ENQUEUE);
	}
	together(m, 4);
	CHECK_EQ(m[0].op.err.status, ROTA_OK);
	CHECK_EQ(m[1].op.err.status, ROTA_EXISTS);
	CHECK_EQ(m[2].op.err.status, ROTA_EXISTS);
	CHECK_EQ(m[2].op.err.item, 2);
	CHECK_EQ(m[3].op.err.status, ROTA_OK);
	CHECK_EQ(ids[3], ids[0] + 1); /* the refused ones consumed no ids */
	CHECK_STATUS(rota_task_find(store, "c", &found, &err), ROTA_NOT_FOUND, &err);
	over(m, 4);
}

CASE(members_of_a_group_see_what_those_before_them_did)
{
	rota_id first = PUT(), second = PUT(AFTER(ON(first))), doomed = PUT(.signals = 1);
	struct rota_verdict v = verdict(take_id(first), ROTA_OUTCOME_COMPLETE);
	struct rota_task task = ROTA_TASK(.type = "t", .key = "new", AFTER(ON(first)));
	struct member m[5] = { 0 };
	enum rota_status each = ROTA_BUSY;
	rota_id id = 0;

	/* Submitted in the wrong order: they run kind by kind, enqueue, finish, cancel, delete, claim. */
	m[0].op.u.claim = (struct rota_op_claim){ .worker = "w", .tasks_max = 9, .bytes_max = 1 << 20,
		.lease = ROTA_SECONDS(9) };
	submit(&m[0], ROTA_OP_CLAIM);
	m[1].op.u.finish = (struct rota_op_finish){ .verdicts = &v, .count = 1, .ret_each = &each };
	submit(&m[1], ROTA_OP_FINISH);
	m[2].op.u.delete = (struct rota_op_delete){ .ids = &doomed, .count = 1 };
	submit(&m[2], ROTA_OP_DELETE);
	m[3].op.u.ids = (struct rota_op_ids){ .ids = &doomed, .count = 1 };
	submit(&m[3], ROTA_OP_CANCEL);
	m[4].op.u.enqueue = (struct rota_op_enqueue){ .tasks = &task, .count = 1, .ret_ids = &id };
	submit(&m[4], ROTA_OP_ENQUEUE);
	together(m, 5);
	CHECK_EQ(each, ROTA_OK);
	CHECK_EQ(m[2].op.u.delete.ret_deleted, 1);
	CHECK_EQ(m[0].op.u.claim.ret_count, 2);
	CHECK_EQ(m[0].op.u.claim.ret_tasks[0]->id, second);
	CHECK_EQ(m[0].op.u.claim.ret_tasks[1]->id, id);
	CHECK(gone(doomed));
	over(m, 5);
}

CASE(two_claims_in_one_group_get_different_tasks)
{
	struct member m[3] = { 0 };
	size_t total = 0;

	for (int i = 0; i < 5; i++)
		PUT();
	for (size_t i = 0; i < 3; i++) {
		m[i].op.u.claim = (struct rota_op_claim){ .worker = "w", .tasks_max = 2, .bytes_max = 1 << 20,
			.lease = ROTA_SECONDS(9) };
		submit(&m[i], ROTA_OP_CLAIM);
	}
	together(m, 3);
	for (size_t i = 0; i < 3; i++)
		total += m[i].op.u.claim.ret_count;
	CHECK_EQ(total, 5);
	CHECK(m[0].op.u.claim.ret_tasks[0]->id != m[1].op.u.claim.ret_tasks[0]->id);
	take_none();
	over(m, 3);
}

CASE(many_finishes_in_one_group_meet_at_one_successor)
{
	enum { N = 50 };
	static struct member m[N];
	static struct rota_verdict v[N];
	static enum rota_status each[N];
	struct rota_dependency deps[N];
	struct rota_task report = ROTA_TASK(.type = "report", .after = deps, .after_count = N);
	struct rota_claims *claims;
	rota_id id;

	for (size_t i = 0; i < N; i++)
		deps[i] = ON(PUT());
	id = put(report);
	claims = CLAIM(.tasks_max = N);
	for (size_t i = 0; i < N; i++) {
		v[i] = verdict((struct lease){ claims->tasks[i]->id, claims->tasks[i]->token, NULL },
			i % 2 ? ROTA_OUTCOME_COMPLETE : ROTA_OUTCOME_FAIL);
		m[i].op.u.finish = (struct rota_op_finish){ .verdicts = &v[i], .count = 1, .ret_each = &each[i] };
		submit(&m[i], ROTA_OP_FINISH);
	}
	together(m, N);
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_EQ(get(id)->failed_dependencies, N / 2);
	over(m, N);
}
