#!/bin/sh
# Write a small data set that a small network learns within a few epochs, in the format of Fashion-MNIST:
#
#     tests/tiny-data.sh DIR N_TRAIN N_TEST [SEED]      then run with TRUNCQUANT_DATA=DIR
#
# and with TRUNCQUANT_CACHE naming a folder of the test, or the prepared file of the real set is replaced.
# Each of the ten classes is a grating of its own direction and wavelength, shifted by up to a pixel, of
# varying contrast, under noise. Labels go round: 0 1 ... 9 0 1 .... The same arguments give the same bytes
# (perl brings its own generator). The files are plain, not gzip.
set -eu

if [ $# -lt 3 ] || [ $# -gt 4 ]; then
    echo "usage: $0 DIR N_TRAIN N_TEST [SEED]" >&2
    exit 2
fi
folder=$1/fashion-mnist
mkdir -p "$folder"
exec perl -e '
use strict;
use warnings;
my ($folder, $n_train, $n_test, $seed) = @ARGV;
my $pi = atan2(0, -1);
my %template; # "class dx dy" -> 784 values around 0

# A grating: five directions, two wavelengths.
sub template {
    my ($class, $dx, $dy) = @_;
    return $template{"$class $dx $dy"} ||= do {
        my $angle = $pi * ($class % 5) / 5;
        my $wavelength = $class < 5 ? 4.5 : 9;
        my ($x_step, $y_step) = map { 2 * $pi * $_ / $wavelength } cos $angle, sin $angle;
        [map { sin(($_ % 28 + $dx) * $x_step + (int($_ / 28) + $dy) * $y_step) } 0 .. 783];
    };
}

sub image {
    my ($class) = @_;
    my $pattern = template($class, int(rand 3) - 1, int(rand 3) - 1);
    my $contrast = 40 + rand 40;
    return pack "C784", map { int(128 + $contrast * $_ + (rand(80) - 40)) } @$pattern;
}

sub write_file {
    my ($name, $bytes) = @_;
    open my $out, ">:raw", "$folder/$name" or die "$folder/$name: $!\n";
    print $out $bytes or die "$folder/$name: $!\n";
    close $out or die "$folder/$name: $!\n";
}

sub write_split {
    my ($name, $n) = @_;
    write_file("$name-images-idx3-ubyte",
               pack("N4", 0x803, $n, 28, 28) . join "", map { image($_ % 10) } 0 .. $n - 1);
    write_file("$name-labels-idx1-ubyte",
               pack("N2", 0x801, $n) . pack "C*", map { $_ % 10 } 0 .. $n - 1);
}

srand $seed;
write_split("train", $n_train);
write_split("t10k", $n_test);
' "$folder" "$2" "$3" "${4:-1}"
