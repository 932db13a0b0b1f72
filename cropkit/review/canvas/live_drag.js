// The part of the review that runs in the browser: while a box is dragged, it is drawn here, at the
// pace of the hand, however far away the kernel is. It decides nothing: the kernel takes the same
// mouse events, and what it makes of them is drawn when the hand lets go. It also measures how many
// pixels of the screen the canvas has (`pixels`), so that it is as sharp as that, and no larger, and
// sends each key with the browser's word whether it repeats.
//
// `scene` comes from the kernel (live_drag.py); lengths in canvas units unless said:
//   width, reach, snap; live: whether a press is taken; held: position of the image whose box the
//   kernel has left to this part, or null; chosen; cells: for each position null or
//   {x, y, scale: of the image's frame; size: [width, height], box: [left, top, right, bottom] in
//   image pixels; ratio: width / height that is kept, or null}
// `brush` comes once: the colours and sizes that the kernel paints a chosen box with (paint.py);
//   `style` is a name that ipywidgets has taken.

const PATIENCE = 3000, SETTLED = 300;  // milliseconds
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

export function dragged(box, grip, by, size, ratio, snap) {
  const [left, top, right, bottom] = box, [column, row] = grip, [width, height] = size;
  const dx = pulled([left, right], column, by[0], width, snap);
  const dy = pulled([top, bottom], row, by[1], height, snap);
  if (!column && !row) {
    const x = clamped(left + rounded(dx), 0, width - (right - left));
    const y = clamped(top + rounded(dy), 0, height - (bottom - top));
    return [x, y, x + right - left, y + bottom - top];
  }
  if (ratio !== null) return shaped(box, grip, [dx, dy], size, ratio);
  const [l, r] = stretched([left, right], column, dx, width);
  const [t, b] = stretched([top, bottom], row, dy, height);
  return [l, t, r, b];
}

// --- what is drawn while the hand holds

const edges = (cell, [left, top, right, bottom]) =>
  [cell.x + left * cell.scale, cell.y + top * cell.scale,
   cell.x + right * cell.scale, cell.y + bottom * cell.scale];

