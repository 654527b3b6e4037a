# Places of small panels, in pixels: a block for each network and data set, in it a panel for each place, below all a legend.
# Loaded before plots/canvas.gp by a figure that has set blocks, places, places_of[b], label_of[at(b, c)], the height of a
# panel (tall), its width where no page says another (wide), how many stand beside each other (most_columns), and the number
# of entries in the legend and the longest of them. plots/small-panel.gp sets the place of panel c of block b.
left = 66; gap_x = 14; head = 20; below = 46
columns = at_most(at_most(places, most_columns), page ? at_least(1, int((page - left - 10) / (0.8 * wide + gap_x))) : places)
panel = page ? (page - left - 10.0) / columns - gap_x : wide
room = int(panel / 6.8)
load "plots/names.gp"
width = page ? page : at_least(left + columns * (panel + gap_x) + 10, 640)
# A line of panels has room for the longest name in it.
array top_of[blocks] # of its title
array y_of[blocks * places]
legend_top = 8
do for [b = 1:blocks] {
    top_of[b] = legend_top
    legend_top = legend_top + head
    do for [c = 1:places_of[b]:columns] {
        last_of_line = at_most(c + columns - 1, places_of[b])
        most_lines = 1
        do for [i = c:last_of_line] { most_lines = at_least(most_lines, lines_of(label_of[at(b, i)])) }
        do for [i = c:last_of_line] { y_of[at(b, i)] = legend_top + 16 * most_lines + 14 }
        legend_top = legend_top + 16 * most_lines + 14 + tall + below
    }
    legend_top = legend_top + 10
}
per_row = 1
legend_rows = entries
load "plots/fits.gp"
legend_height = 20 * fits
height = legend_top + legend_height * legend_rows + 14 + caption_height
