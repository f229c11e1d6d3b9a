/* log.c: whole lines on stderr. */
#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX 4096 /* what a pipe takes in one piece */

void rota_log_line(const char *format, ...)
{
	char line[LINE_BYTES_MAX] = "rota: ";
	size_t start = strlen(line), room = sizeof(line) - start - 1, size;
	va_list args;
	int made;

	va_start(args, format);
	made = vsnprintf(line + start, room, format, args);
	va_end(args);
	size = made < 0 ? 0 : ROTA_MIN((size_t)made, room - 1);
	rota_utf8_mend(line + start, size);
	for (size_t i = start; i < start + size; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[start + size] = '\n';
	/* a log that cannot be written has nobody to tell */
	if (write(STDERR_FILENO, line, start + size + 1) < 0)
		return;
}
