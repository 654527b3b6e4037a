# Below the panels that plots/panels.gp placed: nothing is drawn any more but the key of the next plot.
unset grid; unset title; unset xlabel; unset ylabel; unset border; unset xtics; unset ytics
set lmargin at screen X(20)
set rmargin at screen X(width - 20)
set tmargin at screen Y(legend_top)
set bmargin at screen Y(legend_top + legend_height * legend_rows)
set key center top horizontal Left reverse samplen 3 width 1 spacing 1.15 maxcols per_row
set yrange [0:1]
