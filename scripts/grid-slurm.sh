#!/bin/bash -p
# Run a grid through Slurm: what is pending of it as tasks of job arrays, a task for each run, or for several short ones.
# Each computes into databases of its own, beside the one here on a file system that the nodes share; what those know is
# merged into the one here while they run and at the end. All state is in the databases and in Slurm's queue: a second call
# finds what is queued, and submits what is neither that nor done.
#
# Before a task's time is over, Slurm sends it a signal; its run writes a checkpoint, and the task asks to be queued again.
# Nodes that fail have theirs queued again by Slurm. Either goes on from the checkpoint, on whatever node.
#
# A signal ends this script alone. What is queued goes on.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=scripts/grids.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/grids.sh"
pack=600
lead=120
most=
every=30
detach=
sbatch=()

usage() {
    cat <<END
usage: scripts/grid-slurm.sh GRID [options] [options of sbatch]

Runs what is pending of a grid as arrays of jobs. Options that are not below go to sbatch as they are, such as
--partition=NAME --time=4:00:00 --account=NAME; cores and memory are asked for as the program says, unless they are named.

  --pack SECONDS   short runs come together into tasks of so long, by what was measured (default: 600; 0: a task each)
  --at-most N      tasks in the queue at a time (default: as many as Slurm takes)
  --lead SECONDS   how long before the end of its time a task is told so, to write a checkpoint (default: 120)
  --every SECONDS  between looks at what the tasks have (default: 30)
  --detach         submit, and end; a later call merges what has come
  --dry-run        print what would be submitted; nothing is recorded
$(shared_usage)

When the first five runs all fail for one reason, no other begins.
END
}

# ---- the command line ----

parse() {
    while [ $# -gt 0 ]; do
        take "$@"
        if [ $taken = 0 ]; then
            take_own "$@"
        fi
        if [ $taken = 0 ]; then
            take_for_sbatch "$@"
        fi
        shift "$taken"
    done
    [ -n "$grid" ] || { usage >&2 && exit 2; }
}

take_own() {
    case $1 in
    --pack)
        value_of "$@"
        [[ $2 =~ ^[0-9]{1,9}$ ]] || die 2 "$1 takes seconds, not '$2'"
        pack=$2
        ;;
    --at-most) number_of "$@" && most=$2 ;;
    --lead) number_of "$@" && lead=$2 ;;
    --every) number_of "$@" && every=$2 ;;
    --detach) detach=1 taken=1 ;;
    --dry-run) dry=(--dry-run) taken=1 ;;
    esac
}

# A word that follows an option of sbatch, and is none itself, is its value. What this script sets itself is refused.
take_for_sbatch() {
    case $1 in
    -a* | --array* | --wrap* | --signal* | --parsable | -W | --wait | --test-only | --requeue | --no-requeue | -o* | \
        --output* | -e | -e?* | --error* | --open-mode* | -J* | --job-name* | -n | --ntasks | --ntasks=*)
        [[ $1 == --exclu* || $1 == --export* ]] ||
            die 2 "$1 is set by this script, for what it does needs that; leave it out"
        ;;&
    -*)
        sbatch+=("$1") taken=1
        if [ -n "$grid" ] && [ $# -gt 1 ] && [[ $2 != -* ]] && [[ $1 != *=* ]]; then
            sbatch+=("$2") taken=2
        fi
        ;;
    *) take_grid "$1" ;;
    esac
}

need_tools() {
    local tool
    need_program
    for tool in sbatch squeue scontrol; do
        command -v $tool >/dev/null ||
            die 1 "there is no $tool here; this is for a login node of a Slurm cluster ('module load slurm' on some)"
    done
    scontrol ping >/dev/null 2>&1 || die 1 "Slurm's controller does not answer; 'scontrol ping' says which"
}

# config NAME: what the controller is set to
config() {
    scontrol show config | sed -n "s/^$1 *= *//p"
}

# ---- what a task does, on its node ----

