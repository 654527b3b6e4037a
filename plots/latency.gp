# Draw latency.sql: truncated top-1 against milliseconds, and against bytes read; a colour per scheme, a mark per width.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "curve" name "curve" nooutput
panels = int(panel_max)
curves = int(curve_max)
array title_of[panels]
array axis_of[panels]
array lo[panels]
array hi[panels]
array most[panels]
array label_of[curves]
array style_of[curves]
array variant_of[curves]
array has_bits[8]
do for [p = 1:panels] { lo[p] = 100; hi[p] = 0; most[p] = 0 }
do for [k = 1:8] { has_bits[k] = 0 }
longest = 20
calls(batch) = batch == 1 ? "ms per image" : sprintf("ms per %d images", batch)
note(p, c) = (split = strcol("split"), \
    title_of[p] = strcol("network") . ", " . strcol("dataset"), \
    axis_of[p] = strcol("what") eq "read" ? "thousands of bytes read" : \
                 calls(column("batch")) . "\n" . strcol("processor") . ", " . strcol("kernels"), \
    label_of[c] = strcol("label"), style_of[c] = column("style"), variant_of[c] = column("variant"), longest = at_least(longest, strlen(strcol("label"))), \
    lo[p] = at_most(lo[p], column("top1") - deviation(column("seeds"))), \
    hi[p] = at_least(hi[p], column("top1") + deviation(column("seeds"))), \
    most[p] = at_least(most[p], column("x")), has_bits[int(column("bits"))] = 1, p)
deviation(seeds) = seeds > 1 ? column("top1_sd") : 0
stats csv using (note(int(column("panel")), int(column("curve")))) nooutput
widths = ""
do for [k = 1:8] { if (has_bits[k]) { widths = widths . " " . k } }

panel = 400
entries = curves + words(widths)
load "plots/panels.gp"
load "plots/canvas.gp"

in_panel(p, c) = column("panel") == p && column("curve") == c
point_of(p, c) = in_panel(p, c) ? column("top1") : NaN
with_bar(p, c) = in_panel(p, c) && column("seeds") > 1 ? column("top1") : NaN
of_width(p, k) = column("panel") == p && column("bits") == k ? column("top1") : NaN
dashes(variant) = int(variant) % 5 + 1 # a scheme's configurations share its colour
rgb_of(style) = int("0x" . substr(colour(style), 2, 7))

set xtics nomirror out
set ytics nomirror out
set grid ytics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
set border 3
unset key
do for [p = 1:panels] {
    set lmargin at screen X(left_of(p))
    set rmargin at screen X(left_of(p) + panel)
    set tmargin at screen Y(top_of(p))
    set bmargin at screen Y(top_of(p) + tall)
    set title title_of[p]
    set xlabel axis_of[p]
    set xrange [0:1.1 * most[p]]
    set yrange [at_least(0, 5 * floor((lo[p] - 1) / 5.0)):at_most(100, 5 * ceil((hi[p] + 1) / 5.0))]
    set ytics hi[p] - lo[p] > 30 ? 10 : hi[p] - lo[p] > 8 ? 5 : 1
    if (column_of(p) == 0) { set ylabel split eq "val" ? "top-1 on val, truncated (%)" : "top-1, truncated (%)" } else { unset ylabel }
    plot for [c = 1:curves] csv using "x":(point_of(p, c)):"low":"high" \
             with xerrorbars linewidth 0.7 pointtype -1 linecolor rgb colour(style_of[c]), \
         for [c = 1:curves] csv using "x":(with_bar(p, c)):(column("top1_sd")) \
             with yerrorbars linewidth 0.7 pointtype -1 linecolor rgb colour(style_of[c]), \
         for [c = 1:curves] csv using "x":(point_of(p, c)) with lines linewidth 1.5 dashtype dashes(variant_of[c]) linecolor rgb colour(style_of[c]), \
         for [i = 1:words(widths)] k = int(word(widths, i)) csv using "x":(of_width(p, k)):(rgb_of(column("style"))) \
             with points pointtype bits_point(k) pointsize 1.1 linecolor rgb variable
    unset label 1
}

load "plots/legend.gp"
plot for [c = 1:curves] NaN with lines linewidth 1.5 dashtype dashes(variant_of[c]) linecolor rgb colour(style_of[c]) title label_of[c], \
     for [i = 1:words(widths)] k = int(word(widths, i)) NaN with points pointtype bits_point(k) pointsize 1.1 \
         linecolor rgb "#404040" title sprintf("%d bit%s", k, k == 1 ? "" : "s")
unset multiplot
unset output
