"use strict";
// Tables of the page's data. Whatever comes from the database becomes text, never markup: no innerHTML anywhere.

const SHOWN = 200; // rows of a table at first, and more at each click

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children.filter(child => child !== null && child !== undefined).map(String_or_node));
  return element;
}

function String_or_node(child) {
  return child instanceof Node ? child : String(child);
}

async function read_data() {
  const packed = document.getElementById("data").textContent.trim();
  const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(plain).text());
}

// A table of the data is columns; a row of it an array.
function rows_of(table, where) {
  const rows = [];
  const n = table.data.length ? table.data[0].length : 0;
  for (let i = 0; i < n; i++)
    if (!where || where(i)) rows.push(table.data.map(column => column[i]));
  return rows;
}

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
}

function show_value(value, column) {
  if (value === null) return "n/a";
  return typeof value === "number" && column.digits !== undefined ? value.toFixed(column.digits) : String(value);
}

// columns: [{title, digits, words, link}], rows: arrays. Sorted by a click on a title.
class Table {
  constructor(place, caption, columns, rows, options) {
    Object.assign(this, {columns, rows, options: options || {}, by: -1, down: false, limit: SHOWN, text: "", picked: {}});
    this.numeric = columns.map((_, c) => rows.some(r => typeof r[c] === "number") && rows.every(r => r[c] === null || typeof r[c] === "number"));
    this.caption = make("caption", {}, caption);
    this.body = make("tbody");
    this.more = make("button", {class: "more", type: "button"}, "show more");
    this.more.addEventListener("click", () => { this.limit += SHOWN; this.draw(); });
    this.heads = columns.map((column, c) => this.head(column, c));
    const table = make("table", {}, this.caption, make("thead", {}, make("tr", {}, ...this.heads)), this.body);
    this.title = caption;
    place.replaceChildren(...(this.options.filters ? [this.tools()] : []), make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption}, table), this.more);
    this.draw();
  }

  head(column, c) {
    const button = make("button", {type: "button"}, column.title);
    button.addEventListener("click", () => {
      this.down = this.by === c && !this.down;
      this.by = c;
      this.draw();
    });
    return make("th", {scope: "col", "aria-sort": "none", class: this.numeric[c] ? "number" : ""}, button);
  }

  tools() {
    const search = make("input", {type: "search", size: "18"});
    search.addEventListener("input", () => { this.text = search.value.toLowerCase(); this.limit = SHOWN; this.draw(); });
    const selects = this.options.filters.map(c => {
      const values = [...new Set(this.rows.map(r => r[c]))].sort(compare);
      const select = make("select", {}, make("option", {value: ""}, "all"),
                          ...values.map((v, i) => make("option", {value: i}, v === null ? "n/a" : v)));
      select.addEventListener("change", () => {
        this.picked[c] = select.value === "" ? undefined : values[Number(select.value)];
        this.limit = SHOWN;
        this.draw();
      });
      return make("label", {}, this.columns[c].title, select);
    });
    return make("div", {class: "tools"}, make("label", {}, "search", search), ...selects);
  }

  chosen() {
    const picks = Object.entries(this.picked).filter(([, v]) => v !== undefined);
    const rows = this.rows.filter(r => picks.every(([c, v]) => r[c] === v) &&
      (!this.text || r.some((v, c) => this.columns[c] && show_value(v, this.columns[c]).toLowerCase().includes(this.text))));
    if (this.by >= 0) rows.sort((a, b) => (this.down ? -1 : 1) * compare(a[this.by], b[this.by]));
    return rows;
  }

  cell(value, c) {
    const column = this.columns[c], shown = show_value(value, column);
    const attributes = {class: this.numeric[c] ? "number" : column.words ? "words" : ["failed", "stale", "diverged"].includes(shown) ? shown : ""};
    return make("td", attributes, column.link ? make("a", {href: "#run/" + encodeURIComponent(value)}, shown) : shown);
  }

  draw() {
    const rows = this.chosen();
    this.heads.forEach((h, c) => h.setAttribute("aria-sort", c !== this.by ? "none" : this.down ? "descending" : "ascending"));
    this.body.replaceChildren(...rows.slice(0, this.limit).map(r => make("tr", {}, ...this.columns.map((_, c) => this.cell(r[c], c)))));
    this.more.hidden = rows.length <= this.limit;
    this.caption.textContent = `${this.title}: ${rows.length} of ${this.rows.length}`;
  }
}

