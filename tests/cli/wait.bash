# What waits for an event: as long as that takes on a busy machine, but not for ever.

# wait_for PID CONDITION...: until the condition holds, while the process is there; two minutes at most
wait_for() {
    local pid=$1 end=$((SECONDS + 120))
    shift
    until "$@"; do
        kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $end ] || { echo "no longer waited for: $*" && return 1; }
        sleep 0.02
    done
}
