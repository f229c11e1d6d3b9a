#include "store/store.h"
#include "base/limits.h"
#include "base/macros.h"

/* Room for ROTA_NEWS_MAX is taken at once: a group either ends few tasks or very many. */
static bool room(struct rota_news *news, void **list, size_t count, size_t size)
{
	if (news->overflow)
		return false;
	if (!*list)
		*list = rota_arena_alloc(news->arena, ROTA_NEWS_MAX * size);
	if (!*list || count >= ROTA_NEWS_MAX)
		news->overflow = true;
	return !news->overflow;
}

void rota_news_ended(struct rota_news *news, rota_id id, int state)
{
	void *list = news->ended;

	if (!news->want_ended || !room(news, &list, news->ended_count, sizeof(*news->ended)))
		return;
	news->ended = list;
	news->ended[news->ended_count++] = (struct rota_ended){ .id = id, .state = (int8_t)state };
}

void rota_news_cancel(struct rota_news *news, rota_id id)
{
	void *list = news->cancels;

	if (!news->want_ended || !room(news, &list, news->cancel_count, sizeof(*news->cancels)))
		return;
	news->cancels = list;
	news->cancels[news->cancel_count++] = id;
}

void rota_news_due(struct rota_news *news, rota_duration in)
{
	if (in < news->due_in)
		news->due_in = in < 0 ? 0 : in;
}
