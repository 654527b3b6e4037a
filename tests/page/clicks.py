#!/usr/bin/env python3
"""clicks.py PAGE: a filter, a sort, a run, keys, alt texts, contrast, a phone's width, print; fails at the first that is wrong."""
import sys

sys.path.insert(0, sys.path[0])
from browser import Browser

# The least contrast of any text with what is behind it, by the formula of WCAG 2.
CONTRAST = """(() => {
  const lum = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                     return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parse = s => s.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  let least = 99;
  for (const e of document.body.querySelectorAll("*")) {
    if (e.closest("svg") || !e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = lum(parse(getComputedStyle(e).color).slice(0, 3)), b = lum(behind(e));
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()"""
RUNS = "#runs-table tbody tr"


def count(page, selector):
    return page.evaluate(f"document.querySelectorAll({selector!r}).length")


def column(page, table, title):
    heads = page.evaluate(f"[...document.querySelectorAll('#{table} th')].map(h => h.innerText)")
    place = next(i for i, h in enumerate(heads) if h.startswith(title))
    return page.evaluate(f"[...document.querySelectorAll('#{table} tbody tr')].map(r => r.cells[{place}].innerText)")


def check(condition, what):
    if not condition:
        sys.exit("clicks.py: " + what)


with Browser(sys.argv[1]) as page:
    check(count(page, RUNS) == 18, f"{count(page, RUNS)} runs are shown, not 18")
    name = 'a_b%<i>"$x</script><img src=x onerror=window.bad=1>'
    check(set(column(page, "runs-table", "network")) == {name}, "names are not shown as they are")

    page.evaluate("""(() => { const s = [...document.querySelectorAll('#runs-table select')][0];
        s.value = [...s.options].find(o => o.text === 'minmax').value; s.dispatchEvent(new Event('change')); })()""")
    check(set(column(page, "runs-table", "scheme")) == {"minmax"} and count(page, RUNS) == 8, "a filter does not filter")
    page.evaluate("(() => { const i = document.querySelector('#runs-table input'); i.value = 'align=100'; i.dispatchEvent(new Event('input')); })()")
    check(count(page, RUNS) == 2, "a search does not search")
    page.evaluate("""(() => { const i = document.querySelector('#runs-table input'); i.value = ''; i.dispatchEvent(new Event('input'));
        const s = document.querySelector('#runs-table select'); s.value = ''; s.dispatchEvent(new Event('change')); })()""")
    check(count(page, RUNS) == 18, "a filter that is taken back still filters")

    # By the keyboard alone: to the title of the column, Enter, and again.
    page.evaluate("[...document.querySelectorAll('#runs-table th button')].find(b => b.innerText.startsWith('2 bits, cut')).focus()")
    for down in (False, True):
        page.key("Enter", 13, "\r")
        values = [float(v) for v in column(page, "runs-table", "2 bits, cut") if v != "n/a"]
        check(values == sorted(values, reverse=down) and len(set(values)) > 5, "a sort does not sort")
        said = page.evaluate("document.activeElement.closest('th').getAttribute('aria-sort')")
        check(said == ("descending" if down else "ascending"), "the order is not said")
    page.evaluate("document.querySelector('.skip').focus()")
    page.key("Tab", 9)
    check(page.evaluate("document.activeElement.innerText") == "Figures", "Tab does not go on to the first link")

    check(count(page, "figure") >= 3 and page.evaluate(
        "[...document.querySelectorAll('figure [role=img]')].every(f => f.getAttribute('aria-label').length > 40)"), "a figure has no alt text")
    check(page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length"),
          "an id stands twice")
    check(page.evaluate("""[...document.querySelectorAll('svg use')].every(u =>
        document.querySelector(u.getAttribute('xlink:href') || u.getAttribute('href')))"""), "a mark of a figure is lost")
    check(page.evaluate(CONTRAST) >= 4.5, f"contrast {page.evaluate(CONTRAST):.2f}")

    id = column(page, "runs-table", "run")[3]
    page.evaluate(f"[...document.querySelectorAll('{RUNS} a')].find(a => a.innerText === '{id}').click()")
    page.wait("!document.getElementById('run').hidden")
    text = page.evaluate("document.getElementById('run').innerText")
    check(text.startswith("all runs") and "Run " + id in text and name in text, "a run's page does not show it")
    for part in ("Results", "Epochs", "Layers", "Attempts"):
        check("\n" + part + "\n" in text, f"a run's page has no {part}")
    check("<script>window.bad=1</script>" in text, "a reason is not shown as it is")
    check(page.evaluate("document.activeElement.innerText") == "Run " + id, "the focus is not on the run")
    check(page.evaluate("document.querySelectorAll('#run svg polyline').length") >= 2, "there is no curve of the loss")
    check(page.evaluate(CONTRAST) >= 4.5, "contrast of a run's page")
    page.evaluate("history.back()")
    page.wait("document.getElementById('run').hidden")

    page.resize(390, 844, mobile=True)
    wide = page.evaluate("document.documentElement.scrollWidth")
    check(wide <= 390, f"on a phone the page is {wide} pixels wide")
    page.call("Emulation.setEmulatedMedia", media="print")
    check(page.evaluate("getComputedStyle(document.querySelector('.tools')).display") == "none", "tools are printed")

    check(page.evaluate("window.bad") is None, "a name ran")
    check(not page.faults, f"the console says: {page.faults}")
    check(len(page.requests) == 1, f"something is loaded: {page.requests}")
