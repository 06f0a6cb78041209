-- SPDX-License-Identifier: GPL-3.0-or-later
-- The state database of vmrun: who has which UID, and what was granted to it.
--
-- A line "-- migration N" begins migration N; each runs once, in its own
-- transaction, which also sets user_version to N.  A migration that has been
-- released is never edited.  Comments stay here and do not reach the program.
--
-- A row precedes each effect outside the database and is changed only when
-- that effect is undone.  Order is rowids, liveness a lock: no decision is made
-- by a clock but that a file is left alone (migration 6), and other times are
-- for show only.  Paths and commands are bytes.

-- migration 1

-- 'vmru'
PRAGMA application_id = 1986884213;

-- A name for an identity that outlives its runs, with its grants.
CREATE TABLE aliases (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
		CHECK (length(name) BETWEEN 1 AND 64
			AND name NOT GLOB '*[^A-Za-z0-9._-]*')
) STRICT;

-- Every UID that was ever handed out.  Only a scan that found nothing of it
-- anywhere may set 'free'; nothing is ever deleted on a guess.
CREATE TABLE identities (
	uid INTEGER PRIMARY KEY CHECK (uid BETWEEN 1 AND 4294967294),
	gid INTEGER NOT NULL UNIQUE CHECK (gid BETWEEN 1 AND 4294967294),
	alias INTEGER UNIQUE REFERENCES aliases (id),
	status TEXT NOT NULL CHECK (status IN
		('reserved', 'active', 'revoking', 'quarantine', 'free'))
) STRICT;

-- One start of a VM; its id is the VM's number on the command line, never
-- given twice.
CREATE TABLE runs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uid INTEGER NOT NULL REFERENCES identities (uid),
	boot_id TEXT NOT NULL CHECK (length(boot_id) BETWEEN 1 AND 39),
	pid INTEGER NOT NULL DEFAULT 0,
	command BLOB NOT NULL CHECK (length(command) <= 4096),
	started INTEGER NOT NULL,
	ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),
	ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
	exit_code INTEGER
) STRICT;

-- A UID has at most one VM at a time.
CREATE UNIQUE INDEX runs_live ON runs (uid) WHERE ended = 0;

-- An entry for uid in the ACLs below path.  dev and ino are stat()'s 64 bits,
-- stored as signed.  gone rows stay until the UID is free: they say where a
-- scan has to look.  run is NULL for a grant that an alias keeps.
CREATE TABLE grants (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uid INTEGER NOT NULL REFERENCES identities (uid),
	run INTEGER REFERENCES runs (id),
	path BLOB NOT NULL CHECK (length(path) BETWEEN 1 AND 65536),
	dev INTEGER NOT NULL,
	ino INTEGER NOT NULL,
	access TEXT NOT NULL CHECK (access IN ('ro', 'rw')),
	gone INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1))
) STRICT;

CREATE INDEX grants_live ON grants (run) WHERE gone = 0;
CREATE INDEX grants_uid ON grants (uid);

-- What the last scan for a UID in quarantine found.  seq orders the queue:
-- the longest waiting is looked at first.
CREATE TABLE quarantine (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	uid INTEGER NOT NULL UNIQUE REFERENCES identities (uid),
	scans INTEGER NOT NULL DEFAULT 0,
	leftovers INTEGER,
	example BLOB
) STRICT;

-- migration 2

-- 'vm': a VM.  'work': vmrunctl changes what an alias has; it holds the alias
-- as a VM would, so that neither starts while the other is at it.
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'vm'
	CHECK (kind IN ('vm', 'work'));

-- Of a grant that an alias keeps.  begun: perhaps half made, to be undone;
-- whole: made; lapsed: to be made again, because undoing another one took
-- entries away that this one shares.  used: the last run that had it mounted.
-- btime is the inode's birth in nanoseconds (0: the file system has none), and
-- tells it from a later one with its number; dev is of the boot boot_id.
ALTER TABLE grants ADD COLUMN phase TEXT NOT NULL DEFAULT 'begun'
	CHECK (phase IN ('begun', 'whole', 'lapsed'));
ALTER TABLE grants ADD COLUMN used INTEGER REFERENCES runs (id);
ALTER TABLE grants ADD COLUMN btime INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grants ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';

-- migration 3

-- found: no run of this database had the UID; a scan met it on the disk, as
-- what a lost database or another program (containers use the same ids) left.
-- It is never handed out before a scan finds nothing, and its files are left
-- alone.  A row stays while the UID is free: seq orders the queue for reuse.
ALTER TABLE quarantine ADD COLUMN found INTEGER NOT NULL DEFAULT 0
	CHECK (found IN (0, 1));

-- migration 4

-- unscanned: nobody has looked yet what an earlier database left on the disk.
-- claims: how many never-used UIDs were handed out; the side file `highwater`
-- has the same number, so that an old copy of this file is noticed.
CREATE TABLE marks (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT;
INSERT INTO marks (name, value) VALUES ('claims', 0);
INSERT INTO marks (name, value)
	SELECT 'unscanned', 1 WHERE NOT EXISTS (SELECT 1 FROM identities);

-- migration 5

-- moving: the alias was renamed, and its home, the directory of its name in
-- `homes`, may still have this name.
ALTER TABLE aliases ADD COLUMN moving TEXT;

-- migration 6

-- ended: when the last run of the UID was over, in nanoseconds since the epoch;
-- NULL: an older version ended it.  An inode that was born later, or before the
-- first run, is not the UID's though it has its number: containers use the same
-- ids.  Such a UID is found as well from then on, and never handed out again.
ALTER TABLE quarantine ADD COLUMN ended INTEGER;