export function paint(pen, brush, cell, box, whole) {
  const [left, top, right, bottom] = edges(cell, box);
  const [x, y, end, foot] = edges(cell, [0, 0, ...cell.size]);
  if (whole) {
    pen.fillStyle = brush.dim;
    pen.fillRect(x, y, end - x, top - y);
    pen.fillRect(x, bottom, end - x, foot - bottom);
    pen.fillRect(x, top, left - x, bottom - top);
    pen.fillRect(right, top, end - right, bottom - top);
    pen.lineWidth = brush.guideLine;
    for (const third of brush.thirds)
      for (const [shift, colour] of brush.guides) {
        const across = left + (right - left) * third + shift, down = top + (bottom - top) * third + shift;
        pen.strokeStyle = colour;
        pen.beginPath();
        pen.moveTo(across, top); pen.lineTo(across, bottom);
        pen.moveTo(left, down); pen.lineTo(right, down);
        pen.stroke();
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
  label(pen, brush, [x, y, end, foot], [left, top, right, bottom], box);
}

function label(pen, brush, [x, y, end, foot], [left, top, right, bottom], box) {
  const { ground, digit, height, padding, margin, above, lowered, tall } = brush.label;
  const [from, over, to, under] = box, wide = to - from, high = under - over;
  const text = `${wide} × ${high} · ${(wide / high).toFixed(2)}`;
  const width = text.length * digit + 2 * padding;
  const at = Math.max(x, Math.min(left + margin, end - width));
  const inside = bottom - top > tall && right - left > width + 2 * margin;
  const fits = bottom + margin + height <= foot;
  const beside = fits ? bottom + margin : Math.max(y, top - above);
  const down = inside ? Math.max(y, bottom - height - margin) : beside;
  pen.fillStyle = ground;
  pen.fillRect(at, down, width, height);
  pen.fillStyle = brush.light;
  pen.font = brush.font;
  pen.textBaseline = "middle";
  pen.fillText(text, at + padding, down + height / 2 + lowered);
}

class Overlay {
  // A canvas of its own over one image of the page; the mouse goes through it.
  constructor(canvas, cell, unit, brush) {
    this.brush = brush;
    const margin = brush.handle;  // room for half a handle and its rim
    this.element = document.createElement("canvas");
    this.element.className = "cropkit-front";
    const [left, top, right, bottom] = edges(cell, [0, 0, ...cell.size]);
    this.from = [left - margin, top - margin];
    const width = (right - left + 2 * margin) * unit, height = (bottom - top + 2 * margin) * unit;
    const ratio = window.devicePixelRatio || 1;
    this.scale = unit * ratio;
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
    paint(this.pen, this.brush, cell, box, whole);
    this.element.dataset.box = box.join();
  }
}

class Hand {
  constructor(model, canvas) {
    this.model = model;
    this.canvas = canvas;
    this.drag = null;
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
    if (!scene.live || (event.touches && event.touches.length > 1)) return;
    const [x, y] = this.at(event);
    const found = scene.cells.findIndex(cell => cell && gripAt(edges(cell, cell.box), x, y, scene.reach));
    if (found < 0) return;
    const cell = scene.cells[found];
    const overlay = new Overlay(this.canvas, cell, this.canvas.offsetWidth / scene.width, this.model.get("brush"));
    const grip = gripAt(edges(cell, cell.box), x, y, scene.reach);
    this.drag = { position: found, cell, grip, x, y, box: cell.box, overlay, ours: false, over: false };
  }

  move(event) {
    const drag = this.drag;
    if (!drag || drag.over) return;
    if (event.touches && event.touches.length > 1) return this.end();
    const [x, y] = this.at(event), { cell } = drag, { snap } = this.model.get("scene");
    const by = [(x - drag.x) / cell.scale, (y - drag.y) / cell.scale];
    drag.box = dragged(cell.box, drag.grip, by, cell.size, cell.ratio, snap / cell.scale);
    drag.overlay.draw(cell, drag.box, drag.ours);
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
    if (this.model.get("scene").held === drag.position) {
      drag.ours = true;
      drag.overlay.draw(drag.cell, drag.box, true);
    } else if (drag.ours || drag.over)
      requestAnimationFrame(() => this.drag === drag && this.end());
  }

  end() {
    if (!this.drag) return;
    clearTimeout(this.drag.timer);
    this.drag.overlay.element.remove();
    this.drag = null;
  }
}

function attach(model, el, signal) {
  const root = el.isConnected && el.closest(".cropkit-review");
  const canvas = root && root.querySelector(".cropkit-canvas canvas, canvas.cropkit-canvas");
  if (!canvas) {
    if (!signal.aborted) setTimeout(() => attach(model, el, signal), 50);
    return;
  }
  canvas.dataset.lmSuppressShortcuts = "true";  // keys pressed on a page are the review's alone
  const hand = new Hand(model, canvas);
  const kinds = {
    mousedown: "take", touchstart: "take", mousemove: "move", touchmove: "move",
    mouseup: "release", mouseout: "release", touchend: "release", touchcancel: "release",
  };
  for (const [kind, does] of Object.entries(kinds))
    canvas.addEventListener(kind, event => hand[does](event), { signal, passive: true });
  // Each key with the browser's word whether it is held: ipycanvas does not tell, and hears none.
  canvas.addEventListener("keydown", event => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const { key, shiftKey: shift, ctrlKey: ctrl, metaKey: meta, repeat } = event;
    model.send({ key, shift, ctrl, meta, repeat });
  }, { signal, capture: true });
  model.on("change:scene", () => hand.told());
  signal.addEventListener("abort", () => hand.end());
  const measured = () => {
    const wide = Math.round(canvas.offsetWidth * (window.devicePixelRatio || 1));
    if (!wide) return;  // hidden
    model.set("pixels", wide);
    model.save_changes();
  };
  let timer = null;
  const resized = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(measured, SETTLED);
  });
  resized.observe(canvas);
  signal.addEventListener("abort", () => { resized.disconnect(); clearTimeout(timer); });
  measured();
}

// Whether this page has every canvas, whatever an earlier page has told: on a busy machine the
// messages of two pages come mixed. A drawing on a canvas that is not there would end all drawing.
async function present(model) {
  for (const id of model.get("canvases"))
    for (;;) {
      try {
        await model.widget_manager.get_model(id);
        break;
      } catch {
        await new Promise(again => setTimeout(again, 50));
      }
    }
  model.send({ present: true });
}

export default {
  initialize({ model }) { present(model); },
  render({ model, el }) {
    const gone = new AbortController();
    attach(model, el, gone.signal);
    return () => gone.abort();
  },
};
