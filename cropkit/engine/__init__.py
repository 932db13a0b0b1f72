"""The write protocol: plan, crop, switch names, record, undo, recover, prove.

A request (`request`) is planned (`planning`), carried out (`executor`, which calls `apply`), and
settled after a crash (`recovery`). Names change in `publish` alone; `originals` keeps what undo
brings back; `fsck` proves that database and disk agree; `listing` says which images there are.
"""
