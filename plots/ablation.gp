# Draw ablation.sql: a block for each network and data set, in it a small panel for each scheme and inference, direct beside
# truncated, and in these a curve for each configuration. A block has its own axis.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "place" name "place" nooutput
stats csv using "curve" name "curve" nooutput
blocks = int(panel_max)
places = int(place_max)
curves = int(curve_max)
array title_of[blocks]
array places_of[blocks]
array lowest[blocks]
array highest[blocks]
array chance_of[blocks]
array label_of[blocks * places]
array setting_of[curves]
do for [b = 1:blocks] { places_of[b] = 0; lowest[b] = 100; highest[b] = 0; chance_of[b] = -1 }
at(b, c) = (b - 1) * places + c

longest = 24
deviation(seeds) = seeds > 1 ? column("top1_sd") : 0
note(b, c, s) = (title_of[b] = strcol("network") . ", " . strcol("dataset"), split = strcol("split"), \
    places_of[b] = at_least(places_of[b], c), label_of[at(b, c)] = strcol("scheme") . ", " . strcol("inference"), \
    setting_of[s] = strcol("setting"), \
    longest = at_least(longest, strlen(strcol("setting"))), \
    chance_of[b] = strcol("chance") eq "" ? -1 : column("chance"), \
    lowest[b] = at_most(lowest[b], column("top1") - deviation(column("seeds"))), \
    highest[b] = at_least(highest[b], column("top1") + deviation(column("seeds"))), b)
stats csv using (note(int(column("panel")), int(column("place")), int(column("curve")))) nooutput
# Chance stands in every panel or in none: where one is not known, or so far below the points that it would flatten them.
show_chance = 1
do for [b = 1:blocks] { show_chance = show_chance && chance_of[b] > 0 && chance_of[b] > lowest[b] - 30 }

tall = 130; wide = 150; most_columns = 4
entries = curves + show_chance
load "plots/small.gp"
load "plots/canvas.gp"

# Colours and marks of settings, which belong to no scheme.
setting_colour(s) = word(bits_colours, (s - 1) % 9 + 1)
setting_point(s) = int(word("5 7 9 11 13 4 6 8 10", (s - 1) % 9 + 1))
# Neighbours are moved apart a little, or error bars would hide each other.
moved(s) = column("x") + 0.5 * (s - 0.5 * (curves + 1)) / at_least(curves, 4)
of_panel(b, c, s) = column("panel") == b && column("place") == c && column("curve") == s ? column("top1") : NaN
with_bar(b, c, s) = column("seeds") > 1 ? of_panel(b, c, s) : NaN

set xrange [0.4:9.6]
set xtics ("1" 1, "2" 2, "" 3, "4" 4, "" 5, "" 6, "" 7, "8" 8, "32" 9) nomirror out
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
        if (lowest_line) { set xlabel "weight bits k" offset 0, 0.4 } else { unset xlabel }
        plot show_chance ? chance_of[b] : NaN with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F", \
             for [s = 1:curves] csv using (moved(s)):(with_bar(b, c, s)):"top1_sd" \
                 with yerrorbars linewidth 1 pointtype -1 linecolor rgb setting_colour(s), \
             for [s = 1:curves] csv using (moved(s)):(of_panel(b, c, s)) \
                 with linespoints linewidth 1.5 pointtype setting_point(s) pointsize 0.6 linecolor rgb setting_colour(s)
        unset label
    }
}

load "plots/legend.gp"
plot for [s = 1:curves] NaN with linespoints linewidth 1.5 pointtype setting_point(s) pointsize 0.9 \
         linecolor rgb setting_colour(s) title setting_of[s], \
     for [i = 1:show_chance] NaN with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F" title "chance"
unset multiplot
unset output
