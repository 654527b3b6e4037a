# Grids on several machines, disturbed: on a real sshd with several names, and on a real Slurm whose second node has a host
# name of its own. However it is disturbed, the same command ends with the bits of a grid that was left alone.

load ../cli/runs
load ../cluster/ssh
load ../cluster/slurm
load ../cluster/grids

setup_file() {
    export PATH=$PATH:/usr/sbin
    tiny_data "$BATS_FILE_TMPDIR" 64 64
    use_data "$BATS_FILE_TMPDIR"
    undisturbed "$BATS_FILE_TMPDIR/whole" 300
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    twelve 300
    whole=$BATS_FILE_TMPDIR/whole
    started=
}

teardown() {
    case $started in
    ssh) stop_sshd "$BATS_TEST_TMPDIR/ssh" ;;
    slurm) stop_slurm ;;
    esac
}

# ---- GNU parallel over ssh ----

with_ssh() {
    have_sshd
    start_sshd "$BATS_TEST_TMPDIR/ssh" alpha beta
    started=ssh
}

# begin SCRIPT ARGUMENT ...: in the background, $grid
begin() {
    "$root/scripts/$1" twelve.grid "${@:2}" --db a.db --every 1 >out 2>&1 3>&- &
    grid=$!
}

# until so many runs have written a checkpoint, or are done
begun() {
    [ "$(find . -path '*.runs/*' -name checkpoint | wc -l)" -ge "$1" ]
}

goes_on() {
    local status=0
    "$root/scripts/$1" twelve.grid "${@:2}" --db a.db --every 1 >out2 2>&1 3>&- || status=$?
    cat out2
    [ "$status" -eq 0 ]
    same_as "$whole"
}

@test "ssh: SIGTERM, SIGINT and SIGHUP to the script, at some instant" {
    with_ssh
    for signal in TERM INT HUP; do
        env --default-signal=INT "$root/scripts/grid-ssh.sh" twelve.grid alpha,beta --db a.db --every 1 >out 2>&1 3>&- &
        grid=$!
        wait_for $grid eval 'pgrep --parent $grid parallel >/dev/null'
        sleep $((RANDOM % 3)).$((RANDOM % 10))
        kill -$signal $grid
        status=0
        wait $grid || status=$?
        cat out
        [ "$status" -gt 128 ]
        [ "$(sql "SELECT count(*) FROM run_status WHERE state = 'running'")" -eq 0 ]
    done
    goes_on grid-ssh.sh alpha,beta
}

@test "ssh: SIGTERM to GNU parallel" {
    with_ssh
    begin grid-ssh.sh alpha,beta --jobs 1
    wait_for $grid begun 2
    parallel=$(pgrep --parent $grid parallel)
    kill -TERM $parallel
    kill -TERM $parallel || true
    status=0
    wait $grid || status=$?
    cat out
    [ "$status" -eq 1 ]
    goes_on grid-ssh.sh alpha,beta
}

@test "ssh: the script is killed, and the runs on the hosts with it" {
    with_ssh
    begin grid-ssh.sh alpha,beta --jobs 1
    wait_for $grid begun 2
    # it, and all that is of its session or of GNU parallel's
    parallel=$(pgrep --parent $grid parallel)
    kill -KILL $grid
    pkill -KILL --session "$parallel"
    wait $grid || true
    goes_on grid-ssh.sh alpha,beta
}

@test "ssh: all connections break, and the same call goes on" {
    with_ssh
    begin grid-ssh.sh alpha,beta --jobs 1
    wait_for $grid begun 2
    pkill -TERM --parent "$(cat ssh/sshd.pid)"
    status=0
    wait $grid || status=$?
    cat out
    [ "$status" -eq 0 ]
    same_as "$whole"
}

@test "ssh: a host that is gone for good: others compute what it had begun" {
    with_ssh
    begin grid-ssh.sh beta --jobs 1
    wait_for $grid begun 2
    kill -TERM $grid
    wait $grid || true
    # beta's name leads nowhere now
    sed -i 's/^Host alpha beta/Host alpha/; s/^Host no-answer/Host no-answer beta/' ssh/config
    mkdir gone && mv a.beta.* gone/
    goes_on grid-ssh.sh alpha,beta
    grep -q '^grid-ssh.sh: beta is left out: ' out2
}