// What columns of the data are called and how they are printed; what is not named here is printed as it is.
const PRINTED = {
  run: {link: true}, top1: {title: "top-1, %", digits: 2}, top5: {title: "top-5, %", digits: 2}, loss: {digits: 4},
  core_hours: {title: "core-hours", digits: 2}, data_set: {title: "data set"}, act_bits: {title: "activation bits"},
  accuracy: {title: "accuracy in training, %", digits: 2}, learning_rate: {title: "learning rate"}, settings: {words: true},
  quantization_error: {title: "quantization error"}, truncation_error: {title: "truncation error"},
  codes_differ: {title: "share of codes that differ"}, reason: {words: true}, command: {words: true},
  trained_by: {title: "trained by"}, best: {title: "2 bits, direct, %", digits: 2}, cut: {title: "2 bits, cut, %", digits: 2},
};

function column(name) {
  return Object.assign({title: name.replaceAll("_", " ")}, PRINTED[name]);
}

// The table without the number of the run, its first column.
function part(data, run) {
  const numbers = data.data[0] || [];
  return {columns: data.columns.slice(1).map(column), rows: rows_of(data, i => numbers[i] === run).map(r => r.slice(1))};
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const STROKES = ["", "6 3", "2 3", "8 3 2 3", "1 2"]; // widths are told apart without colour, too
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000"];

// Training loss by epoch, a line per width.
function loss_chart(rows, columns) {
  const at = name => columns.findIndex(c => c.name === name);
  const points = rows.map(r => ({x: r[at("epoch")], y: r[at("loss")], bits: r[at("bits")]})).filter(p => p.y !== null);
  if (new Set(points.map(p => p.x)).size < 2) return null;
  const [w, h, left, bottom] = [560, 240, 44, 34];
  const top = Math.max(...points.map(p => p.y)), last = Math.max(...points.map(p => p.x));
  const X = x => left + (x - 1) / (last - 1) * (w - left - 60), Y = y => h - bottom - y / top * (h - bottom - 12);
  const widths = [...new Set(points.map(p => p.bits))].sort((a, b) => a - b);
  const chart = svg("svg", {viewBox: `0 0 ${w} ${h}`, width: w, height: h, role: "img", "aria-label": "training loss by epoch, one line for each width"},
    svg("path", {d: `M${left} ${Y(top)}V${Y(0)}H${X(last)}`, fill: "none", stroke: "#555"}));
  const label = (x, y, text, anchor) => { const t = svg("text", {x, y, "text-anchor": anchor, "font-size": 12, fill: "#1a1a1a"}); t.textContent = text; chart.append(t); };
  label(left - 4, Y(top) + 8, top.toPrecision(2), "end");
  label(left - 4, Y(0), "0", "end");
  label(X(1), h - 14, "1", "middle");
  label(X(last), h - 14, last, "middle");
  label((left + X(last)) / 2, h - 4, "epoch", "middle");
  label(left + 6, 12, "loss", "start");
  widths.forEach((bits, i) => {
    const line = points.filter(p => p.bits === bits).sort((a, b) => a.x - b.x);
    chart.append(svg("polyline", {points: line.map(p => `${X(p.x).toFixed(1)},${Y(p.y).toFixed(1)}`).join(" "), fill: "none",
      stroke: COLOURS[i % COLOURS.length], "stroke-width": 2, "stroke-dasharray": STROKES[i % STROKES.length]}));
    label(X(last) + 6, 20 + 16 * i, `${bits} bits`, "start");
    chart.append(svg("line", {x1: X(last) + 6, x2: X(last) + 50, y1: 24 + 16 * i, y2: 24 + 16 * i, stroke: COLOURS[i % COLOURS.length],
      "stroke-width": 2, "stroke-dasharray": STROKES[i % STROKES.length]}));
  });
  return chart;
}

function add_part(page, title, table, data, number) {
  const {columns, rows} = part(data[table], number);
  columns.forEach((c, i) => { c.name = data[table].columns[i + 1]; });
  if (!rows.length) return;
  page.append(make("h3", {}, title));
  if (table === "epochs") page.append(...[loss_chart(rows, columns)].filter(Boolean));
  const place = make("div");
  page.append(place);
  new Table(place, title, columns, rows);
}

function show_run(data, id) {
  const page = document.getElementById("run"), number = data.runs.data[data.runs.columns.indexOf("run")].indexOf(id);
  const back = make("p", {}, make("a", {href: "#runs"}, "all runs"));
  if (number < 0) {
    page.replaceChildren(back, make("h2", {}, "No such run"), make("p", {}, id));
    return;
  }
  const values = data.runs.columns.map((name, c) => [name, data.runs.data[c][number]]);
  const full = data.specs.data[1][number], spec = data.specs.data[2][number];
  const config = make("table", {}, make("caption", {}, "Configuration: what differs from the defaults"),
    make("tbody", {}, ...spec.split("\n").filter(line => line.includes(" = ")).map(line => {
      const at = line.indexOf(" = ");
      return make("tr", {}, make("th", {scope: "row"}, line.slice(0, at)), make("td", {class: "words"}, line.slice(at + 3)));
    })));
  page.replaceChildren(back, make("h2", {tabindex: "-1"}, "Run " + id), make("p", {}, "ID: ", full),
    make("p", {}, values.filter(([n, v]) => ["scheme", "settings", "network", "data_set", "seed", "state"].includes(n) && v !== null && v !== "").map(([n, v]) => `${column(n).title}: ${v}`).join("; ")),
    make("div", {class: "scroll"}, config));
  add_part(page, "Results", "cells", data, number);
  add_part(page, "Epochs", "epochs", data, number);
  add_part(page, "Layers", "layers", data, number);
  add_part(page, "Attempts", "attempts", data, number);
  page.querySelector("h2").focus();
}

function route(data) {
  const match = /^#run\/(.*)$/.exec(location.hash);
  document.getElementById("overview").hidden = Boolean(match);
  document.getElementById("run").hidden = !match;
  if (match) {
    let id = match[1];
    try { id = decodeURIComponent(id); } catch { /* shown as it stands */ }
    show_run(data, id);
    window.scrollTo(0, 0);
  } else if (location.hash.length > 1) {
    const place = document.getElementById(location.hash.slice(1));
    if (place) place.scrollIntoView();
  }
}

async function start() {
  const data = await read_data();
  const runs = data.runs.columns, runs_rows = rows_of(data.runs);
  const at = names => names.map(n => runs.indexOf(n));
  new Table(document.getElementById("runs-table"), "runs", runs.map(column), runs_rows,
            {filters: at(["scheme", "network", "data_set", "state"])});
  const ids = data.runs.data[runs.indexOf("run")], schemes = data.runs.data[runs.indexOf("scheme")];
  const networks = data.runs.data[runs.indexOf("network")], sets = data.runs.data[runs.indexOf("data_set")];
  const seeds = data.runs.data[runs.indexOf("seed")];
  const cells = rows_of(data.cells).map(r => [ids[r[0]], schemes[r[0]], networks[r[0]], sets[r[0]], seeds[r[0]], ...r.slice(1)]);
  const names = ["run", "scheme", "network", "data_set", "seed", ...data.cells.columns.slice(1)];
  new Table(document.getElementById("cells-table"), "cells", names.map(column), cells,
            {filters: ["scheme", "network", "data_set", "bits", "inference", "norms", "split"].map(n => names.indexOf(n))});
  window.addEventListener("hashchange", () => route(data));
  route(data);
  document.documentElement.dataset.ready = "yes";
}

start().catch(error => {
  document.getElementById("runs-table").textContent = "The tables cannot be shown: " + error.message;
  throw error;
});
