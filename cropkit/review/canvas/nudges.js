// --- a key that changes boxes, drawn before the kernel has answered (between live_drag.js and browser.js)
//
// `scene` has, besides, chosen: position of the image whose box keys move, or null; nudges: [[key, shift, ctrl,
// grip, pixels], …], keys that move it; foreseen: [[key, shift, ctrl, outcomes, period], …], for other keys what the
// first press of one makes of the page, the second, …: [[position, box, ratio, whether keys may move it then], …]
// of what changes; the last ones, as many as its period is, come again and again; none of either where keys are
// typed; heard: [page, number] of the last key that the kernel had taken when it told all this. It decides: what
// it tells is what the keys behind it are put on.

const NEAR = 30;  // milliseconds: a kernel that answers as soon draws soon enough
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];

class Nudges {
  constructor(model, canvas, hand) {
    Object.assign(this, { model, canvas, hand, number: 0, other: 0, pending: [], away: Infinity });
    this.overlays = new Map();  // by the position of their image
    this.page = Math.random().toString(36).slice(2, 10);
  }

  get heard() {
    const [page, number] = this.model.get("scene").heard || [];
    return page === this.page ? number : 0;
  }

  // Take note of a key; return what the kernel is to call it.
  pressed(event) {
    const number = this.number += 1, does = this.doneBy(event);
    if (does && does.slot && event.repeat) return [this.page, number];  // one effect for each press
    const known = this.heard >= this.other;  // what the keys before it have done
    if (does && known && !this.hand.drag && this.after([...this.pending, does])) {
      this.pending.push({ number, at: performance.now(), ...does });
      if (this.away >= NEAR) this.draw();
      else setTimeout(() => this.pending.some(key => key.number === number) && this.draw(), NEAR);
    } else if (!MODIFIERS.includes(event.key)) this.other = number;
    return [this.page, number];
  }

  // As the kernel looks a key up (review/keys/keymap.py), but for letters of other scripts.
  doneBy({ key, shiftKey, ctrlKey, metaKey }) {
    const letter = key.length === 1, held = ctrlKey || metaKey, scene = this.model.get("scene");
    if (metaKey && !letter) return undefined;
    const wanted = [letter ? key.toLowerCase() : key, shiftKey && (held || !letter), held].join();
    const bound = row => row.slice(0, 3).join() === wanted;
    const moves = (scene.nudges || []).find(bound);
    if (moves) return { grip: moves[3], by: moves[4] };
    return (scene.foreseen || []).some(bound) ? { slot: wanted } : undefined;
  }

  // What keys make of the page as the kernel has told it, {cell, box, ratio, free} by position; null
  // where that is not foreseen: several presses of one key are, and then keys that move a box.
  after(keys) {
    const scene = this.model.get("scene"), presses = keys.filter(({ slot }) => slot);
    if (presses.some(({ slot }, n) => slot !== keys[n].slot || slot !== presses[0].slot)) return null;
    const row = (scene.foreseen || []).find(each => each.slice(0, 3).join() === presses[0]?.slot);
    const outcome = presses.length ? row && outcomeOf(presses.length, row[3], row[4]) : [];
    if (!outcome) return null;
    const after = new Map(outcome.map(
      ([position, box, ratio, free]) => [position, { cell: scene.shapes[position], box, ratio, free }]));
    return keys.length > presses.length ? this.moved(after, keys.slice(presses.length)) : after;
  }

  moved(after, keys) {
    const { chosen, cells } = this.model.get("scene"), cell = cells[chosen];
    const was = after.get(chosen) ?? (cell && { box: cell.box, ratio: cell.ratio, free: true });
    if (!cell || !was.free) return null;
    const box = keys.reduce((at, { grip, by }) => dragged(at, grip, by, cell.size, was.ratio, 0), was.box);
    return after.set(chosen, { ...was, cell, box });
  }

  draw() {
    const scene = this.model.get("scene"), after = this.after(this.pending);
    if (!after) return this.end();
    const place = JSON.stringify([scene.width, scene.chosen, (scene.shapes || []).map(shape => shape && shape.stage)]);
    if (this.place !== place) this.remove();
    this.place = place;
    for (const position of [...this.overlays.keys()].filter(each => !after.has(each))) this.fade(position);
    for (const [position, { cell, box }] of after) {
      if (!this.overlays.has(position))
        this.overlays.set(position, new Overlay(
          this.canvas, cell, this.canvas.offsetWidth / scene.width, this.model.get("brush")));
      this.overlays.get(position).draw(cell, box, false);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), PATIENCE);  // what the kernel drew last is what holds
  }

  // Leave one to the kernel, when its own drawing of it is there.
  fade(position) {
    const { element } = this.overlays.get(position);
    this.overlays.delete(position);
    onceDrawn(this.model, () => element.remove());
  }

  told() {
    const taken = this.pending.filter(({ number }) => number <= this.heard);
    if (!taken.length) return;
    this.away = performance.now() - taken.at(-1).at;
    this.pending = this.pending.slice(taken.length);
    if (!this.overlays.size) return;
    if (this.pending.length) this.draw();
    else onceDrawn(this.model, () => this.pending.length || this.end());
  }

  remove() {
    for (const { element } of this.overlays.values()) element.remove();
    this.overlays.clear();
  }

  end() {
    clearTimeout(this.timer);
    this.pending = [];
    this.remove();
  }
}

const outcomeOf = (presses, outcomes, period) => {
  const over = presses - outcomes.length - 1;
  return outcomes[over < 0 || !period ? presses - 1 : outcomes.length - period + over % period];
};
