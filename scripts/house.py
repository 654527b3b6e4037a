#!/usr/bin/env python3
"""Hold the source to the map in harness/README.md: `make lint` runs this, at the root.

An include goes from a room to itself or to one below it; it names something that its file uses; every C file is in a
room of the page's table; files and lines are as long as the page says, and folders hold as many files."""
import glob
import os
import re
import sys

PAGE = "harness/README.md"
LINES = {"harness": 400, "baselines": 400, "runtime": 400, "tests": 600, "bench": 400}
FILES = 14  # .c files in a folder
COLUMNS = 100

faults = []


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rooms():
    """The rooms of the first table, from the ground up: base, data, data/formats, ..."""
    found = re.findall(r"^\| `([a-z/]+)/` \|", read(PAGE), re.M)
    if not found:
        sys.exit(f"{PAGE}: has no table of rooms; its rows begin with | `room/` |")
    return found


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)


def declared(text):
    """Names that a header gives to who includes it."""
    text = without_comments(text)
    names = set(re.findall(r"#define (\w+)", text))
    names.update(re.findall(r"\b(?:struct|union|enum) (\w+)", text))
    names.update(re.findall(r"\b(\w+)\s*\(", text))
    names.update(re.findall(r"\bextern\b[^;]*?\b(\w+)(?:\[[^;]*\])?;", text))
    names.update(re.findall(r"\btypedef\b[^;]*?\b(\w+)\s*(?:\([^;]*\))?;", text))
    for body in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text):
        names.update(re.findall(r"\b([A-Z]\w+)\b", body))
    return names


def find(included):
    for root in ("harness", "baselines", "tests"):
        path = os.path.join(root, included)
        if os.path.exists(path):
            return path
    return None


def room_of(path, known):
    folder = os.path.dirname(path)[len("harness/"):]
    return folder if folder in known else None


def check_include(path, number, included, text, floors):
    if path.startswith("runtime/") and not os.path.exists(os.path.join("runtime", included)):
        fault(path, number, f"runtime/ stands alone, and includes {included}")
    header = find(included)
    if not header:
        return  # a library's, or made by the build
    here, there = path.split("/")[1], header.split("/")[1]
    if path.startswith("harness/") and header.startswith("harness/") and here in floors and there in floors:
        if floors.index(there) > floors.index(here):
            fault(path, number, f"{here}/ includes {included}, which is above it ({PAGE})")
    own = os.path.splitext(path)[0] == os.path.splitext(header)[0]
    used = set(re.findall(r"\w+", re.sub(r"#include[^\n]*", "", without_comments(text))))
    if not own and not declared(read(header)) & used:
        fault(path, number, f"includes {included} and uses nothing of it")


def check_file(path, known, floors):
    text = read(path)
    lines = text.split("\n")
    limit = LINES[path.split("/")[0]]
    if len(lines) - 1 > limit:
        fault(path, 0, f"has {len(lines) - 1} lines; {limit} are the most: split it by subject")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            fault(path, number, f"has {len(line)} columns; {COLUMNS} are the most")
        include = re.match(r'#include "([\w/]+\.h)"', line)
        if include:
            check_include(path, number, include.group(1), text, floors)
    if path.startswith("harness/") and path.endswith(".c") and path.count("/") > 1 and not room_of(path, known):
        fault(path, 0, f"is in a room that {PAGE} does not list")


def check_folder(folder):
    n = len(glob.glob(f"{folder}/*.c"))
    if n > FILES:
        fault(folder, 0, f"holds {n} C files; {FILES} are the most: make rooms of it")


def main():
    known = rooms()
    floors = [room for room in known if "/" not in room]
    for root in LINES:
        for path in sorted(glob.glob(f"{root}/**/*.[ch]", recursive=True)):
            check_file(path, known, floors)
    for folder in sorted({os.path.dirname(path) for path in glob.glob("harness/**/*.c", recursive=True)}):
        check_folder(folder)
    print("\n".join(faults), end="\n" if faults else "")
    return bool(faults)


sys.exit(main())
