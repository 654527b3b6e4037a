# Draw dots.sql: a block for each network and data set, in it a panel for each width and a row for each configuration; open,
# a little above: direct; filled, a little below: truncated; each with its interval. A block has its own axis of accuracies.
# And calibration.sql, for calibration.gp, which sets these variables: the column that tells marks apart, which of its values
# is drawn open, filled, and as a cross (upon the filled one), and what the legend says of them.
if (!exists("marked")) {
    csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
    marked = "inference"; open = "direct"; solid = "truncated"; crossed = ""
    says_open = "direct: quantized to k bits"; says_solid = "truncated: stored codes cut to k bits"; says_crossed = ""
}
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "row" name "row" nooutput
stats csv using "place" name "place" nooutput
blocks = int(panel_max)
rows = int(row_max)
places = int(place_max)
array title_of[blocks]
array rows_of[blocks]
array lowest[blocks] # of points, and with their intervals
array highest[blocks]
array lowest_bar[blocks]
array highest_bar[blocks]
array chance_of[blocks]
array bits_of[places]
array names_of[blocks * rows]
array style_of[blocks * rows]
do for [b = 1:blocks] {
    rows_of[b] = 0; chance_of[b] = -1
    lowest[b] = 100; highest[b] = 0; lowest_bar[b] = 100; highest_bar[b] = 0
}
at(b, r) = (b - 1) * rows + r
half(seeds) = seeds > 1 ? column("half") : 0

room = page && page < 640 ? 18 : 30
load "plots/names.gp"
longest = 4; most_lines = 1
note(b, r, k) = (title_of[b] = strcol("network") . ", " . strcol("dataset"), split = strcol("split"), \
    bits_of[k] = column("bits"), rows_of[b] = at_least(rows_of[b], r), \
    chance_of[b] = strcol("chance") eq "" ? -1 : column("chance"), \
    names_of[at(b, r)] = strcol("label"), style_of[at(b, r)] = column("style"), \
    longest = at_least(longest, widest_of(strcol("label"))), most_lines = at_least(most_lines, lines_of(strcol("label"))), \
    lowest[b] = at_most(lowest[b], column("top1")), highest[b] = at_least(highest[b], column("top1")), b)
stats csv using (note(int(column("panel")), int(column("row")), int(column("place")))) nooutput
bars(b) = (lowest_bar[b] = at_most(lowest_bar[b], column("top1") - half(column("seeds"))), \
           highest_bar[b] = at_least(highest_bar[b], column("top1") + half(column("seeds"))), b)
stats csv using (bars(int(column("panel")))) nooutput

# Chance stands in every panel or in none: where one is not known, or so far from all points that it would flatten them.
show_chance = 1
do for [b = 1:blocks] { show_chance = show_chance && chance_of[b] > 0 && chance_of[b] > lowest[b] - 30 }
# Two seeds have wide intervals: an axis follows the bars a little beyond the points, and is cut there.
array from[blocks]
array to[blocks]
do for [b = 1:blocks] {
    beyond = at_least(0.25 * (highest[b] - lowest[b]), 2)
    least = show_chance ? at_most(lowest[b], chance_of[b]) : lowest[b]
    space = 0.04 * (highest[b] - least) + 0.5
    from[b] = at_least(0, at_most(least, at_least(lowest_bar[b], lowest[b] - beyond)) - space)
    to[b] = at_most(102, at_least(highest[b], at_most(highest_bar[b], highest[b] + beyond)) + space)
}

# The rows of a block from its top, in pixels: a name of several lines takes as much room as it needs.
array middle_of[blocks * rows]
array high[blocks]
row_height(label) = lines_of(label) == 1 ? (most_lines == 1 ? 20 : 24) : 6 + 15 * lines_of(label)
do for [b = 1:blocks] {
    high[b] = 0
    do for [r = 1:rows_of[b]] {
        middle_of[at(b, r)] = high[b] + 0.5 * row_height(names_of[at(b, r)])
        high[b] = high[b] + row_height(names_of[at(b, r)])
    }
}
left = 24 + 7.2 * longest; gap_x = 16; top = 52; below = 112
columns = page ? at_least(1, at_most(places, int((page - left) / (80.0 + gap_x)))) : places
width = page ? page : at_least(left + columns * (170 + gap_x) + 10, 640)
panel = (width - 10.0 - left) / columns - gap_x
groups = (places + columns - 1) / columns
array top_of[blocks]
legend_top = top
do for [b = 1:blocks] {
    top_of[b] = legend_top
    legend_top = legend_top + groups * (high[b] + below)
}
legend_top = legend_top - 50
entries = 2 + (crossed ne "") + show_chance
longest = at_least(36, strlen(says_open))
per_row = 1
legend_rows = entries
load "plots/fits.gp"
legend_height = 20 * fits
height = legend_top + legend_height * legend_rows + 14 + caption_height
load "plots/canvas.gp"

