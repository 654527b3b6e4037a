# An sshd of the test's own on loopback: its config, port and keys lie in the test's folder, and ssh knows it under several
# names. Sourced after ../cli/runs.

# have_sshd: or the test is skipped, loudly
have_sshd() {
    sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip_loudly "there is no sshd (scripts/setup.sh --test)"
    # it wants an empty folder that is root's
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
}

skip_loudly() {
    echo "# SKIPPED: $1" >&3
    skip "$1"
}

# A port that nobody listens on.
free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# start_sshd FOLDER NAME ...: it listens, and these names lead to it; no-answer leads nowhere, refused to a shell that
# nobody gets
start_sshd() {
    local folder=$1 port
    shift
    mkdir -p "$folder/bin" && chmod 755 "$folder"
    ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key"
    ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
    cp "$folder/key.pub" "$folder/authorized"
    port=$(free_port)
    printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $folder/host_key" "PidFile $folder/sshd.pid" \
        "AuthorizedKeysFile $folder/authorized" 'StrictModes no' 'UsePAM no' 'PasswordAuthentication no' \
        'PermitRootLogin yes' 'MaxStartups 100' 'PermitUserEnvironment no' >"$folder/sshd_config"
    printf '%s\n' "Host $*" 'HostName 127.0.0.1' "Port $port" 'Host no-answer' 'HostName 127.0.0.1' 'Port 1' 'Host *' \
        "IdentityFile $folder/key" 'IdentitiesOnly yes' "UserKnownHostsFile $folder/known" 'StrictHostKeyChecking no' \
        >"$folder/config"
    # what the scripts find as ssh
    printf '%s\n' '#!/bin/sh' "exec $(command -v ssh) -F '$folder/config' \"\$@\"" >"$folder/bin/ssh"
    chmod +x "$folder/bin/ssh"
    "$sshd" -f "$folder/sshd_config" -E "$folder/sshd.log" 3>&-
    PATH=$folder/bin:$PATH
    for _ in {1..100}; do
        ssh "$1" true && return
        sleep 0.1
    done
    cat "$folder/sshd.log"
    return 1
}

stop_sshd() {
    [ ! -e "$1/sshd.pid" ] || kill "$(cat "$1/sshd.pid")"
}
