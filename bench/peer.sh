#!/bin/bash
# The harness beside PyTorch and stock Darknet: images per second of training (widths 1 2 4 8 32) and of evaluating
# (k = 4) on the same work, one after the other in turn, and the ratio of the medians. Only the ratios mean anything.
# Printed, and kept in results/bench/peer.csv; every single measurement in results/bench/peer-samples.csv.
#
#   QUICK=1            one round of three steps at smaller batches, in some minutes instead of half an hour
#   NETWORKS, THREADS  lists, instead of "lenet resnet8 resnet20 resnet20-x5" and "1 2"
#   ENGINES            list, instead of all; the largest network is measured on the first alone
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

bench=${BUILD:-build}/bench
for program in speed stock_darknet crosscheck; do
    [ -x "$bench/$program" ] || {
        echo "peer.sh: $bench/$program is not there; 'make bench' builds it and runs this" >&2
        exit 1
    }
done
python=${PYTHON:-/usr/bin/python3}
samples=results/bench/peer-samples.csv
if [ -n "${QUICK-}" ]; then rounds=1 steps=3; else rounds=3 steps=5; fi

has_torch=1
"$python" -c 'import torch' 2>/dev/null || {
    has_torch=
    echo "peer.sh: $python has no PyTorch, so its columns stay empty;" \
        "scripts/setup.sh --bench installs it (Debian's python3-torch)" >&2
}

# Threads that wait for one another at every layer need all their cores: one that is taken costs far more than its share.
read -r load _ </proc/loadavg
awk -v load="$load" 'BEGIN { exit load < 0.5 }' &&
    echo "peer.sh: the load is $load before anything is measured; what is measured on several threads will be wrong" >&2

# work_of NETWORK: its shape, batch, Darknet's batch (its rate does not depend on it), steps and rounds.
work_of() {
    shape=28x28x1 batch=128 stock_batch=32 n=$steps turns=$rounds engines=${ENGINES:-$("$bench/crosscheck" engines)}
    case $1 in
    resnet20) shape=32x32x3 stock_batch=8 ;;
    resnet20-x5) shape=32x32x3 stock_batch=2 n=2 turns=1 engines=${engines%%[[:space:]]*} ;;
    esac
    [ -z "${QUICK-}" ] || case $1 in
    resnet20) n=2 ;;
    resnet20-x5) batch=16 n=1 ;;
    esac
}

# note CONTENDER PRECISION INFERENCE TRAIN EVALUATE: the samples in the last line of CSV on standard input, whose
# columns the numbers say (a precision may be given as it is); nothing when there is no such line.
note() {
    tail -n 1 | awk -F, -v head="$network,$shape,$batch,$threads,$1" -v p="$2" -v i="$3" -v t="$4" -v e="$5" '
        function column(x) { return x ~ /^[0-9]+$/ ? $x : x }
        $t > 0 { print head "," column(p) "," $t ","; print head "," column(i) ",," $e }' >>"$samples"
}

# One turn of everybody on one network; Darknet has one thread, so it takes part where one is measured. What an
# engine does not compute in is left out.
turn() {
    local cfg=experiments/networks/$network.cfg engine how precision
    local size=(--shape "$shape" --batch "$batch" --steps "$n" --threads "$threads")
    for engine in $engines; do
        for how in '--precision fp32 --arithmetic int8' '--precision bf16-backward --arithmetic fp32'; do
            # shellcheck disable=SC2086 # two options
            { "$bench/speed" --engine "$engine" $how "${size[@]}" "$cfg" 2>/dev/null || true; } | note "$engine" 3 4 7 8
        done
    done
    [ -z "$has_torch" ] || for precision in fp32 bf16; do
        "$python" bench/peer_pytorch.py speed "$cfg" --precision "$precision" "${size[@]}" |
            note pytorch "$precision" "$precision" 4 5
    done
    [ "$threads" != 1 ] ||
        "$bench/stock_darknet" "$shape" "$stock_batch" 1 "$cfg" 2>/dev/null | note darknet fp32 fp32 4 5
}

# The table of medians and ratios from all samples. Darknet's rate with one thread stands for it everywhere; int8 is
# compared with the faster of what PyTorch computes in.
summarize() {
    awk -F, '
    NR == 1 { next }
    {
        work = $1 "," $2 "," $3 "," $4
        if (!(work in seen)) { seen[work] = 1; works[++n_works] = work }
        if ($5 != "pytorch" && $5 != "darknet" && !($5 in engine)) { engine[$5] = 1; engines[++n_engines] = $5 }
        for (i = 0; i < 2; i++) {
            if ($(7 + i) == "") continue
            key = work SUBSEP $5 SUBSEP $6 SUBSEP i
            value[key, ++count[key]] = $(7 + i)
            if ($5 == "darknet") stock[$1, i] = key
        }
    }
    function median(key,   n, i, j, t, x) {
        n = count[key]
        if (!n) return 0
        for (i = 1; i <= n; i++) x[i] = value[key, i]
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
        return n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2
    }
    function peer(work, precision, i,   a, b) {
        a = median(work SUBSEP "pytorch" SUBSEP "fp32" SUBSEP i)
        b = median(work SUBSEP "pytorch" SUBSEP "bf16" SUBSEP i)
        return precision == "fp32" ? a : precision == "int8" && a > b ? a : b
    }
    function shown(x, format) { return x ? sprintf(format, x) : "" }
    function over(x, y) { return x && y ? sprintf("%.2f", x / y) : "" }
    END {
        print "network,shape,batch,threads,work,engine,precision,harness,pytorch,darknet,over_pytorch,over_darknet"
        n_precisions = split("fp32 bf16 bf16-backward int8", precisions, " ")
        names[0] = "train"; names[1] = "evaluate"
        for (w = 1; w <= n_works; w++)
            for (i = 0; i < 2; i++)
                for (g = 1; g <= n_engines; g++)
                    for (p = 1; p <= n_precisions; p++) {
                        work = works[w]
                        split(work, of, ",")
                        ours = median(work SUBSEP engines[g] SUBSEP precisions[p] SUBSEP i)
                        theirs = peer(work, precisions[p], i)
                        darknet = median(stock[of[1], i])
                        if (!ours) continue
                        print work "," names[i] "," engines[g] "," precisions[p] "," shown(ours, "%.1f") "," \
                            shown(theirs, "%.1f") "," shown(darknet, "%.2f") "," over(ours, theirs) "," over(ours, darknet)
                    }
    }' "$samples"
}

mkdir -p results/bench
echo 'network,shape,batch,threads,contender,precision,train,evaluate' >"$samples"
for network in ${NETWORKS:-lenet resnet8 resnet20 resnet20-x5}; do
    work_of "$network"
    for threads in ${THREADS:-1 2}; do
        for ((i = 0; i < turns; i++)); do
            turn
        done
    done
done
summarize | tee results/bench/peer.csv
