"""Where a planned name lies: beneath the collection or, when it is absolute, elsewhere."""

from pathlib import Path, PurePosixPath

from cropkit.system.files import Root


class Locations:
    """Finds planned names on disk; a folder elsewhere becomes a root of its own."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._elsewhere: dict[str, Root] = {}

    def locate(self, name: str) -> tuple[Root, str]:
        """Return the root and the path beneath it of a planned name."""
        if not name.startswith("/"):
            return self.root, name
        folder = str(PurePosixPath(name).parent)
        there = self._elsewhere.setdefault(folder, Root(Path(folder), self.root.system))
        return there, PurePosixPath(name).name

    def digest(self, name: str) -> str | None:
        """SHA-256 of a planned name's content, None when it is not there."""
        root, path = self.locate(name)
        return root.digest(path)

    def holds(self, name: str, sha256: str | None) -> bool:
        """Whether a planned name stands for this content; None: for nothing."""
        return self.digest(name) == sha256

    def sync_folder(self, folder: str) -> None:
        """Make the names in a planned folder durable."""
        if folder.startswith("/"):
            root, _ = self.locate(f"{folder}/-")
            root.sync_folder("")
        else:
            self.root.sync_folder("" if folder == "." else folder)
