# shellcheck shell=bash disable=SC2034,SC2154
# What grid.sh, grid-ssh.sh and grid-slurm.sh share, which source it after common.sh: the options that all of them have,
# what they ask the program, where a grid's logs lie, how its end is judged; and, of the two that start runs elsewhere,
# what is started there. None of it knows anything of training.

db=$home/results/results.db
grid='' retry=() again=() set=() other='' how=() signal=0 dry=() waited=0

shared_usage() {
    cat <<END
  --db FILE        the database (default: results/results.db)
  --set SETTINGS   what the grid has instead, such as 'dataset=cifar10 seed=1,2'; the runs are of a grid of
                   their own, NAME-cifar10-1-2
  --retry-failed   runs that failed before, too
  --again          finished runs, too, whose quantizers are other versions now
  --other-numerics go on from checkpoints of another version or machine
  --engine, --precision, --arithmetic NAME
                   how runs are computed, as 'truncquant run --help' says
END
}

# ---- the command line ----

# value_of OPTION VALUE: said once, with a value
value_of() {
    [ -n "${2-}" ] || die 2 "$1 needs a value"
    once "$1"
    taken=2
}

# number_of OPTION VALUE: the same, of at least 1
number_of() {
    value_of "$@"
    [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die 2 "$1 takes a number of at least 1, not '$2'"
}

# take ARGUMENT ...: the first of them, if it is an option that all have; $taken: how many that were, 0 if it is none
take() {
    taken=1
    case $1 in
    --help) usage && exit 0 ;;
    --retry-failed) retry=(--retry-failed) ;;
    --again) again=(--again) ;;
    --other-numerics) other=--other-numerics ;;
    --db) value_of "$@" && db=$2 ;;
    --set) value_of "$@" && set=(--set "$2") ;;
    --engine | --precision | --arithmetic | --inference)
        value_of "$@"
        [[ $2 =~ ^[a-z0-9.:-]+$ ]] || die 2 "$1 takes a name that 'truncquant run --help' has, not '$2'"
        how+=("$1" "$2")
        ;;
    *) taken=0 ;;
    esac
}

take_grid() {
    [ -n "$1" ] || die 2 "the name of a file is empty; leave it out, or fill it in"
    [ -z "$grid" ] || die 2 "one grid at a time; '$1' is one too many"
    grid=$1
    taken=1
}

# ---- what the program is asked ----

need_program() {
    command -v "$truncquant" >/dev/null || die 1 "there is no $truncquant; 'make' builds it"
}

need_parallel() {
    "$truncquant" check --tool "GNU parallel" || exit
}

# plan OPTION ...: of this grid, as this call has it
plan() {
    "$truncquant" plan "$grid" "$@" "${set[@]}" --db "$db"
}

# The program says what is wrong with the grid, with how it is to be computed, or with the database, before anything
# is made or recorded, and what the grid is called.
check_input() {
    name=$(plan "${how[@]}" "$@" --name --dry-run --quiet) || exit
    [ ! -s "$db" ] || "$truncquant" status --line --db "$db" >/dev/null
}

counts() {
    "$truncquant" status "$name" --line --db "$db"
}

# Where logs go; a grid runs once at a time here. The lock is inherited by the runs, so that it
# outlives this script should it be killed before them.
open_logs() {
    local place=$db
    [ ! -L "$db" ] || place=$(realpath "$db")
    logs=${place%.db}.runs/grids/$name
    { mkdir -p "$logs" && : >>"$logs/lock"; } 2>/dev/null ||
        die 1 "$logs cannot be made or written to, and logs go there; name another place with --db"
    exec 9>"$logs/lock"
    lock 9 "$logs/lock" "$name is already being run with $db; wait for that to end"
}

# begin FILE: empty
begin() {
    { : >"$1"; } 2>/dev/null || die 1 "$1 cannot be written; is the disk full?"
}

# ---- waiting and ending ----

on_signal() {
    [ "$signal" = 0 ] || return 0
    signal=$1
    say "$stopping"
}

# catch_signals TEXT: what is said when one comes; then $signal is its number
catch_signals() {
    stopping=$1
    trap 'on_signal 1' HUP
    trap 'on_signal 2' INT
    trap 'on_signal 15' TERM
}

# Each run uses one core: more threads than that would only get in each other's way.
one_core_each() {
    export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 GOMP_SPINCOUNT=10000
}

# Wait for a change in what is being computed elsewhere; 1 when nothing is. A process that is gone, too, is seen in time:
# here at once, on another machine by its silence.
wait_elsewhere() {
    local before now
    before=$(counts)
    [[ $before == *" running"* ]] || return 1
    [ "$waited" = 1 ] || say "waiting for runs of $name that others compute ($before); a signal ends the waiting alone"
    waited=1
    while [ "$signal" = 0 ]; do
        sleep 2
        now=$(counts)
        [ "${now%%;*}" = "${before%%;*}" ] || return 0
    done
}

