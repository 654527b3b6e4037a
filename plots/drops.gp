# Draw drops.sql: what truncation costs, one panel per network and data set, a group of marks for each width, in it a
# mark per scheme with its interval. 0 is a line: nothing is lost.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "curve" name "curve" nooutput
stats csv using "place" name "place" nooutput
panels = int(panel_max)
curves = int(curve_max)
places = int(place_max)
array title_of[panels]
array label_of[curves]
array style_of[curves]
array variant_of[curves]
array bits_of[places]
longest = 12; lo = 0; hi = 0
half(seeds) = seeds > 1 ? column("half") : 0
note(p, c, k) = (title_of[p] = strcol("network") . ", " . strcol("dataset"), split = strcol("split"), \
                 label_of[c] = strcol("label"), style_of[c] = column("style"), variant_of[c] = column("variant"), bits_of[k] = strcol("bits"), \
                 longest = at_least(longest, strlen(label_of[c])), \
                 lo = at_most(lo, column("points") - half(column("seeds"))), \
                 hi = at_least(hi, column("points") + half(column("seeds"))), p)
stats csv using (note(int(column("panel")), int(column("curve")), int(column("place")))) nooutput
room = at_least(0.04 * (hi - lo), 0.1)

# A mark has room of its own beside its neighbours.
panel = at_least(panels == 1 ? 526 : 400, places * (9 * curves + 20))
entries = curves
load "plots/panels.gp"
load "plots/canvas.gp"

middle(k, c) = k + 0.8 * (c - 0.5 * (curves + 1)) / curves
point_of(p, c) = column("panel") == p && column("curve") == c ? column("points") : NaN
with_bar(p, c) = column("seeds") > 1 ? point_of(p, c) : NaN

set xrange [0.5:places + 0.5]
# No drop is more than all: bars that go further (two seeds have wide ones) leave the panel.
set yrange [at_least(lo - room, -100):at_most(hi + room, 100)]
set xtics () nomirror scale 0
do for [k = 1:places] { set xtics add (strstrt(bits_of[k], " ") ? "by layer" : bits_of[k] k) }
set ytics nomirror out
set grid ytics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
set border 3
set xlabel "weight bits k"
unset key
# Groups are parted, and 0 stands out.
do for [k = 1:places - 1] {
    set arrow k from first k + 0.5, graph 0 to first k + 0.5, graph 1 nohead linewidth 0.5 linecolor rgb "#C0C0C0" back
}

do for [p = 1:panels] {
    set lmargin at screen X(left_of(p))
    set rmargin at screen X(left_of(p) + panel)
    set tmargin at screen Y(top_of(p))
    set bmargin at screen Y(top_of(p) + tall)
    set title title_of[p]
    if (column_of(p) == 0) {
        set ylabel "direct - truncated" . (split eq "val" ? " on val" : "") . " (points of top-1)"
    } else {
        unset ylabel
    }
    plot 0 with lines linewidth 1 linecolor rgb "#7F7F7F", \
         for [c = 1:curves] csv using (middle(column("place"), c)):(with_bar(p, c)):(column("half")) \
             with yerrorbars linewidth 1 pointtype -1 linecolor rgb colour(style_of[c]), \
         for [c = 1:curves] csv using (middle(column("place"), c)):(point_of(p, c)) \
             with points pointtype filled(style_of[c], variant_of[c]) pointsize 0.9 linecolor rgb colour(style_of[c])
    unset label 1
}

do for [k = 1:places - 1] { unset arrow k }
load "plots/legend.gp"
plot for [c = 1:curves] NaN with points pointtype filled(style_of[c], variant_of[c]) pointsize 1 \
         linecolor rgb colour(style_of[c]) title label_of[c]
unset multiplot
unset output
