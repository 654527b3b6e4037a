#!/usr/bin/env python3
"""Find numbers that are typed in LaTeX where a macro belongs: every digit outside of comments, names (labels,
citations, files) and formulas, and in formulas every number with a point or of several digits, but the level of an
interval. Prints FILE:LINE: NUMBER, and fails where there is one."""
import re
import sys

ARGUMENTS = (
    r"\\(?:cite|ref|eqref|label|input|includegraphics|graphicspath|documentclass|usepackage|begin|end|multicolumn|bibliography"
    r"|bibliographystyle|cmidrule|pdftrailerid|newcommand|texttt)\*?(?:\[[^]]*\]|\([^)]*\))*(?:\{[^{}]*\})*"
)
SETTINGS = r"\\(?:pdfinfoomitdate|pdfsuppressptexinfo)=-?\d+|\\newcommand\{[^{}]*\}\[\d\]"
FORMULA = r"\$[^$]*\$|\\begin\{(equation|align)\}.*?\\end\{\1\}"
WORDS = r"top-1|top1|#1"  # what is measured, and a parameter
LEVEL = {"95"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def typed(text):
    text = re.sub(r"(?<!\\)%[^\n]*", blank, text)
    formulas = []

    def keep(match):
        formulas.append((match.start(), match.group(0)))
        return blank(match)

    text = re.sub(FORMULA, keep, text, flags=re.S)
    for pattern in (SETTINGS, ARGUMENTS, WORDS):
        text = re.sub(pattern, blank, text)
    for match in re.finditer(r"\d[\d.,]*", text):
        yield match.start(), match.group(0)
    for start, formula in formulas:
        for match in re.finditer(r"\d+(?:\.\d+)?", re.sub(r"\\[A-Za-z]+", blank, formula)):
            if len(match.group(0)) > 1 and match.group(0) not in LEVEL:
                yield start + match.start(), match.group(0)


found = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as f:
        source = f.read()
    for at, number in sorted(typed(source)):
        print(f"{path}:{source.count(chr(10), 0, at) + 1}: {number}")
        found += 1
sys.exit(found > 0)
