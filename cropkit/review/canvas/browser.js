// --- what surrounds the canvas: its room, the pointer, the menu (appended to nudges.js)
//
// `filling`: whether the review takes the whole window; `alone`: nothing else of the notebook is
// kept; `spots`: [x, y, width, height, cursor, tip] of what can be pressed; `menu`: [[action, words,
// key], …]. `scene` has shapes: for each position null or {x, y, scale, stage: [left, top, right,
// bottom] of what is seen of it, room: of what it might fill, box or null, closer}, and aims: whether a press draws a line. The kernel hears {room: [width, height, ratio]}, {keys: [shift, alt, ctrl]}, {do: [action, x, y]},
// and {up: key} when a key of `holds` is let go.

const PACE = 120;  // milliseconds between two measurements, while a window is being resized
const LEAST_HEIGHT = 360, BELOW = 12;
const MOST_GROWN = 3, FLASH_GAP = 8;  // how much larger what was decided flashes; between two of them
const OWN_VIEW = ".jp-LinkedOutputView";
const SCROLLERS = ".jp-WindowedPanel-outer, .jp-Notebook, .jp-LinkedOutputView, .jp-mod-outputsScrolled > .jp-OutputArea";
const CURSORS = { "-1,-1": "nwse-resize", "1,1": "nwse-resize", "1,-1": "nesw-resize", "-1,1": "nesw-resize",
                  "0,-1": "ns-resize", "0,1": "ns-resize", "-1,0": "ew-resize", "1,0": "ew-resize", "0,0": "move" };
// An arrow round the upper right corner, and the others by quarters; dark on light.
const TURNS = { "1,-1": 0, "1,1": 90, "-1,1": 180, "-1,-1": 270 };
const turning = corner => {
  const path = "M6 7A12 12 0 0 1 17 18M10 3 6 7 10 11M13 14 17 18 21 14";
  const line = (colour, width) => `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><g transform="rotate(${TURNS[corner]} 12 12)">` +
    `${line("white", 4.5)}${line("black", 2)}</g></svg>`;
  return `url("data:image/svg+xml,${encodeURIComponent(svg)}") 12 12, grab`;
};
const UNDER = "data-cropkit-under";

class Room {
  // Measures what there is, and has the review fill it: its output, or the whole window.
  constructor(model, root, signal) {
    this.model = model;
    this.root = root;
    this.covered = [];
    this.sent = "";
    this.keeps = [];
    const later = () => { this.timer ??= setTimeout(() => { this.timer = null; this.measure(); }, PACE); };
    this.resized = new ResizeObserver(later);
    this.resized.observe(root.parentElement);
    const scroller = root.closest(SCROLLERS);
    if (scroller) this.resized.observe(scroller);
    window.addEventListener("resize", later, { signal });
    if (model.get("alone")) signal.addEventListener("abort", leavingFreely());
    model.on("change:filling", () => this.arrange());
    model.on("change:scene", () => this.fit());
    signal.addEventListener("abort", () => { this.resized.disconnect(); clearTimeout(this.timer); this.uncover(); });
    this.arrange();
  }

  get filling() { return this.model.get("filling"); }

  arrange() {
    const had = document.activeElement;
    this.uncover();
    if (this.filling) this.cover();
    this.root.classList.toggle("ck-filling", this.filling);
    this.measure();
    if (!this.filling) this.root.scrollIntoView({ block: "nearest" });
    // The notebook that comes back takes the keys: whoever works in the review keeps them.
    this.keeps.forEach(clearTimeout);
    if (this.root.contains(had))
      this.keeps = [0, PACE].map(delay =>
        setTimeout(() => document.activeElement === document.body && had.focus({ preventScroll: true }), delay));
  }

  letGo(canvas) {
    this.keeps.forEach(clearTimeout);
    canvas.blur();
  }

  cover() {
    // Nothing above it may clip it or hold it in a frame of its own; nothing beside it takes keys.
    for (let e = this.root; e.parentElement && e !== document.body; e = e.parentElement) {
      e.parentElement.setAttribute(UNDER, "");
      for (const beside of e.parentElement.children)
        if (beside !== e && !beside.inert && beside.checkVisibility()) {
          beside.inert = true;
          this.covered.push(beside);
        }
    }
  }

  uncover() {
    for (const beside of this.covered) beside.inert = false;
    this.covered = [];
    for (const e of document.querySelectorAll(`[${UNDER}]`)) e.removeAttribute(UNDER);
  }

