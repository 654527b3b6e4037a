# scripts/setup.sh with fakes of apt and its kin, scripts/grid.sh with a fake of the program.

root=$BATS_TEST_DIRNAME/../..

setup() {
    export FAKES="$BATS_TEST_TMPDIR/fakes" CALLS="$BATS_TEST_TMPDIR/calls"
    mkdir "$FAKES"
    : >"$CALLS"
}

# fake NAME: a program of that name in $FAKES, with its text on stdin.
fake() {
    { echo '#!/bin/bash' && cat; } >"$FAKES/$1"
    chmod +x "$FAKES/$1"
}

# Bats lets a line that starts with `!` pass whatever comes.
not_called() {
    if grep -q "$@" "$CALLS"; then
        return 1
    fi
}

# ---- setup.sh ----

# Where apt-get is asked something that has a word of $FAKE_FAULTS in it, it fails: once, or $FAKE_FOREVER.
# A machine that has every package but those in $1, and a user with the id $2.
machine() {
    local tool
    export FAKE_MISSING=$1 FAKE_UID=$2
    for tool in sh bash env cat; do
        ln -s "$(command -v $tool)" "$FAKES/$tool"
    done
    fake dpkg-query <<'END'
[[ " $FAKE_MISSING " == *" ${@: -1} "* ]] || echo -n installed
END
    fake id <<<'echo "$FAKE_UID"'
    fake apt-get <<'END'
echo "apt-get $*" >>"$CALLS"
for fault in $FAKE_FAULTS; do
    [[ " $* " == *" $fault "* ]] || continue
    [ -n "$FAKE_FOREVER" ] || [ ! -e "$FAKES/$fault.was" ] || continue
    : >"$FAKES/$fault.was"
    exit 100
done
exit 0
END
}

setup_sh() {
    run env PATH="$FAKES" "$root/scripts/setup.sh" "$@"
}

@test "setup: nothing is missing, so apt is not asked" {
    machine "" 0
    setup_sh --test
    [ "$status" = 0 ]
    [[ $output == *"all packages are there"* ]]
    [ ! -s "$CALLS" ]
}

@test "setup: root installs what is missing, without an update of fresh lists" {
    machine "darknet parallel bats" 0
    setup_sh
    [ "$status" = 0 ]
    grep -q -- "install -y --no-install-recommends darknet parallel$" "$CALLS"
    not_called update
}

@test "setup --fuzz: installs the fuzzer's compiler, too" {
    machine "clang libclang-rt-14-dev bats" 0
    setup_sh --fuzz
    [ "$status" = 0 ]
    grep -q -- "install -y --no-install-recommends clang libclang-rt-14-dev$" "$CALLS"
}

@test "setup --test: installs what the tests need, too" {
    machine "darknet bats" 0
    setup_sh --test
    [ "$status" = 0 ]
    grep -q -- "install -y --no-install-recommends darknet bats$" "$CALLS"
}

@test "setup: any gnuplot will do" {
    machine "gnuplot-nox" 0
    fake gnuplot </dev/null
    setup_sh
    [ "$status" = 0 ]
    [ ! -s "$CALLS" ]
}

@test "setup: no package lists yet, so they are fetched first" {
    machine "darknet" 0
    FAKE_FAULTS=--simulate setup_sh
    [ "$status" = 0 ]
    [[ $(sed -n 2p "$CALLS") == *update ]]
    [[ $(sed -n 3p "$CALLS") == *"install -y"* ]]
}

@test "setup: stale lists are fetched anew and the installation tried again" {
    machine "darknet" 0
    FAKE_FAULTS=-y setup_sh
    [ "$status" = 0 ]
    [[ $(sed -n 3p "$CALLS") == *update ]]
    [[ $(sed -n 4p "$CALLS") == *"install -y"* ]]
    [ "$(wc -l <"$CALLS")" = 4 ]
}

