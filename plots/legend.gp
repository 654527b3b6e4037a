# Below the panels that plots/panels.gp placed: nothing is drawn any more but the key of the next plot.
unset grid; unset title; unset xlabel; unset ylabel; unset border; unset xtics; unset ytics
set lmargin at screen X(20)
set rmargin at screen X(width - 20)
set tmargin at screen Y(legend_top)
set bmargin at screen Y(legend_top + legend_height * legend_rows)
legend_font = sprintf(",%.1f", fits * (format eq "svg" ? 12 : format eq "png" ? 10 : 8))
set key font legend_font
set key center top horizontal Left reverse samplen 3 width 1 spacing 1.15 maxcols per_row
# A single column stands at the left; gnuplot takes letters for wider than they are, and would find no room for it.
if (per_row == 1) { set key left width -at_least(0, longest - 20) }
set yrange [0:1]