  space() {
    if (this.filling) return [window.innerWidth, window.innerHeight];
    const parent = getComputedStyle(this.root.parentElement);
    const width = this.root.parentElement.clientWidth - parseFloat(parent.paddingLeft) - parseFloat(parent.paddingRight);
    const scroller = this.root.closest(SCROLLERS);
    const seen = scroller ? scroller.clientHeight : window.innerHeight;
    const scrolls = !(scroller && scroller.matches(OWN_VIEW));  // what scrolls may have less in sight
    return [Math.floor(width), Math.floor(Math.max(scrolls ? LEAST_HEIGHT : 1, seen - BELOW))];
  }

  measure() {
    if (!this.root.checkVisibility()) return;  // hidden
    const [width, height] = this.space(), ratio = window.devicePixelRatio || 1;
    if (width < 1) return;
    this.fit();
    const room = [width, height, ratio];
    if (this.sent === room.join()) return;
    this.sent = room.join();
    this.model.send({ room });
  }

  fit() {
    // Until the kernel has drawn for this room, or where another page has another one: all of it.
    const scene = this.model.get("scene"), [width, height] = this.space();
    const by = scene.width ? Math.min(width / scene.width, height / scene.height) : 1;
    const style = this.root.style;
    style.setProperty("--ck-width", scene.width || 1400);
    style.width = scene.width ? `${scene.width * by}px` : "";
    style.left = this.filling ? `${(width - scene.width * by) / 2}px` : "";
  }
}

function leavingFreely() {
  // The host asks whether to leave, as its notebook has changed; but all that matters is saved. It
  // listened first, and listeners of a window are called in that order: so its answer is not heard.
  const proto = BeforeUnloadEvent.prototype;
  const kept = Object.getOwnPropertyDescriptor(proto, "returnValue");
  Object.defineProperty(proto, "returnValue", { configurable: true, get: () => "", set() {} });
  proto.preventDefault = () => {};
  return () => {
    Object.defineProperty(proto, "returnValue", kept);
    delete proto.preventDefault;
  };
}

class Pointing {
  // Says by the cursor what a press would do, and takes from the canvas what is not meant for it.
  constructor(model, root, canvas, hand, signal) {
    Object.assign(this, { model, root, canvas, hand, keys: "", tip: null });
    const listen = (kind, does, target = root) =>
      target.addEventListener(kind, event => does.call(this, event), { signal, capture: true, passive: false });
    listen("pointerdown", this.capture, canvas);
    listen("mousedown", this.pressed);
    listen("mouseup", this.primary);
    listen("mousemove", this.moved);
    listen("wheel", this.wheel);
    listen("contextmenu", this.menu);
    listen("mouseleave", this.gone, canvas);
    for (const kind of ["keydown", "keyup"]) listen(kind, this.modified, window);
    signal.addEventListener("abort", () => { this.gone(); this.close(); });
  }

  capture(event) {
    if (event.button === 0 && event.pointerType !== "touch") this.canvas.setPointerCapture(event.pointerId);
  }

  primary(event) {
    if (event.button !== 0) event.stopPropagation();
  }

  pressed(event) {
    if (event.target.closest(".ck-menu")) return;
    this.close();
    this.hide();
    if (event.button === 1) event.preventDefault();  // no scrolling by itself
    const does = event.target.closest("[data-does]"), sheet = event.target.closest(".ck-sheet");
    if (does || sheet) event.preventDefault();  // the canvas keeps the keys
    if (does) {
      event.stopPropagation();
      this.canvas.focus({ preventScroll: true });
      if (event.button === 0) this.model.send({ do: [does.dataset.does, -1, -1] });
      return;
    }
    const closes = sheet && /ck-closes-(\w+)/.exec(sheet.className);  // it scrolls; a press closes it
    if (closes && event.button === 0) this.does(closes[1], event);
    this.primary(event);
    this.modified(event);
  }

  modified(event) {
    const keys = [event.shiftKey, event.altKey, event.ctrlKey || event.metaKey];
    if (this.keys === keys.join() || (!this.hand.drag && event.type.startsWith("key"))) return;
    this.keys = keys.join();
    this.model.send({ keys });
    this.hand.keys = { shift: keys[0], alt: keys[1] };
    this.hand.again();
  }

  wheel(event) {
    if (event.target.closest(".ck-sheet, .ck-strip")) return event.stopPropagation();
    const shape = this.shapeAt(this.hand.at(event));
    const zooms = event.ctrlKey || event.metaKey || (shape && shape.closer) || this.model.get("filling");
    if (!zooms) event.stopPropagation();  // the notebook scrolls
  }

