// The part of the review that runs in the browser: while a box is dragged, it is drawn here, at the
// pace of the hand, however far away the kernel is. It decides nothing: the kernel takes the same
// mouse events, and what it makes of them is drawn when the hand lets go. `browser.js` follows it:
// what surrounds the canvas, and the keys.
//
// `scene` comes from the kernel (live_drag.py); lengths in canvas units unless said:
//   width, height, reach, turns (how far from a corner a hand turns the image), snap, slop (how far a hand may slip in a click); live: whether a press is taken; held: position of the image whose box the
//   kernel has left to this part, or null; chosen; cells: for each position null or
//   {x, y, scale: of the image's frame, in its stage: [left, top, right, bottom]; size: [width, height], box: [left, top, right, bottom] in
//   image pixels; ratio: width / height that is kept, or null; guides: [[x, y, x, y], …] in parts of the box;
//   ruler: {lines: [[x, y, x, y], …], words: [[text, x, y, [x, y, width, height]], …]} in units}
// `brush` comes once: the colours and sizes that the kernel paints a chosen box with (paint.py);
//   `style` is a name that ipywidgets has taken.

const PATIENCE = 3000;  // milliseconds
const clamped = (value, low, high) => Math.max(low, Math.min(high, value));

// Halves go to the even number, as in the kernel's arithmetic.
const rounded = value => {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
};

// --- review/model/box_editing.py in the browser; a test compares the two

const side = (at, low, high, reach) => {
  const inner = Math.min(reach, (high - low) / 3);
  if (at < low - reach || at > high + reach) return null;
  return at <= low + inner ? -1 : at >= high - inner ? 1 : 0;
};

export function gripAt([left, top, right, bottom], x, y, reach) {
  const column = side(x, left, right, reach), row = side(y, top, bottom, reach);
  return column === null || row === null ? null : [column, row];
}

export function cornerBeside(edges, x, y, reach, turns) {
  if (gripAt(edges, x, y, reach)) return null;
  const away = ([column, row]) =>
    Math.hypot(edges[column < 0 ? 0 : 2] - x, edges[row < 0 ? 1 : 3] - y);
  const nearest = [[-1, -1], [1, -1], [1, 1], [-1, 1]].reduce((near, one) => away(one) < away(near) ? one : near);
  return away(nearest) <= turns ? nearest : null;
}

const pulled = ([low, high], at, by, extent, snap) => {
  const far = meets => Math.abs(by - meets);
  const near = [[-low, at <= 0], [extent - high, at >= 0]]
    .filter(([meets, moves]) => moves && far(meets) <= snap).map(([meets]) => meets);
  return near.length ? near.reduce((one, other) => far(other) < far(one) ? other : one) : by;
};

const stretched = ([low, high], at, by, extent) =>
  at < 0 ? [clamped(low + rounded(by), 0, high - 1), high]
  : at > 0 ? [low, clamped(high + rounded(by), low + 1, extent)]
  : [low, high];

const room = ([low, high], at, extent) => at < 0 ? high : at > 0 ? extent - low : extent;

const led = (wanted, [along, across], ratio) => {
  const most = Math.max(1, Math.min(along, Math.trunc(across * ratio)));
  const leading = clamped(rounded(wanted), 1, most);
  return [leading, clamped(rounded(leading / ratio), 1, across)];
};

const placed = ([low, high], at, length, extent) =>
  at > 0 ? low : at < 0 ? high - length
  : clamped(Math.floor((low + high - length) / 2), 0, extent - length);

function shaped([left, top, right, bottom], [column, row], [dx, dy], [width, height], ratio) {
  const across = [left, right], down = [top, bottom];
  const grow = [dx * column, dy * row];
  const rooms = [room(across, column, width), room(down, row, height)];
  let wide, high;
  if (Math.abs(grow[0]) >= Math.abs(grow[1]) * ratio && column)
    [wide, high] = led(right - left + grow[0], rooms, ratio);
  else
    [high, wide] = led(bottom - top + grow[1], [rooms[1], rooms[0]], 1 / ratio);
  const x = placed(across, column, wide, width), y = placed(down, row, high, height);
  return [x, y, x + wide, y + high];
}

const roomBothWays = ([low, high], extent) => high - low + 2 * Math.min(low, extent - high);

