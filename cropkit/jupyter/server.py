"""A JupyterLab server of our own: started for one review, for this user and this machine only.

Its configuration is private to it, so that nothing in a user's Jupyter set-up can open it to others
or stop it from starting; the user's Lab settings, such as the theme, are left in force.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from jupyter_core.paths import jupyter_config_dir

from cropkit.errors import LabUnavailable

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05
_REQUEST_SECONDS = 30.0
_PORT_RETRIES = 50

_PAGE = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class Lab:
    """The server process, its address, and its REST interface; it ends with this process.

    Parameters
    ----------
    session : a folder of the server's own; the notebooks it serves are in ``session / "notebooks"``
    port : the first one to try; the next free one is taken when it is not
    """

    def __init__(self, session: Path, port: int) -> None:
        self.session = session
        self.token = secrets.token_hex(24)
        _write_config(session, port, self.token)
        self.log = session / "server.log"
        guarded, self._held = os.pipe()  # held open by this process alone
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own module and folder)
                # -P: the working folder may be a collection, and its files an enemy's modules
                [sys.executable, "-P", "-m", "cropkit.jupyter.guardian", str(session)],
                env=_environment(session),
                stdin=guarded,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the launcher, which stops it in order
            )
        os.close(guarded)
        self.address = ""

    def wait_until_ready(self) -> None:
        """Wait until the server answers.

        Raises
        ------
        LabUnavailable
            When it ends, or does not answer in time.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.alive:
            if any(map(self._answers, (self.session / "runtime").glob("jpserver-*.json"))):
                return
            time.sleep(_POLL_SECONDS)
        raise LabUnavailable(_last_lines(self.log))

    def _answers(self, info: Path) -> bool:
        try:
            self.address = f"http://127.0.0.1:{json.loads(info.read_bytes())['port']}"
            self.request("GET", "/api/status")
        except (FileNotFoundError, json.JSONDecodeError, URLError):
            return False
        return True

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int | None:
        """Wait for the process to end, at most so long; return its exit code, None: it runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  (JSON)
        """Call the server's REST interface; return the JSON of the answer, None without one."""
        request = Request(  # noqa: S310  (the address is our own server's)
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=_REQUEST_SECONDS) as answer:  # noqa: S310  (as above)
            content = answer.read()
        return json.loads(content) if content else None

    def start_kernel(self, name: str) -> str:
        """Start the kernel of a notebook's session; return the kernel's connection file."""
        kernel = {"name": "python3"}
        asked = {"path": name, "name": name, "type": "notebook", "kernel": kernel}
        session = self.request("POST", "/api/sessions", asked)
        return str(self.session / "runtime" / f"kernel-{session['kernel']['id']}.json")

    def trust(self, name: str) -> None:
        """Sign a notebook, so that Lab shows its widgets."""
        self.request("POST", f"/api/contents/{quote(name)}/trust")

    def url(self, name: str) -> str:
        """Address of a notebook's page, with the token in it."""
        return f"{self.address}/doc/tree/{quote(name)}?token={self.token}"

    def stop(self) -> None:
        """Stop the server; it shuts its kernels down first."""
        with suppress(BrokenPipeError):  # it has ended already
            os.write(self._held, b".")
        if self.wait(_STOP_SECONDS) is None:
            self._process.kill()
            self._process.wait()
        os.close(self._held)


def _write_config(session: Path, port: int, token: str) -> None:
    files = {
        "config/jupyter_server_config.json": _server_config(session, port, token),
        "config/labconfig/page_config.json": _PAGE,
    }
    for name, content in files.items():
        path = session / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # the token is in it
        path.write_text(json.dumps(content), encoding="utf-8")
    for name in ("notebooks", "runtime", "tmp", "workspaces"):
        (session / name).mkdir(exist_ok=True)


def _server_config(session: Path, port: int, token: str) -> dict[str, Any]:
    return {
        "ServerApp": {
            "ip": "127.0.0.1",
            "port": port,
            "port_retries": _PORT_RETRIES,
            "open_browser": False,
            "root_dir": str(session / "notebooks"),
            "allow_root": os.geteuid() == 0,  # containers
            "log_level": "WARN",
            "kernel_websocket_connection_class": "cropkit.jupyter.nodelay.NoDelayConnection",
        },
        "IdentityProvider": {"token": token},
        "LabApp": {
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "news_url": None,
        },
        "KernelManager": {"transport_encryption": "auto"},
    }


def _environment(session: Path) -> dict[str, str]:
    settings = Path(jupyter_config_dir()) / "lab" / "user-settings"
    own = {
        "JUPYTER_CONFIG_DIR": str(session / "config"),
        "JUPYTER_RUNTIME_DIR": str(session / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(session / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": os.environ.get("JUPYTERLAB_SETTINGS_DIR", str(settings)),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel is this Python's, whatever the user has
        "PYTHONPATH": _python_path(),
        "TMPDIR": str(session / "tmp"),  # what a killed kernel leaves goes with the session
    }
    return {**os.environ, **own}


def _python_path() -> str:
    # In a clone that was never installed, only the current folder makes cropkit importable.
    clone = Path(__file__).resolve().parents[2]
    ours = [str(clone)] if (clone / "pyproject.toml").is_file() else []
    return os.pathsep.join([*ours, *filter(None, [os.environ.get("PYTHONPATH", "")])])


def _last_lines(log: Path, count: int = 5) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " | ".join(lines[-count:]) or "it said nothing"
