#!/bin/bash -p
# Run a grid on this machine: what is pending of it, one process per core, through GNU parallel. A second
# call runs what the first did not finish: the database says what is done, not parallel's job log, which
# is kept as telemetry. This script knows nothing of training, nor of other machines.
#
# A signal (Ctrl-C, SIGTERM, a lost terminal) is passed to each run once; every run writes a checkpoint
# and ends, and the script with it. Runs that another process computes are waited for. How the script ends is said by the
# state of the grid then: 0 means that all of it is done.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=scripts/grids.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/grids.sh"
jobs=

usage() {
    cat <<END
usage: scripts/grid.sh GRID [options]

Runs what is pending of a grid, as many runs at a time as there are cores.

  --jobs N         runs at a time (default: as many as have cores and memory that may be used; more are refused)
$(shared_usage)

When the first five runs all fail for one reason, no other is started.

What each run says is kept in FILE.runs/grids/NAME/SCHEME-NETWORK-DATASET-SEED-ID.log (of FILE.db; the first twelve
digits of the ID), which begins with its configuration and ends with its result.
END
}

parse() {
    while [ $# -gt 0 ]; do
        take "$@"
        if [ $taken = 0 ]; then
            case $1 in
            --jobs) number_of "$@" && jobs=$2 ;;
            -*) die 2 "unknown option $1; 'scripts/grid.sh --help' lists them" ;;
            *) take_grid "$1" ;;
            esac
        fi
        shift "$taken"
    done
    [ -n "$grid" ] || { usage >&2 && exit 2; }
}

# As many at a time as fit.
check_jobs() {
    local fits=()
    [ -z "$jobs" ] || fits=(--jobs "$jobs")
    check_input "${fits[@]}"
    jobs=${jobs:-$(plan "${how[@]}" --fit --dry-run --quiet)} || exit
}

name_logs() {
    ids=$logs/pending
    joblog=$logs/joblog
    trial=$logs/trial
    rm -f "$trial"
}

start_runs() {
    one_core_each
    export PARALLEL_SHELL=/bin/sh
    export GRID_TRUNCQUANT=$truncquant GRID_DB=$db GRID_LOGS=$logs GRID_OPTIONS="${retry:+--retry} ${again[*]} $other ${how[*]}"
    # Its own session keeps Ctrl-C from it: parallel would kill the runs after a third of a second.
    # shellcheck disable=SC2016 # expanded by parallel's shell, where no quoting can go wrong
    setsid parallel --plain --will-cite --tmpdir "$logs" --jobs "$jobs" --joblog "$joblog" --colsep ' ' --arg-file "$ids" \
        'exec "$GRID_TRUNCQUANT" run {1} $GRID_OPTIONS --trial "$GRID_LOGS"/trial --db "$GRID_DB" >>"$GRID_LOGS"/{2}.log 2>&1' \
        </dev/null >"$logs/parallel.log" 2>&1 &
    parallel=$!
}

# Start no more runs, and ask each that is running, once, to write a checkpoint and end.
stop_runs() {
    local pid
    kill -HUP "$parallel" 2>/dev/null || return 0
    while kill -0 "$parallel" 2>/dev/null; do
        for pid in $(pgrep --parent "$parallel"); do
            [[ $asked == *" $pid "* ]] && continue
            asked+="$pid "
            kill -TERM "$pid" 2>/dev/null || true
        done
        sleep 0.2
    done
}

# While the first runs are on trial, a second of waiting. When all of them failed for one reason, parallel starts no more;
# those that it started come to their own ends.
is_on_trial() {
    local status=0
    [ "$tried" = 0 ] || return 1
    sleep 1 9>&- & # without the lock: a signal ends the wait, not the sleep
    wait $! || true
    [ "$(grep -c '^done\|^failed' "$trial" 2>/dev/null)" -ge 5 ] || return 0
    tried=1
    stopped=$("$truncquant" check --trial "$trial" 2>&1) || status=$?
    [ "$status" = 5 ] || stopped=
    [ -z "$stopped" ] || kill -HUP "$parallel" 2>/dev/null || true
}

wait_for_runs() {
    "$truncquant" status "$name" --watch --db "$db" 9>&- &
    local watch=$!
    while kill -0 "$parallel" 2>/dev/null && [ "$signal" = 0 ]; do
        is_on_trial || wait "$parallel" || true
    done
    [ "$signal" = 0 ] || stop_runs
    kill "$watch" 2>/dev/null || true
    wait "$watch" 2>/dev/null || true
}