function centred([left, top, right, bottom], [column, row], [dx, dy], [width, height], ratio) {
  const across = [left, right], down = [top, bottom];
  const grow = [2 * dx * column, 2 * dy * row];
  const rooms = [roomBothWays(across, width), roomBothWays(down, height)];
  let wide = right - left, high = bottom - top;
  if (ratio === null) {
    wide = clamped(rounded(wide + grow[0]), 1, rooms[0]);
    high = clamped(rounded(high + grow[1]), 1, rooms[1]);
  } else if (Math.abs(grow[0]) >= Math.abs(grow[1]) * ratio && column)
    [wide, high] = led(wide + grow[0], rooms, ratio);
  else
    [high, wide] = led(high + grow[1], [rooms[1], rooms[0]], 1 / ratio);
  const x = placed(across, 0, wide, width), y = placed(down, 0, high, height);
  return [x, y, x + wide, y + high];
}

export function dragged(box, grip, by, size, ratio, snap, fromCentre = false) {
  const [left, top, right, bottom] = box, [column, row] = grip, [width, height] = size;
  const dx = pulled([left, right], column, by[0], width, snap);
  const dy = pulled([top, bottom], row, by[1], height, snap);
  if (!column && !row) {
    const x = clamped(left + rounded(dx), 0, width - (right - left));
    const y = clamped(top + rounded(dy), 0, height - (bottom - top));
    return [x, y, x + right - left, y + bottom - top];
  }
  if (fromCentre) return centred(box, grip, [dx, dy], size, ratio);
  if (ratio !== null) return shaped(box, grip, [dx, dy], size, ratio);
  const [l, r] = stretched([left, right], column, dx, width);
  const [t, b] = stretched([top, bottom], row, dy, height);
  return [l, t, r, b];
}

// --- what is drawn while the hand holds

const edges = (cell, [left, top, right, bottom]) =>
  [cell.x + left * cell.scale, cell.y + top * cell.scale,
   cell.x + right * cell.scale, cell.y + bottom * cell.scale];

