"""Bugs in the write protocol, one line each, that the harness must notice."""

from dataclasses import dataclass

MOVES = "move a PNG,move a JPEG outside,reject"
UNDOS = "undo a crop,undo a move"
NEVER = "crop what was never synced,move what was never synced,reject what was never synced"


@dataclass(frozen=True)
class Mutant:
    """One change of the engine. `tries` says which class of crashes should notice, first guess
    first, with the scenarios to look at; `harmless` is the reason of one that cannot be noticed."""

    name: str
    file: str
    old: str
    new: str
    tries: tuple[tuple[str, str | None], ...]
    harmless: str | None = None


def mutant(
    name: str, file: str, old: str, new: str, *tries: str, harmless: str | None = None
) -> Mutant:
    pairs = (one.partition(":") for one in tries)
    return Mutant(
        name, file, old, new, tuple((kind, only or None) for kind, _, only in pairs), harmless
    )


APPLY, PUBLISH, KEPT = "engine/apply.py", "engine/publish.py", "engine/originals.py"
RECOVER, FILES = "engine/recovery.py", "system/files.py"
TRAIL, STORE, EXPORT = "audit/trail.py", "audit/store.py", "audit/export.py"
OPERATIONS, REBUILD, MIGRATIONS = "audit/operations.py", "audit/rebuild.py", "audit/migrations.py"
KIT_TESTS = "calls:tests/test_collection.py"