@test "setup: an installation that fails twice is an error that names the packages" {
    machine "darknet" 0
    FAKE_FOREVER=1 FAKE_FAULTS=-y setup_sh
    [ "$status" = 1 ]
    [[ $output == *"setup.sh: apt-get could not install darknet"* ]]
}

@test "setup: no network" {
    machine "darknet" 0
    FAKE_FOREVER=1 FAKE_FAULTS="--simulate update" setup_sh
    [ "$status" = 1 ]
    [[ $output == *"setup.sh: apt-get update failed"* ]]
    not_called -- "install -y"
}

@test "setup: neither root nor sudo" {
    machine "darknet parallel" 1000
    setup_sh
    [ "$status" = 1 ]
    [[ $output == *"apt-get install --no-install-recommends darknet parallel"* ]]
    [ ! -s "$CALLS" ]
}

@test "setup: not root, but there is sudo" {
    machine "darknet" 1000
    fake sudo <<'END'
echo -n "sudo " >>"$CALLS"
exec "$@"
END
    setup_sh
    [ "$status" = 0 ]
    grep -q -- "^sudo apt-get .*install -y --no-install-recommends darknet$" "$CALLS"
}

@test "setup: not Debian" {
    machine "" 0
    rm "$FAKES/apt-get"
    setup_sh
    [ "$status" = 1 ]
    [[ $output == *"no apt-get here"*"darknet"* ]]
}

@test "setup: an unknown argument" {
    machine "" 0
    setup_sh --tests
    [ "$status" = 2 ]
    setup_sh --test more
    [ "$status" = 2 ]
}

@test "setup: the tests' command in the README is the one that .ci/run runs" {
    command=$(grep -m 1 'make test$' "$root/README.md" | sed 's/^ *//')
    [ -n "$command" ]
    grep -qxF "$command" "$root/.ci/run"
}

# ---- grid.sh ----

# A program that knows the runs $1; what a run does is in its id.
program() {
    export FAKE_IDS="$BATS_TEST_TMPDIR/ids" TRUNCQUANT="$FAKES/true quant" REAL="$root/build/truncquant"
    printf '%s\n' $1 >"$FAKE_IDS"
    fake "true quant" <<'END'
verb=$1
printf '%s%s\n' "$verb" "$(printf ' <%s>' "${@:2}")" >>"$CALLS" # at once: others write, too
stop() {
    trap 'echo "$1 was asked to stop again" >>"$CALLS"' TERM
    echo "$1 was asked to stop" >>"$CALLS"
    sleep 0.5
    echo "$1 wrote a checkpoint" >>"$CALLS"
    exit 143
}
case $verb in
check)
    if [ "$2" = --trial ]; then
        [ ! -e "$CALLS.hopeless" ] || { echo "truncquant: the first 5 runs failed for one reason: why" >&2; exit 5; }
        exit 0
    fi
    exec "$REAL" "$@"
    ;;
plan)
    [[ " $* " != *" bf17 "* ]] || { echo "truncquant: plan: --precision takes fp32, not 'bf17'" >&2; exit 2; }
    [[ " $* " != *" --name "* ]] || { echo "mine-x" && exit; }
    [[ " $* " != *" --fit "* ]] || { echo 2 && exit; }
    {
        cat "$FAKE_IDS"
        # these wait for the weights of `parent`
        ! grep -qx "parent ended" "$CALLS" || printf '%s\n' ${FAKE_CHILDREN-}
    } | sed '/./s/.*/& qat-net-&/' # with the names of logs
    ;;
status)
    [ ! -s "${@: -1}" ] || { echo "truncquant: my.db: no database" >&2; exit 1; }
    [[ " $* " == *" --watch "* ]] && exec sleep 300
    # one line of FAKE_LATER for each look, then FAKE_COUNTS
    if [ -s "${FAKE_LATER-}" ]; then
        head -n 1 "$FAKE_LATER"
        sed -i 1d "$FAKE_LATER"
    else
        echo "${FAKE_COUNTS:-3 done}"
    fi
    ;;
