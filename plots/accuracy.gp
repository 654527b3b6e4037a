# Draw accuracy.sql: top-1 against bit-width, one panel per network and data set, a colour per scheme;
# direct inference dashed with open points, truncated solid with smaller filled ones, so that both show
# where they coincide.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

# What is there: panels, curves, their names and styles, and the span of accuracies.
stats csv using "panel" name "panel" nooutput
stats csv using "curve" name "curve" nooutput
panels = int(panel_max)
curves = int(curve_max)
array title_of[panels]
array label_of[curves]
array style_of[curves]
array variant_of[curves]
array chance_of[panels]
do for [p = 1:panels] { chance_of[p] = -1 }
longest = 33
note(p, c, t, l, s, v) = (split = strcol("split"), title_of[p] = t, label_of[c] = l, style_of[c] = s, variant_of[c] = v, \
                       longest = at_least(longest, strlen(l)), p)
stats csv using (note(int(column("panel")), int(column("curve")), \
                      strcol("network") . ", " . strcol("dataset"), \
                      strcol("label"), column("style"), column("variant"))) nooutput
array dataset_of[panels]
array lo[panels]
array hi[panels]
do for [p = 1:panels] { lo[p] = 100; hi[p] = 0 }
deviation(seeds) = seeds > 1 ? column("top1_sd") : 0
span(p) = (dataset_of[p] = strcol("dataset"), lo[p] = at_most(lo[p], column("top1") - deviation(column("seeds"))), \
           hi[p] = at_least(hi[p], column("top1") + deviation(column("seeds"))), \
           chance_of[p] = strcol("chance") eq "" ? -1 : column("chance"), p)
stats csv using (span(int(column("panel")))) nooutput
# Chance level stands in every panel or in none: where one is not known, or so far below the points that it would flatten
# them.
show_chance = 1
do for [p = 1:panels] { show_chance = show_chance && chance_of[p] > 0 && chance_of[p] < 100 && chance_of[p] > lo[p] - 30 }
# From below the lowest point to above the highest, alike for all panels of a data set, which are neighbours.
do for [p = 1:panels] { lo[p] = show_chance ? at_most(lo[p], chance_of[p]) : lo[p] }
do for [p = 2:panels] {
    if (dataset_of[p] eq dataset_of[p - 1]) { lo[p] = at_most(lo[p], lo[p - 1]); hi[p] = at_least(hi[p], hi[p - 1]) }
}
do for [i = 1:panels - 1] {
    p = panels - i
    if (dataset_of[p] eq dataset_of[p + 1]) { lo[p] = lo[p + 1]; hi[p] = hi[p + 1] }
}
bottom(p) = at_least(0, 10 * floor((lo[p] - 2) / 10.0))
top_of_range(p) = at_most(100, 10 * ceil((hi[p] + 1) / 10.0))

panel = panels == 1 ? 526 : 400
entries = curves + 2 + (show_chance ? 1 : 0)
load "plots/panels.gp"
load "plots/canvas.gp"

# Marks that are characters are sized by their font, which other marks may not have: curves of each are drawn apart.
small = format eq "svg" ? ",7" : ",6"
drawn = ""; written = ""
do for [c = 1:curves] {
    if (is_character(style_of[c], variant_of[c])) { written = written . " " . c } else { drawn = drawn . " " . c }
}
curve_of(list, i) = i <= words(list) ? int(word(list, i)) : 1 # what is not drawn is read, too
character(c) = is_character(style_of[c], variant_of[c]) ? filled(style_of[c], variant_of[c]) : " "
# Neighbours are moved apart a little, or error bars would hide each other.
moved(c) = column("x") + 0.06 * (c - 0.5 * (curves + 1)) * at_most(1, 6.0 / curves)
in_panel(p, c, inference) = column("panel") == p && column("curve") == c \
                            && strcol("inference") eq inference
point_of(p, c, inference) = in_panel(p, c, inference) ? column("top1") : NaN
with_bar(p, c, inference) = in_panel(p, c, inference) && column("seeds") > 1 ? column("top1") : NaN

set xrange [0.5:9.5]
set xtics ("1" 1, "2" 2, "3" 3, "4" 4, "5" 5, "6" 6, "7" 7, "8" 8, "32" 9) nomirror out
set ytics 10 nomirror out
set grid ytics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
set border 3
set xlabel "weight bits"
unset key
# The axis is broken between 8 and 32.
set arrow 1 from first 8.42, graph -0.025 to first 8.54, graph 0.025 nohead linewidth 1 front
set arrow 2 from first 8.50, graph -0.025 to first 8.62, graph 0.025 nohead linewidth 1 front

do for [p = 1:panels] {
    set lmargin at screen X(left_of(p))
    set rmargin at screen X(left_of(p) + panel)
    set tmargin at screen Y(top_of(p))
    set bmargin at screen Y(top_of(p) + tall)
    set title title_of[p]
    set yrange [bottom(p):top_of_range(p)]
    set ytics top_of_range(p) - bottom(p) > 30 ? 10 : 5
    if (column_of(p) == 0) { set ylabel split eq "val" ? "top-1 accuracy on val (%)" : "top-1 accuracy (%)" } else { unset ylabel }
    plot show_chance ? chance_of[p] : NaN \
             with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F", \
         for [c = 1:curves] csv using (moved(c)):(with_bar(p, c, "direct")):(column("top1_sd")) \
             with yerrorbars linewidth 1 pointtype -1 linecolor rgb colour(style_of[c]), \
         for [c = 1:curves] csv using (moved(c)):(with_bar(p, c, "truncated")):(column("top1_sd")) \
             with yerrorbars linewidth 1 pointtype -1 linecolor rgb colour(style_of[c]), \
         for [c = 1:curves] csv using (moved(c)):(point_of(p, c, "direct")) \
             with linespoints linewidth 1.5 dashtype (6, 4) pointtype hollow(style_of[c], variant_of[c]) \
             pointsize 1.2 linecolor rgb colour(style_of[c]), \
         for [i = 1:words(drawn)] c = curve_of(drawn, i) csv using (moved(c)):(point_of(p, c, "truncated")) \
             with linespoints linewidth 1.5 pointtype filled(style_of[c], variant_of[c]) pointsize 0.55 \
             linecolor rgb colour(style_of[c]), \
         for [i = 1:words(written)] c = curve_of(written, i) csv using (moved(c)):(point_of(p, c, "truncated")) \
             with linespoints linewidth 1.5 pointtype character(c) linecolor rgb colour(style_of[c]) font small
    unset label 1
}

unset arrow 1; unset arrow 2
load "plots/legend.gp"
plot for [c = 1:curves] NaN with linespoints linewidth 1.5 pointtype filled(style_of[c], variant_of[c]) pointsize 1 \
         linecolor rgb colour(style_of[c]) title label_of[c], \
     NaN with linespoints linewidth 1.5 dashtype (6, 4) pointtype 6 pointsize 1.2 \
         linecolor rgb "#404040" title "direct: quantized to k bits", \
     NaN with linespoints linewidth 1.5 pointtype 7 pointsize 0.55 \
         linecolor rgb "#404040" title "truncated: stored codes cut to k bits", \
     for [i = 1:show_chance] NaN with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F" \
         title "chance"
unset multiplot
unset output
