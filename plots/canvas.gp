# Open the picture: width by height pixels, an SVG, a PDF of 108 pixels to the inch, or a PNG of twice as many for print. X and Y turn pixels
# from the left and from the top into gnuplot's screen coordinates. The caption goes to the bottom.
if (format eq "svg") {
    set terminal svg size width, height noenhanced font "DejaVu Sans,12" rounded background "#ffffff"
}
# Cairo takes a point of type for 1.2 of paper.
if (format eq "pdf") {
    set terminal pdfcairo size width / inch, height / inch noenhanced font "DejaVu Sans,8" \
        fontscale 0.8333 linewidth 1.1 pointscale 0.95 dashlength 1.4 rounded background "#ffffff"
}
if (format eq "png") {
    set terminal pngcairo size 2 * width, 2 * height noenhanced font "DejaVu Sans,10" \
        fontscale 2 linewidth 2 pointscale 2.3 dashlength 2 rounded background "#ffffff"
}
set output picture
X(px) = px / (1.0 * width)
Y(px) = 1 - px / (1.0 * height)
set multiplot
set label 1 caption at screen X(14), screen Y(height - caption_height + 14) left textcolor rgb "#404040"
