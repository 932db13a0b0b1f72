"""The look of what lies over the canvas, in JupyterLab's own colours so that themes agree.

Nothing over the canvas takes the pointer: a click goes through to the canvas, which then has the
keyboard. JupyterLab therefore never gets a key that was meant for the review.
"""

CSS = """<style>
.cropkit-review { position: relative; width: 100%; overflow: hidden;
  margin: 0; padding: 0; container-type: inline-size; color: var(--jp-ui-font-color1, #222); }
.cropkit-review .cropkit-canvas { display: block; width: 100%; height: auto; margin: 0;
  outline: none; cursor: default; touch-action: none; }
.cropkit-review.ck-filling { position: fixed; top: 0; z-index: 1000; max-width: none;
  background: var(--jp-layout-color0, #fff);
  box-shadow: 0 0 0 100vmax var(--jp-layout-color0, #fff); }
[data-cropkit-under] { contain: none !important; transform: none !important;
  filter: none !important; perspective: none !important; will-change: auto !important;
  content-visibility: visible !important; container-type: normal !important;
  isolation: auto !important; z-index: auto !important; opacity: 1 !important;
  clip-path: none !important; backdrop-filter: none !important; }
.cropkit-review .ck-ring { position: absolute; box-sizing: border-box; pointer-events: none;
  border: 2px solid var(--jp-brand-color1, #1976d2); border-radius: 4px; z-index: 2;
  background: color-mix(in srgb, var(--jp-brand-color1, #1976d2) 18%, transparent); }
.cropkit-review .ck-tip, .cropkit-review .ck-menu { position: absolute; z-index: 3;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 4px;
  background: var(--jp-layout-color1, #fff); color: var(--jp-ui-font-color0, #111);
  box-shadow: 0 2px 8px rgba(0, 0, 0, 0.3); font-size: 13px;
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); }
.cropkit-review .ck-tip { padding: 3px 8px; max-width: 80%; overflow-wrap: anywhere;
  pointer-events: none; }
.cropkit-review .ck-menu { padding: 4px 0; min-width: 220px; }
.cropkit-review .ck-menu button { display: flex; justify-content: space-between; gap: 2em;
  width: 100%; min-height: 26px; align-items: center; padding: 2px 12px; border: 0;
  background: none; color: inherit; font: inherit; cursor: pointer; text-align: left; }
.cropkit-review .ck-menu button:focus, .cropkit-review .ck-menu button:hover { outline: none;
  background: var(--jp-brand-color1, #1976d2); color: #fff; }
.cropkit-review .ck-menu kbd { font: inherit; opacity: 0.8; }
.cropkit-review .cropkit-over { position: absolute; inset: 0; margin: 0; width: auto;
  height: auto; max-width: none; overflow: hidden; pointer-events: none; }
.cropkit-review .cropkit-over * { pointer-events: none; }
.cropkit-review .cropkit-over .widget-html-content,
.cropkit-review .cropkit-over .jupyter-widget-html-content { position: absolute; inset: 0;
  margin: 0; padding: 0; line-height: 1.3;
  font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: max(10px, 13.5 * 100cqw / var(--ck-width, 1400)); }
.cropkit-review .ck-at { position: absolute; box-sizing: border-box; display: flex;
  align-items: center; gap: 0.7em; min-width: 0; white-space: nowrap; }
.cropkit-review .ck-grow { flex: 1 1 0; min-width: 0; }
.cropkit-review .ck-cut { overflow: hidden; text-overflow: ellipsis; min-width: 2em; }
.cropkit-review .ck-first { display: flex; flex: 1 1 auto; min-width: 3em; white-space: pre;
  overflow: hidden; }
.cropkit-review .ck-second, .cropkit-review .ck-gives { display: flex; flex-wrap: wrap;
  align-items: center; align-content: flex-start; height: 1.3em; overflow: hidden; }
.cropkit-review .ck-second::before, .cropkit-review .ck-gives::before { content: ""; flex: none;
  width: 0.01px; height: 1.3em; }
.cropkit-review .ck-second { flex: 0 9999999 auto; min-width: 0; }
.cropkit-review .ck-second > .ck-cut { flex: 1 1 4em; min-width: 0; max-width: max-content; }
.cropkit-review .ck-sure { flex: none; white-space: pre; }
.cropkit-review .ck-sure:empty { display: none; }
.cropkit-review .ck-sure.ck-gives { flex: 0 99 auto; min-width: 1.9em; }
.cropkit-review .ck-gives > span + span { margin-left: 0.3em; }
.cropkit-review .ck-first > span + span { flex: none; }
.cropkit-review .ck-first > .ck-cut { min-width: 1.5em; }
@container (max-width: 1240px) {
  .cropkit-review .ck-most { display: none; }
}
@container (max-width: 820px) {
  .cropkit-review .ck-more { display: none; }
  .cropkit-review .ck-at { gap: 0.4em; }
  .cropkit-review .cropkit-over .ck-pill { padding: 0.12em 0.4em; font-size: 0.94em; }
  .cropkit-review .cropkit-over .ck-bar, .cropkit-review .cropkit-over .ck-yield { min-width: 0; }
}
.cropkit-review .ck-meter { display: inline-block; flex: none; vertical-align: middle; width: 1.8em;
  height: 0.42em; border-radius: 0.3em; overflow: hidden;
  background: var(--jp-border-color2, #ddd); }
.cropkit-review .ck-meter > span { display: block; height: 100%;
  background: var(--jp-success-color1, #388e3c); }
.cropkit-review .ck-meter.ck-low > span { background: #d98200; }
.cropkit-review .ck-quiet { color: var(--jp-ui-font-color2, #666); }
.cropkit-review .ck-name { font-weight: 600; color: var(--jp-ui-font-color0, #111); }
.cropkit-review .ck-words { overflow: hidden; gap: 0.5em; font-size: 0.96em; }
.cropkit-review .ck-slot { flex: none; min-width: 0; max-width: 9em; padding: 0 0.45em;
  border-radius: 4px;
  font-weight: 650; color: var(--jp-layout-color1, #fff);
  background: var(--jp-ui-font-color0, #111); }
.cropkit-review .ck-button { justify-content: center; gap: 0.4em; border-radius: 4px;
  border: 1px solid var(--jp-border-color1, #bbb); background: var(--jp-layout-color2, #f3f3f3);
  color: var(--jp-ui-font-color0, #111); overflow: hidden; }
.cropkit-review .ck-yield { flex: 0 9 auto; min-width: 2em; overflow: hidden;
  text-overflow: ellipsis; }
.cropkit-review .ck-title { font-size: 1.15em; font-weight: 650; flex: 0 1 auto;
  max-width: 30%; }
.cropkit-review .ck-side { padding: 0 0.3em; }
.cropkit-review .ck-bar { height: 0.45em; border-radius: 0.3em; overflow: hidden;
  background: var(--jp-border-color2, #ddd); min-width: 3em; }
.cropkit-review .ck-bar > div { height: 100%; background: var(--jp-brand-color1, #1976d2); }
.cropkit-review .ck-pill { border: 1px solid var(--jp-border-color1, #bbb); border-radius: 1em;
  padding: 0.12em 0.7em; background: var(--jp-layout-color2, #f3f3f3); flex: none; }
.cropkit-review .ck-pill.ck-bad { color: var(--jp-error-color1, #c62828);
  border-color: currentColor; background: none; }
.cropkit-review .ck-frame { border: 1px solid var(--jp-border-color3, #eee);
  border-radius: 7px; }
.cropkit-review .ck-frame.ck-chosen { border: 2px solid var(--jp-brand-color1, #1976d2); }
.cropkit-review .ck-frame.ck-picked { outline: 4px double var(--jp-brand-color1, #1976d2);
  outline-offset: -5px; }
.cropkit-review .ck-key { border: 1px solid var(--jp-border-color1, #bbb); border-bottom-width: 2px;
  border-radius: 4px; padding: 0.05em 0.45em; background: var(--jp-layout-color2, #f3f3f3);
  color: var(--jp-ui-font-color0, #111); font-size: 0.92em; flex: none;
  font-family: var(--jp-code-font-family, monospace); }
.cropkit-review .ck-key.ck-picked { background: var(--jp-ui-font-color0, #111);
  color: var(--jp-layout-color1, #fff); }
.cropkit-review .ck-chip { border: 1px solid currentColor; border-radius: 1.2em;
  justify-content: center; gap: 0.3em; padding: 0 0.15em; font-weight: 550; overflow: hidden; }
.cropkit-review .ck-chip.ck-tight { font-size: 0.86em; gap: 0.2em; padding: 0 0.2em; border: 0;
  justify-content: flex-end; }
.cropkit-review .ck-words.ck-tight { font-size: 0.86em; gap: 0.35em; line-height: 1.35; }
.cropkit-review .ck-words.ck-tight .ck-first { min-width: 3em; }
.cropkit-review .ck-words.ck-tight .ck-name { font-weight: 500; }
.cropkit-review .ck-words.ck-tight .ck-key { border: 0; font-size: 1em; padding: 0 0.3em; }
.cropkit-review .ck-accept, .cropkit-review .ck-done { color: var(--jp-success-color0, #1b5e20); }
.cropkit-review .ck-adjusted { color: var(--jp-brand-color0, #0d47a1); }
.cropkit-review .ck-reject, .cropkit-review .ck-failed { color: var(--jp-error-color1, #c62828); }
.cropkit-review .ck-skip, .cropkit-review .ck-wait { color: var(--jp-ui-font-color2, #666); }
body[data-jp-theme-light='false'] .cropkit-review .ck-accept,
body[data-jp-theme-light='false'] .cropkit-review .ck-done { color: #66bb6a; }
body[data-jp-theme-light='false'] .cropkit-review .ck-adjusted { color: #64b5f6; }
body[data-jp-theme-light='false'] .cropkit-review .ck-reject,
body[data-jp-theme-light='false'] .cropkit-review .ck-failed,
body[data-jp-theme-light='false'] .cropkit-review .ck-bad { color: #ff8a65; }
.cropkit-review .ck-small { color: #9a5b00; }
body[data-jp-theme-light='false'] .cropkit-review .ck-small { color: #ffb74d; }
.cropkit-review .ck-place { overflow: hidden; border-radius: 4px; justify-content: center;
  background: var(--jp-layout-color2, #f3f3f3); font-size: 0.7em; }
.cropkit-review .ck-place img { width: 100%; height: 100%; object-fit: cover; margin: 0; }
.cropkit-review .ck-place.ck-latest { outline: 2px solid var(--jp-brand-color1, #1976d2);
  outline-offset: 1px; }
.cropkit-review .ck-flash { position: absolute; z-index: 4; overflow: hidden; border-radius: 4px;
  pointer-events: none; transform-origin: left bottom; animation: ck-flash 0.6s ease-out forwards;
  box-shadow: 0 0 3px rgba(0, 0, 0, 0.6); }
@keyframes ck-flash {
  from, 40% { transform: translateX(var(--ck-shift)) scale(var(--ck-grow)); opacity: 1; }
  to { transform: none; opacity: 0; }
}
.cropkit-review .ck-seek { margin: 0 0 0.8em; font-size: 1.1em; }
.cropkit-review .ck-contact { display: flex; flex-wrap: wrap; gap: 0.8em; margin-top: 0.6em; }
.cropkit-review .ck-pair { margin: 0; width: 17em; }
.cropkit-review .ck-pair > div { display: flex; gap: 0.4em; height: 7.5em; align-items: center; }
.cropkit-review .ck-pair figcaption { display: flex; gap: 0.5em; white-space: nowrap; }
.cropkit-review .ck-pair > div > span { display: flex; align-items: center; justify-content: center;
  width: 8.3em; height: 100%; }
.cropkit-review .ck-onward { display: flex; flex-wrap: wrap; gap: 0.6em; align-items: center; }
.cropkit-review .ck-hint { justify-content: center; border-radius: 6px; color: #fff;
  background: #0d47a1; font-weight: 600; box-shadow: 0 1px 4px rgba(0, 0, 0, 0.4); }
.cropkit-review .ck-strip { flex-wrap: wrap; gap: 3px; align-content: flex-start;
  overflow: hidden auto; pointer-events: auto; padding: 2px 4px; font-size: 0.9em; }
.cropkit-review .ck-strip .ck-does { min-height: 24px; padding: 0 0.5em; }
.cropkit-review .ck-small-crop { position: relative; display: block; overflow: hidden; flex: none; }
.cropkit-review .ck-small-crop img, .cropkit-review .ck-place .ck-small-crop img {
  position: absolute; max-width: none; object-fit: fill; margin: 0; }
.cropkit-review .ck-small-whole { position: relative; display: block; flex: none; }
.cropkit-review .ck-small-whole img { display: block; margin: 0; filter: brightness(0.6); }
.cropkit-review .ck-small-box { position: absolute; box-sizing: border-box;
  border: 2px solid #fff; outline: 1px solid #10151c; }
.cropkit-review .cropkit-over .ck-does { pointer-events: auto; cursor: pointer; font: inherit;
  border: 1px solid currentColor; border-radius: 4px; padding: 0.05em 0.5em; min-height: 24px;
  display: inline-flex; align-items: center; gap: 0.3em; box-sizing: border-box; flex: none;
  color: inherit; background: var(--jp-layout-color1, #fff); }
.cropkit-review .cropkit-over .ck-crumb .ck-does { border: 0; padding: 0 0.15em; min-width: 24px; }
.cropkit-review .cropkit-over .ck-does:hover { background: var(--jp-brand-color1, #1976d2);
  color: #fff; }
.cropkit-review .ck-line .ck-does { padding: 0 0.5em; }
.cropkit-review .ck-badge { position: absolute; right: 2px; bottom: 2px; min-width: 1.5em;
  text-align: center; border-radius: 1em; padding: 0.1em 0.2em; font-size: 1.1em;
  background: var(--jp-layout-color1, #fff); border: 1px solid currentColor; line-height: 1.1; }
.cropkit-review .ck-whole { display: flex; gap: 0.7em; flex: 1 1 auto; min-width: 0; }
.cropkit-review .ck-typed { font-family: var(--jp-code-font-family, monospace); font-size: 1.1em;
  min-width: 8em; white-space: pre; color: var(--jp-ui-font-color0, #111); }
.cropkit-review .ck-tile { flex-direction: column; justify-content: center; text-align: center;
  white-space: normal; padding: 1em; gap: 0.4em; overflow: hidden; overflow-wrap: anywhere; }
.cropkit-review .ck-hindrance { flex-direction: column; justify-content: flex-end;
  overflow: hidden; }
.cropkit-review .ck-why { display: flex; flex-direction: column; gap: 0.3em; width: 100%;
  box-sizing: border-box; padding: 0.5em 0.8em; white-space: normal; overflow-wrap: anywhere;
  max-height: 100%; overflow: hidden; color: #fff; background: rgba(10, 14, 20, 0.86); }
.cropkit-review .ck-why.ck-tight { padding: 0.1em 0.5em; font-size: 0.86em; }
.cropkit-review .ck-later { color: #9a5b00; }
body[data-jp-theme-light='false'] .cropkit-review .ck-later { color: #ffb74d; }
.cropkit-review .ck-star { flex: none; color: #9a5b00; }
body[data-jp-theme-light='false'] .cropkit-review .ck-star { color: #ffb74d; }
.cropkit-review .ck-level { flex: none; color: var(--jp-ui-font-color2, #616161); }
.cropkit-review .ck-sign { font-size: 1.7em; }
.cropkit-review .ck-line { border-radius: 6px; padding: 0 0.8em; border: 1px solid transparent; }
.cropkit-review .ck-line.ck-problem { border-color: currentColor; color: #9a5b00; }
body[data-jp-theme-light='false'] .cropkit-review .ck-line.ck-problem { color: #ffb74d; }
.cropkit-review .ck-line.ck-prompt { border-color: var(--jp-brand-color1, #1976d2);
  border-width: 2px;
  background: var(--jp-layout-color1, #fff); }
.cropkit-review .ck-line .ck-also { flex: 0 1 auto; max-width: 16%; opacity: 0.8;
  padding-left: 0.7em; border-left: 1px solid currentColor; }
.cropkit-review .ck-line .ck-two { flex: 1 1 0; min-width: 2em; white-space: normal;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  overflow-wrap: anywhere; font-size: 0.95em; line-height: 1.2; }
.cropkit-review .ck-line.ck-stopped { background: #b00020; color: #fff; font-weight: 600; }
.cropkit-review .ck-parted, .cropkit-review .ck-orphaned { display: none; background: #8a5200;
  color: #fff; font-weight: 600; }
.jp-NotebookPanel:has(.jp-Notebook-ExecutionIndicator:is([data-status='connecting'],
  [data-status='disconnected'])) .cropkit-review:not(.jupyter-widgets-disconnected) .ck-parted,
.cropkit-review.jupyter-widgets-disconnected .ck-orphaned { display: flex; }
.jp-NotebookPanel:has(.jp-Notebook-ExecutionIndicator:is([data-status='connecting'],
  [data-status='disconnected'])) .cropkit-review .cropkit-canvas,
.cropkit-review.jupyter-widgets-disconnected .cropkit-canvas { opacity: 0.45; }
.cropkit-review .ck-line .ck-name { color: inherit; flex: 0 1 auto; }
.cropkit-review .ck-unfocused { color: #9a5b00; font-weight: 600; }
body[data-jp-theme-light='false'] .cropkit-review .ck-unfocused { color: #ffb74d; }
.cropkit-review:focus-within .ck-unfocused { display: none; }
.cropkit-review:not(:focus-within) .ck-focused { display: none; }
.cropkit-review:not(:focus-within) .ck-chosen { border-style: dashed; }
.cropkit-review .ck-right { justify-content: flex-end; }
.cropkit-review .ck-sheet { display: block; overflow: hidden auto; white-space: normal;
  padding: 1.2em 1.8em; pointer-events: auto; overscroll-behavior: contain;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 8px;
  background: var(--jp-layout-color1, #fff); }
.cropkit-review .ck-sheet h3 { margin: 0 0 0.5em; font-size: 1.15em; }
.cropkit-review .ck-columns { columns: 26em 3; column-gap: 2.5em; }
.cropkit-review .ck-row { display: flex; gap: 0.5em; align-items: baseline; margin: 0.3em 0;
  break-inside: avoid; }
.cropkit-review .ck-group { break-inside: avoid; margin-bottom: 1em; }
.cropkit-review .cropkit-status { position: absolute; width: 1px; height: 1px; margin: 0;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap; pointer-events: none; }
</style>"""
