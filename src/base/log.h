/* log.h: lines on stderr for the program; the library itself only has callbacks (worker.h). */
#ifndef ROTA_BASE_LOG_H
#define ROTA_BASE_LOG_H
#include <rota/status.h>
/* One line, `rota: TEXT`, written with one write(2) so that lines of several threads do not mix. */
void rota_log_line(const char *format, ...) ROTA_TEXT(1);
#endif
