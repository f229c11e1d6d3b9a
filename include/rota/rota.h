/* rota.h: everything. */
#ifndef ROTA_H
#define ROTA_H
#include <rota/worker.h>
#endif
