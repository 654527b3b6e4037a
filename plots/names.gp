# Long names of configurations in a column of `room` characters: they go on in a further line, behind a word.
last_blank(text, i) = i < 1 ? 0 : text[i:i] eq " " ? i : last_blank(text, i - 1)
cut_of(text) = last_blank(text, room) ? last_blank(text, room) : room
line_of(text) = last_blank(text, room) ? text[1:cut_of(text) - 1] : text[1:room]
wrapped(text) = strlen(text) <= room ? text : line_of(text) . "\n" . wrapped(text[cut_of(text) + 1:*])
lines_of(text) = strlen(text) <= room ? 1 : 1 + lines_of(text[cut_of(text) + 1:*])
widest_of(text) = strlen(text) <= room ? strlen(text) : at_least(cut_of(text), widest_of(text[cut_of(text) + 1:*]))
# Labels of an axis are formats.
literal(text) = strstrt(text, "%") ? text[1:strstrt(text, "%")] . "%" . literal(text[strstrt(text, "%") + 1:*]) : text