  shapeAt([x, y]) {
    return (this.model.get("scene").shapes || []).find(shape => shape && inside(shape.stage, x, y));
  }

  // Outside of which corner of a box a press turns its image, null where it does not.
  cornerAt([x, y]) {
    const { shapes, reach, turns } = this.model.get("scene");
    const shape = (shapes || []).find(each => each && each.box && inside(each.room, x, y));
    return shape ? cornerBeside(edges(shape, shape.box), x, y, reach, turns) : null;
  }

  spotAt([x, y]) {
    return this.model.get("spots").find(([left, top, width, height]) =>
      inside([left, top, left + width, top + height], x, y));
  }

  moved(event) {
    if (event.buttons) return this.modified(event);
    const at = this.hand.at(event), spot = this.spotAt(at), shape = this.shapeAt(at);
    const aims = this.model.get("scene").aims, corner = spot || aims ? null : this.cornerAt(at);
    let cursor = "default", marked = null;
    if (spot) [cursor, marked] = [spot[4], spot[4] === "pointer" ? spot : null];
    else if (aims) cursor = shape && shape.box ? "crosshair" : "default";
    else if (corner) cursor = turning(corner.join());
    else if (shape && shape.box) {
      const box = edges(shape, shape.box), grip = gripAt(box, ...at, this.model.get("scene").reach);
      cursor = grip ? CURSORS[grip.join()] : shape.closer ? "grab" : "crosshair";
      marked = grip && grip.join() !== "0,0" ? gripSpot(box, grip) : null;
    } else if (shape && shape.closer) cursor = "grab";
    this.canvas.style.cursor = cursor;
    this.mark(marked, spot && spot[5], event);
  }

  mark(spot, words, event) {
    // What a press would take, and, where the pointer rests, words in full.
    const key = JSON.stringify([spot && spot.slice(0, 4), words]);
    if (this.hovered === key) return;
    this.hide();
    this.hovered = key;
    const unit = this.canvas.offsetWidth / this.model.get("scene").width;
    if (spot) {
      this.ring = document.createElement("div");
      this.ring.className = "ck-ring";
      ["left", "top", "width", "height"].forEach((side, n) => { this.ring.style[side] = `${spot[n] * unit}px`; });
      this.root.append(this.ring);
    }
    if (words) this.waiting = setTimeout(() => this.tell(words, event), 350);
  }

  tell(words, event) {
    this.tip = document.createElement("div");
    this.tip.className = "ck-tip";
    this.tip.setAttribute("role", "tooltip");
    this.tip.textContent = words;
    this.root.append(this.tip);
    const where = this.root.getBoundingClientRect(), [wide, high] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const x = event.clientX - where.left, y = event.clientY - where.top;
    this.tip.style.left = `${clamped(x + 8, 4, Math.max(4, where.width - wide - 4))}px`;
    this.tip.style.top = `${y + 22 + high > where.height ? y - high - 10 : y + 22}px`;
  }

  hide() {
    clearTimeout(this.waiting);
    for (const name of ["ring", "tip"]) {
      if (this[name]) this[name].remove();
      this[name] = null;
    }
    this.hovered = "";
  }

  gone() { this.hide(); }

  does(action, event) {
    this.model.send({ do: [action, ...this.hand.at(event)] });
  }

  menu(event) {
    if (this.handing) return;
    this.close();
    if (event.shiftKey) return this.handOver(event);
    event.preventDefault();
    event.stopPropagation();
    this.hide();
    const list = document.createElement("div"), where = this.root.getBoundingClientRect();
    list.className = "ck-menu";
    list.setAttribute("role", "menu");
    for (const [action, words, key] of this.model.get("menu")) {
      const item = document.createElement("button");
      item.setAttribute("role", "menuitem");
      item.dataset.does = action;
      const label = document.createElement("span"), by = document.createElement("kbd");
      [label.textContent, by.textContent] = [words, key];
      item.append(label, by);
      item.addEventListener("click", () => { this.close(); this.does(action, event); });
      list.append(item);
    }
    list.addEventListener("keydown", pressed => this.walk(pressed, list));
    list.addEventListener("focusout", left => list.contains(left.relatedTarget) || this.close());
    this.root.append(list);
    this.list = list;
    list.style.left = `${clamped(event.clientX - where.left, 0, Math.max(0, where.width - list.offsetWidth))}px`;
    list.style.top = `${clamped(event.clientY - where.top, 0, Math.max(0, where.height - list.offsetHeight))}px`;
    if (list.firstChild) list.firstChild.focus({ preventScroll: true });
  }

