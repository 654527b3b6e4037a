# Places of the panels of a figure, and of the legend below them, in pixels. Loaded before plots/canvas.gp by a
# figure that has set panels, the width of one (panel), the number of entries in the legend and the longest of them. On a page
# of a given width there are as many columns as have room, and panels fill it.
left = page ? 64 : 84; top = 44; gap_x = page ? 36 : 60; gap_y = 110
columns = panels <= 4 ? at_most(panels, 2) : 3
if (page) {
    columns = at_least(1, at_most(panels, int((page - left + gap_x - 16.0) / (at_most(panel, 210) + gap_x))))
    panel = (page - left - 16.0 + gap_x) / columns - gap_x
}
tall = page ? at_most(330, at_least(250, 0.8 * panel)) : 330
rows = (panels + columns - 1) / columns
column_of(p) = (p - 1) % columns
left_of(p) = left + column_of(p) * (panel + gap_x)
top_of(p) = top + (p - 1) / columns * (tall + gap_y)
width = page ? page : at_least(left + columns * (panel + gap_x) - 30, 640)
# gnuplot takes letters of a PDF, and of a narrow page, for wider than they are, and would drop what it finds no column for.
per_row = page || format eq "pdf" ? 1 : at_least(1, at_most(entries, int((width - 40) / (80 + 8 * longest))))
legend_rows = (entries + per_row - 1) / per_row
load "plots/fits.gp"
legend_height = fits * (format eq "png" ? 18 : 21) # of a line: fonts differ
legend_top = top + rows * (tall + gap_y) - 34
height = legend_top + legend_height * legend_rows + 16 + caption_height