# task: what stands in line $SLURM_ARRAY_TASK_ID (from 0) of the file $tasks: families, parted by ';'
task() {
    local families one worst=0 status
    asked='' running=''
    trap 'ask limit' USR1
    trap 'ask end' TERM INT HUP
    # What failed by itself before this task was queued again would do so again.
    [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || options=${options/--retry/}
    IFS=';' read -ra families <<<"$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$tasks")"
    for one in "${families[@]}"; do
        [ -z "$asked" ] || break
        status=0
        # shellcheck disable=SC2086 # words
        one_family $one || status=$?
        [ "$status" = 0 ] || worst=$status
    done
    [ "$asked" != limit ] || queue_again
    return "$worst"
}

# Each in a database of its own, so that it goes on there in whatever task it comes the next time.
one_family() {
    local publisher status=0
    there=$own/$1.db
    take_over "$1" || return
    publish_at_times &
    publisher=$!
    family "$@" || status=$?
    kill "$publisher" 2>/dev/null && wait "$publisher" 2>/dev/null
    publish
    return "$status"
}

# The planned runs of it. What it knows already stays.
take_over() {
    local folder status=0
    folder=$(mktemp -d) || return
    "$program" export database "$name" --run "$1" --db "$planned" --output "$folder/planned.db" --quiet &&
        "$program" merge "$folder/planned.db" --db "$there" --quiet || status=$?
    rm -rf "$folder"
    return $status
}

# The database as it is now, for who merges on another node: one that is being written to is not to be read from there.
publish() {
    rm -f "$there.now"
    "$program" export database "$name" --db "$there" --output "$there.now" --quiet && mv -f "$there.now" "$there.seen"
}

publish_at_times() {
    local pause=2
    trap '[ -z "$pausing" ] || kill "$pausing" 2>/dev/null; exit' TERM
    trap '' USR1
    while :; do
        sleep $pause &
        pausing=$!
        wait "$pausing"
        pause=45 # well below the time after which a run without a sign of life counts as dead
        publish
    done
}

# ask WHY: the run that is at work is to write a checkpoint and end, and no other begins
ask() {
    interrupted=1
    [ -z "$asked" ] || return
    asked=$1
    [ -z "$running" ] || kill -TERM "$running" 2>/dev/null
}

# Unless the run came no further in several tries, which the program judges.
queue_again() {
    if [[ $("$program" status "$name" --line --db "$there") == *" failed"* ]]; then
        echo "not queued again: some run came no further, or failed by itself"
        return
    fi
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
}

# ---- tasks ----

# The file $1 of all tasks that there are to submit, from $logs/families: those that are short together. The first line of
# a task: what memory in MiB and what cores the largest asks for are in $memory and $cores.
pack_families() {
    awk -v pack="$pack" '
        { line = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", line) }
        n && (pack == 0 || sum + $1 > pack) { print all; all = ""; sum = n = 0 }
        { all = n++ ? all ";" line : line; sum += $1 }
        END { if (n) print all }' "$logs/families" >"$1"
    memory=$(awk '$2 > most { most = $2 } END { print most + 64 }' "$logs/families")
    cores=$(awk '$3 > most { most = $3 } END { print (most > 1 ? most : 1) }' "$logs/families")
}

# Those that wait in Slurm's queue, or are at work there, need no other task: their runs are as good as tried.
leave_out_queued() {
    local job
    for job in "$jobs"/*; do
        [ -e "$job" ] || continue
        queued_of "${job##*/}" >"$slurm/indices"
        awk 'NR == FNR { is[$1]; next } FNR - 1 in is' "$slurm/indices" "$job" | runs_of >>"$logs/tried"
    done
}

# The indices of the tasks of this job that are in the queue, a line each. A controller that does not answer now says
# nothing about that, and is asked again.
queued_of() {
    until squeue --noheader --array --jobs "$1" --format %K 2>"$slurm/squeue"; do
        grep -q "Invalid job id" "$slurm/squeue" && return
        say "squeue: $(tail -n 1 "$slurm/squeue"); asking again"
        sleep 10
    done
}

# How many tasks this grid has in the queue. Jobs that have none are forgotten.
count_queued() {
    local job n=0 more
    for job in "$jobs"/*; do
        [ -e "$job" ] || continue
        more=$(queued_of "${job##*/}" | wc -l)
        [ "$more" != 0 ] || rm "$job"
        n=$((n + more))
    done
    echo $n
}