# Why a run did not finish: its own last word, or what ended it.
reason() {
    local log=$1 status=$2 ended_by=$3 line
    line=$(grep '^truncquant: ' "$log" 2>/dev/null | tail -n 1) || true
    if [ "$ended_by" != 0 ]; then
        echo "killed by signal $ended_by"
    elif [ "$status" -gt 128 ]; then
        echo "asked to stop by signal $((status - 128))"
    elif [ ! -s "$log" ]; then
        echo "nothing could be written to its log; is the disk full?"
    else
        line=${line:-exit status $status}
        echo "${line#truncquant: }"
    fi
}

# What can be run now, a line each: its id, and the name of its log. A run that takes another's weights waits for that one, so there may be more later.
find_pending() {
    local now status=0
    now=$(plan --pending --ready --logs "${retry[@]}" "${again[@]}" "${quiet[@]}")
    quiet=(--quiet) # what there is to say about the grid was said
    # Those that this call has tried are not tried again. Status 1 says that there are no others.
    { printf '%s\n' "$now" | grep -vxF -f "$ids.tried" -e '' >"$ids"; } 2>/dev/null || status=$?
    { [ "$status" -le 1 ] && cat "$ids" >>"$ids.tried"; } 2>/dev/null || die 1 "$ids cannot be written; is the disk full?"
    ready=$(wc -l <"$ids")
    pending=$((pending + ready))
}

# Count how the runs that were just started ended, and list those that failed, and those that others ended. Those that
# another process was at (4) are as if they had not been started.
summarize() {
    local seq status ended_by id log why lines
    mapfile -t lines <"$ids"
    while IFS=$'\t' read -r seq _ _ _ _ _ status ended_by _; do
        read -r id log <<<"${lines[seq - 1]}"
        if [ "$status$ended_by" = 00 ]; then
            done_runs=$((done_runs + 1))
        elif [ "$status$ended_by" = 40 ]; then
            pending=$((pending - 1))
            sed -i "/^$id /d" "$ids.tried"
        elif [ "$status$ended_by" = 50 ]; then
            pending=$((pending - 1)) # left alone: the first failed
        elif [ "$signal" != 0 ] && { [ "$status" -gt 128 ] || [ "$ended_by" = 15 ]; }; then
            continue # as asked
        else
            why="${id:0:12}: $(reason "$logs/$log.log" "$status" "$ended_by")"$'\n'"    log: $logs/$log.log"
            # By HUP, INT, KILL or TERM; a crash is a failure.
            if [[ $ended_by =~ ^(1|2|9|15)$ || $status =~ ^(129|130|137|143)$ ]]; then
                interrupted+=("$why")
            else
                failed+=("$why")
            fi
        fi
    done < <(tail -n +2 "$joblog")
}

report() {
    local ended=("${failed[@]}" "${interrupted[@]}") others=
    if [ "$signal" = 0 ] && [ -z "$stopped" ] && [ $((done_runs + ${#ended[@]})) != "$pending" ]; then
        die 1 "parallel ended early; $logs/parallel.log says why, and the same command goes on"
    fi
    [ ${#interrupted[@]} = 0 ] || others=", ${#interrupted[@]} interrupted"
    echo "$name: $done_runs of $pending runs finished, ${#failed[@]} failed$others" >&2
    [ ${#ended[@]} = 0 ] || printf '  %s\n' "${ended[@]}" >&2
    if [ "$signal" != 0 ]; then
        say "interrupted; the same command goes on from the checkpoints"
        exit $((128 + signal))
    fi
}

parse "$@"
need_program
need_parallel
check_jobs
open_logs
name_logs
begin "$ids.tried"
pending=0 done_runs=0 failed=() interrupted=() asked=" " quiet=() tried=0 stopped=
catch_signals "stopping; each run writes a checkpoint first"
find_pending
while [ "$signal" = 0 ] && [ -z "$stopped" ]; do
    if [ "$ready" -gt 0 ]; then
        begin "$joblog"
        start_runs
        wait_for_runs
        summarize
    else
        wait_elsewhere || break
    fi
    [ "$signal" != 0 ] || [ -n "$stopped" ] || find_pending
done
if [ "$pending" -gt 0 ] || [ "$signal" != 0 ]; then
    report
else
    "$truncquant" status "$name" --db "$db"
fi
[ -z "$stopped" ] || conclude_stopped "$stopped"
conclude ${#interrupted[@]} ${#failed[@]}
