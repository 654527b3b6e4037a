# Shared by every figure: reading, colours, and a canvas measured in pixels, so that a figure grows with
# the number of its panels instead of crowding them.
# The caller sets csv, picture, format, caption, styles, printed (ARG1 ... ARG6), then width and height, and loads
# plots/canvas.gp. 108 pixels are an inch of paper, where letters of 12 have 8 points.
set encoding utf8
set datafile separator comma
set datafile columnheaders

# A style is the colour and mark of a scheme, by number. Which these are the quantizers say themselves; `truncquant export
# styles` prints them into the file `styles`. Twelve colours are too many to tell a scheme by for everybody, so that each
# has a mark of its own, too. Variants of a scheme have its colour, and marks that no scheme has.
numbers = ""; colours = ""; mark_of = ""
stats styles using (numbers = numbers . " " . strcol("style"), colours = colours . " " . strcol("colour"), \
                    mark_of = mark_of . " " . strcol("mark"), 1) nooutput
row_of(i, r) = r >= words(numbers) || int(word(numbers, r)) == int(i) ? r : row_of(i, r + 1)
colour(i) = word(colours, row_of(i, 1))
# Marks: gnuplot's point types, or characters where these are used up; filled, and open twins (of strokes, the same).
marks = "diamond square triangle circle inverted-triangle pentagon star left right plus cross asterisk bar dash lozenge parallelogram flower sun greek-cross"
filled_marks = "13 5 9 7 11 15 ★ ◀ ▶ 1 2 3 ▮ ▬ ⧫ ▰ ✿ ☀ ✚"
hollow_marks = "12 4 8 6 10 14 ☆ ◁ ▷ 1 2 3 ▯ ▭ ◊ ▱ ❀ ☼ ✙"
filled_variants = "♥ ✦ ♠ ♣ ⬢"
hollow_variants = "♡ ✧ ♤ ♧ ⬡"
place_of(mark, m) = m >= words(marks) || word(marks, m) eq mark ? m : place_of(mark, m + 1)
mark(i) = place_of(word(mark_of, row_of(i, 1)), 1)
is_digit(text) = strstrt("0123456789", text[1:1]) > 0
point_type(text) = is_digit(text) ? int(text) : text
nth_of(list, n) = point_type(word(list, int(n) % words(list) + 1))
filled(i, variant) = variant > 0 ? nth_of(filled_variants, variant - 1) : point_type(word(filled_marks, mark(i)))
hollow(i, variant) = variant > 0 ? nth_of(hollow_variants, variant - 1) : point_type(word(hollow_marks, mark(i)))
is_character(i, variant) = variant > 0 || !is_digit(word(filled_marks, mark(i)))

# The widths 1 ... 8, 32.
bits_colours = "#D55E00 #E69F00 #CC79A7 #009E73 #A6761D #56B4E9 #7F7F7F #0072B2 #000000"
bits_place(bits) = bits == 32 ? 9 : int(bits)
bits_colour(bits) = word(bits_colours, bits_place(bits))
bits_point(bits) = int(word("5 7 11 9 4 6 10 13 15", bits_place(bits)))

# The width that panels have to fit into, in pixels, or 0: as wide as they are. `printed`: in inches, or nothing.
inch = 108.0
page = exists("printed") && strlen(printed) ? int(inch * printed) : 0
at_least(a, b) = a > b ? a : b
at_most(a, b) = a < b ? a : b

line_height = 18
caption_lines = strlen(caption) > 0
do for [i = 1:strlen(caption)] {
    if (caption[i:i] eq "\n") { caption_lines = caption_lines + 1 }
}
caption_height = 12 + line_height * caption_lines
