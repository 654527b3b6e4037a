#!/bin/sh
# Write a small folder of colour images, PNG, of two classes whose names are trouble for a shell:
#
#     tests/tiny-images.sh DIR N_TRAIN N_TEST SIDE [SIDE_MOST]
#
# DIR/train and DIR/test hold N_TRAIN and N_TEST images of each class, of SIDE x SIDE pixels, or with
# SIDE_MOST of many sizes from SIDE to SIDE_MOST. One class is red at the top, the other at the bottom,
# under noise.
# The same arguments give the same bytes.
set -eu

if [ $# -lt 4 ] || [ $# -gt 5 ]; then
    echo "usage: $0 DIR N_TRAIN N_TEST SIDE [SIDE_MOST]" >&2
    exit 2
fi
exec perl -MCompress::Zlib -e '
use strict;
use warnings;
my ($folder, $train, $test, $side, $most) = @ARGV;
$most //= $side;
srand(1);

sub chunk {
    my ($type, $data) = @_;
    return pack("N", length $data) . $type . $data . pack("N", crc32($type . $data));
}

sub png {
    my ($w, $h, $red_below) = @_;
    my $rows = "";
    for my $y (0 .. $h - 1) {
        my $red = ($y < $h / 2) != $red_below ? 180 : 60;
        $rows .= "\0" . join("", map { chr($red + rand 60) . chr(rand 200) . chr(rand 200) } 1 .. $w);
    }
    return "\x89PNG\r\n\x1a\n" . chunk("IHDR", pack("NNCCCCC", $w, $h, 8, 2, 0, 0, 0)) .
        chunk("IDAT", compress($rows)) . chunk("IEND", "");
}

mkdir $folder;
for my $split (["train", $train], ["test", $test]) {
    mkdir "$folder/$split->[0]";
    my @classes = ("\$(touch pwned)", "it\x27s \"b\"");
    for my $label (0, 1) {
        my $class = "$folder/$split->[0]/$classes[$label]";
        mkdir $class;
        for my $i (1 .. $split->[1]) {
            my ($w, $h) = map { $side + int rand($most - $side + 1) } 0, 1;
            open my $out, ">:raw", "$class/$i.png" or die "$class/$i.png: $!\n";
            print $out png($w, $h, $label);
            close $out or die "$class/$i.png: $!\n";
        }
    }
}' "$@"