run)
    case $2 in
    busy*) [ -e "$CALLS.$2" ] || { : >"$CALLS.$2" && exit 4; } ;;
    bad*) echo "truncquant: net.cfg:3: stride is 0; use 1 or more" >&2; exit 1 ;;
    killed*) kill -KILL $$ ;;
    asked*) exit 143 ;;
    slow*) trap 'stop "$2"' TERM; echo "$2 can be stopped" >>"$CALLS"; for i in {1..3000}; do sleep 0.1; done ;;
    threads*) echo "$OPENBLAS_NUM_THREADS $OMP_NUM_THREADS" ;;
    esac
    echo "$2 ended" >>"$CALLS"
    ;;
esac
END
}

in_new_place() {
    place="$BATS_TEST_TMPDIR/a b/it's"
    mkdir -p "$place"
    cd "$place"
    : >"my grid.grid"
    logs="out put/my.runs/grids/mine-x"
}

grid_sh() {
    "$root/scripts/grid.sh" "my grid.grid" --db "out put/my.db" "$@"
}

wait_for() {
    for _ in {1..1200}; do
        grep -q "$1" "$CALLS" && return
        sleep 0.1
    done
    return 1
}

@test "grid: every pending run is run, with paths as the caller meant them" {
    program "one two threads"
    in_new_place
    run grid_sh --jobs 2
    [ "$status" = 0 ]
    [[ $output == *"3 of 3 runs finished, 0 failed"* ]]
    grep -qxF "plan <my grid.grid> <--pending> <--ready> <--logs> <--db> <out put/my.db>" "$CALLS"
    for id in one two threads; do
        grep -qxF "run <$id> <--trial> <$logs/trial> <--db> <out put/my.db>" "$CALLS"
        grep -qx "$id ended" "$CALLS"
    done
    [ "$(cat "$logs/qat-net-threads.log")" = "1 1" ]
    [[ $output != *cite* ]]
}

@test "grid: failed runs are listed with reason and log, and the others still run" {
    program "one bad1 two bad2 three"
    in_new_place
    FAKE_COUNTS="3 done, 2 failed" run grid_sh --jobs 1
    [ "$status" = 1 ]
    [[ $output == *"3 of 5 runs finished, 2 failed"$'\n'* ]]
    [[ $output == *"bad1: net.cfg:3: stride is 0; use 1 or more"*"log: $logs/qat-net-bad1.log"* ]]
    [[ $output == *"; --retry-failed tries them again" ]]
    grep -qx "three ended" "$CALLS"
}

@test "grid: runs that were killed or stopped did not fail, and the same command goes on" {
    program "one killed1 asked1"
    in_new_place
    FAKE_COUNTS="1 done, 1 dead, 1 pending" run grid_sh --jobs 1
    [ "$status" = 1 ]
    [[ $output == *"1 of 3 runs finished, 0 failed, 2 interrupted"* ]]
    [[ $output == *"killed1: killed by signal 9"*"log: $logs/qat-net-killed1.log"* ]]
    [[ $output == *"asked1: asked to stop by signal 15"* ]]
    [[ $output == *"interrupted; the same command goes on from their checkpoints" ]]
    [[ $output != *retry-failed* ]]
}

@test "grid: of failed, killed and refused runs each gets the advice that helps it" {
    program "one killed1 bad1"
    in_new_place
    FAKE_COUNTS="1 done, 1 failed, 1 dead" run grid_sh
    [ "$status" = 1 ]
    [[ $output == *"1 of 3 runs finished, 1 failed, 1 interrupted"* ]]
    [[ $output == *"--retry-failed tries them again; some runs were interrupted; the same command goes on"* ]]
    program "bad1" # which left nothing in the database, so it is pending still
    FAKE_COUNTS="1 pending" run grid_sh
    [ "$status" = 1 ]
    [[ $output == *"could not begin, for the reasons above; without those, the same command runs them" ]]
}

