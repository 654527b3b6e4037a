# Draw training.sql: for each network and data set a block with a row of panels for the loss and one for the training
# accuracy (several of both, where there are more schemes than fit beside one another), a column per scheme, a colour
# per width; bands where there are several seeds. A PDF that is higher than a page of paper has several. And learning.sql, for
# learning.gp, which sets these variables.
if (!exists("evaluated")) { evaluated = 0; csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6 }
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "curve" name "curve" nooutput
stats csv using "width" name "width" nooutput
stats csv using "epoch" name "epoch" nooutput
panels = int(panel_max)
curves = int(curve_max)
widths = int(width_max)
epochs = int(epoch_max)
array title_of[panels]
array label_of[curves]
array bits_of[widths]
array loss_lo[panels]
array loss_hi[panels]
array accuracy_lo[panels]
array accuracy_hi[panels]
array there[panels * curves]
array first[panels * curves * widths] # of a line's rows in the file, which are neighbours
array last[panels * curves * widths]
do for [p = 1:panels] { loss_lo[p] = 1e9; loss_hi[p] = 0; accuracy_lo[p] = 100; accuracy_hi[p] = 0 }
do for [i = 1:panels * curves] { there[i] = 0 }
nowhere = 1e9
do for [i = 1:panels * curves * widths] { first[i] = nowhere; last[i] = nowhere }
place(p, c) = (p - 1) * curves + c
line(p, c, w) = (place(p, c) - 1) * widths + w
deviation(seeds, name) = seeds > 1 ? column(name) : 0
note(p, c, w) = (title_of[p] = strcol("network") . ", " . strcol("dataset") . (evaluated ? ", " . strcol("split") : ": training"), \
                 label_of[c] = strcol("label"), bits_of[w] = column("bits"), \
                 last[line(p, c, w)] = column(0), \
                 first[line(p, c, w)] = at_most(first[line(p, c, w)], column(0)), \
                 loss_lo[p] = at_most(loss_lo[p], column("loss") - deviation(column("seeds"), "loss_sd")), \
                 loss_hi[p] = at_least(loss_hi[p], column("loss") \
                                                   + deviation(column("seeds"), "loss_sd")), \
                 accuracy_lo[p] = at_most(accuracy_lo[p], column("accuracy") \
                                          - deviation(column("seeds"), "accuracy_sd")), \
                 accuracy_hi[p] = at_least(accuracy_hi[p], column("accuracy") \
                                           + deviation(column("seeds"), "accuracy_sd")), \
                 there[place(p, c)] = 1, p)
stats csv using (note(int(column("panel")), int(column("curve")), int(column("width")))) nooutput

# The places of a block are those of the schemes that have runs there.
array slot[panels * curves]
array slots_of[panels]
most_slots = 1
do for [p = 1:panels] {
    slots_of[p] = 0
    do for [c = 1:curves] {
        if (there[place(p, c)]) { slots_of[p] = slots_of[p] + 1; slot[place(p, c)] = slots_of[p] }
    }
    most_slots = at_least(most_slots, slots_of[p])
}
left = 72; gap_x = 14; tall = 92; gap_y = 14; head = 34; below = 52
columns = at_most(most_slots, page ? at_least(1, int((page - left - 10) / (120 + gap_x))) : 5)
if (evaluated && columns > 2) { columns = columns - columns % 2 } # direct beside truncated
width = page ? page : at_least(left + columns * (150 + gap_x) + 10, 640)
panel = (width - 10.0 - left) / columns - gap_x
room = int(panel / 6.8)
load "plots/names.gp"
per_row = at_least(1, at_most(widths, int((width - 40) / 110)))
legend_rows = (widths + per_row - 1) / per_row
legend_height = line_height * legend_rows + 10

# Lines of panels below one another, on pages: a block that has no room below others begins a page, and goes on on the next
# where it is higher than one.
lines = (most_slots + columns - 1) / columns
array y_of[panels * lines]
array page_of[panels * lines]
array title_at[panels * lines] # where the title of a block is said; else nowhere
lines_of_block(p) = (slots_of[p] + columns - 1) / columns
line_at(p, j) = (p - 1) * lines + j
array names_height[panels * lines] # of the longest names of panels in the line
do for [i = 1:panels * lines] { names_height[i] = 0 }
do for [p = 1:panels] {
    do for [c = 1:curves] {
        j = there[place(p, c)] ? line_at(p, (slot[place(p, c)] - 1) / columns + 1) : 1
        names_height[j] = at_least(names_height[j], there[place(p, c)] ? 16 * lines_of(label_of[c]) + 10 : 0)
    }
}
group(p, j) = names_height[line_at(p, j)] + 2 * tall + gap_y + below
height_of(p, j) = j < 1 ? 0 : group(p, j) + height_of(p, j - 1)
limit = format eq "pdf" ? 9.5 * inch - legend_height - caption_height : nowhere
pages = 1; y = 0; highest = 0
do for [p = 1:panels] {
    if (y > 0 && y + head + height_of(p, lines_of_block(p)) > limit) { pages = pages + 1; y = 0 }
    do for [j = 1:lines_of_block(p)] {
        if (y > 0 && y + group(p, j) > limit) { pages = pages + 1; y = 0 }
        title_at[line_at(p, j)] = j == 1 || y == 0 ? y + 20 : nowhere
        y = y + (title_at[line_at(p, j)] < nowhere ? head : 0)
        y_of[line_at(p, j)] = y + names_height[line_at(p, j)]
        page_of[line_at(p, j)] = pages
        y = y + group(p, j)
        highest = at_least(highest, y)
    }
}
legend_top = highest
height = legend_top + legend_height + caption_height
load "plots/canvas.gp"

