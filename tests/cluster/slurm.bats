# scripts/grid-slurm.sh on a real Slurm with two nodes, with real runs: the end state is that of one machine.

load ../cli/runs
load slurm
load grids

setup_file() {
    have_slurm
    tiny_data "$BATS_FILE_TMPDIR" 64 64
    use_data "$BATS_FILE_TMPDIR"
    undisturbed "$BATS_FILE_TMPDIR/whole" 2
    start_slurm "$BATS_FILE_TMPDIR/slurm"
    export slurm PATH
}

teardown_file() {
    stop_slurm
}

setup() {
    use_data "$BATS_FILE_TMPDIR"
    mkdir "$BATS_TEST_TMPDIR/it's" && cd "$BATS_TEST_TMPDIR/it's"
    twelve 2
    whole=$BATS_FILE_TMPDIR/whole
}

grid_slurm() {
    "$root/scripts/grid-slurm.sh" twelve.grid --db a.db "$@"
}

@test "twelve runs in arrays on two nodes" {
    run -0 grid_slurm --dry-run --pack 0 --time=5
    echo "$output"
    [ ! -e a.db ] && [ ! -e a.runs ]
    # MaxArraySize is 6, so that five go into one; a family is one task
    [ "$(grep -c '^sbatch --array=0-4 .*--signal=B:USR1@120 .*--time=5' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^sbatch --array=0-2 ' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^  [0-9]: fp32-[^ ]* ptq-' <<<"$output")" -eq 4 ]
    run -0 grid_slurm --pack 0 --every 1
    echo "$output"
    [ "$(grep -c '^grid-slurm.sh: submitted job' <<<"$output")" -eq 2 ]
    same_as "$whole"
    [ "$(sql "SELECT count(*) FROM attempts WHERE job LIKE '%\_%' ESCAPE '\'")" -eq 12 ]
    run -0 grid_slurm
    [[ $output != *submitted* ]]
}

@test "a grid that is edited while it runs: what is queued goes on, and only what is new is submitted" {
    sed -i 's/^seed = .*/seed = 1, 2/' twelve.grid
    # one task, so that it is at work, or waits
    run -0 grid_slurm --pack 1000000 --detach
    [ "${#lines[@]}" -le 2 ]
    twelve 2
    run -0 grid_slurm --pack 1000000 --every 1
    echo "$output"
    [ "$(grep -c '^grid-slurm.sh: submitted job [0-9]*: 1 task$' <<<"$output")" -eq 1 ]
    same_as "$whole"
    [ "$(sql "SELECT count(*) FROM attempts")" -eq 12 ]
}

@test "what will not do is one line" {
    run -1 grid_slurm --partition=none
    [ "$output" = "grid-slurm.sh: sbatch: invalid partition specified: none;Batch job submission failed: Invalid partition name specified" ]
    [ -z "$(squeue --noheader --name=truncquant-twelve)" ]
    run -2 grid_slurm --array=0-3
    [ "$output" = "grid-slurm.sh: --array=0-3 is set by this script, for what it does needs that; leave it out" ]
    run -2 grid_slurm --pack much
    [ "$output" = "grid-slurm.sh: --pack takes seconds, not 'much'" ]
    echo "no database" >b.db
    run -1 "$root/scripts/grid-slurm.sh" twelve.grid --db b.db
    [ "${#lines[@]}" -eq 1 ]
    sed 's/^SlurmctldPort=.*/SlurmctldPort=1/' "$SLURM_CONF" >gone.conf # nobody listens there
    SLURM_CONF=$PWD/gone.conf run -1 grid_slurm
    [ "$output" = "grid-slurm.sh: Slurm's controller does not answer; 'scontrol ping' says which" ]
    mkdir bare && ln -s "$(command -v bash)" "$(command -v env)" "$(command -v dirname)" "$(command -v readlink)" bare/
    PATH=$PWD/bare TRUNCQUANT=$program run -1 "$root/scripts/grid-slurm.sh" twelve.grid
    [[ $output == "grid-slurm.sh: there is no sbatch here; this is for a login node of a Slurm cluster"* ]]
}

# As from a cluster that lets users have so many jobs: this one has no accounting to do so.
@test "where Slurm takes no more, the rest is submitted when there is room" {
    mkdir bin
    cat >bin/sbatch <<END
#!/bin/bash
[ "\$(squeue --noheader --array | wc -l)" -lt 2 ] && [[ " \$* " =~ --array=0-[01]\  ]] || {
    echo "sbatch: error: AssocMaxSubmitJobLimit" >&2
    echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy" >&2
    exit 1
}
exec $(command -v sbatch) "\$@"
END
    chmod +x bin/sbatch
    PATH=$PWD/bin:$PATH run -0 grid_slurm --pack 0 --every 1 --engine null:0.1
    [ "$(grep -c '^grid-slurm.sh: submitted job [0-9]*: [12] task' <<<"$output")" -ge 4 ]
    [ "$(sql "SELECT count(*) FROM run_status WHERE state = 'done'")" -eq 12 ]
}
