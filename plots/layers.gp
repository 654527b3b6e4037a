# Draw layers.sql: a block for each network and data set, in it a heat map for each configuration: a row for each layer, the
# first on top, a column for each width. The scale stands below.
csv = ARG1; picture = ARG2; format = ARG3; caption = ARG4; styles = ARG5; printed = ARG6
load "plots/style.gp"

stats csv using "panel" name "panel" nooutput
stats csv using "place" name "place" nooutput
stats csv using "row" name "row" nooutput
stats csv using "column" name "column" nooutput
blocks = int(panel_max)
places = int(place_max)
rows = int(row_max)
columns_of_bits = int(column_max)
array title_of[blocks]
array places_of[blocks]
array rows_of[blocks]
array label_of[blocks * places]
array layer_of[blocks * rows]
array bits_of[columns_of_bits]
do for [b = 1:blocks] { places_of[b] = 0; rows_of[b] = 0 }
at(b, c) = (b - 1) * places + c
row_at(b, r) = (b - 1) * rows + r
note(b, c, r, k) = (title_of[b] = strcol("network") . ", " . strcol("dataset"), \
    places_of[b] = at_least(places_of[b], c), rows_of[b] = at_least(rows_of[b], r), label_of[at(b, c)] = strcol("label"), \
    layer_of[row_at(b, r)] = column("layer"), bits_of[k] = column("bits"), b)
stats csv using (note(int(column("panel")), int(column("place")), int(column("row")), int(column("column")))) nooutput

tall = at_most(360, 18 * rows); wide = 150; most_columns = 5
entries = 3
longest = 36
load "plots/small.gp"
load "plots/canvas.gp"

# From little, pale, to much, dark: grey says the same as colour does.
set palette defined (0 "#FFF3D6", 0.25 "#F6C46B", 0.5 "#E07B39", 0.75 "#A3336B", 1 "#2B0A4F")
set cbrange [-5:0]
unset colorbox
place_of_cell(b, c) = column("panel") == b && column("place") == c && strcol("shade") ne "" ? column("column") : NaN
# Names stand at every so many rows of a network with many layers.
every_row = ceil(rows * 15.0 / tall)

set xrange [0.5:columns_of_bits + 0.5]
set xtics () nomirror scale 0 textcolor rgb "#000000"
do for [k = 1:columns_of_bits] { set xtics add (sprintf("%d", bits_of[k]) k) }
set border 15 linecolor rgb "#A0A0A0"
set style fill solid noborder
unset key
do for [b = 1:blocks] {
    set yrange [rows_of[b] + 0.5:0.5]
    do for [c = 1:places_of[b]] {
        set ylabel "layer"
        load "plots/small-panel.gp"
        set ytics () nomirror scale 0 textcolor rgb "#000000"
        do for [r = 1:rows_of[b]:every_row] { set ytics add ((first ? sprintf("%d", layer_of[row_at(b, r)]) : "") r) }
        if (lowest_line) { set xlabel "weight bits k" offset 0, 0.4 } else { unset xlabel }
        plot csv using (place_of_cell(b, c)):"row":(0.5):(0.5):(at_most(0, column("shade"))) with boxxyerror fillcolor palette
        unset label
    }
}

# The scale, from -5 to 0 in a hundred steps.
unset grid; unset title; unset xlabel; unset ylabel; unset ytics
set border 15 linecolor rgb "#A0A0A0"
set lmargin at screen X(left)
set rmargin at screen X(at_most(width - 20, left + 300))
set tmargin at screen Y(legend_top)
set bmargin at screen Y(legend_top + 14)
set xrange [-5:0]
set yrange [0:1]
set xtics ("10⁻⁵" -5, "10⁻⁴" -4, "10⁻³" -3, "0.01" -2, "0.1" -1, "1" 0) nomirror out scale 0.5 textcolor rgb "#000000"
set xlabel "truncation error"
set samples 100
plot "+" using 1:(0.5):($1 - 0.026):($1 + 0.05 > 0 ? 0 : $1 + 0.05):(0):(1):1 with boxxyerror fillcolor palette
unset multiplot
unset output