# From tasks on standard input, all their runs.
runs_of() {
    tr ';' '\n' | cut -d ' ' -f 2- | tr ' ' '\n' | cut -d : -f 1
}

# ---- submitting ----

# The options of an array of $1 tasks.
array_options() {
    local asked=" ${sbatch[*]} "
    array=(--array="0-$(($1 - 1))" --requeue --open-mode=append --signal="B:USR1@$lead" --job-name="truncquant-$name"
        --output="$slurm/%A_%a.log")
    [[ $asked =~ \ (--mem|--mem-per-cpu)[=\ ] ]] || array+=(--mem="$memory")
    [[ $asked =~ \ (--cpus-per-task[=\ ]|-c) ]] || array+=(--cpus-per-task="$cores")
    array+=("${sbatch[@]}")
}

# What sbatch gets: functions and what they need, with the tasks in the file $1.
batch_script() {
    local tasks=$1 there=
    echo '#!/bin/bash'
    echo '{'
    sent program name options trial logs own planned tasks patience there
    declare -f task one_family take_over publish publish_at_times ask queue_again
    printf '%s\n' 'export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 GOMP_SPINCOUNT=10000' 'task; exit' '}'
}

# submit N: the first tasks of $logs/slurm/tasks, so many, as an array; 1 when Slurm takes no more now
submit() {
    local job file
    array_options "$1"
    file=$(mktemp "$slurm/tasks.XXXXXX")
    head -n "$1" "$slurm/tasks" >"$file"
    # Who is killed before the job is noted leaves one that the next call does not know of, and submits its runs again:
    # they find each other, and each is computed once.
    if ! job=$(batch_script "$file" | sbatch --parsable "${array[@]}" 2>"$slurm/said"); then
        rm "$file"
        no_more_now && return 1
        die 1 "$(what_sbatch_said)"
    fi
    job=${job%%;*}
    cp "$file" "$jobs/$job"
    sed -i "1,$1d" "$slurm/tasks"
    say "submitted job $job: $1 task$([ "$1" = 1 ] || echo s)"
}

what_sbatch_said() {
    echo "sbatch: $(sed 's/^sbatch: error: //' "$slurm/said" | paste -s -d ';')"
}

no_more_now() {
    grep -qiE 'limit|temporarily|too many|slots' "$slurm/said"
}

# As many as Slurm takes and --at-most allows. Where it takes none of so many, half of them are tried.
submit_all() {
    local n left room
    while left=$(wc -l <"$slurm/tasks") && [ "$left" -gt 0 ] && [ "$signal" = 0 ]; do
        n=$((left < largest ? left : largest))
        if [ -n "$most" ]; then
            room=$((most - $(count_queued)))
            n=$((n < room ? n : room))
        fi
        [ $n -gt 0 ] || return 0
        until submit $n; do
            n=$((n / 2))
            [ $n -gt 0 ] || break
        done
        [ $n -gt 0 ] || {
            [ "$(count_queued)" != 0 ] || die 1 "$(what_sbatch_said)"
            return 0
        }
    done
}

rehearse() {
    local left n
    while left=$(wc -l <"$slurm/tasks") && [ "$left" -gt 0 ]; do
        n=$((left < largest ? left : largest))
        array_options $n
        echo "sbatch$(printf ' %q' "${array[@]}")"
        head -n $n "$slurm/tasks" | awk '{
            n = split($0, family, ";")
            line = ""
            for (i = 1; i <= n; i++) {
                words = split(family[i], word, " ")
                for (w = 2; w <= words; w++) {
                    sub(/.*:/, "", word[w])
                    line = line " " word[w]
                }
            }
            print "  " NR - 1 ":" line
        }'
        sed -i "1,${n}d" "$slurm/tasks"
    done
}

# ---- what the tasks have ----

