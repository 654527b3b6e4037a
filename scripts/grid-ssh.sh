#!/bin/bash -p
# Run a grid on other machines: what is pending of it, one process per core of each, through GNU parallel over ssh. Each
# host computes into a database of its own, and what those know is merged into the one here, every now and then and at the
# end. All state is in the databases: a second call, from whatever machine has --db, runs what the first did not finish,
# and runs that a host has begun go on there.
#
# A signal ends the runs on the hosts, which write checkpoints, and then the script.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=scripts/grids.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/grids.sh"
jobs=
hosts=
every=30
folder=
program=
data=
ssh=(ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o LogLevel=ERROR)

usage() {
    cat <<END
usage: scripts/grid-ssh.sh GRID HOSTS [options]

Runs what is pending of a grid on other machines, as many runs at a time on each as it has cores. HOSTS: names that ssh
knows and asks no password for, with commas between them, or a file with one per line (# begins a comment).

  --jobs N         runs at a time on each host (default: as many as it has cores; more are refused)
  --folder DIR     where on the hosts results go (default: the folder of --db here), into NAME.HOST.db for NAME.db
  --program FILE   the program on the hosts (default: the path of the one here)
  --data DIR       where the data sets are there (default: TRUNCQUANT_DATA, as here)
  --every SECONDS  between looks at what the hosts have (default: 30)
  --dry-run        say what would be run, and where; nothing is recorded, here or there
$(shared_usage)

A host that does not answer, or has not the same version of the program or the same data, is named and left out.
When the first five runs of a host all fail for one reason, no other is started there.
END
}

parse() {
    while [ $# -gt 0 ]; do
        take "$@"
        if [ $taken = 0 ]; then
            case $1 in
            --jobs) number_of "$@" && jobs=$2 ;;
            --every) number_of "$@" && every=$2 ;;
            --folder) value_of "$@" && folder=$2 ;;
            --program) value_of "$@" && program=$2 ;;
            --data) value_of "$@" && data=$2 ;;
            --dry-run) dry=(--dry-run) taken=1 ;;
            -*) die 2 "unknown option $1; 'scripts/grid-ssh.sh --help' lists them" ;;
            *) take_operand "$1" ;;
            esac
        fi
        shift "$taken"
    done
    [ -n "$hosts" ] || { usage >&2 && exit 2; }
}

take_operand() {
    if [ -z "$grid" ]; then
        take_grid "$1"
    else
        [ -n "$1" ] || die 2 "the list of hosts is empty; name one, or more with commas between them"
        [ -z "$hosts" ] || die 2 "the hosts belong into one list with commas between them; '$1' is one too many"
        hosts=$1 taken=1
    fi
}

need_tools() {
    need_program
    need_parallel
    command -v ssh >/dev/null || die 1 "there is no ssh here; on Debian: apt install openssh-client"
}