@test "grid: runs that take others' weights come after those, in the same call" {
    program "one parent two"
    in_new_place
    FAKE_CHILDREN="child1 child2" run grid_sh --jobs 2
    [ "$status" = 0 ]
    [[ $output == *"5 of 5 runs finished, 0 failed"* ]]
    [ "$(grep -c '^run ' "$CALLS")" = 5 ] # each once
    [ "$(grep -n '^run <child' "$CALLS" | head -n 1 | cut -d: -f1)" -gt \
        "$(grep -n '^parent ended' "$CALLS" | cut -d: -f1)" ]
}

@test "grid: runs whose parent did not finish are said to wait" {
    program "one"
    in_new_place
    FAKE_COUNTS="1 done, 1 pending" run grid_sh
    [ "$status" = 1 ]
    [[ $output == *"some runs wait for the weights of others that did not finish"* ]]
}

@test "grid: a run that another process is at did not fail, and is tried again" {
    program "one busy1"
    in_new_place
    run grid_sh --jobs 1
    [ "$status" = 0 ]
    [[ $output == *"2 of 2 runs finished, 0 failed"* ]]
    [ "$(grep -c '^run <busy1>' "$CALLS")" = 2 ]
}

@test "grid: runs that others compute are waited for, and the state at the end decides" {
    program ""
    : >"$FAKE_IDS"
    in_new_place
    export FAKE_LATER=$BATS_TEST_TMPDIR/later
    printf '%s\n' '2 done, 1 running; 00:04 left' '2 done, 1 running; 00:02 left' '3 done' >"$FAKE_LATER"
    run grid_sh
    [ "$status" = 0 ]
    [[ $output == *"grid.sh: waiting for runs of mine-x that others compute (2 done, 1 running; 00:04 left)"* ]]
    # One that died there is run here, once its silence shows it.
    printf '%s\n' '2 done, 1 running' '2 done, 1 dead' >"$FAKE_LATER"
    (sleep 1 && echo late >"$FAKE_IDS") 3>&- &
    run grid_sh
    wait
    [ "$status" = 0 ]
    grep -q "^late ended" "$CALLS"
    # Who waits can be asked to stop, and leaves them alone.
    : >"$FAKE_IDS"
    FAKE_COUNTS='2 done, 1 running' "$root/scripts/grid.sh" "my grid.grid" --db "out put/my.db" \
        >"$BATS_TEST_TMPDIR/output" 2>&1 3>&- &
    for _ in {1..300}; do grep -q "waiting for runs" "$BATS_TEST_TMPDIR/output" && break; sleep 0.1; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" = 143 ]
}

@test "grid: when the first five runs fail for one reason, no more are started, and the reason is said" {
    program "bad1 bad2 bad3 bad4 bad5 slow1 left"
    in_new_place
    # what the program does once five have failed
    sed -i 's/^    slow\*).*/    slow*) printf "failed x y\\n%.0s" 1 2 3 4 5 >"$4"; : >"$CALLS.hopeless"; sleep 3; exit 5 ;;/' "$FAKES/true quant"
    FAKE_COUNTS="5 failed, 2 pending" run grid_sh --jobs 1
    echo "$output"
    [ "$status" = 1 ]
    not_called "^run <left>"
    [[ $output == *"mine-x: 0 of 6 runs finished, 5 failed"$'\n'* ]]
    [[ $output == *"grid.sh: the first 5 runs failed for one reason: why; when that is mended, 'truncquant retry mine-x"* ]]
}

