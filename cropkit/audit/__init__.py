"""The audit trail: what was decided, what was done about it, and the proof of both.

Theory of operation
-------------------
A crop destroys pixels, and whoever decided it may not be there to be asked. So nothing is done to
an image that is not written down first, and nothing counts as done until that is written down,
too. The trail is not a log beside the work: it is what the work is resumed from, taken back by,
and proved with. Where it cannot be written there is no work (`AuditError` stops everything).

*One database.* Decisions, the queue, claims, operations and events share one SQLite file, because
each of them is only true together with the others: a decision without its place in the queue is
never carried out, an operation without its event cannot be accounted for. In one file they change
in one transaction, and a crash leaves all of a step or none of it. Events form a chain (`chain`):
each names the hash of the one before, so that an edit in the middle shows. The export,
`trail.jsonl`, follows each commit. It is a copy for people and for `rebuild`, and never believed
against the database, unless it tells of more: then the database is an old one, and is refused.

*Who may write.* Any number of processes may have a collection open, and each may write whenever
it holds `writer.lock`. SQLite would let them in without it, but some of its versions damage their
log when several write and checkpoint (`store`). Reading waits for nobody. Whoever is only to look
has a `TrailReader`, on a connection that SQLite itself keeps from writing; its type has nothing
to write with. An `AuditTrail` reads, too, and writes; each of its verbs is one transaction, and
what it decides or settles has its event in the same one. Two who want the same image are kept
apart by claims, which are rows under a primary key and no locks: a claim has to outlive whoever
made it, until recovery has settled what it was for.

*Who is alive.* That is asked of the kernel, not of a clock. Each writer holds a lock on a file of
its own (`presence`), which goes with the process at any death. An open operation whose owner is
gone was cut off, and recovery may settle it; one whose owner lives is somebody's work, however
long it takes. The beat of a run (`heartbeat`) is for people, who want to hear of a review that
stopped; no decision about files is made by it.

*What survives.* Most commits are synced before they return, and survive a power cut. A claim, a
beat and the reviewer's place are not: they survive the death of the process, and what a power cut
takes of them was of use to the living only. After a power cut

- a decision that was acknowledged is there, and waits or is done;
- an operation is *planned* (no name was switched: it is forgotten), *prepared* (all hashes are
  known: the files say whether it goes forward or back), *aborting* (it goes back) or done;
- an operation whose event is missing has not been told to anybody as done, and recovery settles it;
- the export may be short or end in half a line, and the next session mends it;
- the database may be lost altogether, with its disk: `rebuild` plays the export again.

*Whose it is.* All hashes of a chain can be computed anew. So each transaction seals the head with a
key that is kept outside of the collection (`keys`, `seals`), and what the trail ended with is kept
there, too (`heads`). Whoever opens it to write holds it against both first (`trust`).
"""
