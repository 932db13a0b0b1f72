// --- a key that moves a box, drawn before the kernel has answered (between live_drag.js and browser.js)
//
// `scene` has, besides, chosen: position of the image whose box keys move, or null; nudges: [[key, shift, ctrl,
// grip, pixels], …], none where keys are typed; heard: [page, number] of the last key that the kernel had
// taken when it told all this. It decides: what it tells is what the keys behind it are put on.

const NEAR = 30;  // milliseconds: a kernel that answers as soon draws soon enough
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];

class Nudges {
  constructor(model, canvas, hand) {
    Object.assign(this, { model, canvas, hand, number: 0, other: 0, pending: [], away: Infinity });
    this.page = Math.random().toString(36).slice(2, 10);
  }

  get heard() {
    const [page, number] = this.model.get("scene").heard || [];
    return page === this.page ? number : 0;
  }

  // Take note of a key; return what the kernel is to call it.
  pressed(event) {
    const number = this.number += 1, row = this.rowOf(event);
    const known = this.heard >= this.other;  // what the keys before it have done
    if (row && known && !this.hand.drag) {
      this.pending.push({ number, at: performance.now(), grip: row[3], by: row[4] });
      if (this.away >= NEAR) this.draw();
      else setTimeout(() => this.pending.some(key => key.number === number) && this.draw(), NEAR);
    } else if (!MODIFIERS.includes(event.key)) this.other = number;
    return [this.page, number];
  }

  // As the kernel looks a key up (review/keys/keymap.py), but for letters of other scripts.
  rowOf({ key, shiftKey, ctrlKey, metaKey }) {
    const letter = key.length === 1, held = ctrlKey || metaKey;
    if (metaKey && !letter) return undefined;
    const wanted = [letter ? key.toLowerCase() : key, shiftKey && (held || !letter), held].join();
    return (this.model.get("scene").nudges || []).find(row => row.slice(0, 3).join() === wanted);
  }

  draw() {
    const scene = this.model.get("scene"), cell = scene.cells[scene.chosen];
    if (!cell) return this.end();
    const box = this.pending.reduce(
      (at, { grip, by }) => dragged(at, grip, by, cell.size, cell.ratio, 0), cell.box);
    const place = JSON.stringify([scene.chosen, scene.width, cell.stage]);
    if (this.place !== place) this.remove();
    this.place = place;
    this.overlay ??= new Overlay(this.canvas, cell, this.canvas.offsetWidth / scene.width, this.model.get("brush"));
    this.overlay.draw(cell, box, false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), PATIENCE);  // what the kernel drew last is what holds
  }

  told() {
    const taken = this.pending.filter(({ number }) => number <= this.heard);
    if (!taken.length) return;
    this.away = performance.now() - taken.at(-1).at;
    this.pending = this.pending.slice(taken.length);
    if (!this.overlay) return;
    if (this.pending.length) this.draw();
    else requestAnimationFrame(() => this.pending.length || this.end());
  }

  remove() {
    if (this.overlay) this.overlay.element.remove();
    this.overlay = null;
  }

  end() {
    clearTimeout(this.timer);
    this.pending = [];
    this.remove();
  }
}

