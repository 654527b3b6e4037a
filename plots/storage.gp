# Draw storage.sql: a block for each network and data set, in it a small panel for each configuration: direct dashed with open
# points, truncated solid with filled ones, widths by layer as points, and in grey what `dedicated` has there. A block has its
# own axis.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "place" name "place" nooutput
stats csv using "stored" name "stored" nooutput
blocks = int(panel_max)
places = int(place_max)
array title_of[blocks]
array places_of[blocks]
array lowest[blocks]
array highest[blocks]
array chance_of[blocks]
array grey_of[blocks] # the place of `dedicated`, or 0
array label_of[blocks * places]
array style_of[blocks * places]
do for [b = 1:blocks] { places_of[b] = 0; lowest[b] = 100; highest[b] = 0; chance_of[b] = -1; grey_of[b] = 0 }
at(b, c) = (b - 1) * places + c

by_layer = 0
deviation(seeds) = seeds > 1 ? column("top1_sd") : 0
note(b, c) = (title_of[b] = strcol("network") . ", " . strcol("dataset"), split = strcol("split"), \
    places_of[b] = at_least(places_of[b], c), label_of[at(b, c)] = strcol("label"), style_of[at(b, c)] = column("style"), \
    grey_of[b] = strcol("scheme") eq "dedicated" ? c : grey_of[b], \
    by_layer = at_least(by_layer, column("by_layer")), \
    chance_of[b] = strcol("chance") eq "" ? -1 : column("chance"), \
    lowest[b] = at_most(lowest[b], column("top1") - deviation(column("seeds"))), \
    highest[b] = at_least(highest[b], column("top1") + deviation(column("seeds"))), b)
stats csv using (note(int(column("panel")), int(column("place")))) nooutput
# Chance stands in every panel or in none: where one is not known, or so far below the points that it would flatten them.
show_chance = 1; show_grey = 0
do for [b = 1:blocks] {
    show_chance = show_chance && chance_of[b] > 0 && chance_of[b] > lowest[b] - 30
    show_grey = show_grey || grey_of[b]
}

tall = 120; wide = 150; most_columns = 5
entries = 2 + show_grey + by_layer + show_chance
longest = 50
load "plots/small.gp"
load "plots/canvas.gp"

of_panel(b, c, i, layers) = column("panel") == b && column("place") == c && strcol("inference") eq i \
    && column("by_layer") == layers ? column("top1") : NaN
with_bar(b, c, i) = column("seeds") > 1 ? of_panel(b, c, i, 0) : NaN

set xrange [0:at_least(8, stored_max) + 0.9]
set xtics 4 nomirror out
set ytics nomirror out
set grid ytics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
set border 3
unset key
do for [b = 1:blocks] {
    least = show_chance ? at_most(lowest[b], chance_of[b]) : lowest[b]
    space = 0.06 * (highest[b] - least) + 0.5
    set yrange [at_least(0, least - space):at_most(101, highest[b] + space)]
    set ytics highest[b] - least > 40 ? 20 : highest[b] - least > 15 ? 10 : highest[b] - least > 6 ? 5 : 1
    do for [c = 1:places_of[b]] {
        set ylabel split eq "val" ? "top-1 on val (%)" : "top-1 (%)"
        load "plots/small-panel.gp"
        if (lowest_line) { set xlabel "bits stored" offset 0, 0.4 } else { unset xlabel }
        rgb = colour(style_of[at(b, c)])
        grey = grey_of[b]
        plot show_chance ? chance_of[b] : NaN with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F", \
             for [i = 1:grey > 0 && grey != c] csv using "stored":(of_panel(b, grey, "direct", 0)) \
                 with linespoints linewidth 1.5 pointtype 3 pointsize 0.6 linecolor rgb "#A0A0A0", \
             for [i in "direct truncated"] csv using "stored":(with_bar(b, c, i)):"top1_sd" \
                 with yerrorbars linewidth 1 pointtype -1 linecolor rgb rgb, \
             csv using "stored":(of_panel(b, c, "direct", 0)) \
                 with linespoints linewidth 1.5 dashtype (6, 4) pointtype 6 pointsize 0.8 linecolor rgb rgb, \
             csv using "stored":(of_panel(b, c, "truncated", 1)) with points pointtype 1 pointsize 0.6 linecolor rgb rgb, \
             csv using "stored":(of_panel(b, c, "truncated", 0)) \
                 with linespoints linewidth 1.5 pointtype 7 pointsize 0.5 linecolor rgb rgb
        unset label
    }
}

load "plots/legend.gp"
plot NaN with linespoints linewidth 1.5 dashtype (6, 4) pointtype 6 pointsize 0.8 linecolor rgb "#404040" \
         title "quantized to k bits: a code for each width", \
     NaN with linespoints linewidth 1.5 pointtype 7 pointsize 0.5 linecolor rgb "#404040" \
         title "cut to k bits: one code for all", \
     for [i = 1:by_layer] NaN with points pointtype 1 pointsize 0.8 linecolor rgb "#404040" title "cut to widths by layer", \
     for [i = 1:show_grey] NaN with linespoints linewidth 1.5 pointtype 3 pointsize 0.8 linecolor rgb "#A0A0A0" \
         title "dedicated: a model for each width", \
     for [i = 1:show_chance] NaN with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F" title "chance"
unset multiplot
unset output