// `grain`: pixels of the screen for a unit; what is dimmed meets at whole ones, without a seam.
export function paint(pen, brush, cell, box, whole, grain = 1) {
  const [left, top, right, bottom] = edges(cell, box);
  const [over, under] = [top, bottom].map(at => rounded(at * grain) / grain);
  const [x, y, end, foot] = edges(cell, [0, 0, ...cell.size]);
  if (whole) {
    pen.fillStyle = brush.dim;
    pen.fillRect(x, y, end - x, over - y);
    pen.fillRect(x, under, end - x, foot - under);
    pen.fillRect(x, over, left - x, under - over);
    pen.fillRect(right, over, end - right, under - over);
    pen.lineWidth = brush.guideLine;
    const placed = (across, down) => [left + (right - left) * across, top + (bottom - top) * down];
    const guides = cell.guides.map(([near, high, far, low]) => [...placed(near, high), ...placed(far, low)]);
    for (const [near, high, far, low] of [...guides, ...cell.ruler.lines])
      for (const [shift, colour] of brush.guides) {
        const by = high === low ? [0, shift] : [shift, 0];  // its shade is below, else on the right
        pen.strokeStyle = colour;
        pen.beginPath();
        pen.moveTo(near + by[0], high + by[1]); pen.lineTo(far + by[0], low + by[1]);
        pen.stroke();
      }
    for (const [text, at, middle, ground] of cell.ruler.words) {
      pen.fillStyle = brush.label.ground;
      pen.fillRect(...ground);
      pen.fillStyle = brush.light;
      pen.font = brush.ruler;
      pen.textBaseline = "middle";
      pen.fillText(text, at, middle);
    }
  }
  for (const [colour, width] of [[brush.dark, brush.line + brush.outline], [brush.light, brush.line]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
  if (!whole) return;
  const reach = brush.handle / 2;
  for (const [column, row] of brush.handles) {
    const at = [left + (right - left) * (column + 1) / 2, top + (bottom - top) * (row + 1) / 2];
    for (const [colour, half] of [[brush.dark, reach + brush.rim], [brush.light, reach]]) {
      pen.fillStyle = colour;
      pen.fillRect(at[0] - half, at[1] - half, 2 * half, 2 * half);
    }
  }
  label(pen, brush, [x, y, end, foot], cell.stage, [left, top, right, bottom], box);
}

function label(pen, brush, image, stage, [left, top, right, bottom], box) {
  const { ground, em, ems, height, padding, lowered, smaller, size, family } = brush.label;
  const [from, over, to, under] = box, wide = to - from, high = under - over;
  const text = `${wide} × ${high} · ${(wide / high).toFixed(2)}`;
  const width = [...text].reduce((sum, letter) => sum + (ems[letter] ?? em), 0) + 2 * padding;
  const reach = brush.handle / 2 + brush.rim;
  const handles = brush.handles.map(([column, row]) => {
    const x = left + (right - left) * (column + 1) / 2, y = top + (bottom - top) * (row + 1) / 2;
    return [x - reach, y - reach, x + reach, y + reach];
  });
  const frames = width <= image[2] - image[0] ? [image, stage] : [stage];
  for (const [frame, part] of frames.flatMap(each => smaller.map(part => [each, part]))) {
    const by = part * Math.min(1, (stage[2] - stage[0]) / width);
    const place = labelPlace(brush.label, frame, [left, top, right, bottom], [by * width, by * height], handles);
    if (!place) continue;
    pen.fillStyle = ground;
    pen.fillRect(...place, by * width, by * height);
    pen.fillStyle = brush.light;
    pen.font = `${by * size}px ${family}`;
    pen.textBaseline = "middle";
    pen.fillText(text, place[0] + by * padding, place[1] + by * (height / 2 + lowered));
    return;
  }
}

// --- review/view/labels.py in the browser; a test compares what the two draw

function labelPlace({ margin, tall }, [x, y, end, foot], [left, top, right, bottom], [width, height], handles) {
  const along = Math.max(x, Math.min(left + margin, end - width)), low = bottom - margin - height;
  const inner = bottom - top > tall && right - left > width + 2 * margin;
  const wanted = [left + margin, low];
  const places = [
    ...(inner ? [wanted] : []), [along, bottom + margin], [along, top - margin - height],
    [right + margin, low], [left - margin - width, low], wanted,
  ];
  const free = ([at, down]) =>
    at >= x && at + width <= end && down >= y && down + height <= foot &&
    !handles.some(([l, t, r, b]) => at < r && at + width > l && down < b && down + height > t);
  const usual = places.find(free);
  if (usual) return usual;
  const across = [x, end - width, ...handles.flatMap(([l, , r]) => [r, l - width])].sort((a, b) => a - b);
  const lines = [y, foot - height, ...handles.flatMap(([, t, , b]) => [b, t - height])].sort((a, b) => a - b);
  const far = ([at, down]) => Math.hypot(at - wanted[0], down - wanted[1]);
  return across.flatMap(at => lines.map(down => [at, down])).filter(free)
    .reduce((near, one) => near && far(near) <= far(one) ? near : one, null);
}

const within = (cell, x, y) => {
  const [left, top, right, bottom] = edges(cell, [0, 0, ...cell.size]);
  return x >= left && x < right && y >= top && y < bottom;
};

// The one pixel that a new box begins with.
const pixelAt = (cell, x, y) => {
  const [column, row] = [[x - cell.x, cell.size[0]], [y - cell.y, cell.size[1]]]
    .map(([at, extent]) => clamped(Math.floor(at / cell.scale), 0, extent - 1));
  return [column, row, column + 1, row + 1];
};

class Overlay {
  // A canvas of its own over one image of the page; the mouse goes through it.
  constructor(canvas, cell, unit, brush) {
    this.brush = brush;
    const margin = brush.handle;  // room for half a handle and its rim
    this.element = document.createElement("canvas");
    this.element.className = "cropkit-front";
    const [left, top, right, bottom] = cell.stage;  // a label may be beside a small image
    const ratio = window.devicePixelRatio || 1;
    this.scale = unit * ratio;
    this.from = [left - margin, top - margin].map(at => Math.floor(at * this.scale) / this.scale);
    const width = (right + margin - this.from[0]) * unit, height = (bottom + margin - this.from[1]) * unit;
    this.element.width = Math.ceil(width * ratio);
    this.element.height = Math.ceil(height * ratio);
    Object.assign(this.element.style, {
      position: "absolute", pointerEvents: "none", zIndex: 1,
      left: `${canvas.offsetLeft + this.from[0] * unit}px`,
      top: `${canvas.offsetTop + this.from[1] * unit}px`,
      width: `${width}px`, height: `${height}px`,
    });
    canvas.offsetParent.append(this.element);
    this.pen = this.element.getContext("2d");
  }

  draw(cell, box, whole) {
    this.pen.setTransform(1, 0, 0, 1, 0, 0);
    this.pen.clearRect(0, 0, this.element.width, this.element.height);
    this.pen.setTransform(this.scale, 0, 0, this.scale, -this.from[0] * this.scale, -this.from[1] * this.scale);
    paint(this.pen, this.brush, cell, box, whole, this.scale);
    this.element.dataset.box = box.join();
  }
}

class Hand {
  constructor(model, canvas) {
    this.model = model;
    this.canvas = canvas;
    this.drag = null;
    this.keys = { shift: false, alt: false };
  }

  at(event) {
    const where = this.canvas.getBoundingClientRect(), width = this.model.get("scene").width;
    const point = event.touches ? event.touches[0] : event;
    return [(point.clientX - where.left) / where.width * width,
            (point.clientY - where.top) / where.width * width];
  }

  take(event) {
    this.end();
    const scene = this.model.get("scene");
    if (!scene.live || event.ctrlKey || event.metaKey || (event.touches && event.touches.length > 1)) return;
    const [x, y] = this.at(event);
    const on = cell => cell && (gripAt(edges(cell, cell.box), x, y, scene.reach) || within(cell, x, y));
    const position = scene.cells.findIndex(on);
    if (position < 0) return;
    const cell = scene.cells[position], grip = gripAt(edges(cell, cell.box), x, y, scene.reach);
    if (cornerBeside(edges(cell, cell.box), x, y, scene.reach, scene.turns)) return;  // the kernel turns the image
    const overlay = new Overlay(this.canvas, cell, this.canvas.offsetWidth / scene.width, this.model.get("brush"));
    const from = grip ? cell.box : pixelAt(cell, x, y);
    this.drag = { position, cell, grip, from, x, y, at: [x, y], box: cell.box, overlay, ours: false, over: false };
  }

  move(event) {
    const drag = this.drag;
    if (!drag || drag.over) return;
    if (event.touches && event.touches.length > 1) return this.end();
    drag.at = this.at(event);
    this.follow(drag);
  }

  follow(drag) {
    const { cell, from } = drag, { snap, slop } = this.model.get("scene");
    const far = [drag.at[0] - drag.x, drag.at[1] - drag.y];
    if (!drag.grip && !drag.begun && Math.hypot(...far) <= slop) return;  // it may be a click
    drag.begun = true;
    const grip = drag.grip || far.map(way => way < 0 ? -1 : 1);
    const own = drag.grip ? (from[2] - from[0]) / (from[3] - from[1]) : 1;
    const ratio = cell.ratio ?? (this.keys.shift && grip.join() !== "0,0" ? own : null);
    const by = far.map(way => way / cell.scale);
    drag.box = dragged(from, grip, by, cell.size, ratio, snap / cell.scale, this.keys.alt);
    drag.overlay.draw(cell, drag.box, drag.ours);
  }

  again() {
    if (this.drag && !this.drag.over) this.follow(this.drag);
  }

  release(event) {
    const drag = this.drag;
    if (!drag || drag.over) return;
    if (!event.touches) this.move(event);
    drag.over = true;  // the kernel draws it next; if it does not, what it drew last is what holds
    drag.timer = setTimeout(() => this.drag === drag && this.end(), PATIENCE);
  }

  told() {
    const drag = this.drag;
    if (!drag) return;
    if (this.model.get("scene").aims) return this.end();  // it was pressed before that was known
    if (this.model.get("scene").held === drag.position) {
      drag.ours = true;
      drag.overlay.draw(drag.cell, drag.box, true);
    } else if (drag.ours || drag.over)
      onceDrawn(this.model, () => this.drag === drag && this.end());
  }

  end() {
    if (!this.drag) return;
    clearTimeout(this.drag.timer);
    this.drag.overlay.element.remove();
    this.drag = null;
  }
}
