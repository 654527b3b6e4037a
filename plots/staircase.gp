# Draw staircase.sql: one panel per width; shaded where nearest, and nearest at 8 bits cut by a shift, differ.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

left = page ? 80 : 84; gap = 52; top = 40; below = 72
columns = page && page < 640 ? 1 : 2
panel = page ? (page - left - 26.0 - (columns - 1) * gap) / columns : 400
tall = page ? at_most(330, 0.85 * panel) : 330
legend_rows = page ? 4 : 2 # gnuplot would find no room for two columns
legend_top = top + (columns == 1 ? 2 * tall + top + 2 * below : tall + below)
width = page ? page : left + 2 * panel + gap + 26
height = legend_top + legend_rows * line_height + 10 + caption_height
load "plots/canvas.gp"

# Share of [0, 1] where the two differ: every interval is a pair of rows.
restart(k) = (previous = 0, total = 0, k)
add(k, u, differ) = (k == wanted ? (total = total + differ * (u - previous), previous = u) : 0, total)

set xrange [0:1]
set yrange [-0.04:1.04]
set xtics 0, 0.25, 1 nomirror out format "%.2f"
set ytics 0, 0.25, 1 nomirror out format "%.2f"
set border 3
set xlabel "u, the weight's place in its range"
unset key
do for [i = 1:2] {
    wanted = restart(i + 1)
    stats csv using (add(column("k"), column("u"), column("differ"))) nooutput
    set title sprintf("%d bits: different on %.1f %% of the range", wanted, 100 * total)
    x0 = left + (i - 1) % columns * (panel + gap)
    y0 = top + (i - 1) / columns * (tall + below + top)
    set lmargin at screen X(x0)
    set rmargin at screen X(x0 + panel)
    set tmargin at screen Y(y0)
    set bmargin at screen Y(y0 + tall)
    if (i == 1 || columns == 1) { set ylabel "û, what the k-bit code stands for" } else { unset ylabel; set ytics format "" }
    plot csv using "u":(column("k") == wanted && column("differ") == 1 ? 1.04 : NaN) \
             with filledcurves y1=-0.04 fillcolor rgb "#E6E6E6", \
         csv using "u":(column("k") == wanted ? column("floor") : NaN) \
             with lines linewidth 6 linecolor rgb "#A9DDF7", \
         csv using "u":(column("k") == wanted ? column("truncated") : NaN) \
             with lines linewidth 2 linecolor rgb "#0072B2", \
         csv using "u":(column("k") == wanted ? column("nearest") : NaN) \
             with lines linewidth 2 dashtype (7, 5) linecolor rgb "#D55E00"
    unset label 1
}

unset title; unset xlabel; unset ylabel; unset border; unset xtics; unset ytics
set lmargin at screen X(left)
set rmargin at screen X(width - 26)
set tmargin at screen Y(legend_top)
set bmargin at screen Y(legend_top + legend_rows * line_height)
set key center top horizontal Left reverse samplen 3 width 2 maxrows legend_rows maxcols (page ? 1 : 2)
if (page) { set key left width -18 }
set yrange [0:1]
plot NaN with lines linewidth 2 dashtype (7, 5) linecolor rgb "#D55E00" title "nearest at k bits", \
     NaN with lines linewidth 2 linecolor rgb "#0072B2" title "nearest at 8 bits, cut to k by a shift", \
     NaN with lines linewidth 6 linecolor rgb "#A9DDF7" title "floor at k bits", \
     NaN with filledcurves y1=0 fillcolor rgb "#E6E6E6" title "nearest and cut nearest differ"
unset multiplot
unset output
