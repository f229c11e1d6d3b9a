/* The one file that names backends. */
#include <ctype.h>
#include <string.h>
#include "store/internal.h"
#include "base/error.h"
#include "base/macros.h"

static const struct rota_backend_vtable *const backends[] = { &rota_sqlite_backend, &rota_memory_backend };

/* The length of "scheme" in "scheme:rest"; 0: none. One letter would be a drive or a typo. */
static size_t scheme_length(const char *url)
{
	size_t n = 0;

	while (isalnum((unsigned char)url[n]) || (n && (url[n] == '+' || url[n] == '-')))
		n++;
	return n > 1 && url[n] == ':' ? n : 0;
}

enum rota_status rota_backend_find(const char *url, const struct rota_backend_vtable **ret_vt,
	const char **ret_place, struct rota_error *err)
{
	size_t n = url ? scheme_length(url) : 0;

	if (!url || !*url)
		return rota_err(err, ROTA_INVALID, "the store's URL is blank; try a path like \"app.db\"");
	if (!n) {
		*ret_vt = &rota_sqlite_backend;
		*ret_place = url;
		return ROTA_OK;
	}
	for (size_t i = 0; i < ROTA_COUNT(backends); i++) {
		if (strlen(backends[i]->name) != n || memcmp(backends[i]->name, url, n) != 0)
			continue;
		*ret_vt = backends[i];
		*ret_place = url + n + 1;
		if (backends[i] == &rota_sqlite_backend && !**ret_place)
			return rota_err(err, ROTA_INVALID, "\"sqlite:\" needs a path after it, as in \"sqlite:app.db\"");
		return ROTA_OK;
	}
	if (!strncmp(url, "postgres", 8))
		return rota_err(err, ROTA_UNSUPPORTED, "this rota has no PostgreSQL store yet; use a path or sqlite:PATH");
	return rota_err(err, ROTA_INVALID,
		"unknown store scheme \"%.*s:\"; use a path, sqlite:PATH or memory: (./%.40s for a file of that name)",
		(int)n, url, url);
}
