"""The trail on a server of PostgreSQL: how it is reached, what it holds, and what it complains of.

What is asked of it is asked by the same statements as of SQLite (`dialects`). Here is what a server
has that a file has not: it may be away, slow, full or somebody else's, its line may be lost in the
middle of a commit, and its schema may hold programs.

*One writer at a time.* Whoever writes holds `writer.lock` in the folder, since the export follows
there, and the lock of the schema's table `format` on the server, for writers of other machines.

*What is done.* Each transaction has a number that the server gave to it. Where the line is lost
while it is committed, the server is asked for that number again: it was done, or it was not.
"""
