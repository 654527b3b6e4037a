# Shared by every figure: reading, colours, and a canvas measured in pixels, so that a figure grows with
# the number of its panels instead of crowding them.
# The caller sets csv, picture, format, caption, then width and height, and loads plots/canvas.gp.
set encoding utf8
set datafile separator comma
set datafile columnheaders

# A style is a colour and a point, by number from 1. Okabe and Ito's palette without yellow, which is too pale
# on white, then five that stay apart from these: any two of the twelve are 16 or more apart in CIE L*a*b*, as
# they are and as protanopes, deuteranopes and tritanopes see them.
colours = "#000000 #D55E00 #009E73 #0072B2 #CC79A7 #E69F00 #56B4E9 #8800FF #663311 #444455 #99BB66 #BB55FF"
colour(i) = word(colours, (int(i) - 1) % words(colours) + 1)
# Point types: filled, and its open twin. A colour that comes again has another one.
turn(i) = int(i) - 1 + (int(i) - 1) / words(colours)
filled(i) = int(word("13 5 9 7 11 15", turn(i) % 6 + 1))
hollow(i) = filled(i) - 1

# The widths 1 ... 8, 32.
bits_colours = "#D55E00 #E69F00 #CC79A7 #009E73 #A6761D #56B4E9 #7F7F7F #0072B2 #000000"
bits_place(bits) = bits == 32 ? 9 : int(bits)
bits_colour(bits) = word(bits_colours, bits_place(bits))
bits_point(bits) = int(word("5 7 11 9 4 6 10 13 15", bits_place(bits)))

at_least(a, b) = a > b ? a : b
at_most(a, b) = a < b ? a : b

line_height = 18
caption_lines = strlen(caption) > 0
do for [i = 1:strlen(caption)] {
    if (caption[i:i] eq "\n") { caption_lines = caption_lines + 1 }
}
caption_height = 12 + line_height * caption_lines
