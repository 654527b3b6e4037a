# Draw weights.sql: a block for each network and data set, in it a small panel for each configuration: how the weights lay when
# training began, pale, and at the end, dark, as steps; boundaries of 2 bits are lines. A block has its own axis.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "place" name "place" nooutput
stats csv using "stored_bits" name "stored" nooutput
blocks = int(panel_max)
places = int(place_max)
array title_of[blocks]
array places_of[blocks]
array highest[blocks]
array label_of[blocks * places]
array style_of[blocks * places]
do for [b = 1:blocks] { places_of[b] = 0; highest[b] = 0 }
at(b, c) = (b - 1) * places + c
note(b, c) = (title_of[b] = strcol("network") . ", " . strcol("dataset") . ", layer " . strcol("layer"), \
    places_of[b] = at_least(places_of[b], c), label_of[at(b, c)] = strcol("label"), style_of[at(b, c)] = column("style"), \
    highest[b] = strcol("share") eq "" ? highest[b] : at_least(highest[b], column("share")), b)
cut_at = ""
is_cut(b, c) = column("panel") == b && column("place") == c && strcol("stage") eq "cut"
stats csv using (is_cut(1, 1) ? (cut_at = cut_at . (cut_at eq "" ? ": " : ", ") . sprintf("%.3f", column("u")), 1) : 0) nooutput
cut_by = stored_min == stored_max ? sprintf("nearest at %d bits, then cut to 2", stored_min) . cut_at : "nearest when stored, then cut to 2 bits"
stats csv using (note(int(column("panel")), int(column("place")))) nooutput

tall = 120; wide = 150; most_columns = 5
entries = 5
longest = 56
load "plots/small.gp"
load "plots/canvas.gp"

# A bin is drawn around its middle.
in_panel(b, c, stage) = column("panel") == b && column("place") == c && strcol("stage") eq stage
bin(b, c, stage) = in_panel(b, c, stage) ? column("share") : NaN
boundary(b, c, stage) = in_panel(b, c, stage) ? column("u") : NaN

set xrange [0:1]
set ytics nomirror out
set border 3
unset key
do for [b = 1:blocks] {
    set yrange [0:1.06 * highest[b]]
    set ytics highest[b] > 20 ? 10 : highest[b] > 8 ? 4 : highest[b] > 4 ? 2 : 1
    do for [c = 1:places_of[b]] {
        set ylabel "weights (%)"
        load "plots/small-panel.gp"
        if (lowest_line) { set xlabel "u" offset 0, 0.4 } else { unset xlabel }
        # The 0 of a panel would touch the 1 of that before it.
        set xtics (first ? "0" : "" 0, "¼" 0.25, "½" 0.5, "¾" 0.75, "1" 1) nomirror out
        top = 1.06 * highest[b]
        plot csv using (boundary(b, c, "floor")):(0):(0):(top) with vectors nohead linewidth 3 linecolor rgb "#A6CEE3", \
             csv using (column("u") + 1 / 128.0):(bin(b, c, "start")) with histeps linewidth 1.5 linecolor rgb "#A0A0A0", \
             csv using (column("u") + 1 / 128.0):(bin(b, c, "end")) with histeps linewidth 1.5 linecolor rgb colour(style_of[at(b, c)]), \
             csv using (boundary(b, c, "nearest")):(0):(0):(top) with vectors nohead linewidth 1 dashtype (6, 4) linecolor rgb "#000000", \
             csv using (boundary(b, c, "cut")):(0):(0):(top) with vectors nohead linewidth 1 dashtype (2, 3) linecolor rgb "#000000"
        unset label
    }
}

load "plots/legend.gp"
plot NaN with lines linewidth 1.5 linecolor rgb "#A0A0A0" title "when training began", \
     NaN with lines linewidth 1.5 linecolor rgb "#404040" title "at the end, in the scheme's colour", \
     NaN with lines linewidth 1 dashtype (6, 4) linecolor rgb "#000000" title "nearest at 2 bits: 1/6, 1/2, 5/6", \
     NaN with lines linewidth 1 dashtype (2, 3) linecolor rgb "#000000" title cut_by, \
     NaN with lines linewidth 3 linecolor rgb "#A6CEE3" title "floor at 2 bits: 1/4, 1/2, 3/4"
unset multiplot
unset output
