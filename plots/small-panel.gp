# Panel c of block b, where plots/small.gp placed it: its margins, its title, and that of the block above the first. `first`
# says whether it is the first of its line, which alone has a vertical axis with numbers, and `lowest_line` whether none is below it.
if (c == 1) { set label 2 title_of[b] at screen X(left), screen Y(top_of[b] + 12) left }
x0 = left + (c - 1) % columns * (panel + gap_x)
y0 = y_of[at(b, c)]
set lmargin at screen X(x0)
set rmargin at screen X(x0 + panel)
set tmargin at screen Y(y0)
set bmargin at screen Y(y0 + tall)
set title wrapped(label_of[at(b, c)]) offset 0, -0.5
first = (c - 1) % columns == 0
lowest_line = c + columns > places_of[b]
if (first) { set format y "%g" } else { unset ylabel; set format y "" }
