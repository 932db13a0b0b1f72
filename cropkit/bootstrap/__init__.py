"""Make the environment that cropkit runs in, from nothing but Python and pip, or uv.

A clone holds ``requirements.lock``: every package with its version and hashes. From it ``.venv`` is
made on the first run. What holds:

- The stamp in ``.venv`` says "unfinished" first and is written last, so a set-up that was
  interrupted, at any point, is seen as none and made again. It names the lock's hash, the Python
  and the clone's place: when one of them changes, the environment is made anew.
- Whoever builds ``.venv`` holds ``.venv.lock`` alone; whoever runs in it shares that lock. So two
  first runs make one environment, and no set-up pulls an environment from under a running review.
  The lock is the kernel's (flock): it dies with the last process that holds it.
- The bare interpreter needs no ``ensurepip`` (Debian splits it off) and is itself left as it is.

Standard library only: it runs before anything is installed.
"""

from cropkit.bootstrap.clone import find_clone
from cropkit.bootstrap.environment import ensure
from cropkit.bootstrap.report import SetupFailed, say

__all__ = ["SetupFailed", "ensure", "find_clone", "say"]
