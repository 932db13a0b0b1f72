"""Make the environment that cropkit runs in, from nothing but Python and pip, or uv.

A clone holds ``requirements.lock``, every package with its version and hashes, and on top of it
``requirements-test.lock``, which ``test`` alone needs. From them an environment is made on the
first run, by uv where there is one or pip can fetch one (``requirements-uv.lock``), else by pip.
What holds:

- ``.venv`` is a link to the environment in force, a folder beneath ``.venv.d`` that is never
  renamed, since its scripts name it. A new one is made beside it, tried, stamped last, and only
  then linked to: a set-up that fails or is interrupted at any point leaves the one before.
- The stamp names the hashes of the locks, the Python and the clone's place: when one of them
  changes, a new environment is made.
- Whoever builds holds ``.venv.lock`` alone; whoever runs in an environment shares a lock on its
  stamp. So two first runs make one environment, and no environment is removed under a running
  review. The locks are the kernel's (flock): they die with the last process that holds them.
- The bare interpreter needs no ``ensurepip`` (Debian splits it off) and is itself left as it is.

Standard library only: it runs before anything is installed.
"""

from cropkit.bootstrap.clone import find_clone
from cropkit.bootstrap.environment import ensure
from cropkit.bootstrap.report import SetupFailed, say

__all__ = ["SetupFailed", "ensure", "find_clone", "say"]
