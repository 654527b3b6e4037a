# from = cfg: what a grid leaves unsaid of how to train comes from the network's [net].

load runs

setup() {
    tiny_data "$BATS_TEST_TMPDIR" 256 32
    use_data "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
}

# net LINE ...: own.cfg, whose [net] has these lines
net() {
    printf '%s\n' '[net]' "$@" '[convolutional]' filters=4 size=3 stride=4 activation=relu \
        '[connected]' activation=linear '[softmax]' >own.cfg
}

# grid NAME LINE ...: with these lines in [train]
grid() {
    local name=$1
    shift
    printf '%s\n' '[grid]' "name = $name" 'scheme = fp32' 'network = own.cfg' 'dataset = fashion-mnist' \
        '[train]' 'epochs = 3' "$@" >"$name.grid"
}

# plan NAME [OPTION ...]
plan() {
    run --separate-stderr "$program" plan "$1.grid" --db a.db --quiet "${@:2}"
    echo "$output$stderr"
}

# same KEY=VALUE ...: the run of a.grid, from = cfg, is that of a grid that says these itself
same() {
    plan a --ids
    [ "$status" -eq 0 ]
    local taken=$output
    grid said "$@"
    plan said --ids
    [ "$output" = "$taken" ]
}

# refuses TEXT
refuses() {
    plan a
    [ "$status" -eq 1 ]
    [[ $stderr == *"$1"* ]]
}

@test "each policy becomes the schedule that says the same" {
    grid a 'from = cfg'
    sgd=('optimizer = sgd' 'momentum = 0.8' 'decay = 0.0005' 'learning_rate = 0.05' 'batch = 64')
    recipe=(batch=64 subdivisions=2 learning_rate=.05 momentum=.8 decay=.0005 max_batches=2000)
    net "${recipe[@]}"
    same "${sgd[@]}" 'schedule = constant'
    net "${recipe[@]}" policy=poly power=3
    same "${sgd[@]}" 'schedule = poly' 'power = 3'
    net "${recipe[@]}" policy=poly burn_in=100
    same "${sgd[@]}" 'schedule = poly' 'warmup = 0.05'
    net "${recipe[@]}" policy=steps steps=1000,1500 scales=.1,.1
    same "${sgd[@]}" 'schedule = step' 'milestones = 0.5 0.75' 'gamma = 0.1'
    net "${recipe[@]}" policy=step step=500 scale=.5
    same "${sgd[@]}" 'schedule = step' 'milestones = 0.25 0.5 0.75' 'gamma = 0.5'
    net "${recipe[@]}" policy=step step=5000 scale=.5
    same "${sgd[@]}" 'schedule = constant'
    # Darknet's defaults, where [net] says nothing.
    net batch=32
    same 'batch = 32' 'optimizer = sgd' 'decay = 0.0001' 'schedule = constant'
}

@test "what the grid says comes first, and --explain tells which is which" {
    net batch=1 learning_rate=.05 momentum=.8 policy=sigmoid adam=1
    grid a 'from = cfg' 'batch = 128' 'momentum = 0.5' 'optimizer = sgd' 'schedule = step'
    same 'batch = 128' 'momentum = 0.5' 'optimizer = sgd' 'schedule = step' 'learning_rate = 0.05' \
        'decay = 0.0001'
    plan a --explain
    [[ $output =~ batch\ +128\ +a.grid:9 ]]
    [[ $output =~ momentum\ +0.5\ +a.grid:10 ]]
    [[ $output =~ learning_rate\ +0.05\ +own.cfg:1 ]]
    [[ $output =~ decay\ +0.0001\ +own.cfg:1 ]]
    [[ $output =~ milestones\ +0.5\ 0.75\ 0.9\ +default ]]
}

@test "what the command line says comes before the cfg, too" {
    grid a 'from = cfg'
    net batch=64 learning_rate=.05 momentum=.8 decay=.0005
    plan a --explain --set learning_rate=0.25
    [ "$status" -eq 0 ]
    [[ $output =~ learning_rate\ +0.25\ +--set ]]
    [[ $output =~ momentum\ +0.8\ +own.cfg: ]]
}

@test "what the harness does not have is refused by line" {
    grid a 'from = cfg'
    net batch=1
    refuses 'a.grid:8: own.cfg:1: batch takes a whole number from 2 to 65536'
    net batch=64 policy=sigmoid
    refuses 'a.grid:8: own.cfg:1: its policy is none of constant, poly, step and steps; say schedule in the grid'
    net batch=64 policy=steps steps=10,20 scales=.1,.2 max_batches=30
    refuses 'own.cfg:1: scales differ'
    net batch=64 policy=steps steps=10,20 scales=.1,.1
    refuses 'own.cfg:1: policy=steps without max_batches'
    net batch=64 policy=steps steps=10,40 scales=.1,.1 max_batches=30
    refuses 'own.cfg:1: milestones takes 1 to 9 numbers from 0 to 1'
    net batch=64 policy=steps steps=1,2,3,4,5,6,7,8,9,10 scales=1,1,1,1,1,1,1,1,1,1 max_batches=30
    refuses 'own.cfg:1: 10 steps are more than the 9 milestones of a grid'
    net batch=64 policy=step step=1 max_batches=30
    refuses 'own.cfg:1: step=1 is more often than the 9 milestones of a grid'
    net batch=64 burn_in=5
    refuses 'own.cfg:1: burn_in without max_batches'
    net batch=64 adam=1
    refuses 'own.cfg:1: adam=1, which Darknet ignores on a CPU; say optimizer in the grid'
    net batch=512
    refuses 'own.cfg:1: a batch of 512 cannot be filled'
    [ ! -e a.db ]
}

@test "a single specification takes it too, and the run says what it took" {
    net batch=64 learning_rate=.01 policy=poly
    printf '%s\n' 'scheme = fp32' 'network = own.cfg' 'dataset = fashion-mnist' 'epochs = 1' 'from = cfg' \
        'calibration = 0' >one.spec
    run "$program" run --spec one.spec --db a.db --quiet
    [ "$status" -eq 0 ]
    spec=$(sqlite3 a.db 'SELECT spec FROM runs')
    [[ $spec == *"batch = 64"*"schedule = poly"* ]]
    [[ $spec != *from* ]]
    # Four steps: the first at 0.01, the rate of the epoch that of the last, 0.01 (1 / 4)^4.
    [ "$(sqlite3 a.db 'SELECT abs(learning_rate / (0.01 / 256) - 1) < 1e-6 FROM epochs')" -eq 1 ]
}
