/* limits.h: every ceiling and every default, one line of why each. */
#ifndef ROTA_BASE_LIMITS_H
#define ROTA_BASE_LIMITS_H
#include <rota/status.h>

/* ---- ceilings ---- */
#define ROTA_NAME_BYTES_MAX 255              /* queue, type, namespace, worker, channel: they sit in indexes */
#define ROTA_KEY_BYTES_MAX 1024              /* in a unique index as well; URLs and paths should fit */
#define ROTA_TITLE_BYTES_MAX 1024            /* one line for a person */
#define ROTA_TEXT_BYTES_MAX (64 << 10)       /* status_text, last_error: the tail of a log, not the log */
#define ROTA_PAYLOAD_BYTES_MAX (64 << 20)    /* larger things belong in files, the payload names them */
#define ROTA_RESULT_BYTES_MAX (16 << 20)     /* kept until pruned */
#define ROTA_PROGRESS_BYTES_MAX (64 << 10)   /* rewritten with every heartbeat */
#define ROTA_TRACEPARENT_BYTES_MAX 512       /* W3C says 55; room for what vendors do */
#define ROTA_TASKS_PER_CALL_MAX (1 << 20)    /* more: rota_task_enqueue_from, which is bounded */
#define ROTA_EDGES_PER_TASK_MAX (1 << 20)    /* one report over a million parts */
#define ROTA_IDS_PER_CALL_MAX (1 << 20)      /* cancel, retry, delete, finish, wait */
#define ROTA_CLAIM_TASKS_MAX 10000           /* one transaction must stay short for the other writers */
#define ROTA_BUFFER_TASKS_MAX 100000         /* of one worker, in hand at once: each takes about 2 KiB */
#define ROTA_CLAIM_BYTES_MAX (16 << 20)      /* a claim's payloads in memory; at least one task is given */
#define ROTA_LIST_MAX 100000                 /* rows of one list answer */
#define ROTA_QUEUES_MAX 10000                /* per namespace; a claim looks at each */
#define ROTA_TYPES_MAX 10000                 /* per file */
#define ROTA_SIGNALS_MAX 1000000             /* awaited by one task */
#define ROTA_ATTEMPTS_KEPT_MAX 100           /* rows in attempts per task: unlimited tries must not fill the disk */
#define ROTA_GROUP_OPS_MAX 4096              /* operations in one group commit */
#define ROTA_GROUP_TASKS_MAX 20000           /* tasks in one group commit, to bound its memory and its latency */
#define ROTA_STREAM_EDGES_MAX (2 << 20)      /* edges remembered to find cycles in enqueue_from: 32 MiB */
#define ROTA_DURATION_MAX (INT64_C(366) * 1000 * 86400 * 1000000) /* 1000 years: anything above is a mistake */
#define ROTA_TIME_MAX INT64_C(253370764800000000) /* 9999-01-01; every formatter copes below it */
#define ROTA_IN_FLIGHT_BYTES (64 << 20)      /* rota_task_submit: backpressure before memory is gone */
#define ROTA_NEWS_MAX 8192                   /* ended tasks named per group; above, waiters look for themselves */
#define ROTA_BLOB_INLINE_MAX 2048            /* payloads above live beside the row, so that a claim does not rewrite them */
#define ROTA_WORKER_SLOTS_MAX 4096           /* worker processes of one machine on one file: a byte each to lock */
#define ROTA_POOL_THREADS_MAX 4096           /* threads of one pool: more only take memory and turns */
#define ROTA_JOB_BYTES_MAX (96 << 20)        /* what a handler leaves: result, text and follow-ups together */

/* ---- defaults ---- */
#define ROTA_DEFAULT_QUEUE "default"
#define ROTA_DEFAULT_ATTEMPTS 25             /* about 13 hours with the default backoff; the number is what Sidekiq and River take */
#define ROTA_DEFAULT_BACKOFF_MIN ROTA_SECONDS(1)
#define ROTA_DEFAULT_BACKOFF_MAX ROTA_SECONDS(3600)
#define ROTA_DEFAULT_DOUBLINGS 16            /* as Cloud Tasks */
#define ROTA_DEFAULT_JITTER_PERCENT 10       /* herds thin out, times stay readable */
#define ROTA_DEFAULT_KEEP_COMPLETED (ROTA_SECONDS(86400))
#define ROTA_DEFAULT_KEEP_FAILED (ROTA_SECONDS(86400) * 30)
#define ROTA_DEFAULT_CLAIM_LEASE ROTA_SECONDS(60)   /* by hand: a person may think */
#define ROTA_DEFAULT_WORKER_LEASE ROTA_SECONDS(30)  /* renewed every third */
#define ROTA_DEFAULT_STOP_GRACE ROTA_SECONDS(10)
#define ROTA_DEFAULT_ERROR_WAIT ROTA_MS(500)
#define ROTA_DEFAULT_LOCK_TIMEOUT ROTA_SECONDS(10)
#define ROTA_DEFAULT_POLL ROTA_MS(100)
#define ROTA_DEFAULT_CLAIM_MAX 1000          /* commits cost the same for 1 or 1000 */
#define ROTA_MAINTAIN_EVERY ROTA_SECONDS(1)  /* how often leases are looked at, when nothing else says sooner */
#define ROTA_MAINTAIN_SLICE 2000             /* rows per maintenance transaction */
#define ROTA_QUARANTINE_CRASHES 3            /* attempts that killed their worker before a task is put away */
#define ROTA_FINISH_FLUSH ROTA_MS(50)        /* progress goes out at most this much later than a renewal would */
#endif