edge(name, sign) = column("seeds") > 1 ? column(name) + sign * column(name . "_sd") : NaN

set style fill transparent solid 0.2 noborder
unset key
# Few epochs are marked by points, of which one must be seen without a line; many are not.
size = epochs == 1 ? 1.1 : 0.6
point(bits) = epochs > 20 ? -1 : bits_point(bits)

do for [current = 1:pages] {
    if (current > 1) {
        unset multiplot
        set multiplot
        set label 1 caption at screen X(14), screen Y(height - caption_height + 14) left textcolor rgb "#404040"
    }
    set xrange [epochs == 1 ? 0.5 : 1 - 0.02 * epochs : epochs == 1 ? 1.5 : epochs * 1.02]
    set xtics at_least(1, ceil(epochs / 5.0)) nomirror out
    set ytics nomirror out
    set grid ytics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
    set border 3
    unset key
    do for [p = 1:panels] {
        do for [j = 1:lines_of_block(p)] {
            if (page_of[line_at(p, j)] == current && title_at[line_at(p, j)] < nowhere) {
                set label p * lines + j + 1 title_of[p] at screen X(left), screen Y(title_at[line_at(p, j)]) left
            }
        }
        do for [q = 1:2] {
            name = q == 1 ? "loss" : "accuracy"
            if (q == 1) {
                space = at_least(0.05 * (loss_hi[p] - loss_lo[p]), 0.01)
                set yrange [at_least(0, loss_lo[p] - space):loss_hi[p] + space]
                set format x ""
                unset xlabel
            } else {
                top_of_range = at_most(100, 10 * ceil((accuracy_hi[p] + 1) / 10.0))
                set yrange [at_least(0, 10 * floor((accuracy_lo[p] - 1) / 10.0)):top_of_range]
                set format x "%g"
                set xlabel "epoch" offset 0, 0.4
            }
            set ytics autofreq
            do for [c = 1:curves] {
                if (!there[place(p, c)]) { continue }
                s = slot[place(p, c)] - 1
                j = line_at(p, s / columns + 1)
                if (page_of[j] != current) { continue }
                x0 = left + s % columns * (panel + gap_x)
                y0 = y_of[j] + (q - 1) * (tall + gap_y)
                set lmargin at screen X(x0)
                set rmargin at screen X(x0 + panel)
                set tmargin at screen Y(y0)
                set bmargin at screen Y(y0 + tall)
                if (q == 1) { set title wrapped(label_of[c]) offset 0, -0.5 } else { unset title }
                if (s % columns == 0) {
                    set ylabel q == 1 ? "loss (nats)" : evaluated ? "top-1 (%)" : "accuracy (%)"
                    set format y "%g"
                } else {
                    unset ylabel
                    set format y ""
                }
                trained = "" # a width that a scheme was not trained at has no rows
                do for [w = 1:widths] { if (first[line(p, c, w)] < nowhere) { trained = trained . " " . w } }
                plot for [w in trained] csv every ::int(first[line(p, c, int(w))])::int(last[line(p, c, int(w))]) \
                         using "epoch":(edge(name, -1)):(edge(name, 1)) with filledcurves \
                         fillcolor rgb bits_colour(bits_of[int(w)]), \
                     for [w in trained] csv every ::int(first[line(p, c, int(w))])::int(last[line(p, c, int(w))]) \
                         using "epoch":name with linespoints linewidth 1.5 pointtype point(bits_of[int(w)]) \
                         pointsize size linecolor rgb bits_colour(bits_of[int(w)])
                unset label
            }
        }
    }
    unset grid; unset title; unset xlabel; unset ylabel; unset border; unset xtics; unset ytics
    set lmargin at screen X(20)
    set rmargin at screen X(width - 20)
    set tmargin at screen Y(legend_top)
    set bmargin at screen Y(legend_top + line_height * legend_rows)
    set key center top horizontal Left reverse samplen 3 width 1 maxcols per_row
    set yrange [0:1]
    plot for [w = 1:widths] NaN with linespoints linewidth 1.5 pointtype point(bits_of[w]) \
             pointsize size linecolor rgb bits_colour(bits_of[w]) \
             title sprintf("%d bit%s", bits_of[w], bits_of[w] > 1 ? "s" : "")
}
unset multiplot
unset output