  handOver(event) {
    // JupyterLab leaves a right click with Shift to the browser: it gets one without.
    const { bubbles, cancelable, clientX, clientY, button } = event;
    this.handing = true;
    const left = event.target.dispatchEvent(
      new MouseEvent("contextmenu", { bubbles, cancelable, clientX, clientY, button, view: window }));
    this.handing = false;
    event.stopPropagation();
    if (!left) event.preventDefault();  // there is a menu
  }

  walk(event, list) {
    event.stopPropagation();
    const items = [...list.children], at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) items.at((at + step) % items.length).focus();
    if (event.key === "Escape") this.close();
    if (step || event.key === "Escape") event.preventDefault();
  }

  close() {
    const list = this.list;
    this.list = null;
    if (!list) return;
    const had = list.contains(document.activeElement);
    list.remove();
    if (had) this.canvas.focus({ preventScroll: true });
  }
}

class Flash {
  // Shows for a moment, larger, what a new press has decided: the crops that the strip has of it.
  // It lies over the page and waits for nothing; nobody who wants less motion sees it.
  constructor(root, signal) {
    this.root = root;
    this.press = 0;
    this.used = false;  // what was decided before this page was loaded is no news
    for (const kind of ["keydown", "mousedown", "touchstart"])
      root.addEventListener(kind, () => { this.used = true; }, { signal, capture: true, passive: true });
    const seen = new MutationObserver(() => this.look());
    seen.observe(root, { childList: true, subtree: true });
    signal.addEventListener("abort", () => { seen.disconnect(); this.end(); });
  }

  decided() { return [...this.root.querySelectorAll(".ck-place [data-press]")].map(badge => badge.parentElement); }

  latest() { return Math.max(0, ...this.decided().map(place => Number(place.querySelector("[data-press]").dataset.press))); }

  look() {
    const press = this.latest(), before = this.press;
    this.press = press;
    if (!this.used || press <= before || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.end();
    const where = this.root.getBoundingClientRect();
    const crops = this.decided().map(place => place.querySelector(".ck-small-crop")).filter(crop => crop);
    const rects = crops.map(crop => crop.getBoundingClientRect());
    const wide = rects.reduce((sum, { width }) => sum + width + FLASH_GAP, 0);
    const grow = Math.min(MOST_GROWN, where.width / wide);
    let goal = rects.length && rects[0].left;  // side by side, larger
    crops.forEach((crop, n) => {
      this.show(crop, rects[n], where, grow, goal - rects[n].left);
      goal += rects[n].width * grow + FLASH_GAP;
    });
  }

  show(crop, { left, top, width, height }, where, grow, shift) {
    const flash = document.createElement("div");
    flash.className = "ck-flash";
    flash.append(crop.cloneNode(true));
    Object.assign(flash.style, { left: `${left - where.left}px`, top: `${top - where.top}px`,
                                 width: `${width}px`, height: `${height}px` });
    flash.style.setProperty("--ck-grow", grow);
    flash.style.setProperty("--ck-shift", `${shift}px`);
    flash.addEventListener("animationend", () => flash.remove());
    this.root.append(flash);
  }

  end() { for (const flash of this.root.querySelectorAll(".ck-flash")) flash.remove(); }
}

const inside = ([left, top, right, bottom], x, y) => x >= left && x < right && y >= top && y < bottom;

function gripSpot([left, top, right, bottom], [column, row]) {
  const half = 9, x = left + (right - left) * (column + 1) / 2, y = top + (bottom - top) * (row + 1) / 2;
  if (column && row) return [x - half, y - half, 2 * half, 2 * half];
  return column ? [x - 3, top, 6, bottom - top] : [left, y - 3, right - left, 6];
}

function attach(model, el, signal) {
  const root = el.isConnected && el.closest(".cropkit-review");
  const canvas = root && root.querySelector(".cropkit-canvas canvas, canvas.cropkit-canvas");
  if (!canvas) {
    if (!signal.aborted) setTimeout(() => attach(model, el, signal), 50);
    return;
  }
  canvas.dataset.lmSuppressShortcuts = "true";  // keys pressed on a page are the review's alone
  const hand = new Hand(model, canvas), nudges = new Nudges(model, canvas, hand);
  new Pointing(model, root, canvas, hand, signal);
  const kinds = {
    mousedown: "take", touchstart: "take", mousemove: "move", touchmove: "move",
    mouseup: "release", mouseout: "release", touchend: "release", touchcancel: "release",
  };
  for (const [kind, does] of Object.entries(kinds))
    canvas.addEventListener(kind, event => {
      if (does === "take") nudges.end();
      hand[does](event);
    }, { signal, passive: true });
  // Each key with the browser's word whether it is held: ipycanvas does not tell, and hears none.
  const holds = key => model.get("holds").includes(key.toLowerCase()), held = new Set();
  const up = key => { if (held.delete(key)) model.send({ up: key }); };
  canvas.addEventListener("keyup", event => up(event.key.toLowerCase()), { signal, capture: true });
  for (const lost of ["blur", "pagehide"])
    for (const where of [canvas, window]) where.addEventListener(lost, () => held.forEach(up), { signal });
  canvas.addEventListener("keydown", event => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const { key, shiftKey: shift, ctrlKey: ctrl, metaKey: meta, repeat } = event;
    model.send({ key, shift, ctrl, meta, repeat, number: nudges.pressed(event) });
    if (holds(key)) held.add(key.toLowerCase());
  }, { signal, capture: true });
  model.on("change:scene", () => { hand.told(); nudges.told(); });
  const room = new Room(model, root, signal);
  const asked = ({ focus }) => {
    if (focus) takeFocus(root, canvas);
    if (focus === false) room.letGo(canvas);
  };
  model.on("msg:custom", asked);
  signal.addEventListener("abort", () => { hand.end(); nudges.end(); model.off("msg:custom", asked); });
  new Flash(root, signal);
}