@test "grid: as many runs at a time as the program says that there is room for" {
    program "one two"
    in_new_place
    PATH=$FAKES:$PATH
    fake parallel <<<'[[ " $* " == *" --version "* ]] && echo "GNU parallel 20221122" && exit; echo "parallel $*" >>"$CALLS"; exit 1'
    OMP_NUM_THREADS=1 run grid_sh
    grep -q "^parallel .*--jobs 2 " "$CALLS"
}

@test "grid: --retry-failed reaches plan and run" {
    program "one"
    in_new_place
    run grid_sh --retry-failed
    [ "$status" = 0 ]
    grep -q "^plan .*<--retry-failed>" "$CALLS"
    grep -q "^run <one> <--retry>" "$CALLS"
}

@test "grid: how runs are computed reaches run, and is a name" {
    program "one"
    in_new_place
    run grid_sh --precision bf16 --arithmetic fp32
    [ "$status" = 0 ]
    grep -q "^run <one> .*<--precision> <bf16> <--arithmetic> <fp32>" "$CALLS"
    run grid_sh --precision 'bf16; true'
    [ "$status" = 2 ]
    [[ $output == *"--precision takes a name"* ]]
}

@test "grid: what the program refuses is refused before anything is made or recorded, in its words" {
    program "one"
    in_new_place
    run grid_sh --precision bf17
    [ "$status" = 2 ]
    [ "$output" = "truncquant: plan: --precision takes fp32, not 'bf17'" ]
    grep -qF "<--dry-run>" "$CALLS"
    [ "$(grep -vc '^check' "$CALLS")" = 1 ]
    [ ! -e "out put" ]
    mkdir "out put"
    echo "no database" >"out put/my.db"
    run grid_sh
    [ "$status" = 1 ]
    [ "$output" = "truncquant: my.db: no database" ]
    [ "$(ls "out put")" = my.db ]
}

@test "grid: a database in a folder that is not there, or that cannot be made" {
    program "one"
    in_new_place
    run "$root/scripts/grid.sh" "my grid.grid" --db ../none/../x/y.db
    [ "$status" = 0 ]
    [[ $output != *realpath* ]]
    [ -e "../x/y.runs/grids/mine-x/qat-net-one.log" ]
    : >junk
    run "$root/scripts/grid.sh" "my grid.grid" --db junk/y.db
    [ "$status" = 1 ]
    [ "$output" = "grid.sh: junk/y.runs/grids/mine-x cannot be made or written to, and logs go there; name another place with --db" ]
    run "$root/scripts/grid.sh" ""
    [ "$status" = 2 ]
    [ "$output" = "grid.sh: the name of a file is empty; leave it out, or fill it in" ]
}

@test "grid: --set reaches plan, and the name it makes everything else" {
    program "one"
    in_new_place
    run grid_sh --set "dataset=x y=1"
    [ "$status" = 0 ]
    [[ $output == *"mine-x: 1 of 1 runs finished, 0 failed"* ]]
    grep -qF "<--pending> <--ready> <--logs> <--set> <dataset=x y=1>" "$CALLS"
    grep -qxF "status <mine-x> <--line> <--db> <out put/my.db>" "$CALLS"
    [ -e "$place/out put/my.runs/grids/mine-x/qat-net-one.log" ]
}

@test "grid: nothing is pending" {
    program ""
    : >"$FAKE_IDS"
    in_new_place
    run grid_sh
    [ "$status" = 0 ]
    [[ $output == *"3 done"* ]]
    not_called "^run"
}

@test "grid: a run that failed in an earlier call still makes it fail" {
    program "one"
    in_new_place
    FAKE_COUNTS="1 done, 1 failed" run grid_sh
    [ "$status" = 1 ]
    [[ $output == *"--retry-failed tries them again"* ]]
}

@test "grid: a plan that fails ends it, with the plan's message" {
    program "one"
    in_new_place
    fake "true quant" <<<'echo "truncquant: my grid.grid:1: no scheme" >&2; exit 1'
    run grid_sh
    [ "$status" = 1 ]
    [ "$output" = "truncquant: my grid.grid:1: no scheme" ]
    [ ! -e "out put" ]
}