MUTANTS = (
    # -- syncs ---------------------------------------------------------------------------------
    mutant(
        "files are never synced",
        FILES,
        "            self.system.fsync(fd)\n\n    def sync_folder",
        "            pass\n\n    def sync_folder",
        "power:crop a PNG",
    ),
    mutant(
        "folders are never synced",
        FILES,
        "as fd:\n            self.system.fsync(fd)\n\n    def make_folder",
        "as fd:\n            pass\n\n    def make_folder",
        f"power:{MOVES}",
    ),
    mutant(
        "new folders are not synced",
        FILES,
        "            self.system.fsync(above)",
        "            pass",
        "power:move into a new folder outside",
    ),
    mutant(
        "the candidate is not synced",
        APPLY,
        '[kept(operation.before or ""), staged(operation.id)]',
        '[kept(operation.before or "")]',
        "power:crop a PNG",
    ),
    mutant(
        "the original is not synced",
        APPLY,
        '[kept(operation.before or ""), staged(operation.id)]',
        "[staged(operation.id)]",
        f"power:{NEVER}",
    ),
    mutant(
        "a moved source is not synced",
        APPLY,
        "return [] if operation.in_place else [operation.source]",
        "return []",
        f"power:{NEVER}",
    ),
    mutant(
        "the originals' folder is not synced",
        APPLY,
        "self.root.sync_folder(ORIGINALS)",
        "pass",
        "power:crop a PNG",
    ),
    mutant(
        "new names are not synced",
        APPLY,
        "        self._sync_folders(jobs, new_names=True)\n",
        "",
        f"power:{MOVES}",
    ),
    mutant(
        "old names' removal is not synced",
        APPLY,
        "        self._sync_folders([job for job in jobs if not job.operation.in_place], new_names=False)\n",
        "",
        f"power:{MOVES}",
        "power",
    ),
    mutant(
        "no commit is synced",
        STORE,
        '"FULL" if durable',
        '"OFF" if durable',
        "power:crop a PNG,decide",
    ),
    mutant(
        "a decision is not synced",
        TRAIL,
        "        try:\n            with self._writing() as db:\n                yield db\n        except",
        "        try:\n            with self._writing(durable=False) as db:\n                yield db\n        except",
        "power:decide",
    ),
    mutant(
        "the intent is not synced",
        TRAIL,
        "        with self._writing() as db:\n            for one in ready",
        "        with self._writing(durable=False) as db:\n            for one in ready",
        "power:crop a PNG,move a PNG",
    ),
    # -- order ---------------------------------------------------------------------------------
    mutant(
        "published before it is prepared",
        APPLY,
        "        self._prepare(jobs)\n        self._each(jobs, self._publish)\n",
        "        self._each(jobs, self._publish)\n        self._prepare(jobs)\n",
        "kills:crop a PNG",
    ),
    mutant(
        "old names go before new ones are durable",
        APPLY,
        "        self._sync_folders(jobs, new_names=True)\n        self._each(jobs, self._retire)\n",
        "        self._each(jobs, self._retire)\n        self._sync_folders(jobs, new_names=True)\n",
        f"power:{MOVES}",
    ),
    mutant(
        "no intent at all",
        APPLY,
        "        self.trail.prepare([job.operation for job in ready])\n",
        "        pass\n",
        "kills:crop a PNG",
    ),
    mutant(
        "done in two transactions",
        TRAIL,
        "            for one in done:\n                self._finish(db, one, recovered=recovered)",
        "            for one in done:\n                operations.settle(db, one, OperationState.DONE, self._now())\n        with self._writing() as db:\n            for one in done:\n                self._finish(db, one, recovered=recovered)",
        "kills:crop a PNG",
    ),
    mutant(
        "no abort is begun before files are put back",
        APPLY,
        "            self.trail.begin_abort(job.operation)\n",
        "",
        "faults-then-kills:move a PNG,crop a PNG,reject",
    ),
    mutant(
        "done is recorded before old names go",
        APPLY,
        "        self._each(jobs, self._retire)\n        self._sync_folders([job for job in jobs if not job.operation.in_place], new_names=False)\n        self._finish(jobs)",
        "        self._finish(jobs)\n        self._each(jobs, self._retire)\n        self._sync_folders([job for job in jobs if not job.operation.in_place], new_names=False)",
        f"kills:{MOVES}",
        f"power:{MOVES}",
    ),
    # -- failing -------------------------------------------------------------------------------
    mutant(
        "files are not put back",
        APPLY,
        "            self.publisher.put_back(job.operation)\n",
        "            pass\n",
        "faults:crop a PNG,move a PNG",
    ),
    mutant(
        "an error at done is swallowed",
        APPLY,
        "        except AuditError as error:\n            for job in ready:\n                self._fail(job, error)\n            return\n",
        "        except AuditError:\n            return\n",
        "faults:crop a PNG",
    ),
    mutant(
        "a failed sync of a file is swallowed",
        APPLY,
        "        except CropkitError as error:\n            return job, error\n        return None",
        "        except CropkitError:\n            return None\n        return None",
        "calls",
    ),
    mutant(
        "the source is not put back",
        PUBLISH,
        "        self._put_source_back(operation)\n",
        "",
        "faults:crop a PNG,move a PNG",
    ),
    mutant(
        "companions are not put back",
        PUBLISH,
        "            if not self.locations.holds(companion.source, companion.sha256):\n                self._place(companion.target, companion.source, operation)\n        if operation.kind",
        "            pass\n        if operation.kind",
        f"faults:{MOVES}",
    ),
    mutant(
        "the original stays after an abort",
        KEPT,
        "            self.root.unlink(kept(before))\n            self.root.sync_folder",
        "            self.root.sync_folder",
        "calls",
    ),
    # -- recovery ------------------------------------------------------------------------------
    mutant(
        "recovery always goes back",
        RECOVER,
        "if operation.state is OperationState.PREPARED and publisher.has_passed(operation):",
        "if False:",
        "kills:reject,move a PNG",
        harmless="back is as whole as forward: nothing had been reported, and the decision waits",
    ),
    mutant(
        "recovery always goes forward",
        RECOVER,
        "if operation.state is OperationState.PREPARED and publisher.has_passed(operation):",
        "if operation.state is not OperationState.PLANNED:",
        "faults-then-kills:crop a PNG,move a PNG",
    ),
    mutant(
        "recovery goes forward from aborting",
        RECOVER,
        "operation.state is OperationState.PREPARED and publisher",
        "operation.state is not OperationState.PLANNED and publisher",
        "faults-then-kills:move a PNG,crop a PNG",
        harmless="forward is whole, too: nobody had been told of the failure",
    ),
    mutant(
        "recovery forgets the companions",
        RECOVER,
        "        publisher.publish(operation, again=True)\n",
        "",
        f"kills:{MOVES}",
    ),
    mutant(
        "recovery forgets the old names",
        RECOVER,
        "        publisher.retire(operation)\n",
        "",
        f"kills:{MOVES}",
    ),
    mutant(
        "recovery does not sweep the stage",
        RECOVER,
        "        _sweep(root, left_over, {o.id for o in trail.unsettled()})\n",
        "",
        "power:crop a PNG,move a PNG",
    ),
    mutant(
        "recovery settles what it did not put back",
        RECOVER,
        "        publisher.put_back(operation)\n",
        "        pass\n",
        "faults-then-kills:move a PNG,crop a PNG",
    ),
    mutant(
        "recovery takes the living for dead",
        RECOVER,
        "and trail.is_dead(operation.owner)",
        "",
        "calls",
    ),
    # -- the database --------------------------------------------------------------------------
    mutant(
        "a decision is not told what became of it",
        TRAIL,
        "        operations.settle_decision(db, one, self._now())\n",
        "",
        "kills:crop a PNG",
    ),
    mutant(
        "the trail is not told",
        TRAIL,
        "        self._append(db, event, path=one.source, operation=one.id, body=body)\n        operations.settle",
        "        operations.settle",
        "kills:crop a PNG",
    ),
    mutant(
        "claims are not given back",
        OPERATIONS,
        "    if state is not OperationState.CONFLICT:\n        db.execute(_LET_GO",
        "    if False:\n        db.execute(_LET_GO",
        "kills:crop a PNG",
    ),
    mutant(
        "a rival's claim is not looked at",
        OPERATIONS,
        'return db.execute(_CLAIMED, {"names": names}).first() is None',
        "return True",
        KIT_TESTS,
    ),
    mutant(
        "a decision is carried out twice",
        TRAIL,
        "if decided and decisions.status(db, decided) is not Status.WAITING:",
        "if False:",
        KIT_TESTS,
    ),
    mutant(
        "an original that is needed again is purged",
        TRAIL,
        "if planned.kind is not OperationKind.PURGE or planned.before is None:",
        "if True:",
        "calls",
    ),
    mutant(
        "a database that is not the latest is opened",
        EXPORT,
        'if whole and found != its_hash and said["event"] not in NOT_DURABLE:',
        "if False:",
        KIT_TESTS,
    ),
    mutant(
        "a database that was removed is written to",
        "audit/store_reader.py",
        "if _inode(self.path) != self._inode:",
        "if False:",
        KIT_TESTS,
    ),
    mutant(
        "the old log is not set aside durably",
        REBUILD,
        "    root.sync_folder(HOME)\n    root.replace",
        "    root.replace",
        "every power:rebuild over a log",
    ),
    mutant(
        "a database is rebuilt in its own place",
        STORE,
        "REBUILDING if rebuilding else DATABASE",
        "DATABASE",
        "kills:rebuild",
        "power:rebuild",
    ),
    mutant(
        "a rebuild that was cut off is not swept",
        RECOVER,
        "        _sweep_rebuilding(root)\n",
        "",
        "kills:rebuild what is whole",
    ),
    mutant(
        "a migration is not one transaction",
        MIGRATIONS,
        "            STEPS[number](db)\n",
        '            STEPS[number](db)\n            db.exec_driver_sql("COMMIT")\n            db.exec_driver_sql("BEGIN IMMEDIATE")\n',
        "kills:migrate",
    ),
    mutant(
        "what is purged is not put back",
        PUBLISH,
        "                self.root.replace(leaving(operation.id), operation.source)",
        "                pass",
        "faults:purge",
        "faults-then-kills:purge",
    ),
    mutant(
        "an original is removed before the trail knows",
        PUBLISH,
        "                self.root.replace(operation.source, leaving(operation.id))",
        "                self.root.unlink(operation.source)",
        "faults:purge",
        "faults-then-kills:purge",
    ),
    mutant(
        "the export is not mended",
        STORE,
        "mend=self._exported < 0",
        "mend=False",
        "power:crop a PNG,move a PNG",
    ),
    # -- names and content ---------------------------------------------------------------------
    mutant(
        "no look before the switch",
        APPLY,
        "if job.source is None or not job.source.same_file(root.identity(path)):",
        "if False:",
        "calls",
    ),
    mutant(
        "other content is accepted",
        APPLY,
        "if expect != content.sha256:",
        "if False:",
        "calls",
    ),
    mutant(
        "the candidate is not read back",
        APPLY,
        "if not job.is_meant(written):",
        "if False:",
        "calls",
    ),
    mutant(
        "an original is not claimed",
        APPLY,
        "            job.aliases.append(kept(job.request.expect))\n",
        "            pass\n",
        "calls",
    ),
    mutant(
        "a companion is dropped unseen",
        PUBLISH,
        "if not companion.keeps_source and holds(companion.target, companion.sha256):",
        "if not companion.keeps_source:",
        "calls",
    ),
)