function takeFocus(root, canvas) {
  // The host takes the focus for a cell when it has opened a notebook; a person who has opened a
  // menu or a dialog in the meantime, the review's or the host's, keeps it.
  const has = document.activeElement;
  if (has && root.contains(has) || document.querySelector(".lm-Menu, .jp-Dialog")) return;
  canvas.focus({ preventScroll: true });
}

// A canvas of ipycanvas draws an image from an element, whose decoded pixels the browser keeps until
// memory is short: half a gigabyte of them. Ours are drawn once each, and let go of.
function forgetful(canvas) {
  const { drawImage, _drawImage: put } = canvas;
  if (!drawImage || !put) return;  // an image, or another ipycanvas
  canvas.drawImage = async (call, buffers) => {
    const [name, ...where] = call, picture = await decoded(canvas.widget_manager, name);
    if (!picture) return drawImage.call(canvas, call, buffers);
    put.call(canvas, picture, ...where);
    picture.close();
  };
}

// Calls back in the frame that shows all that the kernel has sent for the canvas: ipycanvas hears a
// drawing at once, and carries it out when its turn comes. A page in which drawing has ended shows
// nothing any more: that the kernel finds out by itself.
async function onceDrawn(model, then) {
  const canvas = await model.widget_manager.get_model(model.get("canvases")[0]);
  const drawing = canvas.get("_canvas_manager");
  for (let last = null; last !== drawing.currentProcessing;) {
    last = drawing.currentProcessing;
    await last.catch(() => {});
  }
  requestAnimationFrame(then);
}

// The picture that an image widget holds, null where it is none.
export async function decoded(manager, name) {
  const image = await manager.get_model(String(name).replace("IPY_MODEL_", ""));
  if (image.get("_model_name") !== "ImageModel") return null;
  const picture = image.cropkitPicture ?? bitmap(image);
  image.cropkitPicture = null;
  return picture;
}

async function bitmap(image) {
  const text = new TextDecoder().decode(image.get("value"));
  const [head, coded] = text.split(";base64,");
  return coded ? createImageBitmap(new Blob([bytesOf(coded)], { type: head.replace("data:", "") })) : null;
}

function bytesOf(coded) {
  const letters = atob(coded), bytes = new Uint8Array(letters.length);
  // `Uint8Array.from` with a function takes ten times as long
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

// A picture is decoded from when it comes, beside the others; drawings wait for one another.
export function decodedEarly(image) {
  if (image.get("_model_name") !== "ImageModel") return;
  image.on("change:value", () => {
    image.cropkitPicture?.then(picture => picture?.close(), () => {});  // none was drawn
    image.cropkitPicture = bitmap(image);
    image.cropkitPicture.catch(() => {});  // told where it is drawn
  });
}

// Whether this page has every canvas, whatever an earlier page has told: on a busy machine the
// messages of two pages come mixed. A drawing on a canvas that is not there would end all drawing.
async function present(model) {
  for (const id of model.get("canvases"))
    for (;;) {
      try {
        const each = await model.widget_manager.get_model(id);
        forgetful(each);
        decodedEarly(each);
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