@test "grid: a signal lets every run write its checkpoint, and starts no other" {
    program "slow1 slow2 slow3"
    in_new_place
    "$root/scripts/grid.sh" "my grid.grid" --db "out put/my.db" --jobs 2 \
        >"$BATS_TEST_TMPDIR/output" 2>&1 3>&- & # no function, whose subshell would get the signal
    wait_for "^slow1 can be stopped" && wait_for "^slow2 can be stopped"
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" = 143 ]
    for id in slow1 slow2; do
        [ "$(grep -c "^$id was asked to stop" "$CALLS")" = 1 ]
        grep -q "^$id wrote a checkpoint" "$CALLS"
    done
    not_called "slow3"
    grep -q "0 of 3 runs finished, 0 failed" "$BATS_TEST_TMPDIR/output"
    grep -q "goes on from the checkpoints" "$BATS_TEST_TMPDIR/output"

    program "one"
    run grid_sh
    [ "$status" = 0 ]
}

@test "grid: Ctrl-C reaches the runs as one request to stop" {
    # Where these tests run in the background, the signal is ignored, and a shell cannot change that for itself.
    program "slow1"
    in_new_place
    { wait_for "^slow1 can be stopped" && printf '\003' && wait_for "^slow1 wrote a checkpoint"; } 3>&- |
        run env --default-signal=INT script --quiet --return --command "'${root//\'/\'\\\'\'}/scripts/grid.sh' 'my grid.grid' --db 'out put/my.db'" /dev/null
    cat "$CALLS"; echo "$output"
    [ "$(grep -c "^slow1 was asked to stop" "$CALLS")" = 1 ]
    grep -q "^slow1 wrote a checkpoint" "$CALLS"
}

@test "grid: the same grid is not run twice at once" {
    program "slow1"
    in_new_place
    "$root/scripts/grid.sh" "my grid.grid" --db "out put/my.db" >/dev/null 2>&1 3>&- &
    first=$!
    wait_for "^run <slow1>"
    run grid_sh
    kill -TERM $first
    wait $first || true
    [ "$status" = 1 ]
    [[ $output == *"already being run"* ]]
}

@test "grid: wrong use" {
    program "one"
    in_new_place
    run grid_sh --jobs none
    [ "$status" = 2 ]
    [[ $output == *"--jobs takes a number"* ]]
    run grid_sh --job 1
    [ "$status" = 2 ]
    run grid_sh --jobs 1 --jobs 2
    [ "$status" = 2 ]
    [ "$output" = "grid.sh: --jobs is said twice; leave one out" ]
    run grid_sh another.grid
    [ "$status" = 2 ]
    run "$root/scripts/grid.sh"
    [ "$status" = 2 ]
    [ ! -s "$CALLS" ]
}

@test "grid: no program, no GNU parallel" {
    in_new_place
    TRUNCQUANT=build/none run grid_sh
    [ "$status" = 1 ]
    [[ $output == *"'make' builds it"* ]]
    program "one"
    fake parallel <<<'echo "parallel from moreutils"'
    PATH=$FAKES:$PATH run grid_sh
    [ "$status" = 1 ]
    [ "$output" = "truncquant: GNU parallel: another program has this name (it says 'parallel from moreutils'); \
apt-get install parallel" ]
    fake parallel <<<'echo "GNU parallel 20161222"'
    PATH=$FAKES:$PATH run grid_sh
    [ "$status" = 1 ]
    [ "$output" = "truncquant: GNU parallel: GNU parallel 20161222 is too old: 20210822 or newer is needed; \
Debian 12's parallel is new enough" ]
    [ ! -e "out put" ]
}

