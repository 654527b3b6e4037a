# scripts/grid-ssh.sh on a real sshd that has several names, with real runs: the end state is that of one machine.

load ../cli/runs
load ssh
load grids

setup_file() {
    have_sshd
    tiny_data "$BATS_FILE_TMPDIR" 64 64
    use_data "$BATS_FILE_TMPDIR"
    undisturbed "$BATS_FILE_TMPDIR/whole" 2
    start_sshd "$BATS_FILE_TMPDIR/ssh" alpha beta gamma
    export PATH
}

teardown_file() {
    stop_sshd "$BATS_FILE_TMPDIR/ssh"
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    mkdir "$BATS_TEST_TMPDIR/it's" && cd "$BATS_TEST_TMPDIR/it's"
    twelve 2
    whole=$BATS_FILE_TMPDIR/whole
}

grid_ssh() {
    "$root/scripts/grid-ssh.sh" twelve.grid "$1" --db a.db "${@:2}"
}

@test "twelve runs on two hosts; one that does not answer is left out" {
    run -0 grid_ssh alpha,no-answer,beta --dry-run
    [ ! -e a.db ] && [ ! -e a.runs ] && [ ! -e a.alpha.db ]
    [ "$(grep -c ': one of alpha beta$' <<<"$output")" -eq 12 ]
    run -0 grid_ssh alpha,no-answer,beta --every 1
    echo "$output"
    [ "$(grep -c '^grid-ssh.sh: no-answer is left out: ssh: connect to host' <<<"$output")" -eq 1 ]
    same_as "$whole"
    for host in alpha beta; do # each has computed some, in a database of its own
        [ "$(sql "SELECT count(*) FROM run_status WHERE state = 'done'" a.$host.db)" -gt 0 ]
    done
    [ "$(sql "SELECT count(*) FROM attempts")" -eq 12 ]
    # once more: nothing to do
    run -0 grid_ssh beta
    [ "$(sql "SELECT count(*) FROM attempts")" -eq 12 ]
}

@test "what is stopped goes on from the checkpoints, where it was begun" {
    twelve 400
    "$root/scripts/grid-ssh.sh" twelve.grid alpha,beta --db a.db --every 1 --jobs 1 >out 2>&1 3>&- &
    grid=$!
    wait_for $grid eval '[ "$(ls -d a.alpha.runs/*/lock a.beta.runs/*/lock 2>/dev/null | wc -l)" -ge 2 ]'
    sleep 0.5
    kill -TERM $grid
    status=0
    wait $grid || status=$?
    cat out
    [ "$status" -eq 143 ]
    grep -q '^grid-ssh.sh: interrupted; the same command goes on from the checkpoints' out
    # nothing is left at work, and that is known here
    [ "$(sql "SELECT count(*) FROM run_status WHERE state = 'running'")" -eq 0 ]
    [ "$(ls a.alpha.runs/*/checkpoint a.beta.runs/*/checkpoint | wc -l)" -ge 2 ]
    begun=$(cd a.alpha.runs && dirname */checkpoint | head -n 1)
    run -0 grid_ssh alpha,beta --dry-run
    [ "$(grep -c "${begun:0:12}: alpha$" <<<"$output")" -eq 1 ]
}

@test "what will not do is one line" {
    run -1 grid_ssh no-answer
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[1]} == "grid-ssh.sh: no host is left to run twelve on" ]]
    run -1 grid_ssh alpha --program "$PWD/none"
    [[ ${lines[0]} == "grid-ssh.sh: alpha is left out: has no $PWD/none; build it there, or say --program" ]]
    # another version
    printf '%s\n' '#!/bin/sh' '[ "$1" != --version ] || { echo truncquant 0.1; exit; }' "exec '$program' \"\$@\"" >old
    chmod +x old
    run -1 grid_ssh alpha --program "$PWD/old"
    [[ ${lines[0]} == "grid-ssh.sh: alpha is left out: has truncquant 0.1, not truncquant "*"; build that there"* ]]
    # other data of the same name
    "$root/tests/tiny-data.sh" "$PWD/other" 64 64 2
    TRUNCQUANT_CACHE=$PWD/cache run -1 grid_ssh beta --data "$PWD/other"
    [[ ${lines[0]} == "grid-ssh.sh: beta is left out: the data set fashion-mnist here differs from the one run "* ]]
    # a database of a newer version there
    "$program" plan twelve.grid --db a.gamma.db --quiet
    sql 'PRAGMA user_version = 999' a.gamma.db
    run -1 grid_ssh gamma
    [[ ${lines[0]} == "grid-ssh.sh: gamma is left out: "*"a.gamma.db: "*"newer version"* ]]
    [ ${#lines[@]} -eq 2 ]
    run -1 grid_ssh alpha --jobs 1000
    [[ ${lines[0]} == "grid-ssh.sh: alpha is left out: has "*" cores for --jobs 1000; say --jobs "* ]]
    run -2 grid_ssh alpha,alpha
    [ "$output" = "grid-ssh.sh: the host alpha is named twice; leave one out" ]
    run -2 grid_ssh 'alpha,-oProxyCommand=x'
    [ "$output" = "grid-ssh.sh: '-oProxyCommand=x' is no name of a host; what else ssh needs belongs in ~/.ssh/config" ]
    run -2 grid_ssh alpha beta
    [[ $output == *"'beta' is one too many" ]]
    run -2 "$root/scripts/grid-ssh.sh" twelve.grid
    [[ $output == "usage: "* ]]
}

@test "five equal failures: no other run begins, and the reason is said" {
    # folders where checkpoints belong, so that none can be written
    "$program" plan twelve.grid --db a.db --ids --quiet >ids
    while read -r id; do mkdir -p "a.alpha.runs/$id/checkpoint"; done <ids
    run -1 grid_ssh alpha --jobs 1
    echo "$output"
    [[ ${lines[-1]} == "grid-ssh.sh: the first 5 runs"*"checkpoint"*"; when that is mended, 'truncquant retry twelve --db a.db' and the same command go on" ]]
    [ "$(sql "SELECT count(DISTINCT run_id) FROM attempts")" -eq 5 ]
}