# What is new of it: as the tasks publish it, and from databases that nobody is at any more.
collect() {
    local files=() file
    touch "$slurm/collecting"
    for file in "$own"/*.db.seen; do
        is_new "$file" && files+=("$file")
    done
    if [ "$(count_queued)" = 0 ]; then
        for file in "$own"/*.db; do
            { is_new "$file" || is_new "$file-wal"; } && files+=("$file")
        done
    fi
    [ ${#files[@]} = 0 ] || merge_each "${files[@]}"
    mv "$slurm/collecting" "$slurm/collected"
}

# Since the last collecting, with a second for clocks that are coarse.
is_new() {
    [ -e "$1" ] && ! [ "$slurm/collected" -nt "$1" ]
}

# All at once, or, where one is refused, each, so that this one alone stays out.
merge_each() {
    local file
    "$truncquant" merge "$@" --db "$db" --quiet 2>/dev/null && return
    for file; do
        "$truncquant" merge "$file" --db "$db" --quiet || say "what $file has is not merged, and stays there"
    done
}

# A look every now and then, until nothing of this grid is queued.
wait_for_tasks() {
    local next=0 watch
    "$truncquant" status "$name" --watch --db "$db" 9>&- &
    watch=$!
    while [ "$signal" = 0 ] && [ "$(count_queued)" != 0 ]; do
        if [ $SECONDS -ge $next ]; then
            collect
            submit_all
            next=$((SECONDS + every))
        fi
        sleep 2 9>&- & # without the lock: a signal ends the wait, not the sleep
        wait $! || true
    done
    kill "$watch" 2>/dev/null || true
    wait "$watch" 2>/dev/null || true
}

look_at_trial() {
    local status=0
    [ -e "$trial" ] || return 0
    stopped=$("$truncquant" check --trial "$trial" 2>&1) || status=$?
    [ "$status" = 5 ] || stopped=
}

# What is to be submitted now, each run once by a call.
look_around() {
    leave_out_queued
    find_families
    families_tried
    pack_families "$slurm/tasks"
}

# Where things are. A rehearsal makes nothing, and looks at what is queued all the same.
prepare() {
    local place
    place=$(realpath -m -- "${db%.db}.runs/grids/$name")
    jobs=$place/slurm/jobs own=$place/slurm/families
    if [ ${#dry[@]} != 0 ]; then
        logs=$(mktemp -d)
        trap 'rm -rf "$logs"' EXIT
    else
        open_logs
        mkdir -p "$jobs" "$own"
    fi
    logs=$(realpath -- "$logs")
    slurm=$logs/slurm trial=$logs/slurm/trial
    mkdir -p "$slurm"
    begin "$logs/tried"
}

# What is left of earlier calls, once nobody needs it.
tidy() {
    if [ "$(count_queued)" = 0 ]; then
        rm -f "$trial" "$slurm"/tasks.* "$slurm"/planned.*
    fi
}

# The runs as they are planned now: what is queued goes by the plan of its own call, whatever becomes of the grid.
make_planned() {
    planned=$(mktemp -u "$slurm/planned.XXXXXX")
    "$truncquant" plan "$grid" "${set[@]}" --ids --quiet --db "$planned" >/dev/null
}

ask_slurm() {
    largest=$(config MaxArraySize)
    largest=$((${largest:-1001} - 1)) # indices are below it
    [ $largest -gt 0 ] || die 1 "this Slurm takes no job arrays (MaxArraySize is $((largest + 1)))"
}

parse "$@"
need_tools
check_input
ask_slurm
prepare
program=$(realpath -- "$(command -v "$truncquant")") patience=600 quiet=() stopped=''
# This call decides what is tried again.
options="--retry ${again[*]} $other ${how[*]}"
if [ ${#dry[@]} != 0 ]; then
    look_around
    rehearse
    exit
fi
catch_signals "no longer watching; what is queued goes on"
tidy
make_planned
collect
look_around
while [ "$signal" = 0 ] && [ -z "$stopped" ]; do
    submit_all
    [ -z "$detach" ] || exit 0
    wait_for_tasks
    [ "$signal" = 0 ] || break
    collect
    look_at_trial
    [ -z "$stopped" ] || break
    [ ! -s "$slurm/tasks" ] || continue # Slurm took no more of them until now
    look_around
    [ -s "$slurm/tasks" ] || wait_elsewhere || break
done
"$truncquant" status "$name" --db "$db"
if [ "$signal" != 0 ]; then
    say "the same command goes on watching; 'scancel --name=truncquant-$name' ends what is queued"
    exit $((128 + signal))
fi
[ -z "$stopped" ] || conclude_stopped "$stopped"
conclude 1 0