# The names into the list $all, each once.
read_hosts() {
    local text=${hosts//,/ } host
    [ ! -f "$hosts" ] || text=$(sed 's/#.*//' "$hosts")
    all=()
    for host in $text; do
        [[ $host =~ ^[A-Za-z0-9_][A-Za-z0-9_.@-]*$ ]] ||
            die 2 "'$host' is no name of a host; what else ssh needs belongs in ~/.ssh/config"
        [[ " ${all[*]} " != *" $host "* ]] || die 2 "the host $host is named twice; leave one out"
        all+=("$host")
    done
    [ ${#all[@]} != 0 ] || die 2 "$hosts: names no host"
}

# ---- on a host ----

# What a host is told with everything: in $told, for the host $1.
tell_host() {
    local stem=${db##*/}
    there=$folder/${stem%.db}.$1.db
    local logs=${there%.db}.runs/grids/$name
    trial=$logs/trial
    [ -z "$data" ] || local -x TRUNCQUANT_DATA=$data
    local what=(there trial logs program name version options patience other jobs rehearsal) variable
    for variable in TRUNCQUANT_DATA TRUNCQUANT_CACHE OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS OMP_NUM_THREADS \
        GOMP_SPINCOUNT; do
        [ -z "${!variable-}" ] || what+=("$variable")
    done
    told=$(sent "${what[@]}" && declare -f arrive check_here job_here hand_over end_here why_stopped)
}

# at HOST FUNCTION: it runs there, with the rest of standard input as its own
at() {
    tell_host "$1"
    { printf '{\n%s\n%s; exit\n}\n' "$told" "$2" && cat; } | "${ssh[@]}" -- "$1" bash -s
}

# The planned runs come in. The last line of standard error says why it will not do; standard output: how many runs at a
# time, then the runs that it has begun.
arrive() {
    local planned runs=${there%.db}.runs run
    planned=$(mktemp) || exit
    trap 'rm -f "$planned"*' EXIT
    cat >"$planned"
    check_here || exit
    [ -n "$rehearsal" ] || {
        mkdir -p "$logs" && "$program" merge "$planned" --db "$there" --quiet &&
            rm -f "$trial" && job_here >"$logs/job"
    } || exit
    echo "${jobs:-$cores}"
    for run in "$runs"/*/checkpoint "$runs"/*/model.frozen; do
        [ ! -e "$run" ] || basename "$(dirname "$run")"
    done | sort -u
}

check_here() {
    local have
    command -v perl >/dev/null || { echo "has no perl, which GNU parallel needs there" >&2 && return 1; }
    command -v "$program" >/dev/null || { echo "has no $program; build it there, or say --program" >&2 && return 1; }
    have=$("$program" --version) || { echo "$program does not run there" >&2 && return 1; }
    [ -n "$other" ] || [ "$have" = "$version" ] || {
        echo "has $have, not $version as here; build that there (--other-numerics mixes them)" >&2
        return 1
    }
    "$program" check --grid "$name" --db "$planned" --quiet >&2 || return
    cores=$("$program" check --cores) || return
    [ -z "$jobs" ] || [[ " $options " == *" null"* ]] || [ "$jobs" -le "$cores" ] || {
        echo "has $cores cores for --jobs $jobs; say --jobs $cores or less" >&2
        return 1
    }
}

# What GNU parallel starts there.
job_here() {
    echo "asked="
    declare -f one_run wait_for_run family
    declare -p there trial logs program name options patience "${!TRUNCQUANT_@}" "${!OPENBLAS_@}" "${!OMP_@}" "${!GOMP_@}"
    # shellcheck disable=SC2016
    echo 'family $1'
}

# The database as it is now, on standard output.
hand_over() {
    local copy
    [ -e "$there" ] || exit 0
    copy=$(mktemp -d) || exit
    trap 'rm -rf "$copy"' EXIT
    "$program" export database "$name" --db "$there" --output "$copy/now.db" --quiet && cat "$copy/now.db"
}

# Runs that a closed connection has asked to end do so, in a minute at most.
end_here() {
    local until=$((SECONDS + 60))
    while [ $SECONDS -lt $until ] && [[ $("$program" status "$name" --line --db "$there") == *" running"* ]]; do
        sleep 0.2
    done
    hand_over
}

# On standard error, with status 5, if it stopped.
why_stopped() {
    "$program" check --trial "$trial"
}

# ---- from here ----

# The runs of the grid, and nothing of what they came to: it is recorded there what is computed there.
make_planned() {
    rm -f "$logs/planned.db"*
    "$truncquant" plan "$grid" "${set[@]}" --ids --quiet --db "$logs/planned.db" >/dev/null
}

# Which hosts will do, into $logs/logins as GNU parallel reads it, and what they have begun, into $logs/places.
reach_hosts() {
    local host count pids=()
    mkdir -p "$logs/hosts"
    for host in "${all[@]}"; do
        at "$host" arrive <"$logs/planned.db" >"$logs/hosts/$host" 2>"$logs/hosts/$host.said" &
        pids+=($!)
    done
    : >"$logs/logins" && : >"$logs/places"
    reached=()
    for host in "${all[@]}"; do
        if wait "${pids[0]}"; then
            reached+=("$host")
            count=$(head -n 1 "$logs/hosts/$host")
            echo "$count/$host" >>"$logs/logins"
            tail -n +2 "$logs/hosts/$host" | sed "s/\$/ $host/" >>"$logs/places"
        else
            leave_out "$host"
        fi
        pids=("${pids[@]:1}")
    done
}

# Said once of each host.
leave_out() {
    local why
    [ "$signal" = 0 ] || return 0
    [[ " $left_out " != *" $1 "* ]] || return 0
    left_out+=" $1"
    why=$(sed 's/^truncquant: //' "$logs/hosts/$1.said" | paste -s -d ';')
    say "$1 is left out: ${why:-ssh ended without a word}"
}

# A line for each family: its first run, that and the others with their logs, and the host that has begun it, if any has.
place_families() {
    awk -v hosts=" ${reached[*]} " '
        file == "places" { if (!($1 in place)) place[$1] = $2; next }
        {
            where = ""
            line = $4
            for (i = 5; i <= NF; i++) {
                line = line " " $i
                split($i, run, ":")
                if (where == "" && run[1] in place)
                    where = place[run[1]]
            }
            if ($4 in place)
                where = place[$4]
            print line (where == "" ? "" : "@" where)
        }' file=places "$logs/places" file=families "$logs/families" >"$logs/jobs"
}

start_runs() {
    local job
    printf -v job 'bash %q"$PARALLEL_SSHHOST"%q' "$folder/$(basename "$db" .db)." ".runs/grids/$name/job"
    begin "$logs/joblog"
    PARALLEL_SSH="${ssh[*]}" setsid parallel --plain --will-cite --hostgroups --sshloginfile "$logs/logins" \
        --tmpdir "$logs" --joblog "$logs/joblog" --arg-file "$logs/jobs" "$job" </dev/null >"$logs/parallel.log" 2>&1 &
    parallel=$!
}

# What the hosts have, as FUNCTION there hands it over, into the database here.
collect() {
    local host pids=()
    for host in "${reached[@]}"; do
        at "$host" "$1" </dev/null >"$logs/hosts/$host.db" 2>"$logs/hosts/$host.said" &
        pids+=($!)
    done
    for host in "${reached[@]}"; do
        if ! wait "${pids[0]}"; then
            say "$host does not hand over its results now ($(tail -n 1 "$logs/hosts/$host.said")); the next call does"
        elif [ -s "$logs/hosts/$host.db" ]; then
            "$truncquant" merge "$logs/hosts/$host.db" --db "$db" --quiet ||
                say "what $host has is not merged, and stays there"
        fi
        pids=("${pids[@]:1}")
    done
    rm -f "$logs"/hosts/*.db*
}

wait_for_runs() {
    local next=$((SECONDS + every)) watch
    "$truncquant" status "$name" --watch --db "$db" 9>&- &
    watch=$!
    while kill -0 "$parallel" 2>/dev/null && [ "$signal" = 0 ]; do
        sleep 1 9>&- & # without the lock: a signal ends the wait, not the sleep
        wait -n $! "$parallel" || true
        if [ $SECONDS -ge $next ]; then
            collect hand_over
            next=$((SECONDS + every))
        fi
    done
    kill "$watch" 2>/dev/null || true
    wait "$watch" 2>/dev/null || true
}

# No more are started; the connections of those at work are closed, which ends them there.
stop_runs() {
    local pid
    kill -HUP "$parallel" 2>/dev/null || return 0
    while kill -0 "$parallel" 2>/dev/null; do
        for pid in $(pgrep --parent "$parallel"); do
            kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
        done
        sleep 0.2
    done
}

# What is to be done about runs that did not end well: those whose host was lost are tried once more elsewhere, in three
# rounds at most. When the first of a host all failed for one reason, it is $stopped.
look_at_ends() {
    local status host lost=0
    while IFS=$'\t' read -r _ _ _ _ _ _ status _; do
        [ "$status" != 255 ] || lost=1
        [ "$status" != 5 ] || stopped=1
    done < <(tail -n +2 "$logs/joblog")
    if [ $lost = 1 ] && [ $losses -lt 3 ]; then
        losses=$((losses + 1))
        begin "$logs/tried"
    fi
    [ -n "$stopped" ] || return 0
    for host in "${reached[@]}"; do
        status=0
        stopped=$(at "$host" why_stopped </dev/null 2>&1) || status=$?
        [ "$status" != 5 ] || return 0
    done
    stopped=
}

# Where each run would be, a line each.
rehearse() {
    awk -v hosts="${reached[*]}" '{
        n = split($0, part, "@")
        at = n > 1 ? part[2] : (hosts ~ / / ? "one of " : "") hosts
        n = split(part[1], word, " ")
        for (i = 2; i <= n; i++) {
            split(word[i], run, ":")
            print run[2] ": " at
        }
    }' "$logs/jobs"
}

need_hosts() {
    reach_hosts
    [ "$signal" = 0 ] || exit $((128 + signal)) # nothing is at work yet, or any more
    [ ${#reached[@]} != 0 ] || die 1 "no host is left to run $name on"
}

# What is to be run where; hosts may have gone since the last look, or come back.
look_around() {
    find_families
    if [ -s "$logs/families" ] && [ $started = 1 ]; then
        need_hosts
    fi
    place_families
}

parse "$@"
need_tools
read_hosts
check_input
version=$("$truncquant" --version) program=${program:-$(realpath -- "$(command -v "$truncquant")")} rehearsal=${dry[*]}
folder=${folder:-$(realpath -m -- "$(dirname -- "$db")")} patience=60 asked=
# This call decides what is tried again.
options="--retry ${again[*]} $other ${how[*]}"
one_core_each
if [ ${#dry[@]} != 0 ]; then
    logs=$(mktemp -d)
    trap 'rm -rf "$logs"' EXIT
else
    open_logs
fi
catch_signals "stopping; each run writes a checkpoint first"
begin "$logs/tried"
quiet=() losses=0 stopped='' started=0 left_out=''
make_planned
need_hosts
[ ${#dry[@]} != 0 ] || collect hand_over
look_around
[ ${#dry[@]} = 0 ] || { rehearse && exit; }
while [ "$signal" = 0 ] && [ -z "$stopped" ]; do
    if [ -s "$logs/jobs" ]; then
        families_tried
        started=1
        start_runs
        wait_for_runs
        [ "$signal" = 0 ] || break
        collect hand_over
        look_at_ends
    else
        wait_elsewhere || break
        collect hand_over
    fi
    [ -n "$stopped" ] || look_around
done
if [ "$signal" != 0 ] && [ $started = 1 ]; then
    stop_runs
    collect end_here
fi
"$truncquant" status "$name" --db "$db"
if [ "$signal" != 0 ]; then
    say "interrupted; the same command goes on from the checkpoints"
    exit $((128 + signal))
fi
[ -z "$stopped" ] || conclude_stopped "$stopped"
conclude 1 0
