"""The write protocol: plan, crop, switch names, record, undo, recover, prove.

A request (`request`) is planned (`planning`), carried out (`executor`, in `groups`, by `apply`),
and settled after a crash (`recovery`). Names change in `publish` alone; `originals` keeps what undo
brings back; `locations` finds a planned name on disk. `fsck` proves that database and disk agree;
`listing` says which images there are.
"""