@test "scripts: a bash that is too old says so, before anything is read that it would not understand" {
    cd "$BATS_TEST_TMPDIR"
    sed 's/BASH_VERSINFO/OLD/g' "$root/scripts/common.sh" >common.sh
    for old in "4 3" "3 2"; do
        run bash -c 'OLD=($1); . ./common.sh; echo went on' "a/grid.sh" "$old"
        [ "$status" = 1 ]
        [ "$output" = "grid.sh: bash $BASH_VERSION is too old: 4.4 or newer is needed" ]
    done
    TRUNCQUANT=x run bash -c 'OLD=(4 4); . ./common.sh; echo went on'
    [ "$output" = "went on" ]
}

# A tree with version.sh and one file that computes, harness/a.c.
small_tree() {
    mkdir -p repo/scripts repo/harness
    cp "$BATS_TEST_DIRNAME/../../scripts/version.sh" repo/scripts/
    cd repo
    printf '%s\n' 'int a; // one' >harness/a.c
    echo 1.2.3 >VERSION
}

small_commit() {
    git init -q && git add . && git -c user.name=a -c user.email=a@b commit -qm a
}

# version NAME [FLAGS]: what the tree is
version() {
    # shellcheck disable=SC2086 # several flags
    scripts/version.sh gcc ${2--O2} -- harness/a.c | sed -n "s/#define VERSION_$1 //p" | tr -d '"'
}

@test "version.sh: two different changes of one commit have different names" {
    cd "$BATS_TEST_TMPDIR"
    small_tree
    small_commit
    [ "$(version COMMIT) $(version DIRTY)" = "$(git rev-parse HEAD) 0" ]
    echo 'a note' >harness/notes.txt
    [ "$(version DIRTY)" = 0 ]
    echo 'int b;' >harness/a.c
    changed=$(version COMMIT)
    [[ $changed == "$(git rev-parse HEAD)+"* && $(version DIRTY) == 1 ]]
    echo 'int c;' >harness/a.c
    other=$(version COMMIT)
    git checkout -q harness/a.c
    echo 'int d;' >harness/new.c
    new=$(version COMMIT)
    [ "$(printf '%s\n' "$changed" "$other" "$new" | sort -u | wc -l)" -eq 3 ]
}

@test "version.sh: the hash of the sources is of what computes, the compiler and its flags, and of nothing else" {
    cd "$BATS_TEST_TMPDIR"
    small_tree
    sources=$(version SOURCES)
    [ "${#sources}" = 64 ]
    small_commit
    echo more >README && git add . && git -c user.name=a -c user.email=a@b commit -qm b
    [ "$(version SOURCES)" = "$sources" ]
    echo '/* two */ int a;' >harness/a.c
    [ "$(version SOURCES)" = "$sources" ]
    [ "$(version SOURCES -O3)" != "$sources" ]
    [ "$(version SOURCES '-O2 -mavx2')" != "$(version SOURCES -O2)" ]
    echo 'int b;' >harness/a.c
    [ "$(version SOURCES)" != "$sources" ]
    run scripts/version.sh gcc -O2
    [ "$status" -eq 2 ]
}

@test "version.sh: without git's answer the commit is unknown, not that of whatever lies around; archives carry theirs" {
    cd "$BATS_TEST_TMPDIR"
    git init -q . && echo a >a && git add a && git -c user.name=a -c user.email=a@b commit -qm outer
    small_tree
    [ "$(version COMMIT) $(version DIRTY)" = "unknown 0" ]
    cp "$BATS_TEST_DIRNAME/../../.gitattributes" .
    small_commit
    commit=$(git rev-parse HEAD)
    mkdir ../archive && git archive HEAD | tar --extract --directory ../archive
    cd ../archive
    [ "$(version COMMIT) $(version DIRTY)" = "$commit 0" ]
    # A tree of another owner is read for the record all the same.
    if [ "$(id -u)" = 0 ]; then
        cd ../repo && chown -R 65534 .
        [ "$(version COMMIT)" = "$commit" ]
    fi
}