# conclude INTERRUPTED FAILED: so many of the runs that were started here. What is left to do, and how: the grid is
# complete, or this is no success, whatever those came to.
conclude() {
    local left cut=
    left=$(counts)
    if [[ $left == *" dead"* ]] || { [ "$1" != 0 ] && [[ $left == *" pending"* ]]; }; then
        cut="some runs were interrupted; the same command goes on from their checkpoints"
    fi
    if [[ $left == *" failed"* ]]; then
        die 1 "some runs failed ('truncquant status $name --db $db'); --retry-failed tries them again${cut:+; $cut}"
    elif [ -n "$cut" ]; then
        die 1 "$cut"
    elif [[ $left == *" pending"* ]] && [ "$2" != 0 ]; then
        die 1 "some runs could not begin, for the reasons above; without those, the same command runs them"
    elif [[ $left == *" pending"* ]]; then
        die 1 "some runs wait for the weights of others that did not finish; the same command goes on"
    fi
}

# The first runs of the call all failed for one reason, which this is.
conclude_stopped() {
    die 1 "${1#truncquant: }; when that is mended, 'truncquant retry $name --db $db' and the same command go on"
}

# ---- runs elsewhere ----

# What can be run now, in $logs/families, a line each: SECONDS MEMORY CORES ROOT, then RUN:LOG of it and of those that
# take its weights. These are computed where it was, one after another, since weights lie beside the database of the
# machine that made them. Those in the file $logs/tried are left out.
find_families() {
    plan --pending --schedule "${retry[@]}" "${again[@]}" "${how[@]}" "${dry[@]}" "${quiet[@]}" >"$logs/pending"
    quiet=(--quiet) # what there is to say about the grid was said
    plan --pending --schedule --ready "${retry[@]}" "${again[@]}" "${how[@]}" "${dry[@]}" --quiet >"$logs/ready"
    awk -F '\t' '
        file == "tried" { tried[$1]; next }
        file == "ready" { ready[$1]; next }
        file == "names" { pending[$1]; parent[$1] = $6; next }
        $1 in tried { next }
        {
            root = $1
            while (root in parent && parent[root] != "-")
                root = parent[root]
            # whose parent is being computed, or failed: not now
            if (!(root in pending) && !($1 in ready) || (root in tried && !($1 in ready)))
                next
            if (!(root in runs))
                order[n++] = root
            runs[root] = runs[root] " " $1 ":" $8
            seconds[root] += $3
            memory[root] = $4 > memory[root] ? $4 : memory[root]
            cores[root] = $5 > cores[root] ? $5 : cores[root]
        }
        END {
            for (i = 0; i < n; i++)
                printf "%.2f %d %d %s%s\n", seconds[order[i]], memory[order[i]], cores[order[i]], order[i],
                    runs[order[i]]
        }' file=tried "$logs/tried" file=ready "$logs/ready" file=names "$logs/pending" file=all "$logs/pending" \
        >"$logs/families"
}

# Those of $logs/families were tried by this call, and are not tried again.
families_tried() {
    cut -d ' ' -f 5- "$logs/families" | tr ' ' '\n' | cut -d : -f 1 >>"$logs/tried"
}

# ---- what is started elsewhere: this is sent there, and must need nothing else of here ----

# one_run RUN LOG: into the database $there, by the program $program, with what it says in $logs; waits while another process is at it, $patience
# seconds at most
one_run() {
    local status until=$((SECONDS + patience))
    while :; do
        status=0
        # shellcheck disable=SC2086 # words
        "$program" run "$1" $options --trial "$trial" --db "$there" >>"$logs/$2.log" 2>&1 9>&- &
        running=$!
        wait_for_run
        [ "$status" = 4 ] && [ $SECONDS -lt $until ] && [ -z "$asked" ] || return "$status"
        sleep 2
    done
}

# A signal that is caught interrupts the waiting, not the run, which it is passed to.
wait_for_run() {
    interrupted=1
    while [ -n "$interrupted" ]; do
        interrupted='' status=0
        wait "$running" || status=$?
    done
}

# family ROOT RUN:LOG ...: one after another, the root first: where it was not computed here, it is, so that its weights
# are. Ends with the status of the last that did not end well.
family() {
    local root=$1 run worst=0 status
    shift
    [[ " $*" == *" $root:"* ]] || set -- "$root:root-${root:0:12}" "$@"
    for run; do
        [ -z "$asked" ] || return 143
        status=0
        one_run "${run%%:*}" "${run#*:}" || status=$?
        [ "$status" = 0 ] || worst=$status
        [ "$status" = 0 ] || [ "${run%%:*}" != "$root" ] || break
    done
    return "$worst"
}

# What that needs, as a text that bash reads: the functions, and the variables that are named.
sent() {
    declare -f one_run wait_for_run family
    declare -p "$@"
}
