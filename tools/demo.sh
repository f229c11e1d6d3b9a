#!/bin/sh
# demo.sh BUILD_DIR: real work survives kill -9. Every file of a directory tree is hashed and compressed
# as a task of its own, every directory waits for its files, a report waits for all directories
# (examples/tree has the handlers); meanwhile the worker processes are killed with SIGKILL, one by
# one, and started again. Then the report is compared with `sha256sum` run directly, and the store
# with the log that the handlers keep outside of it.
#
#   DEMO_DIR=DIR     another tree (all of its files; else the first 3000 of a default one)
#   DEMO_KILLS=N     how often a worker is killed (default 6)
#   DEMO_KEEP=1      leaves the store and the logs behind and says where
set -eu

build=$(cd "${1:?usage: demo.sh BUILD_DIR}" && pwd)
export PATH="$build:$PATH" # the handlers call rota, too
tree=$(cd "$(dirname "$0")/../examples/tree" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/rota-demo.XXXXXX")
export ROTA_STORE="$work/demo.db" TREE_LOG="$work/handlers.log"
kills_wanted=${DEMO_KILLS:-6} seconds_max=${DEMO_SECONDS_MAX:-600}
kills=0 started=0 worker_1='' worker_2=''
: >"$TREE_LOG"

cleanup() {
	for pid in $worker_1 $worker_2; do
		kill -9 "$pid" 2>/dev/null || true
	done
	if [ -n "${DEMO_KEEP-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

fail() { progress_end; echo "demo: $*" >&2; exit 1; }

# The first tree with some thousand files; which there are depends on what the machine is for.
default_tree() {
	for dir in /usr/share/doc /usr/include /usr/share /usr/lib /usr; do
		[ "$(find "$dir" -xdev -type f 2>/dev/null | head -n 2000 | wc -l)" -lt 2000 ] || break
	done
	echo "$dir"
}

# worker N: starts worker process 1 or 2 again.
worker() {
	started=$((started + 1))
	rota work --name "demo-$1" --queue tree --concurrency 2 --env TREE_LOG --result-max 16777216 \
		--handler "file=exec sh '$tree/file.sh'" \
		--handler "directory=exec sh '$tree/directory.sh'" \
		--handler "report=exec sh '$tree/report.sh'" >>"$work/worker.log" 2>&1 &
	eval "worker_$1=$!"
}

# Kills one of the two in the middle of whatever it does, in turns, and starts another.
kill_worker() {
	kills=$((kills + 1))
	n=$((kills % 2 + 1))
	eval "pid=\$worker_$n"
	kill -9 "$pid" || fail "worker demo-$n is gone already: $(tail -n 3 "$work/worker.log")"
	wait "$pid" 2>/dev/null || true
	worker $n
}

# A line that is written over and over on a terminal, a line now and then elsewhere.
progress() {
	text="$1 of $total tasks done, $2 running; workers killed: $kills"
	if [ -t 1 ]; then
		printf '\r%-78s' "$text"
	elif [ "$(($(date +%s) / 2))" != "${shown_at-}" ]; then
		echo "$text"
		shown_at=$(($(date +%s) / 2))
	fi
}
progress_end() { [ ! -t 1 ] || printf '\n'; }

count_of() { # STATE, in our one queue, as look found it
	sed -n "s/.*\"queue\":\"tree\".*\"$1\":\([0-9]*\).*/\1/p" "$work/stats"
}
look() {
	rota stats --json >"$work/stats" || fail "no statistics"
	completed=$(count_of completed)
	progress "$completed" "$(count_of running)"
}

work_and_kill() {
	end=$(($(date +%s) + seconds_max))
	completed=0
	while [ "$completed" -lt "$total" ]; do
		sleep 0.3
		look
		[ "$(count_of failed)" = 0 ] || fail "a task failed: $(rota ls --state failed --limit 1)"
		[ "$(date +%s)" -lt $end ] || fail "not done after $seconds_max s: $(rota stats)"
		if [ $kills -lt "$kills_wanted" ] &&
			[ "$completed" -ge $((total * (kills + 1) / (kills_wanted + 1))) ] &&
			[ "$completed" -lt "$total" ]; then
			kill_worker
		fi
	done
	progress_end
	for pid in $worker_1 $worker_2; do
		kill -TERM "$pid"
		wait "$pid" || fail "a worker did not stop cleanly: $(tail -n 3 "$work/worker.log")"
	done
	worker_1='' worker_2=''
}

check_report() {
	rota wait key:report: --timeout 10s >"$work/report"
	sed '/^files:$/,$d' "$work/report"
	sed '1,/^files:$/d' "$work/report" | LC_ALL=C sort >"$work/sums"
	sed -n 's/.*"type":"file".*"payload":"\(.*\)"}$/\1/p' "$work/graph" | sed 's/\\"/"/g' |
		tr '\n' '\0' | xargs -0 sha256sum | LC_ALL=C sort >"$work/sums_directly"
	if ! cmp -s "$work/sums" "$work/sums_directly"; then
		diff "$work/sums" "$work/sums_directly" | head -n 5 >&2
		fail "the report differs from sha256sum (< report, > sha256sum); did the tree change meanwhile?"
	fi
	echo "The report equals what sha256sum says directly: $(wc -l <"$work/sums") of $files files."
}

# The store against the log that handlers keep outside of it. Every claim of a task has a token of its own,
# and a claim that did not complete it leaves a row in the task's attempts: "lost" or "unstarted" when
# its worker was gone. A task was done once if the store calls it completed, its last claim is the
# only one without such a row, the handler of that claim reached its end, and no handler was started
# twice under one token.
check_counts() {
	rota ls --json --queue tree --limit 100000 >"$work/tasks"
	grep -v '"token":1,' "$work/tasks" | sed 's/.*"id":\([0-9]*\).*/\1/' | while read -r id; do
		rota show "$id" --json
	done >"$work/again"
	awk '
	function number(name) {
		match($0, "\"" name "\":[0-9]+")
		return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0
	}
	FILENAME == log_file {
		if ($1 == "start" && started[$2, $3]++) twice++
		if ($1 == "end") ended[$2, $3]++
		next
	}
	FILENAME == again_file {
		id = number("id")
		interrupted += gsub(/"outcome":"(lost|unstarted)"/, "&")
		if (gsub(/"outcome":"/, "&") != last[id] - 1) twice++
		for (token = 1; token < last[id]; token++) begun += ((id, token) in started)
		next
	}
	{
		id = number("id")
		last[id] = number("token")
		tasks++
		if (/"state":"completed"/ && ended[id, last[id]] == 1) completed++
		else print "task " id " is not done" | "cat >&2"
	}
	END {
		lost = total - completed
		print completed " tasks ran; workers were killed " kills " times; " interrupted \
			" attempts were interrupted and run again (" begun + 0 " of them in the middle of their handler); " \
			(lost ? lost : "none") " lost, " (twice ? twice : "none") " finished twice."
		exit lost || twice || tasks != total
	}' log_file="$TREE_LOG" again_file="$work/again" total="$total" kills=$kills \
		"$TREE_LOG" "$work/tasks" "$work/again" ||
		fail "that is not what rota promises; DEMO_KEEP=1 keeps the store and the logs"
}

dir=${DEMO_DIR:-$(default_tree)}
files_max=3000
[ -z "${DEMO_DIR-}" ] || files_max=100000
dir=$(cd "$dir" && pwd)
sh "$tree/graph.sh" "$dir" "$files_max" >"$work/graph"
total=$(wc -l <"$work/graph")
files=$(grep -c '^{"type":"file"' "$work/graph") || fail "no readable file in $dir"
began=$(date +%s)
which=$files
[ "$files" -lt "$files_max" ] || which="the first $files"
echo "$which files of $dir, $((total - files - 1)) directories, one report: $total tasks, enqueued as one graph"
rota enqueue --from "$work/graph" >"$work/ids"
[ "$(wc -l <"$work/ids")" -eq "$total" ] || fail "enqueued $(wc -l <"$work/ids") of $total tasks"
worker 1
worker 2
work_and_kill
check_report
check_counts
echo "$(($(date +%s) - began)) seconds."
