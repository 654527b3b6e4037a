# Draw gap.sql: a block for each network and data set, in it a small panel for each configuration: direct dashed with open
# points, truncated solid with filled ones, shaded between them, with the largest loss as a number. A block has its own axis.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "place" name "place" nooutput
stats csv using "bits" name "bits" nooutput
blocks = int(panel_max)
places = int(place_max)
array title_of[blocks]
array places_of[blocks]
array lowest[blocks]
array highest[blocks]
array label_of[blocks * places]
array style_of[blocks * places]
array lost_of[blocks * places]
do for [b = 1:blocks] { places_of[b] = 0; lowest[b] = 100; highest[b] = 0 }
do for [i = 1:blocks * places] { lost_of[i] = -100 }
at(b, c) = (b - 1) * places + c

note(b, c) = (title_of[b] = strcol("network") . ", " . strcol("dataset"), split = strcol("split"), \
    places_of[b] = at_least(places_of[b], c), label_of[at(b, c)] = strcol("label"), style_of[at(b, c)] = column("style"), \
    lost_of[at(b, c)] = at_least(lost_of[at(b, c)], column("lost")), \
    lowest[b] = at_most(lowest[b], at_most(column("direct"), column("truncated"))), \
    highest[b] = at_least(highest[b], at_least(column("direct"), column("truncated"))), b)
stats csv using (note(int(column("panel")), int(column("place")))) nooutput

tall = 120; wide = 150; most_columns = 5
entries = 3
longest = 36
load "plots/small.gp"
load "plots/canvas.gp"

in_panel(b, c) = column("panel") == b && column("place") == c
of_panel(b, c, name) = in_panel(b, c) ? column(name) : NaN

set xrange [bits_min - 0.5:bits_max + 0.5]
set xtics 1 nomirror out
set ytics nomirror out
set grid ytics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
set border 3
set style fill transparent solid 0.25 noborder
unset key
do for [b = 1:blocks] {
    space = 0.06 * (highest[b] - lowest[b]) + 0.5
    set yrange [at_least(0, lowest[b] - space):at_most(101, highest[b] + space)]
    set ytics highest[b] - lowest[b] > 40 ? 20 : highest[b] - lowest[b] > 15 ? 10 : highest[b] - lowest[b] > 6 ? 5 : 1
    do for [c = 1:places_of[b]] {
        set ylabel split eq "val" ? "top-1 on val (%)" : "top-1 (%)"
        load "plots/small-panel.gp"
        if (lowest_line) { set xlabel "weight bits k" offset 0, 0.4 } else { unset xlabel }
        most = lost_of[at(b, c)]
        set label 3 sprintf("%.1f", abs(most) < 0.05 ? 0 : most) at graph 0.97, graph 0.09 right
        rgb = colour(style_of[at(b, c)])
        plot csv using "bits":(of_panel(b, c, "direct")):(of_panel(b, c, "truncated")) \
                 with filledcurves fillcolor rgb rgb, \
             csv using "bits":(of_panel(b, c, "direct")) \
                 with linespoints linewidth 1.5 dashtype (6, 4) pointtype 6 pointsize 0.8 linecolor rgb rgb, \
             csv using "bits":(of_panel(b, c, "truncated")) \
                 with linespoints linewidth 1.5 pointtype 7 pointsize 0.5 linecolor rgb rgb
        unset label
    }
}

load "plots/legend.gp"
set style fill transparent solid 0.25 noborder
plot NaN with linespoints linewidth 1.5 dashtype (6, 4) pointtype 6 pointsize 0.8 linecolor rgb "#404040" \
         title "direct: quantized to k bits", \
     NaN with linespoints linewidth 1.5 pointtype 7 pointsize 0.5 linecolor rgb "#404040" \
         title "truncated: stored codes cut to k bits", \
     NaN with filledcurves y1=0 fillcolor rgb "#404040" title "lost by truncation (number: most points)"
unset multiplot
unset output
