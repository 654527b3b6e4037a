#!/bin/sh
# Install what truncquant needs from Debian's packages: to build, run and draw; with --test also what its
# tests need, with --paper also LaTeX for the report, with --bench also PyTorch, which benchmarks and the crosscheck compare with, with --fuzz also what
# the fuzzer is built with. Does nothing, and asks apt nothing, when all of it is there. It builds nothing itself.
set -eu

run="gcc libc6-dev make git procps curl unzip darknet libopenblas-dev libdnnl-dev libsqlite3-dev sqlite3
    libinih-dev libssl-dev zlib1g-dev libarchive-dev libmatio-dev libprotobuf-c-dev protobuf-c-compiler
    libjpeg62-turbo-dev libpng-dev libexif-dev parallel gnuplot-nox fonts-dejavu-core dataset-fashion-mnist"
test="bats clang-format cppcheck shellcheck libcmocka-dev librsvg2-bin perl python3 python3-onnx chromium
    busybox zip qemu-user pkg-config gcc-aarch64-linux-gnu libc6-dev-arm64-cross openssh-server openssh-client slurm-wlm
    munge"
paper="latexmk texlive-latex-recommended texlive-publishers texlive-fonts-recommended poppler-utils"
bench="python3-torch python3-numpy"
fuzz="clang libclang-rt-14-dev libomp-14-dev libcmocka-dev"

say() {
    echo "setup.sh: $*" >&2
}

die() {
    say "$@"
    exit 1
}

usage() {
    echo "usage: scripts/setup.sh [--test | --paper | --bench | --fuzz]"
    echo "Installs the Debian packages that truncquant needs; --test: those of its tests, too;"
    echo "--paper: LaTeX, too, for 'make paper' (the tests need it as well);"
    echo "--bench: PyTorch, too, which 'make bench' and 'make crosscheck' compare with;"
    echo "--fuzz: clang with libFuzzer, too, for 'make fuzz'."
}

wanted=$run
case ${1-} in
--test) wanted="$run $test $paper" ;;
--paper) wanted="$run $paper" ;;
--bench) wanted="$run $bench" ;;
--fuzz) wanted="$run $fuzz" ;;
--help) usage && exit 0 ;;
'') ;;
*) usage >&2 && exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2 && exit 2; }

installed() {
    # Any gnuplot will do: its other packages exclude gnuplot-nox.
    [ "$1" = gnuplot-nox ] && command -v gnuplot >/dev/null && return
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    die "no apt-get here, so this is not Debian or a relative of it; install by hand what these Debian" \
        "packages hold:" $wanted
fi

missing=
for package in $wanted; do
    installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    say "all packages are there"
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    die "not root, and there is no sudo; as root, run: apt-get install --no-install-recommends$missing"
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 "$@"
}

update() {
    apt update || die "apt-get update failed; its message above says why (no network, or no root?)"
}

install_missing() {
    apt install -y --no-install-recommends $missing
}

say "installing$missing"
# A fresh machine has no package lists; one that was last updated long ago has some that lead nowhere.
apt-get install --simulate --no-install-recommends $missing >/dev/null 2>&1 || update
install_missing || {
    say "once more, with new package lists"
    update
    install_missing || die "apt-get could not install$missing; its message above says why"
}
say "all packages are there"