@test "ssh: two machines finish the same runs: merged to one, both attempts kept" {
    with_ssh
    "$root/scripts/grid-ssh.sh" twelve.grid alpha --db a.db 3>&- &
    "$root/scripts/grid-ssh.sh" twelve.grid beta --db b.db 3>&- &
    wait
    cp a.db before.db
    "$program" merge b.db --db a.db
    same_as "$whole"
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'complete'")" -eq 24 ]
    "$program" merge before.db b.db --db a.db
    [ "$(sql "SELECT count(*) FROM attempts")" -eq 24 ]
}

# ---- Slurm ----

with_slurm() {
    have_slurm
    start_slurm "$BATS_TEST_TMPDIR/slurm"
    started=slurm
    end_daemon slurmd-two
    unshare --uts sh -c 'hostname elsewhere && slurmd -N two' 3>&-
}

first_job() {
    squeue --noheader --array --states=RUNNING --format %i | head -n 1
}

at_work() {
    [ -n "$(first_job)" ] && begun "$1"
}

ends_well() {
    local status=0
    wait $grid || status=$?
    cat out
    tail -n 3 a.runs/grids/twelve/slurm/*.log
    [ "$status" -eq 0 ]
    same_as "$whole"
}

@test "slurm: cancelled jobs: what they had begun goes on" {
    with_slurm
    begin grid-slurm.sh --pack 0
    wait_for $grid at_work 2
    scancel --name=truncquant-twelve
    status=0
    wait $grid || status=$?
    cat out
    [ "$status" -eq 1 ]
    grep -q "^grid-slurm.sh: some runs were interrupted; the same command goes on from their checkpoints" out
    [ "$(sql "SELECT count(*) FROM run_status WHERE state IN ('running', 'failed')")" -eq 0 ]
    goes_on grid-slurm.sh
}

@test "slurm: jobs that are queued again, as by preemption" {
    with_slurm
    begin grid-slurm.sh --pack 0
    wait_for $grid at_work 2
    for job in $(squeue --noheader --array --states=RUNNING --format %i); do scontrol requeue "$job"; done
    ends_well
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'interrupted'")" -gt 0 ]
}

@test "slurm: the time limit: a checkpoint, and the queue again" {
    with_slurm
    # the signal comes a few seconds after the start
    begin grid-slurm.sh --pack 1000000 --time=1 --lead 55
    ends_well
    [ "$(sql "SELECT count(*) FROM attempts WHERE outcome = 'interrupted'")" -gt 0 ]
}

@test "slurm: slurmd is killed in the middle of a job and started again" {
    with_slurm
    begin grid-slurm.sh --pack 0
    wait_for $grid at_work 2
    end_daemon slurmd-one KILL
    sleep 1
    start_node one
    ends_well
}

# As when its power goes: its daemon, what watches over each job, and all of each job.
node_dies() {
    local shell
    end_daemon "slurmd-$1" KILL
    for shell in $(pgrep --full "bash $slurm/spool-$1/"); do
        kill -KILL "$(ps -o ppid= -p "$shell")" "$shell" $(pgrep --parent "$shell") || true
    done
}

@test "slurm: a node dies with its jobs, which go on on another, of another name" {
    with_slurm
    begin grid-slurm.sh --pack 0
    wait_for $grid at_work 3
    node_dies one
    ends_well
    [ "$(sql "SELECT count(DISTINCT host) FROM attempts")" -eq 2 ]
    [ "$(sql "SELECT count(DISTINCT run_id) FROM attempts GROUP BY run_id HAVING count(DISTINCT host) = 2 LIMIT 1")" -eq 1 ]
}

@test "slurm: the controller is stopped and started again" {
    with_slurm
    begin grid-slurm.sh --pack 0
    wait_for $grid at_work 2
    end_daemon slurmctld
    sleep 3
    slurmctld 3>&- 2>/dev/null
    ends_well
}

@test "slurm: the script is killed; the next call finds what is queued" {
    with_slurm
    begin grid-slurm.sh --pack 0
    wait_for $grid at_work 2
    kill -KILL $grid
    wait $grid || true
    goes_on grid-slurm.sh
    [ "$(sql "SELECT count(*) FROM attempts")" -eq 12 ]
}
