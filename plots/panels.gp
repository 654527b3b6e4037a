# Places of the panels of a figure, and of the legend below them, in pixels. Loaded before plots/canvas.gp by a
# figure that has set panels, the width of one (panel), the number of entries in the legend and the longest of them.
tall = 330; left = 84; top = 44; gap_x = 60; gap_y = 110
columns = panels <= 4 ? at_most(panels, 2) : 3
rows = (panels + columns - 1) / columns
column_of(p) = (p - 1) % columns
left_of(p) = left + column_of(p) * (panel + gap_x)
top_of(p) = top + (p - 1) / columns * (tall + gap_y)
width = at_least(left + columns * (panel + gap_x) - 30, 640)
per_row = at_least(1, at_most(entries, int((width - 40) / (80 + 8 * longest))))
legend_rows = (entries + per_row - 1) / per_row
legend_height = format eq "svg" ? 21 : 18 # of a line: fonts differ
legend_top = top + rows * (tall + gap_y) - 34
height = legend_top + legend_height * legend_rows + 16 + caption_height
