# A Slurm of the test's own, as Debian packages it: munged, slurmctld and two slurmd, the nodes one and two, on this machine,
# without systemd, accounting and cgroups. All of it lies in the test's folder. Sourced after ../cli/runs.

# have_slurm: or the test is skipped, loudly
have_slurm() {
    local tool
    PATH=$PATH:/usr/sbin
    for tool in munged slurmctld slurmd sbatch; do
        command -v $tool >/dev/null || skip_loudly "there is no $tool (scripts/setup.sh --test)"
    done
    [ "$(id -u)" = 0 ] || skip_loudly "slurmd starts jobs as root alone"
    # which this slurmd cannot do without
    grep -qw cgroup /proc/filesystems && mountpoint -q /sys/fs/cgroup || skip_loudly "slurmd wants cgroups, which are not here"
}

skip_loudly() {
    echo "# SKIPPED: $1" >&3
    skip "$1"
}

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# start_slurm FOLDER: with the partition `work`; and SLURM_CONF
start_slurm() {
    slurm=$1
    mkdir -p "$slurm"/{state,spool-one,spool-two} && chmod 755 "$slurm"
    (umask 077 && head -c 128 /dev/urandom >"$slurm/munge.key")
    cat >"$slurm/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool-%n
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd-%n.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
MaxArraySize=6
SlurmdTimeout=10
KillWait=5
MinJobAge=30
NodeName=one NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=2 RealMemory=1000
NodeName=two NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=2 RealMemory=1000
PartitionName=work Nodes=one,two Default=YES MaxTime=INFINITE State=UP
END
    printf '%s\n' 'CgroupPlugin=cgroup/v1' 'CgroupAutomount=no' >"$slurm/cgroup.conf"
    export SLURM_CONF=$slurm/slurm.conf
    munged --force --key-file="$slurm/munge.key" --socket="$slurm/munge.socket" --pid-file="$slurm/munged.pid" \
        --log-file="$slurm/munged.log" --seed-file="$slurm/munge.seed" 3>&-
    slurmctld -c 3>&- 2>/dev/null
    start_node one
    start_node two
    for _ in {1..300}; do
        [ "$(sinfo --noheader --format '%D %t' 2>/dev/null)" != "2 idle" ] || return 0
        sleep 0.1
    done
    tail "$slurm"/*.log
    return 1
}

start_node() {
    slurmd -N "$1" 3>&-
}

stop_slurm() {
    local daemon
    [ -e "$slurm/slurmctld.pid" ] || return 0
    scancel --quiet --user=root 2>/dev/null || true
    for _ in {1..100}; do
        [ -n "$(squeue --noheader 2>/dev/null)" ] || break
        sleep 0.1
    done
    for daemon in slurmd-one slurmd-two slurmctld munged; do
        end_daemon "$daemon"
    done
}

# end_daemon NAME [SIGNAL]: and wait for its end
end_daemon() {
    local pid
    pid=$(cat "$slurm/$1.pid" 2>/dev/null) || return 0
    kill "-${2-TERM}" "$pid" 2>/dev/null || return 0
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid"
}
