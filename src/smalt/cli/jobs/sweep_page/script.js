"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const data = JSON.parse(document.getElementById("data").textContent);
  const svg = document.getElementById("coordinates");
  const table = document.getElementById("trials");
  const rows = [...table.tBodies[0].rows];
  const rowOf = new Map(rows.map((row) => [Number(row.dataset.trial), row]));
  const TOP = 40, HEIGHT = 300, BELOW = 34, LEFT = 70, RIGHT = 90;
  const gap = Math.max(110, Math.min(220, (document.documentElement.clientWidth - 160) / Math.max(1, data.axes.length - 1)));
  const ranges = new Map(); // axis → [bottom, top] of what is chosen, from 0 to 1; below 0 is "no value"
  const NONE = -0.09; // the place of a trial without a value

  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  };
  const toX = (axis) => LEFT + axis * gap;
  const toY = (place) => TOP + (1 - place) * HEIGHT;
  const toPlace = (y) => 1 - (y - TOP) / HEIGHT;
  const getPlace = (axis, trial) => data.axes[axis].places[trial] ?? NONE;

  const width = LEFT + (data.axes.length - 1) * gap + RIGHT, height = TOP + HEIGHT + BELOW;
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height })) svg.setAttribute(key, value);

  // the worst lines are drawn first, so that the best lie above them
  const order = data.kinds.map((_, trial) => trial).sort((a, b) => (data.shades[a] ?? -1) - (data.shades[b] ?? -1));
  const lines = new Map();
  const sheet = make("g", {}, svg);
  for (const trial of order) {
    const points = data.axes.map((_, axis) => `${toX(axis).toFixed(1)},${toY(getPlace(axis, trial)).toFixed(1)}`).join(" ");
    const line = make("polyline", { points, class: data.kinds[trial].toLowerCase() }, sheet);
    const shade = data.shades[trial];
    if (shade !== null) {
      const share = Math.round(100 * shade ** 2);
      line.style.stroke = `color-mix(in srgb, var(--high) ${share}%, var(--low))`;
      line.style.strokeOpacity = 0.35 + 0.6 * shade ** 2;
    }
    make("title", {}, line, data.titles[trial]);
    line.addEventListener("pointerenter", () => mark(trial, true));
    line.addEventListener("pointerleave", () => mark(trial, false));
    lines.set(trial, line);
  }

  const mark = (trial, on) => {
    lines.get(trial).classList.toggle("hot", on);
    rowOf.get(trial).classList.toggle("hot", on);
  };
  for (const [trial, row] of rowOf) {
    row.addEventListener("pointerenter", () => { mark(trial, true); sheet.append(lines.get(trial)); });
    row.addEventListener("pointerleave", () => mark(trial, false));
  }

  const choose = () => {
    let count = 0;
    for (const trial of order) {
      const isIn = [...ranges].every(([axis, [low, high]]) => {
        const place = getPlace(axis, trial);
        return low <= place && place <= high;
      });
      count += isIn;
      lines.get(trial).classList.toggle("out", !isIn);
      rowOf.get(trial).classList.toggle("out", !isIn);
    }
    document.getElementById("chosen").textContent = ranges.size ? `${count} of ${order.length} trials chosen.` : "";
    document.getElementById("release").hidden = !ranges.size;
  };

  const bands = data.axes.map((axis, number) => {
    const x = toX(number), group = make("g", {}, svg);
    const isMissing = axis.places.some((place) => place === null);
    make("line", { class: "axis", x1: x, x2: x, y1: toY(1), y2: toY(0) }, group);
    const title = axis.kind === "logarithmic" ? `${axis.name} (log)` : axis.name;
    make("text", { class: "title", x, y: TOP - 16, "text-anchor": "middle" }, group, title);
    const step = Math.ceil(axis.ticks.length / 15);
    axis.ticks.forEach(([place, text], index) => {
      if (index % step) return;
      make("line", { class: "axis", x1: x - 4, x2: x + 4, y1: toY(place), y2: toY(place) }, group);
      make("text", { class: "tick", x: x + 7, y: toY(place), "dominant-baseline": "middle" }, group, text);
    });
    if (isMissing) make("text", { class: "tick", x: x + 7, y: toY(NONE), "dominant-baseline": "middle" }, group, "none");
    const band = make("rect", { class: "band", x: x - 11, width: 22, y: 0, height: 0, visibility: "hidden" }, group);
    const grip = make("rect", { class: "grip", x: x - 16, width: 32, y: TOP - 8, height: HEIGHT + BELOW + 4 }, group);
    make("title", {}, grip, `Drag to choose a range of ${axis.name}; click to release it`);
    listen(grip, band, number);
    return band;
  });

  function draw(number) {
    const range = ranges.get(number), band = bands[number];
    band.setAttribute("visibility", range ? "visible" : "hidden");
    if (!range) return;
    band.setAttribute("y", toY(range[1]));
    band.setAttribute("height", Math.max(1, toY(range[0]) - toY(range[1])));
  }

  function listen(grip, band, number) {
    let start = null;
    const read = (event) => {
      const box = svg.getBoundingClientRect();
      return Math.min(TOP + HEIGHT + BELOW - 4, Math.max(TOP - 4, (event.clientY - box.top) * (height / box.height)));
    };
    grip.addEventListener("pointerdown", (event) => {
      start = read(event);
      grip.setPointerCapture(event.pointerId);
    });
    grip.addEventListener("pointermove", (event) => {
      const end = read(event);
      if (start === null || Math.abs(end - start) < 4) return;
      ranges.set(number, [toPlace(Math.max(start, end)), toPlace(Math.min(start, end))]);
      draw(number);
      choose();
    });
    grip.addEventListener("pointerup", (event) => {
      if (start !== null && Math.abs(read(event) - start) < 4 && ranges.delete(number)) {
        draw(number);
        choose();
      }
      start = null;
    });
  }

  document.getElementById("release").addEventListener("click", () => {
    ranges.clear();
    bands.forEach((_, number) => draw(number));
    choose();
  });

  // the table
  const heads = [...table.tHead.rows[0].cells];
  const read = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent;
  };
  const compare = (one, other) => {
    const isNumber = [one, other].map((text) => text !== "" && !Number.isNaN(Number(text)));
    if (isNumber[0] && isNumber[1]) return Number(one) - Number(other);
    return isNumber[0] - isNumber[1] || one.localeCompare(other);
  };
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const isDown = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    const isMissing = (row) => ["", "NaN"].includes(read(row, column));
    rows.sort((a, b) => isMissing(a) - isMissing(b) || (isDown ? -1 : 1) * compare(read(a, column), read(b, column)));
    table.tBodies[0].append(...rows);
  }));
})();
