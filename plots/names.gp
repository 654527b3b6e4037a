# Long names of configurations in a column of `room` characters: they go on in a further line, behind a word.
last_blank(text, i) = i < 1 ? 0 : text[i:i] eq " " ? i : last_blank(text, i - 1)
cut_of(text) = last_blank(text, room) ? last_blank(text, room) : room
wrapped(text) = strlen(text) <= room ? text : text[1:cut_of(text)] . "\n" . wrapped(text[cut_of(text) + 1:*])
lines_of(text) = strlen(text) <= room ? 1 : 1 + lines_of(text[cut_of(text) + 1:*])
widest_of(text) = strlen(text) <= room ? strlen(text) : at_least(cut_of(text), widest_of(text[cut_of(text) + 1:*]))
