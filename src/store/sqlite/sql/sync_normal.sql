-- It survives the death of every process.
PRAGMA synchronous = NORMAL