in_panel(b, k, value) = column("panel") == b && column("place") == k && strcol(marked) eq value
point_of(b, k, value) = in_panel(b, k, value) ? column("top1") : NaN
with_bar(b, k, value) = in_panel(b, k, value) && column("seeds") > 1 ? column("top1") : NaN
of_row(b) = int(column("panel")) == b ? int(column("row")) : 1
rgb_of(b) = int("0x" . (colour(style_of[at(b, of_row(b))]))[2:7])
height_of(b, value) = middle_of[at(b, of_row(b))] + (value eq open ? -4 : 4)

set xtics nomirror out
set grid xtics linecolor rgb "#E0E0E0" linewidth 0.5 linetype 1
set border 3
unset key
do for [b = 1:blocks] {
    set xrange [from[b]:to[b]]
    set yrange [high[b]:0]
    set xtics to[b] - from[b] > 50 ? 20 : to[b] - from[b] > 20 ? 10 : to[b] - from[b] > 8 ? 5 : 1
    do for [k = 1:places] {
        x0 = left + (k - 1) % columns * (panel + gap_x)
        y0 = top_of[b] + (k - 1) / columns * (high[b] + below)
        set lmargin at screen X(x0)
        set rmargin at screen X(x0 + panel)
        set tmargin at screen Y(y0)
        set bmargin at screen Y(y0 + high[b])
        set title (k == 1 ? title_of[b] . "\n" : "\n") . sprintf("%d bit%s", bits_of[k], bits_of[k] > 1 ? "s" : "")
        set xlabel split eq "val" ? "top-1 on val (%)" : "top-1 (%)"
        set ytics () nomirror scale 0
        do for [r = 1:rows_of[b]] { set ytics add ((k - 1) % columns == 0 ? literal(wrapped(names_of[at(b, r)])) : "" middle_of[at(b, r)]) }
        # Rows are parted, so that an eye stays in one.
        do for [r = 1:rows_of[b] - 1] {
            edge = middle_of[at(b, r)] + 0.5 * row_height(names_of[at(b, r)])
            set arrow 10 + r from graph 0, first edge to graph 1, first edge nohead linewidth 0.5 \
                linecolor rgb "#EDEDED" back
        }
        if (show_chance) {
            set arrow 1 from first chance_of[b], graph 0 to first chance_of[b], graph 1 nohead linewidth 1 dashtype (2, 4) \
                linecolor rgb "#7F7F7F" back
        }
        plot for [i in open . " " . solid] csv using (with_bar(b, k, i)):(height_of(b, i)):(column("half")):(rgb_of(b)) \
                 with xerrorbars linewidth 1 pointtype -1 linecolor rgb variable, \
             csv using (point_of(b, k, open)):(height_of(b, open)):(rgb_of(b)) \
                 with points pointtype 6 pointsize 0.7 linewidth 1.5 linecolor rgb variable, \
             csv using (point_of(b, k, solid)):(height_of(b, solid)):(rgb_of(b)) \
                 with points pointtype 7 pointsize 0.7 linecolor rgb variable, \
             for [i in crossed] csv using (point_of(b, k, i)):(height_of(b, solid)) \
                 with points pointtype 2 pointsize 0.6 linecolor rgb "#000000"
        unset label 1
        do for [r = 1:rows_of[b] - 1] { unset arrow 10 + r }
    }
}

unset arrow
load "plots/legend.gp"
plot NaN with points pointtype 6 pointsize 0.9 linewidth 1.5 linecolor rgb "#404040" title says_open, \
     NaN with points pointtype 7 pointsize 0.9 linecolor rgb "#404040" title says_solid, \
     for [i in crossed] NaN with points pointtype 2 pointsize 0.8 linecolor rgb "#000000" title says_crossed, \
     for [i = 1:show_chance] NaN with lines linewidth 1 dashtype (2, 4) linecolor rgb "#7F7F7F" title "chance"
unset multiplot
unset output
