// "Crop review" in JupyterLab's launcher: choose a folder, and the review notebook runs on it.
//
// This is what JupyterLab takes for a prebuilt extension: a container of federated modules, written
// by hand. It brings no library along; those of the page are in `shared`, by name and version.
(() => {
  const COMMAND = "cropkit:review";
  const LABEL = "Crop review";
  const NOTEBOOK = "crop-review";
  const MOST_NAMES = 1000;
  const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">
    <path class="jp-icon3" fill="#616161" d="M7 17V1H5v4H1v2h4v10c0 1.1.9 2 2 2h10v4h2v-4h4v-2zm10-2h2V7
    c0-1.1-.9-2-2-2H9v2h8z"/></svg>`;
  const TEMPLATE = new URL("review.ipynb", document.currentScript.src);
  let shared;

  // A page has one version of each of JupyterLab's libraries.
  const library = async (name) => (await Object.values(shared[name])[0].get())();

  // From one folder of the server to another, as a kernel that runs in the first one names it.
  const relative = (from, to) => {
    const [start, end] = [from, to].map((path) => path.split("/").filter(Boolean));
    let same = 0;
    while (same < Math.min(start.length, end.length) && start[same] === end[same]) same += 1;
    return [...start.slice(same).map(() => ".."), ...end.slice(same)].join("/") || ".";
  };

  // The review notebook that came with this file, with its parameters as a person would type them.
  const template = async (folder) => {
    const answer = await fetch(TEMPLATE);
    if (!answer.ok) throw new Error(`${TEMPLATE}: ${answer.status} ${answer.statusText}`);
    const book = await answer.json();
    const cell = book.cells.find((each) => each.metadata.tags?.includes("parameters"));
    cell.source = [cell.source].flat().join("")
      .replace('folder: str = ""', () => `folder: str = ${JSON.stringify(folder)}`)
      .replace("fill_window: bool = False", "fill_window: bool = True");
    for (const each of book.cells) {
      if (each.cell_type === "code") Object.assign(each, { outputs: [], execution_count: null });
    }
    return book;
  };

  // A new file in a folder: the server renames onto no file that is there.
  const newNotebook = async (contents, folder) => {
    const untitled = await contents.newUntitled({ path: folder, type: "notebook" });
    for (let number = 0; number < MOST_NAMES; number += 1) {
      const name = `${NOTEBOOK}${number ? `-${number}` : ""}.ipynb`;
      try {
        return (await contents.rename(untitled.path, folder ? `${folder}/${name}` : name)).path;
      } catch (error) {
        if (error.response?.status !== 409) throw error;
      }
    }
    return untitled.path;
  };

  // Show it, have its cells run once the kernel answers, and bring the review into sight.
  const run = async (app, documents, path) => {
    const panel = documents.openOrReveal(path);
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session?.kernel?.info;
    app.shell.activateById(panel.id);
    await app.commands.execute("notebook:run-all-cells");
    const review = panel.content.widgets.findIndex(
      (cell) => cell.model.sharedModel.getSource().trim().endsWith("\nreview"),
    );
    if (review >= 0) {
      panel.content.activeCellIndex = review;
      await panel.content.scrollToItem(review, "start");
    }
  };

  const activate = (libraries, app, documents, launcher, palette) => {
    const { FileDialog, LabIcon, showErrorMessage } = libraries;
    const { contents } = documents.services;
    const begin = async (cwd) => {
      const title = `${LABEL}: choose a folder of images`;
      const asked = { manager: documents, title, defaultPath: cwd };
      const chosen = await FileDialog.getExistingDirectory(asked);
      const [folder] = chosen.value ?? [];
      if (!chosen.button.accept || !folder) return;
      if (contents.driveName(folder.path) || contents.driveName(cwd)) {
        throw new Error(`${folder.path} is not on the disk that a kernel sees`);
      }
      const book = await template(relative(cwd, folder.path));
      const path = await newNotebook(contents, cwd);
      await contents.save(path, { type: "notebook", format: "json", content: book });
      await run(app, documents, path);
    };
    app.commands.addCommand(COMMAND, {
      label: LABEL,
      caption: "Review the crop boxes of a folder of images",
      icon: new LabIcon({ name: "cropkit:crop", svgstr: ICON }),
      execute: ({ cwd = "" }) => begin(cwd).catch((error) => showErrorMessage(LABEL, error)),
    });
    launcher?.add({ command: COMMAND, category: "Other", rank: 2 });
    palette?.addItem({ command: COMMAND, category: "cropkit" });
  };

  const extension = async () => {
    const names = ["docmanager", "launcher", "apputils", "filebrowser", "ui-components"];
    const all = await Promise.all(names.map((name) => library(`@jupyterlab/${name}`)));
    const libraries = Object.assign({}, ...all);
    return {
      id: "cropkit:launcher",
      description: "Has an entry in the launcher that reviews a folder of images.",
      autoStart: true,
      requires: [libraries.IDocumentManager],
      optional: [libraries.ILauncher, libraries.ICommandPalette],
      activate: (...services) => activate(libraries, ...services),
    };
  };

  (window._JUPYTERLAB ??= {}).cropkit = {
    init: (scope) => { shared = scope; },
    get: async () => {
      const plugin = await extension();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
