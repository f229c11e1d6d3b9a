/* moves.c: the table of moves against one that was written down again, by hand. */
#include "test.h"
#include "base/macros.h"
#include "core/state.h"

/* Columns are where a move comes from, letters where it may go:
 * b(locked) s(cheduled) r(eady) R(unning) C(ompleted) F(ailed) X(cancelled). */
struct row {
	const char *event;
	const char *from[1 + ROTA_STATE_COUNT]; /* none, then the states in order */
};
static const struct row rows[] = {
	{"enqueue", {"bsr", "", "", "", "", "", "", ""}},
	{"arrive", {"", "sr", "", "", "", "", "", ""}},
	{"due", {"", "", "r", "", "", "", "", ""}},
	{"claim", {"", "", "", "R", "", "", "", ""}},
	{"complete", {"", "", "C", "C", "C", "", "", ""}},
	{"fail", {"", "", "F", "F", "F", "", "", ""}},
	{"cancelled by handler", {"", "", "X", "X", "X", "", "", ""}},
	{"retry", {"", "", "srF", "srF", "srFX", "", "", ""}},
	{"snooze", {"", "", "sr", "sr", "srX", "", "", ""}},
	{"release", {"", "", "r", "r", "rX", "", "", ""}},
	{"lease lost", {"", "", "", "", "srFX", "", "", ""}},
	{"late extend", {"", "", "R", "R", "", "", "", ""}},
	{"cancel", {"", "X", "X", "X", "", "", "", ""}},
	{"predecessor failed", {"", "X", "", "", "", "", "", ""}},
	{"expire", {"", "F", "F", "F", "", "", "", ""}},
	{"operator retry", {"", "", "", "", "", "bsr", "bsr", "bsr"}},
	{"replace", {"", "b", "sr", "sr", "", "", "", ""}},
};

static const char letters[] = "bsrRCFX";

TEST(every_event_moves_every_state_exactly_as_the_table_says)
{
	CHECK_EQ(ROTA_COUNT(rows), ROTA_EVENT_COUNT);
	for (int event = 0; event < ROTA_EVENT_COUNT; event++) {
		CHECK_STR(rota_event_name((enum rota_event)event), rows[event].event);
		for (int from = ROTA_STATE_NONE; from < ROTA_STATE_COUNT; from++) {
			for (int to = 0; to < ROTA_STATE_COUNT; to++) {
				bool want = strchr(rows[event].from[from + 1], letters[to]);

				CHECK_MSG(rota_move_allowed((enum rota_event)event, from,
						  (enum rota_state)to) == want,
					"%s: %d → %c", rows[event].event, from, letters[to]);
			}
		}
	}
}

TEST(no_event_but_an_operators_retry_leaves_a_final_state)
{
	for (int event = 0; event < ROTA_EVENT_COUNT; event++)
		for (int from = ROTA_STATE_COMPLETED; from < ROTA_STATE_COUNT; from++)
			for (int to = 0; to < ROTA_STATE_COUNT; to++)
				CHECK(event == ROTA_EVENT_REVIVE ||
					!rota_move_allowed(
						(enum rota_event)event, from, (enum rota_state)to));
}

TEST(what_is_no_event_or_no_state_moves_nothing)
{
	for (int event = -3; event < ROTA_EVENT_COUNT + 3; event++) {
		for (int from = -3; from < ROTA_STATE_COUNT + 3; from++) {
			CHECK(!rota_move_allowed(
				(enum rota_event)event, from, (enum rota_state) - 1));
			CHECK(!rota_move_allowed(
				(enum rota_event)event, from, (enum rota_state)ROTA_STATE_COUNT));
		}
		CHECK(!rota_move_allowed((enum rota_event)event, -2, ROTA_STATE_READY));
		CHECK(!rota_move_allowed(
			(enum rota_event)event, ROTA_STATE_COUNT, ROTA_STATE_READY));
	}
	CHECK(!rota_move_allowed(ROTA_EVENT_COUNT, ROTA_STATE_READY, ROTA_STATE_READY));
}

TEST(states_have_names_that_can_be_read_back)
{
	static const char *const names[] = {
		"blocked", "scheduled", "ready", "running", "completed", "failed", "cancelled"};
	enum rota_state state;

	for (int i = 0; i < ROTA_STATE_COUNT; i++) {
		CHECK_STR(rota_state_name((enum rota_state)i), names[i]);
		CHECK(rota_state_parse(names[i], &state));
		CHECK_EQ(state, i);
		CHECK_EQ(rota_state_final(state), i >= ROTA_STATE_COMPLETED);
	}
	state = ROTA_STATE_READY;
	CHECK(!rota_state_parse("Ready", &state));
	CHECK(!rota_state_parse("", &state));
	CHECK(!rota_state_parse("ready ", &state));
	CHECK_EQ(state, ROTA_STATE_READY);
}

TEST(names_of_what_does_not_exist_are_words_too)
{
	CHECK_STR(rota_state_name((enum rota_state)99), "unknown state");
	CHECK_STR(rota_state_name((enum rota_state) - 1), "unknown state");
	CHECK_STR(rota_event_name((enum rota_event)99), "unknown event");
	CHECK_STR(rota_outcome_name((enum rota_outcome)99), "unknown outcome");
	CHECK_STR(rota_outcome_name(ROTA_OUTCOME_SNOOZE), "snooze");
	CHECK_STR(rota_outcome_name(ROTA_OUTCOME_LATER), "later");
}
